//! What stands around a message: who, where, answers, forwards, albums, buttons.

use tandem_model::message::{Act, MessageKey};

use super::{private, said, speaker, told};

fn message(kind: &str, members: &str) -> String {
    format!(r#"{{"update_id":5,"{kind}":{{"message_id":42,"date":1767607300,"text":"hi",{members}}}}}"#)
}

#[test]
fn a_message_has_its_key_chat_moment_and_speaker() {
    let told = told(&private(r#""text":"hi""#)).unwrap();
    assert_eq!(told.key.as_str(), "tg:777:1001:42");
    assert_eq!(told.chat.as_str(), "tg:777:1001");
    assert_eq!(told.at.as_millis(), 1_767_607_300_000);
    assert_eq!(speaker(&told.by), "client tg:1001 Ann Lee @ann");
}

#[test]
fn whoever_speaks_has_a_name() {
    let group = r#""chat":{"id":-100200,"type":"supergroup","title":"Town"}"#;
    let from = r#""from":{"id":7,"is_bot":false,"first_name":"Bob"}"#;
    for (kind, members, chat, expected) in [
        ("message", format!("{group},{from}"), "tg:777:-100200", "client tg:7 Bob"),
        // An anonymous administrator and a channel that speaks in a group: `from` is a placeholder.
        (
            "message",
            format!(
                r#"{group},{from},"sender_chat":{{"id":-100200,"title":"Town","username":"town"}},"author_signature":"boss""#
            ),
            "tg:777:-100200",
            "client tg:-100200 Town (boss) @town",
        ),
        (
            "channel_post",
            r#""chat":{"id":-100300,"type":"channel","title":"News"}"#.to_owned(),
            "tg:777:-100300",
            "client tg:-100300 News",
        ),
        // Deleted accounts have no name.
        (
            "message",
            r#""chat":{"id":9,"type":"private"},"from":{"id":9,"first_name":" ","username":"nine"}"#
                .to_owned(),
            "tg:777:9",
            "client tg:9 @nine @nine",
        ),
        (
            "message",
            r#""chat":{"id":9,"type":"private"},"from":{"id":9,"first_name":""}"#.to_owned(),
            "tg:777:9",
            "client tg:9 Telegram user 9",
        ),
        // The bot's own service messages do come.
        (
            "message",
            format!(r#"{group},"from":{{"id":777,"is_bot":true,"first_name":"Shop"}}"#),
            "tg:777:-100200",
            "bot ?",
        ),
    ] {
        let told = told(&message(kind, &members)).unwrap();
        assert_eq!(told.chat.as_str(), chat);
        assert_eq!(speaker(&told.by), expected, "{members}");
    }
}

#[test]
fn a_business_chat_has_its_own_keys_and_both_sides() {
    let members = |rest: &str| {
        message(
            "business_message",
            &format!(
                r#""business_connection_id":"bc","chat":{{"id":1001,"type":"private","first_name":"Ann"}},{rest}"#
            ),
        )
    };
    let client = told(&members(r#""from":{"id":1001,"first_name":"Ann"}"#)).unwrap();
    assert_eq!((client.key.as_str(), client.chat.as_str()), ("tg:777:bc:1001:42", "tg:777:bc:1001"));
    assert_eq!(speaker(&client.by), "client tg:1001 Ann");
    let owner = told(&members(r#""from":{"id":55,"first_name":"Owner"}"#)).unwrap();
    assert_eq!(speaker(&owner.by), "manager tg:55 Owner");
    let other = r#""from":{"id":55,"first_name":"Owner"},"sender_business_bot":{"id":888,"is_bot":true,"first_name":"Else"}"#;
    assert_eq!(speaker(&told(&members(other)).unwrap().by), "bot ?");
    let ours = r#""from":{"id":55,"first_name":"Owner"},"sender_business_bot":{"id":777,"is_bot":true,"first_name":"Shop"}"#;
    assert_eq!(told(&members(ours)), None, "it was told when it was sent");
}

#[test]
fn a_shared_number_is_known_from_then_on_only_if_it_is_the_senders() {
    let own = private(r#""contact":{"phone_number":"+79990001122","first_name":"Ann","user_id":1001}"#);
    assert_eq!(speaker(&told(&own).unwrap().by), "client tg:1001 Ann Lee @ann +79990001122");
    let other = private(r#""contact":{"phone_number":"+1","first_name":"Bob","user_id":7}"#);
    assert_eq!(speaker(&told(&other).unwrap().by), "client tg:1001 Ann Lee @ann");
}

#[test]
fn an_answer_quotes_what_it_answers() {
    let chat = r#""chat":{"id":1001,"type":"private"}"#;
    let bot = r#""from":{"id":777,"is_bot":true,"first_name":"Shop"}"#;
    for (members, key, text, by) in [
        (
            format!(r#""reply_to_message":{{"message_id":40,"date":1,{chat},{bot},"text":"Your order\nis here"}}"#),
            Some("tg:777:1001:40"),
            "Your order is here",
            Some("Shop"),
        ),
        (
            format!(r#""reply_to_message":{{"message_id":40,"date":1,{chat},{bot},"text":"Your order is here"}},"quote":{{"text":"order","position":5}}"#),
            Some("tg:777:1001:40"),
            "order",
            Some("Shop"),
        ),
        // Too old to be shown.
        (format!(r#""reply_to_message":{{"message_id":40,"date":0,{chat}}}"#), Some("tg:777:1001:40"), "", None),
        (
            r#""external_reply":{"origin":{"type":"channel","chat":{"id":-100,"title":"News"},"message_id":3,"date":1},"document":{"file_id":"F","file_unique_id":"U","file_name":"a.pdf"}}"#.to_owned(),
            None,
            "File: a.pdf",
            Some("News"),
        ),
        (r#""reply_to_story":{"chat":{"id":-100,"title":"News"},"id":3}"#.to_owned(), None, "Story: News", None),
    ] {
        let quote = said(&private(&format!(r#""text":"yes",{members}"#))).quote.unwrap();
        assert_eq!(quote.key.as_ref().map(MessageKey::as_str), key, "{members}");
        assert_eq!((quote.text.as_str(), quote.by.as_deref()), (text, by), "{members}");
    }
    let topic = r#""text":"yes","reply_to_message":{"message_id":2,"date":1,"chat":{"id":1001},"forum_topic_created":{"name":"Orders"}}"#;
    assert_eq!(said(&private(topic)).quote, None, "every message of a topic answers its beginning");
}

#[test]
fn forwards_name_where_they_come_from() {
    for (origin, expected) in [
        (r#"{"type":"user","sender_user":{"id":7,"first_name":"Bob","last_name":"Ray"}}"#, "Bob Ray"),
        (r#"{"type":"hidden_user","sender_user_name":"Somebody"}"#, "Somebody"),
        (
            r#"{"type":"chat","sender_chat":{"id":-5,"title":"Town"},"author_signature":"boss"}"#,
            "Town (boss)",
        ),
        (r#"{"type":"channel","chat":{"id":-100,"title":"News"},"message_id":3}"#, "News"),
    ] {
        let members = format!(r#""text":"x","forward_origin":{origin}"#);
        assert_eq!(said(&private(&members)).forwarded_from.as_deref(), Some(expected));
    }
}

#[test]
fn albums_and_buttons_are_named() {
    let members = r#""text":"x","media_group_id":"9","reply_markup":{"inline_keyboard":[[{"text":"Yes","callback_data":"y"},{"text":"Site","url":"https://a.example"}],[]]}"#;
    let body = said(&private(members));
    assert_eq!(body.album.as_deref(), Some("9"));
    assert_eq!(body.buttons, [["Yes", "Site"]]);
}

#[test]
fn an_edit_is_the_same_message_as_it_is_now() {
    let edited =
        private(r#""text":"better","edit_date":1767607400"#).replace("\"message\":", "\"edited_message\":");
    let told = told(&edited).unwrap();
    assert_eq!(told.key.as_str(), "tg:777:1001:42");
    assert_eq!(told.at.as_millis(), 1_767_607_400_000);
    assert!(matches!(told.act, Act::Edited(body) if body.text == "better"));
}

#[test]
fn somebody_on_the_move_is_told_where_he_began_and_where_he_stopped() {
    let at = |live: &str| private(&format!(r#""location":{{"latitude":1.5,"longitude":2.5{live}}}"#));
    assert!(told(&at(r#","live_period":900"#)).is_some());
    let edit = |live: &str| at(live).replace("\"message\":", "\"edited_message\":");
    assert_eq!(told(&edit(r#","live_period":900"#)), None);
    assert!(matches!(told(&edit("")).unwrap().act, Act::Edited(_)));
}

#[test]
fn what_has_no_place_in_a_chat_is_not_told() {
    for members in
        [r#""chat":{"id":1},"message_id":0"#, r#""chat":{"id":1},"ephemeral_message_id":3"#, r#""chat":{}"#]
    {
        assert_eq!(told(&message("message", members)), None, "{members}");
    }
}
