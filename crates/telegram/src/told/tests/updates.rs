//! Updates that are no messages.

use tandem_model::{
    Conversation,
    message::{Act, Language},
};

use super::{event, said, shown, speaker, told};
use crate::update::Kind;

const USER: &str = r#"{"id":1001,"is_bot":false,"first_name":"Ann"}"#;
const CHAT: &str = r#"{"id":1001,"type":"private","first_name":"Ann"}"#;

fn update(kind: &str, members: &str) -> String {
    format!(r#"{{"update_id":5,"{kind}":{{{members}}}}}"#)
}

#[test]
fn a_press_says_what_stood_on_the_button() {
    let keyboard = r#""reply_markup":{"inline_keyboard":[[{"text":"No","callback_data":"n"}],[{"text":"Yes, please","callback_data":"y"}]]}"#;
    let press = |data: &str, keyboard: &str| {
        update(
            "callback_query",
            &format!(
                r#""id":"1","from":{USER},"message":{{"message_id":40,"date":1,"chat":{CHAT},"text":"Sure?"{keyboard}}},{data}"#
            ),
        )
    };
    let with = format!(",{keyboard}");
    for (update, expected) in [
        (press(r#""data":"y""#, &with), "[line] Pressed “Yes, please”"),
        (press(r#""data":"old:7""#, &with), "[line] Pressed a button: “old:7”"),
        (press(r#""data":"y""#, ""), "[line] Pressed a button: “y”"),
        (press(r#""game_short_name":"snake""#, ""), "[line] Pressed a button: “snake”"),
        (press(r#""chat_instance":"1""#, ""), "[line] Pressed a button"),
    ] {
        let told = told(&update).unwrap();
        assert_eq!(told.key.as_str(), "tg:777:u5", "the message's own key is taken");
        assert_eq!(told.chat.as_str(), "tg:777:1001");
        assert_eq!(speaker(&told.by), "client tg:1001 Ann");
        assert_eq!(shown(&said(&update)), expected);
    }
    let inline =
        update("callback_query", &format!(r#""id":"1","from":{USER},"inline_message_id":"x","data":"y""#));
    assert_eq!(told(&inline), None, "nobody knows in which chat");
}

#[test]
fn reactions_are_told_when_emoji_changed() {
    let emoji = |emoji: &str| format!(r#"{{"type":"emoji","emoji":"{emoji}"}}"#);
    let custom = r#"{"type":"custom_emoji","custom_emoji_id":"1"}"#;
    let react = |old: &str, new: &str| {
        update(
            "message_reaction",
            &format!(
                r#""chat":{CHAT},"message_id":40,"user":{USER},"date":1767607300,"old_reaction":[{old}],"new_reaction":[{new}]"#
            ),
        )
    };
    let heart = react("", &format!("{},{custom}", emoji("❤")));
    let reacted = told(&heart).unwrap();
    assert_eq!(reacted.key.as_str(), "tg:777:1001:40");
    assert_eq!(reacted.act, Act::Reacted { now: vec!["❤".into()], before: Vec::new() });
    let taken = told(&react(&emoji("❤"), "")).unwrap();
    assert_eq!(taken.act, Act::Reacted { now: Vec::new(), before: vec!["❤".into()] });
    assert_eq!(told(&react("", custom)), None);
    let anonymous = react("", &emoji("👍"))
        .replace(&format!("\"user\":{USER}"), r#""actor_chat":{"id":-100,"title":"Town"}"#);
    assert_eq!(speaker(&told(&anonymous).unwrap().by), "client tg:-100 Town");
}

#[test]
fn what_happens_beside_messages_is_a_line() {
    let member = |chat: &str, status: &str| {
        format!(
            r#""chat":{chat},"from":{USER},"date":1,"old_chat_member":{{"status":"member"}},"new_chat_member":{{"status":"{status}","user":{{"id":777}}}}"#
        )
    };
    let group = r#"{"id":-5,"type":"group","title":"Town"}"#;
    for (kind, members, chat, expected) in [
        ("my_chat_member", member(CHAT, "kicked"), "tg:777:1001", "[line] Blocked the bot"),
        ("my_chat_member", member(CHAT, "member"), "tg:777:1001", "[line] Unblocked the bot"),
        ("my_chat_member", member(group, "left"), "tg:777:-5", "[line] Removed the bot from the chat"),
        ("my_chat_member", member(group, "administrator"), "tg:777:-5", "[line] The bot is in the chat"),
        (
            "chat_join_request",
            format!(r#""chat":{group},"from":{USER},"user_chat_id":1001,"date":1"#),
            "tg:777:-5",
            "[line] Asks to join: Town",
        ),
        (
            "purchased_paid_media",
            format!(r#""from":{USER},"paid_media_payload":"secret""#),
            "tg:777:1001",
            "[line] Bought paid media",
        ),
        (
            "subscription",
            format!(r#""user":{USER},"invoice_payload":"secret","state":"canceled""#),
            "tg:777:1001",
            "[line] Subscription: cancelled",
        ),
        (
            "telepathy",
            format!(r#""chat":{CHAT},"from":{USER},"date":1"#),
            "tg:777:1001",
            "[line] Something of an unknown kind: telepathy",
        ),
    ] {
        let update = update(kind, &members);
        let told = told(&update).unwrap();
        assert_eq!((told.key.as_str(), told.chat.as_str()), ("tg:777:u5", chat), "{kind}");
        assert_eq!(speaker(&told.by), "client tg:1001 Ann", "{kind}");
        assert_eq!(shown(&said(&update)), expected, "{kind}");
    }
}

#[test]
fn a_vote_is_told_in_the_chat_with_whoever_gave_it() {
    let vote = |options: &str| {
        update("poll_answer", &format!(r#""poll_id":"9","user":{USER},"option_ids":[{options}]"#))
    };
    let in_chat = |update: &str, conversation| {
        let mut event = event(update);
        event.new.conversation = conversation;
        crate::told::of_update(Language::English, &event)
    };
    let line = |options: &str| {
        let told = in_chat(&vote(options), Conversation::chat(1001)).unwrap();
        assert_eq!(told.chat.as_str(), "tg:777:1001");
        match told.act {
            Act::Said(body) => shown(&body),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(line("0,2"), "[line] Voted for option: 1, 3");
    assert_eq!(line(""), "[line] Took the vote back");
    assert_eq!(in_chat(&vote("0"), Conversation::chat(-100)), None);
    assert_eq!(told(&vote("0")), None);
}

#[test]
fn the_other_kinds_are_not_told() {
    let told_kinds = [
        Kind::Message,
        Kind::EditedMessage,
        Kind::ChannelPost,
        Kind::EditedChannelPost,
        Kind::BusinessMessage,
        Kind::EditedBusinessMessage,
        Kind::MessageReaction,
        Kind::CallbackQuery,
        Kind::MyChatMember,
        Kind::ChatJoinRequest,
        Kind::PollAnswer,
        Kind::PurchasedPaidMedia,
        Kind::Subscription,
    ];
    let full = format!(
        r#""id":"1","message_id":42,"date":1,"chat":{CHAT},"from":{USER},"user":{USER},"user_chat_id":1001,"text":"x","query":"x","message_ids":[1],
        "business_connection_id":"bc","new_chat_member":{{"status":"member"}},"reactions":[],"question":"?","options":[]"#
    );
    for kind in Kind::NAMED {
        let name = kind.name().unwrap();
        if !told_kinds.contains(kind) {
            assert_eq!(told(&update(name, &full)), None, "{name}");
        }
    }
    assert_eq!(told(r#"{"update_id":5}"#), None);
    assert_eq!(told(r#"{"update_id":5,"telepathy":{}}"#), None);
    assert_eq!(told(r#"{"update_id":5,"message":7}"#), None);
}
