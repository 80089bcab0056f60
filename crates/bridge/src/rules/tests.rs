//! Tables of what rules and defaults decide.

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};
use tandem_model::{
    BotId, Conversation, Event, EventKind, Family, Flags, Lifetime, NewEvent, Seq, Timestamp, Topic,
};
use tandem_telegram::{
    methods::{Capture, Class},
    update::{Kind, UpdateView},
};

use super::*;

fn event(kind: EventKind, topic: Topic, conversation: Conversation, body: Vec<u8>) -> Event {
    Event {
        bot: BotId::new(42).unwrap(),
        seq: Seq::new(7).unwrap(),
        virtual_id: None,
        appended_at: Timestamp::EPOCH,
        new: NewEvent {
            kind,
            topic,
            conversation,
            family: Family(0),
            at: Timestamp::EPOCH,
            lifetime: Lifetime::Backlog,
            flags: Flags::NONE,
            upstream: None,
            cause: None,
            owner: None,
            body: body.into(),
        },
    }
}

/// An update of a kind.
pub(super) fn update(kind: &str, object: &Value) -> Event {
    let body = Bytes::from(json!({ "update_id": 1, kind: object }).to_string());
    let conversation = UpdateView::of(&body).unwrap().conversation();
    event(EventKind::Update, Kind::of_name(kind.as_bytes()).topic(), conversation, body.to_vec())
}

/// A message of somebody in a private chat, with these members.
fn message(members: &Value) -> Event {
    let mut message = json!({"message_id": 5, "date": 1, "chat": {"id": 7, "type": "private"}});
    message.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    update("message", &message)
}

fn text(text: &str) -> Event {
    message(&json!({ "text": text }))
}

fn press(data: &str) -> Event {
    let under = json!({"message_id": 5, "date": 1, "chat": {"id": 7, "type": "private"}});
    update("callback_query", &json!({"id": "1", "from": {"id": 7}, "data": data, "message": under}))
}

/// What an app did, by default in a private chat.
fn sent(method: &str, by: &Value, parameters: &Value, result: &Value) -> Event {
    let Class::Captured(Capture { act, .. }) = Class::of(method) else { panic!("{method}") };
    let document = json!({
        "method": method, "act": act.as_str(), "by": by,
        "parameters": {"texts": parameters, "whole": true}, "result": result,
    });
    event(EventKind::Sent, act.topic(), Conversation::chat(7), document.to_string().into_bytes())
}

fn bot_says(words: &str) -> Event {
    let result = json!({"message_id": 6, "date": 1, "text": words, "chat": {"id": 7, "type": "private"}});
    sent("sendMessage", &json!({"app": "main"}), &json!({"chat_id": "7", "text": words}), &result)
}

fn with(flags: Flags, mut event: Event) -> Event {
    event.new.flags = flags;
    event
}

fn rules(list: &Value, audience: Audience) -> Rules {
    let list: Vec<RuleDocument> = serde_json::from_value(list.clone()).unwrap();
    check(&list, audience).unwrap();
    Rules::of(&list, audience)
}

fn decide(rules: &Rules, event: &Event) -> (String, String) {
    let Decided { decision, by } = rules.decide(&Facts::of(event).unwrap());
    let decision = match decision {
        Decision::Show => "show".to_owned(),
        Decision::Skip => "skip".to_owned(),
        Decision::ShowAs(line) => format!("as {line:?}"),
    };
    (decision, by.to_string())
}

#[test]
fn without_a_rule_a_crm_is_told_what_people_say_to_each_other() {
    let rules = rules(&json!([]), Audience::Conversation);
    let group = json!({"message_id": 5, "text": "hi", "chat": {"id": -7, "type": "group"}});
    let business = json!({
        "message_id": 5, "text": "hi", "chat": {"id": 7, "type": "private"}, "business_connection_id": "bc",
    });
    let blocked = json!({"chat": {"id": 7, "type": "private"}, "new_chat_member": {"status": "kicked"}});
    let reacted = json!({"chat": {"id": 7, "type": "private"}, "message_id": 5, "new_reaction": []});
    let answered = sent("answerCallbackQuery", &json!({"app": "main"}), &json!({}), &json!(true));
    let copied =
        sent("copyMessage", &json!({"app": "main"}), &json!({"chat_id": "7"}), &json!({"message_id": 8}));
    let by_manager =
        sent("sendMessage", &json!({"manager": {"route": "amocrm", "id": "1"}}), &json!({}), &json!({}));
    for (event, expected, why) in [
        (text("Вы открыты?"), "show", "the client's message"),
        (message(&json!({"photo": [], "caption": "/start"})), "show", "the client's message"),
        (message(&json!({"voice": {}})), "show", "the client's message"),
        (message(&json!({"contact": {}})), "show", "the client's message"),
        (message(&json!({"location": {}})), "show", "the client's message"),
        (message(&json!({"hologram": {}})), "show", "the client's message"),
        (message(&json!({"successful_payment": {}})), "show", "the client's message"),
        (update("business_message", &business), "show", "the client's message"),
        (update("edited_message", &business), "show", "the client's message"),
        (update("message_reaction", &reacted), "show", "the client's reaction"),
        (text("/start ad"), "skip", "commands stay in code"),
        (with(Flags::KNOWN_BUTTON, text("Баланс")), "skip", "buttons stay in code"),
        (press("order:1"), "skip", "buttons stay in code"),
        (message(&json!({"web_app_data": {}})), "skip", "buttons stay in code"),
        (with(Flags::KNOWN_BUTTON | Flags::MANAGERS_BUTTON, text("Да")), "show", "a manager's button"),
        (with(Flags::MANAGERS_BUTTON, press("t:1")), "show", "a manager's button"),
        (message(&json!({"pinned_message": {}})), "skip", "a service message"),
        (update("message", &group), "skip", "only private chats"),
        (update("my_chat_member", &blocked), "skip", "nothing that is said"),
        (update("poll", &json!({"id": "1"})), "skip", "only private chats"),
        (bot_says("Здравствуйте!"), "show", "the company's message"),
        (copied, "show", "the company's message"),
        (by_manager, "show", "the company's message"),
        (with(Flags::CAMPAIGN, bot_says("Скидки!")), "skip", "a campaign"),
        (answered, "skip", "nothing that is said"),
    ] {
        let body = String::from_utf8_lossy(&event.new.body).into_owned();
        assert_eq!(decide(&rules, &event), (expected.to_owned(), format!("default: {why}")), "{body}");
    }
}

#[test]
fn without_a_rule_a_program_is_given_everything() {
    let rules = rules(&json!([]), Audience::Everything);
    for event in [text("/start"), press("x"), update("poll", &json!({"id": "1"})), text("hi")] {
        assert_eq!(decide(&rules, &event).0, "show");
    }
}

#[test]
fn each_condition_holds_for_what_it_says_and_for_nothing_else() {
    let group =
        update("message", &json!({"message_id": 5, "text": "hi", "chat": {"id": -7, "type": "group"}}));
    let business = update(
        "business_message",
        &json!({"text": "hi", "chat": {"id": 7, "type": "private"}, "business_connection_id": "bc"}),
    );
    let photo = message(&json!({"photo": [], "caption": "Чек"}));
    let known = with(Flags::KNOWN_BUTTON, text("Баланс"));
    let others = json!({"app": "orders"});
    let orders = sent("editMessageText", &others, &json!({"text": "Готово"}), &json!(true));
    let manager =
        sent("sendMessage", &json!({"manager": {"route": "amocrm", "id": "1"}}), &json!({}), &json!({}));
    let dialogue = with(Flags::IN_DIALOGUE, text("Ленина, 5"));
    let talking = with(Flags::WITH_MANAGER, text("Спасибо"));
    let campaign = with(Flags::CAMPAIGN, bot_says("Скидки!"));
    let everything = [
        ("text", text("Сколько стоит?")),
        ("start", text("/start ad")),
        ("photo", photo),
        ("known", known),
        ("press", press("order:1")),
        ("group", group),
        ("business", business),
        ("bot", bot_says("Здравствуйте!")),
        ("orders", orders),
        ("manager", manager),
        ("dialogue", dialogue),
        ("talking", talking),
        ("campaign", campaign),
    ];
    for (when, fit) in [
        (json!({"kind": "photo"}), "photo"),
        (json!({"kind": ["photo", "callback_query"]}), "photo press"),
        (json!({"kind": "message"}), "text start photo known group dialogue talking"),
        (json!({"kind": "business_message"}), "business"),
        (json!({"kind": "sent"}), "bot orders manager campaign"),
        (json!({"kind": "edit"}), "orders"),
        (json!({"author": "client"}), "text start photo known press group business dialogue talking"),
        (json!({"author": "bot"}), "bot orders campaign"),
        (json!({"author": "app:orders"}), "orders"),
        (json!({"author": ["manager", "app:orders"]}), "orders manager"),
        (json!({"chat": "group"}), "group"),
        (json!({"chat": "business"}), "business"),
        (json!({"chat": "private", "kind": "sent"}), "bot orders manager campaign"),
        (json!({"command": true}), "start"),
        (json!({"command": "/START"}), "start"),
        (json!({"command": ["help", "order"]}), ""),
        (json!({"command": false, "kind": "message"}), "text photo known group dialogue talking"),
        (json!({"button": true}), "known press"),
        (json!({"button": "reply"}), "known"),
        (json!({"button": "inline"}), "press"),
        (json!({"button": "manager"}), ""),
        (json!({"button": false, "chat": "private", "kind": "message"}), "text start photo dialogue talking"),
        (json!({"state": "dialogue"}), "dialogue"),
        (json!({"state": "manager"}), "talking"),
        (json!({"state": ["dialogue", "manager"]}), "dialogue talking"),
        (json!({"campaign": true}), "campaign"),
        (json!({"campaign": false, "author": "bot"}), "bot orders"),
        (json!({"text": "*стоит*"}), "text"),
        (json!({"text": "чек"}), "photo"),
        (json!({"text": "order:*"}), "press"),
        (json!({"text": "готово"}), "orders"),
        (json!({"text": ["сколько*", "здравствуйте!"]}), "text bot"),
        (
            json!({}),
            "text start photo known press group business bot orders manager dialogue talking campaign",
        ),
    ] {
        let rules = rules(&json!([{"when": when, "do": "skip"}]), Audience::Everything);
        let fitting: Vec<&str> = everything
            .iter()
            .filter(|(_, event)| decide(&rules, event).1 == "rule 1")
            .map(|(name, _)| *name)
            .collect();
        assert_eq!(fitting.join(" "), fit, "{when}");
    }
}

#[test]
fn a_line_is_made_of_what_was_said_and_an_empty_one_shows_the_event_itself() {
    let rules = rules(
        &json!([
            {"when": {"command": "order"}, "do": "show_as", "as": "Заказывает: {arguments}"},
            {"when": {"button": true}, "do": "show_as", "as": "Нажал «{text}»"},
            {"when": {"command": true}, "do": "show_as", "as": "{{/{command}}}"},
            {"when": {"author": "bot"}, "do": "show_as", "as": "{app}: {text}"},
            {"do": "show_as", "as": " {text} "},
        ]),
        Audience::Conversation,
    );
    for (event, expected) in [
        (text("/order два кофе"), "as \"Заказывает: два кофе\""),
        (with(Flags::KNOWN_BUTTON, text("Баланс")), "as \"Нажал «Баланс»\""),
        (text("/start"), "as \"{/start}\""),
        (bot_says("Привет"), "as \"main: Привет\""),
        (message(&json!({"sticker": {}})), "show"),
        (text("да"), "as \"да\""),
    ] {
        assert_eq!(decide(&rules, &event).0, expected);
    }
}

#[test]
fn a_list_that_cannot_be_meant_is_refused_in_words() {
    let many: Vec<Value> = (0..51).map(|_| json!({"when": {"command": true}, "do": "skip"})).collect();
    for (list, audience, words) in [
        (json!(many), Audience::Conversation, "at most 50 rules, and there are 51"),
        (json!([{"do": "skip"}, {"do": "show"}]), Audience::Conversation, "rule 1: it has no condition"),
        (json!([{"when": {}, "do": "show_as"}]), Audience::Conversation, "needs as = "),
        (json!([{"do": "show", "as": "x"}]), Audience::Conversation, "goes with do = \"show_as\""),
        (
            json!([{"do": "show_as", "as": "{name}"}]),
            Audience::Conversation,
            "{name} is not known; expected one of {text}",
        ),
        (json!([{"do": "show_as", "as": "a } b"}]), Audience::Conversation, "a } stands alone"),
        (json!([{"do": "show_as", "as": "{text"}]), Audience::Conversation, "a { stands alone"),
        (json!([{"do": "show_as", "as": " "}]), Audience::Conversation, "the line is empty"),
        (json!([{"do": "show_as", "as": "x"}]), Audience::Everything, "expected \"skip\" or \"show\""),
        (json!([{"when": {"kind": []}, "do": "skip"}]), Audience::Everything, "kind is an empty list"),
    ] {
        let rules: Vec<RuleDocument> = serde_json::from_value(list.clone()).unwrap();
        let problem = check(&rules, audience).unwrap_err().to_string();
        assert!(problem.contains(words), "{list}: {problem}");
    }
}

#[test]
fn a_rule_reads_back_as_it_was_written() {
    let list = json!([{
        "when": {
            "kind": ["photo", "sent"], "author": ["app:x", "client"], "chat": "private", "command": ["help", "start"],
            "button": false, "state": "free", "campaign": true, "text": "*да*",
        },
        "do": "show_as", "as": "x",
    }]);
    let rules: Vec<RuleDocument> = serde_json::from_value(list.clone()).unwrap();
    let again: Vec<RuleDocument> = serde_json::from_value(serde_json::to_value(&rules).unwrap()).unwrap();
    assert_eq!(again, rules);
    let read: Value = serde_json::to_value(&rules).unwrap();
    assert_eq!(read[0]["when"]["text"], "*да*");
    assert_eq!(read[0]["when"]["command"], json!(["help", "start"]));
}

/// Conditions and events of every sort, from which lists are drawn.
fn pool() -> (Vec<Value>, Vec<Event>) {
    let conditions = vec![
        json!({"kind": "text"}),
        json!({"kind": ["sent", "photo"]}),
        json!({"author": "client"}),
        json!({"author": "bot"}),
        json!({"chat": "private"}),
        json!({"command": true}),
        json!({"button": true}),
        json!({"state": ["manager", "dialogue"]}),
        json!({"campaign": true}),
        json!({"text": "*е*"}),
    ];
    let events = vec![
        text("Где заказ?"),
        text("/start"),
        message(&json!({"photo": [], "caption": "Чек"})),
        with(Flags::KNOWN_BUTTON, text("Баланс")),
        with(Flags::WITH_MANAGER, text("Спасибо")),
        with(Flags::IN_DIALOGUE, text("Ленина, 5")),
        press("order:1"),
        bot_says("Здравствуйте!"),
        with(Flags::CAMPAIGN, bot_says("Скидки!")),
        update("message", &json!({"text": "hi", "chat": {"id": -7, "type": "group"}})),
    ];
    (conditions, events)
}

proptest! {
    /// Whatever the list: the first rule that decides when it stands alone decides in the list, and where none does the
    /// default does.
    #[test]
    fn the_first_rule_that_fits_decides_and_else_the_default(
        list in prop::collection::vec((0..10_usize, any::<bool>()), 0..8),
        event in 0..10_usize,
        crm in any::<bool>(),
    ) {
        let audience = if crm { Audience::Conversation } else { Audience::Everything };
        let (conditions, events) = pool();
        let event = &events[event];
        let list: Vec<Value> = list
            .into_iter()
            .map(|(when, skip)| json!({"when": conditions[when], "do": if skip { "skip" } else { "show" }}))
            .collect();
        let alone = |rule: &Value| decide(&rules(&json!([rule]), audience), event);
        let default = decide(&rules(&json!([]), audience), event);
        let first = list.iter().position(|rule| alone(rule).1 == "rule 1");
        let expected = match first {
            Some(place) => (list[place]["do"].as_str().unwrap().to_owned(), format!("rule {}", place + 1)),
            None => default,
        };
        prop_assert_eq!(decide(&rules(&json!(list), audience), event), expected);
    }
}

fn seq(number: i64) -> Seq {
    Seq::new(number).unwrap()
}

fn list_of(name: &str) -> Vec<RuleDocument> {
    serde_json::from_value(json!([{"when": {"text": name}, "do": "skip"}])).unwrap()
}

/// From which event on which list holds.
fn versions(history: &RuleHistory) -> Vec<(i64, usize)> {
    history.versions().iter().map(|version| (version.from.get(), version.rules.len())).collect()
}

#[test]
fn the_list_that_was_in_force_when_an_event_was_appended_decides_about_it() {
    let mut history = RuleHistory::default();
    history.put(seq(10), list_of("a"), seq(1));
    history.put(seq(20), list_of("b"), seq(1));
    history.put(seq(20), list_of("a"), seq(1));
    history.put(seq(30), list_of("a"), seq(1));
    history.put(seq(40), Vec::new(), seq(1));
    assert_eq!(versions(&history), [(10, 1), (20, 1), (40, 0)], "the same again changes nothing");
    let rules = RouteRules::of(&history, Audience::Conversation);
    for (at, skipped) in [(9, false), (10, true), (39, true), (40, false), (1000, false)] {
        let mut event = text("a");
        event.seq = seq(at);
        let expected = if skipped { Decision::Skip } else { Decision::Show };
        assert_eq!(rules.decide(&event).decision, expected, "event {at}");
    }
    let written = serde_json::to_string(&history).unwrap();
    assert_eq!(serde_json::from_str::<RuleHistory>(&written).unwrap(), history);
}

#[test]
fn lists_that_decide_about_nothing_any_more_are_dropped_and_there_are_never_many() {
    let mut history = RuleHistory::default();
    history.put(seq(10), list_of("a"), seq(1));
    history.put(seq(20), list_of("b"), seq(1));
    // The journal begins with event 25 now.
    history.put(seq(30), list_of("c"), seq(25));
    assert_eq!(versions(&history), [(10, 1), (30, 1)], "what is older still goes by the oldest that is left");
    for number in 0..100 {
        history.put(seq(100 + number), list_of(&format!("{number}")), seq(1));
    }
    assert_eq!(history.versions().len(), 20);
    assert_eq!((versions(&history)[0].0, history.latest()), (10, &*list_of("99")));
    // Without any rule there is nothing to keep.
    history.put(seq(300), Vec::new(), seq(300));
    assert!(history.is_empty());
}

#[test]
fn what_became_of_replies_and_marks_is_no_business_of_rules() {
    let rules = RouteRules::of(&RuleHistory::default(), Audience::Conversation);
    for kind in [EventKind::Outcome, EventKind::Mark, EventKind::Reply] {
        let event = event(kind, Topic::new(0).unwrap(), Conversation::chat(-7), b"{}".to_vec());
        assert!(Facts::of(&event).is_none());
        assert_eq!(rules.decide(&event).decision, Decision::Show);
    }
}
