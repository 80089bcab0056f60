//! Calls that were carried out.

use tandem_model::{
    Timestamp,
    message::{Act, Body, Content, Language, MessagePlace, Speaker},
};

use super::{bot, shown};
use crate::{
    methods::{Class, Method, Shape},
    params::Params,
    told::{Call, Spoken, of_call},
};

const CHAT: &str = r#""chat":{"id":1001,"type":"private","first_name":"Ann"},"from":{"id":777,"is_bot":true,"first_name":"Shop"},"date":1767607300"#;

fn call(method: &str, parameters: &[(&'static str, &str)], result: &str) -> Vec<Spoken> {
    let parameters = Params::of(parameters.iter().map(|(name, value)| (*name, (*value).to_owned())));
    let by = Speaker::Bot { app: Some("main".into()) };
    let at = Timestamp::from_secs(1_767_607_300);
    let call = Call { method, parameters: &parameters, result: result.as_bytes() };
    of_call(Language::English, bot(), at, &by, &call)
}

fn bodies(spoken: &[Spoken]) -> Vec<(String, String)> {
    spoken
        .iter()
        .map(|spoken| {
            let (act, body) = match &spoken.told.act {
                Act::Said(body) => ("", body),
                Act::Edited(body) => ("edited ", body),
                Act::Reacted { .. } => panic!("{spoken:?}"),
            };
            (spoken.told.key.to_string(), format!("{act}{}", shown(body)))
        })
        .collect()
}

fn one(method: &str, parameters: &[(&'static str, &str)], result: &str) -> (String, String) {
    let mut all = bodies(&call(method, parameters, result));
    assert_eq!(all.len(), 1, "{method}");
    all.remove(0)
}

fn body(spoken: &Spoken) -> &Body {
    match &spoken.told.act {
        Act::Said(body) | Act::Edited(body) => body,
        Act::Reacted { .. } => panic!("{spoken:?}"),
    }
}

#[test]
fn every_method_that_sends_a_message_is_told_by_its_result() {
    let result = format!(r#"{{"message_id":43,{CHAT},"text":"Your order is ready"}}"#);
    let told: Vec<_> = Method::all()
        .filter(|method| {
            matches!(method.shape(), Shape::Message)
                && matches!(Class::of_method(*method), Class::Captured(_))
        })
        .map(Method::name)
        .collect();
    assert!(told.len() > 20, "{told:?}");
    for method in told {
        let edited = if method.starts_with("edit") { "edited " } else { "" };
        let spoken = call(method, &[("chat_id", "1001")], &result);
        assert_eq!(
            bodies(&spoken),
            [("tg:777:1001:43".into(), format!("{edited}Your order is ready"))],
            "{method}"
        );
        assert_eq!(spoken[0].told.by, Speaker::Bot { app: Some("main".into()) });
        assert_eq!(spoken[0].told.chat.as_str(), "tg:777:1001");
    }
    let hologram = one("sendHologram", &[], &format!(r#"{{"message_id":43,{CHAT},"hologram":{{}}}}"#));
    assert_eq!(hologram.1, "[line] A message of an unknown kind: hologram");
}

#[test]
fn each_item_of_an_album_is_told() {
    let item = |id: u8, rest: &str| {
        format!(
            r#"{{"message_id":{id},{CHAT},"media_group_id":"9","photo":[{{"file_id":"P{id}","file_unique_id":"u","width":1,"height":1}}]{rest}}}"#
        )
    };
    let result = format!("[{}, {}]", item(43, r#","caption":"two""#), item(44, ""));
    let spoken = call("sendMediaGroup", &[("chat_id", "1001")], &result);
    assert_eq!(
        bodies(&spoken),
        [
            ("tg:777:1001:43".into(), "[picture P43 photo.jpg image/jpeg] two".into()),
            ("tg:777:1001:44".into(), "[picture P44 photo.jpg image/jpeg]".into()),
        ]
    );
    assert!(spoken.iter().all(|spoken| body(spoken).album.as_deref() == Some("9")));
}

#[test]
fn the_buttons_of_both_kinds_of_keyboard_are_told() {
    let plain = format!(r#"{{"message_id":43,{CHAT},"text":"?"}}"#);
    for (markup, expected) in [
        (
            r#"{"keyboard":[["Catalogue",{"text":"Bonuses"}],[{"text":"Call","request_contact":true}]]}"#,
            "Catalogue Bonuses|Call",
        ),
        (r#" {"inline_keyboard":[[{"text":"Yes","callback_data":"y"}]]}"#, "Yes"),
        (r#"{"remove_keyboard":true}"#, ""),
        (r#"{"force_reply":true}"#, ""),
        ("[{", ""),
        ("", ""),
    ] {
        let spoken = call("sendMessage", &[("chat_id", "1001"), ("reply_markup", markup)], &plain);
        let rows: Vec<_> = body(&spoken[0]).buttons.iter().map(|row| row.join(" ")).collect();
        assert_eq!(rows.join("|"), expected, "{markup}");
    }
}

#[test]
fn a_copy_says_where_its_words_stand() {
    let copied = |parameters: &[(&'static str, &str)]| {
        let spoken = call("copyMessage", parameters, r#"{"message_id":43}"#);
        assert_eq!(spoken.len(), 1);
        (shown(body(&spoken[0])), spoken.into_iter().next().unwrap())
    };
    let from = [("chat_id", "1001"), ("from_chat_id", "-100"), ("message_id", "7")];
    let (line, spoken) = copied(&from);
    assert_eq!(line, "[line] A message was copied");
    assert_eq!(spoken.told.key.as_str(), "tg:777:1001:43");
    assert_eq!(spoken.copy_of, Some(MessagePlace { business: None, chat: -100, message: 7 }));

    let original = Body {
        content: Content::Text,
        text: "Sale!".into(),
        quote: None,
        forwarded_from: None,
        album: None,
        buttons: Vec::new(),
    };
    let whole = spoken.with_original(original.clone());
    assert_eq!((shown(body(&whole)), whole.copy_of), ("Sale!".to_owned(), None));

    let (line, spoken) =
        copied(&[&from[..], &[("caption", "<b>Tea</b> &lt; coffee"), ("parse_mode", "HTML")]].concat());
    assert_eq!(line, "Tea < coffee");
    assert_eq!(shown(body(&spoken.with_original(original))), "Tea < coffee");
}

#[test]
fn several_copies_are_matched_only_if_all_were_made() {
    let parameters = [("chat_id", "1001"), ("from_chat_id", "1002"), ("message_ids", "[7, 8]")];
    let sources = |method, result| {
        let spoken = call(method, &parameters, result);
        spoken.iter().map(|spoken| spoken.copy_of.as_ref().map(|place| place.message)).collect::<Vec<_>>()
    };
    assert_eq!(sources("copyMessages", r#"[{"message_id":43},{"message_id":44}]"#), [Some(7), Some(8)]);
    assert_eq!(sources("forwardMessages", r#"[{"message_id":43}]"#), [None]);
    assert_eq!(
        call("copyMessage", &[("chat_id", "@news")], r#"{"message_id":43}"#),
        [],
        "which chat that is nobody says"
    );
}

#[test]
fn edits_are_told_if_words_have_changed() {
    let message = format!(
        r#"{{"message_id":43,{CHAT},"edit_date":1767607400,"text":"Ready","reply_markup":{{"inline_keyboard":[[{{"text":"OK","callback_data":"k"}}]]}}}}"#
    );
    for (method, told) in [
        ("editMessageText", true),
        ("editmessagecaption", true),
        ("editMessageMedia", true),
        ("editMessageChecklist", true),
        ("stopMessageLiveLocation", true),
        ("editMessageReplyMarkup", false),
        ("EDITMESSAGEREPLYMARKUP", false),
        ("editMessageLiveLocation", false),
        ("setGameScore", false),
    ] {
        let spoken = call(method, &[("chat_id", "1001")], &message);
        assert_eq!(!spoken.is_empty(), told, "{method}");
        assert!(
            spoken
                .iter()
                .all(|spoken| matches!(spoken.told.act, Act::Edited(_)) && body(spoken).buttons == [["OK"]])
        );
        assert_eq!(call(method, &[("inline_message_id", "x")], "true"), [], "{method}");
    }
}

#[test]
fn a_stopped_poll_is_told_with_its_result() {
    let poll = r#"{"id":"1","type":"regular","question":"When?","options":[{"text":"Now","voter_count":4}],"total_voter_count":4,"is_closed":true}"#;
    let told = one("stopPoll", &[("chat_id", "1001"), ("message_id", "43")], poll);
    assert_eq!(told, ("tg:777:1001:43".into(), "edited [line] Poll, closed: When? / • Now — 4".into()));
}

#[test]
fn the_bots_reaction_is_told_and_taking_it_back_is_not() {
    let react = |reaction: &str| {
        call(
            "setMessageReaction",
            &[("chat_id", "1001"), ("message_id", "42"), ("reaction", reaction)],
            "true",
        )
    };
    let spoken = react(r#"[{"type":"emoji","emoji":"🔥"}]"#);
    assert_eq!(spoken[0].told.key.as_str(), "tg:777:1001:42");
    assert_eq!(spoken[0].told.act, Act::Reacted { now: vec!["🔥".into()], before: Vec::new() });
    assert_eq!(react("[]"), []);
}

#[test]
fn a_business_message_is_told_in_its_own_chat() {
    let result = format!(r#"{{"message_id":43,"business_connection_id":"bc",{CHAT},"text":"hi"}}"#);
    assert_eq!(one("sendMessage", &[], &result).0, "tg:777:bc:1001:43");
}

#[test]
fn what_shows_a_client_nothing_new_is_not_told() {
    let parameters = [
        ("chat_id", "1001"),
        ("message_id", "43"),
        ("message_ids", "[43]"),
        ("user_id", "1001"),
        ("text", "x"),
    ];
    for method in Method::all() {
        if matches!(
            method.shape(),
            Shape::True | Shape::InlineMessageId | Shape::Story | Shape::ForumTopic | Shape::Other
        ) {
            let result =
                if method.shape() == Shape::True { "true" } else { r#"{"id":1,"inline_message_id":"x"}"# };
            assert_eq!(call(method.name(), &parameters, result), [], "{}", method.name());
        }
    }
    assert_eq!(call("getUserPersonalChatMessages", &[], "[]"), []);
    let later = format!(r#"{{"message_id":0,{CHAT},"text":"x"}}"#);
    assert_eq!(
        call("sendVideo", &[], &later),
        [],
        "Telegram will send it later, under a number that nobody knows yet"
    );
}
