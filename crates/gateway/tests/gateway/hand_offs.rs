//! A manager talks in a conversation: who is shown what his client says, until when, and how it ends.

use std::time::Duration;

use serde_json::{Value, json};
use tandem_gateway::{AppDocument, MarkDocument, WhileManagerTalks, keyboard_notes};
use tandem_journal::{Append, Fact, HandOff, Urgency};
use tandem_model::{Conversation, Event, EventKind, Flags, LaneId};
use tandem_telegram::{methods::Class, params::Params};

use crate::support::{Client, Stage, message, server::Reply, texts};

const TALK: Duration = Duration::from_mins(30);
/// The lane of the manager's route.
const ROUTE: i64 = 99;

/// A manager writes to a client: his words are committed, and with them that he talks.
async fn manager_writes(t: &Stage, chat: i64) {
    let hand_off = HandOff { conversation: Conversation::chat(chat), until: t.clock.now().plus(TALK) };
    let facts = vec![Fact::HandOff(hand_off)];
    let mut append = Append { facts, urgency: Urgency::MustKeep, ..Append::default() };
    t.gateway.hand_offs_begin(t.bot.id(), LaneId::new(ROUTE).unwrap(), &mut append).await;
    t.recorder.record(t.bot.id(), append).await.unwrap();
}

/// A manager's message shows a keyboard.
async fn manager_shows(t: &Stage, chat: i64, id: i64, markup: &Value) {
    let Class::Captured(capture) = Class::of("sendMessage") else { panic!("it is captured") };
    let parameters = Params::of([("chat_id", chat.to_string()), ("reply_markup", markup.to_string())]);
    let mut result: Value = serde_json::from_str(&message(id, chat, "Well?")).unwrap();
    if markup.get("inline_keyboard").is_some() {
        result["reply_markup"] = markup.clone();
    }
    let result = result.to_string().into();
    let now = t.clock.now();
    let facts = keyboard_notes(LaneId::new(ROUTE).unwrap(), capture, &parameters, &result, now);
    assert_eq!(facts.len(), 1);
    let append = Append { facts, urgency: Urgency::MustKeep, ..Append::default() };
    t.recorder.record(t.bot.id(), append).await.unwrap();
}

/// An app that is spared what is said to managers.
async fn spared(t: &Stage, name: &str) -> Client {
    let document = AppDocument { while_manager_talks: WhileManagerTalks::Skip, ..AppDocument::default() };
    t.app(name, document).await
}

/// Something in a client's chat with the bot.
async fn in_chat(t: &mut Stage, chat: &Value, members: &Value) {
    let mut message = json!({"message_id": 9, "date": t.now_secs(), "chat": chat, "from": {"id": 7, "is_bot": false, "first_name": "Ann"}});
    message.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    t.update("message", &message).await;
}

async fn last(t: &Stage, kind: EventKind) -> Event {
    t.journal(kind).await.pop().unwrap()
}

async fn last_flags(t: &Stage) -> Flags {
    last(t, EventKind::Update).await.flags
}

async fn marks(t: &Stage) -> Vec<(i64, Value)> {
    let marks = t.journal(EventKind::Mark).await;
    let of_hand_offs = marks.iter().filter(|mark| mark.topic == MarkDocument::HAND_OFF);
    of_hand_offs
        .map(|mark| (mark.at.as_millis() / 1000, serde_json::from_slice(&mark.body).unwrap()))
        .collect()
}

#[tokio::test]
async fn an_app_that_is_spared_is_not_shown_what_is_said_to_a_manager_until_his_time_is_over() {
    let mut t = Stage::start().await;
    let orders = spared(&t, "orders").await;
    t.says(7, "before").await;
    manager_writes(&t, 7).await;
    t.says(7, "to the manager").await;
    t.says(8, "somebody else").await;
    t.clock.advance(Duration::from_mins(29));
    manager_writes(&t, 7).await;
    t.clock.advance(Duration::from_mins(29));
    t.says(7, "to the manager again").await;
    let mut t = t.restart().await;
    let orders = Client { address: t.address, ..orders };
    t.says(7, "still to him").await;
    t.clock.advance(Duration::from_mins(1));
    t.says(7, "to the bot").await;
    assert_eq!(orders.texts(json!({})).await, ["before", "somebody else", "to the bot"]);
    let everything =
        ["before", "to the manager", "somebody else", "to the manager again", "still to him", "to the bot"];
    assert_eq!(t.main().texts(json!({})).await, everything, "this one is not spared");
}

#[tokio::test]
async fn commands_presses_contacts_payments_and_whatever_is_nothing_said_reach_everybody() {
    let mut t = Stage::start().await;
    let orders = spared(&t, "orders").await;
    let shown = json!({"chat_id": 7, "text": "Menu", "reply_markup": {"keyboard": [["Balance"]]}});
    t.telegram.on("sendMessage", Reply::ok(&message(5, 7, "Menu")));
    orders.result("sendMessage", shown).await;
    manager_writes(&t, 7).await;
    let private = json!({"id": 7, "type": "private"});
    for (members, talks) in [
        (json!({"text": "Is it ready?"}), true),
        (json!({"photo": [{"file_id": "a"}], "caption": "/start"}), true),
        (json!({"voice": {}}), true),
        (json!({"document": {}}), true),
        (json!({"text": "/cancel"}), false),
        (json!({"text": "Balance"}), false),
        (json!({"contact": {"phone_number": "1"}}), false),
        (json!({"location": {}}), false),
        (json!({"animation": {}, "document": {}}), false),
        (json!({"video": {}}), false),
        (json!({"sticker": {}}), false),
        (json!({"successful_payment": {}}), false),
        (json!({"web_app_data": {"data": "x"}}), false),
        (json!({"users_shared": {}}), false),
        (json!({"pinned_message": {"text": "x"}}), false),
        (json!({"something_new": {}}), false),
    ] {
        in_chat(&mut t, &private, &members).await;
        let flags = last_flags(&t).await;
        assert!(flags.intersects(Flags::WITH_MANAGER));
        assert_eq!(flags.intersects(Flags::MANAGER_TALKS), talks, "{members}");
    }
    let edited = json!({"message_id": 9, "date": t.now_secs(), "chat": private, "text": "Is it?"});
    t.update("edited_message", &edited).await;
    assert!(last_flags(&t).await.intersects(Flags::MANAGER_TALKS));
    crate::presses::pressed(&mut t, "1", &private, 5, "order").await;
    assert!(!last_flags(&t).await.intersects(Flags::MANAGER_TALKS));
    assert_eq!(orders.updates(json!({})).await.len(), 13);
    // In a group everybody hears everybody.
    manager_writes(&t, -7).await;
    in_chat(&mut t, &json!({"id": -7, "type": "group"}), &json!({"text": "hi"})).await;
    assert_eq!(last_flags(&t).await, Flags::WITH_MANAGER);
}

#[tokio::test]
async fn beginning_and_end_stand_in_the_journal_in_their_own_time() {
    let mut t = Stage::start().await;
    let since = t.now_secs();
    let until_ms = (since + 1800) * 1000;
    manager_writes(&t, 7).await;
    manager_writes(&t, 7).await;
    t.says(7, "hi").await;
    t.clock.advance(Duration::from_mins(45));
    let mut t = t.restart().await;
    t.says(7, "bye").await;
    t.says(7, "bye bye").await;
    for _ in 0..1000 {
        if marks(&t).await.len() > 1 {
            break;
        }
        tokio::task::yield_now().await;
    }
    let begun = json!({"mark": "hand_off_begun", "until": until_ms});
    let ended = json!({"mark": "hand_off_ended"});
    assert_eq!(marks(&t).await, [(since, begun), (since + 1800, ended)]);
    // Once and not again after a start; another begins with a mark of its own.
    let mut t = t.restart().await;
    t.says(7, "again").await;
    manager_writes(&t, 7).await;
    assert_eq!(marks(&t).await.len(), 3);
    assert!(t.journal(EventKind::Mark).await.iter().all(|mark| mark.conversation == Conversation::chat(7)));
}

#[tokio::test]
async fn the_later_word_counts_an_apps_or_a_managers() {
    let mut t = Stage::start().await;
    let orders = spared(&t, "orders").await;
    let says = async |state: &str| {
        orders.result("tandemSetConversation", json!({"chat_id": 7, "state": state})).await;
    };
    manager_writes(&t, 7).await;
    says("dialogue").await;
    t.says(7, "to the app's question").await;
    assert_eq!(last_flags(&t).await, Flags::IN_DIALOGUE);
    manager_writes(&t, 7).await;
    t.says(7, "to the manager").await;
    assert_eq!(last_flags(&t).await, Flags::WITH_MANAGER | Flags::MANAGER_TALKS);
    // His time is over, and the app still waits for its answer.
    t.clock.advance(TALK);
    t.says(7, "to the app at last").await;
    assert_eq!(last_flags(&t).await, Flags::IN_DIALOGUE);
    manager_writes(&t, 7).await;
    says("free").await;
    t.says(7, "to everybody").await;
    assert_eq!(last_flags(&t).await, Flags::NONE);
    assert_eq!(
        orders.texts(json!({})).await,
        ["to the app's question", "to the app at last", "to everybody"]
    );
    let ended = marks(&t).await.into_iter().filter(|(_, mark)| mark["mark"] == "hand_off_ended");
    let by: Vec<Value> = ended.map(|(_, mark)| mark["app"].clone()).collect();
    assert!(by.iter().filter(|app| **app == "orders").count() == 2, "{by:?}");
}

#[tokio::test]
async fn what_an_app_gives_to_a_manager_is_his_until_he_has_written_and_is_done() {
    let mut t = Stage::start().await;
    let orders = spared(&t, "orders").await;
    orders.result("tandemSetConversation", json!({"chat_id": 7, "state": "manager"})).await;
    t.clock.advance(Duration::from_hours(3));
    t.says(7, "anybody there?").await;
    manager_writes(&t, 7).await;
    t.says(7, "thank you").await;
    t.clock.advance(TALK);
    t.says(7, "next").await;
    assert_eq!(last_flags(&t).await, Flags::NONE);
    let mut t = t.restart().await;
    t.says(7, "and on").await;
    let orders = Client { address: t.address, ..orders };
    assert_eq!(orders.texts(json!({})).await, ["next", "and on"]);
}

#[tokio::test]
async fn a_managers_buttons_are_his_and_nobody_elses() {
    let t = Stage::start().await;
    let orders = spared(&t, "orders").await;
    t.telegram.on("sendMessage", Reply::ok(&message(5, 7, "Menu")));
    let menu = |labels: &[&str]| json!({"keyboard": [labels], "one_time_keyboard": true});
    orders
        .result("sendMessage", json!({"chat_id": 7, "text": "Menu", "reply_markup": menu(&["Balance"])}))
        .await;
    manager_shows(&t, 7, 6, &menu(&["Yes", "No"])).await;
    let mut t = t.restart().await;
    let orders = Client { address: t.address, ..orders };
    t.says(7, "Yes").await;
    let his = Flags::KNOWN_BUTTON | Flags::MANAGERS_BUTTON | Flags::MANAGER_TALKS;
    assert_eq!(last_flags(&t).await, his, "though nobody talks any more");
    // One that is for one time is hidden by a press and stays within reach.
    t.says(7, " No ").await;
    assert_eq!(last_flags(&t).await, his);
    t.says(7, "Balance").await;
    assert_eq!(last_flags(&t).await, Flags::NONE, "another keyboard has taken its place");
    // Under a message: the press is the route's, and no app is shown it.
    let inline = json!({"inline_keyboard": [[{"text": "Yes", "callback_data": "t:1"}]]});
    manager_shows(&t, 7, 8, &inline).await;
    crate::presses::pressed(&mut t, "1", &json!({"id": 7, "type": "private"}), 8, "t:1").await;
    let press = last(&t, EventKind::Update).await;
    assert_eq!(press.owner, Some(LaneId::new(ROUTE).unwrap()));
    assert_eq!(press.flags, Flags::MANAGERS_BUTTON | Flags::MANAGER_TALKS);
    assert_eq!(texts(&t.main().updates(json!({})).await), ["Yes", " No ", "Balance"]);
    assert_eq!(orders.texts(json!({})).await, ["Balance"]);
}
