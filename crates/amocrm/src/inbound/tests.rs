use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use proptest::prelude::*;
use serde_json::{Value, json};
use tandem_model::message::{
    AttachmentKind, Keyboard, KeyboardButton, KeyboardKind, Manager, Quoted, RemoteFile, ReplyAct,
};

use super::*;
use crate::sign::ChannelKey;

const CHANNEL: &str = "0b1c2d3e-4f50-4162-8374-95a6b7c8d9e0";
const ACCOUNT: &str = "9f8e7d6c-5b4a-4392-8172-615f4e3d2c1b";
const SECRET: &str = "00112233445566778899aabbccddeeff01234567";
const OLGA: &str = "5e4d3c2b-1a09-48f7-86e5-d4c3b2a19081";
const CHAT: &str = "6d5c4b3a-2918-4706-95f4-e3d2c1b0a998";
const CLIENT: &str = "3c2b1a09-f8e7-46d5-84c3-b2a190817263";
const MESSAGE: &str = "1a2b3c4d-5e6f-4708-8192-a3b4c5d6e7f8";

fn channel() -> Channel {
    Channel {
        id: CHANNEL.to_owned(),
        bot_id: "2b3c4d5e-6f70-4182-93a4-b5c6d7e8f901".to_owned(),
        account: None,
        title: "shop".to_owned(),
        code: None,
        key: ChannelKey::new(&SECRET.into()),
    }
}

/// A hook as the chat service sends it: its newline is not signed.
fn hook(body: &[u8]) -> Hook {
    let signature = {
        use hmac::{Hmac, KeyInit, Mac};
        let mac = Hmac::<sha1::Sha1>::new_from_slice(SECRET.as_bytes()).unwrap();
        hex::encode(mac.chain_update(body).finalize().into_bytes())
    };
    Hook {
        method: Method::POST,
        path: vec![CHANNEL.to_owned(), format!("{CHANNEL}_{ACCOUNT}")],
        query: None,
        headers: HeaderMap::from_iter([(
            http::HeaderName::from_static("x-signature"),
            HeaderValue::from_str(&signature).unwrap(),
        )]),
        body: Bytes::from([body, b"\n"].concat()),
    }
}

fn hear_raw(hook: &Hook, account: Option<&str>) -> Result<Vec<News>, HookRefusal> {
    let managers = HashMap::from([(OLGA.to_owned(), "Ольга".to_owned())]);
    chat_hook(&Known { channel: &channel(), account, managers: &managers }, hook)
}

fn hear(body: &Value) -> Result<Vec<News>, HookRefusal> {
    hear_raw(&hook(body.to_string().as_bytes()), Some(ACCOUNT))
}

fn heard_one(body: &Value) -> Heard {
    match hear(body).unwrap().remove(0) {
        News::Heard(heard) => *heard,
        other => panic!("{other:?}"),
    }
}

/// A message hook, with these fields of its message beside those that are always there.
fn message_hook(message: &Value) -> Value {
    let mut inner = json!({
        "id": MESSAGE, "type": "text", "text": "", "markup": null, "tag": "", "media": "", "thumbnail": "",
        "file_name": "", "file_size": 0,
    });
    for (name, value) in message.as_object().unwrap() {
        inner[name] = value.clone();
    }
    json!({"account_id": ACCOUNT, "time": 1_767_607_260, "message": {
        "receiver": {"id": CLIENT, "phone": "", "email": "", "client_id": "tg:1001"},
        "sender": {"id": OLGA},
        "conversation": {"id": CHAT, "client_id": "tg:777:1001"},
        "source": {"external_id": "bot_777"},
        "timestamp": 1_767_607_260, "msec_timestamp": 1_767_607_260_500_i64,
        "message": inner,
    }})
}

fn say(message: &Value) -> ReplyAct {
    match heard_one(&message_hook(message)).act {
        HeardAct::Reply(act) => act,
        other @ HeardAct::Said(_) => panic!("{other:?}"),
    }
}

fn text_act(text: &str) -> ReplyAct {
    ReplyAct::Say { text: text.to_owned(), file: None, keyboard: None, quote: None, album: None }
}

fn unreadable_with(result: Result<Vec<News>, HookRefusal>) -> String {
    match result.unwrap_err() {
        HookRefusal::Unreadable { reason } => reason,
        HookRefusal::Unproven => panic!("unproven"),
    }
}

#[test]
fn a_managers_words_are_heard_with_all_that_is_known() {
    let heard = heard_one(&message_hook(&json!({"text": "Hello"})));
    let expected = Heard {
        id: Some(MESSAGE.to_owned()),
        chat: HeardChat {
            theirs: CHAT.to_owned(),
            ours: Some("tg:777:1001".to_owned()),
            person: Some(CLIENT.to_owned()),
            person_ours: Some("tg:1001".to_owned()),
            phone: None,
            source: Some("bot_777".to_owned()),
        },
        by: Manager { id: OLGA.to_owned(), name: Some("Ольга".to_owned()) },
        at: Timestamp::from_millis(1_767_607_260_500),
        act: HeardAct::Reply(text_act("Hello")),
    };
    assert_eq!(heard, expected);
}

#[test]
fn files_of_each_type_are_heard_with_words_buttons_and_album_at_once() {
    for (kind, expected) in [
        ("picture", AttachmentKind::Picture),
        ("video", AttachmentKind::Video),
        ("voice", AttachmentKind::Voice),
        ("audio", AttachmentKind::Audio),
        ("file", AttachmentKind::File),
        ("sticker", AttachmentKind::Sticker),
    ] {
        let act = say(&json!({
            "type": kind, "text": "Which one?", "media": "https://amojo.amocrm.ru/attachments/0a1b/pic.jpg",
            "file_name": "pic.jpg", "file_size": 48211, "media_group_id": "b0c1",
            "markup": {"mode": "inline", "buttons": [[{"text": "Red"}, {"text": "Site", "url": "https://a.example"}], [{"text": " "}], []]},
            "template": {"id": 7, "content": "{{x}}", "params": []},
        }));
        let button = |text: &str, url: Option<&str>| KeyboardButton {
            text: text.to_owned(),
            url: url.map(str::to_owned),
        };
        let rows = vec![vec![button("Red", None), button("Site", Some("https://a.example"))]];
        let expected = ReplyAct::Say {
            text: "Which one?".to_owned(),
            file: Some(RemoteFile {
                kind: expected,
                url: "https://amojo.amocrm.ru/attachments/0a1b/pic.jpg".to_owned(),
                name: "pic.jpg".to_owned(),
                size_bytes: Some(48211),
            }),
            keyboard: Some(Keyboard { kind: KeyboardKind::Reply, rows }),
            quote: None,
            album: Some("b0c1".to_owned()),
        };
        assert_eq!(act, expected, "{kind}");
    }
}

#[test]
fn quotes_and_forwards_are_heard() {
    let act = say(
        &json!({"text": "да", "reply_to": {"message": {"id": "7e6d", "msgid": "tg:777:1001:43", "type": "text"}}}),
    );
    let ReplyAct::Say { quote, .. } = act else { panic!() };
    assert_eq!(quote, Some(Quoted { ours: Some("tg:777:1001:43".to_owned()), theirs: "7e6d".to_owned() }));
    let act = say(&json!({"text": "см.", "forwards": {"conversation_ref_id": "c", "messages": [
        {"id": "7e6d", "type": "picture", "text": "цена", "media": "https://a.example/p.jpg", "file_name": "p.jpg",
         "file_size": 0, "sender": {"id": "x", "name": "Пётр"}},
    ]}}));
    let ReplyAct::Say { text, file, .. } = act else { panic!() };
    assert_eq!(text, "см.\nПётр: цена");
    assert_eq!(file.unwrap().kind, AttachmentKind::Picture);
}

#[test]
fn a_chat_that_a_manager_began_has_a_phone_and_no_names_of_ours() {
    let mut hook = message_hook(&json!({"text": "Здравствуйте"}));
    hook["message"]["conversation"] = json!({"id": CHAT});
    hook["message"]["receiver"] = json!({"id": CLIENT, "phone": "+79990001122", "email": ""});
    let chat = heard_one(&hook).chat;
    assert_eq!((chat.ours, chat.person_ours), (None, None));
    assert_eq!((chat.phone.as_deref(), chat.source.as_deref()), (Some("+79990001122"), Some("bot_777")));
}

#[test]
fn typing_is_heard_until_it_ends_wherever_its_user_stands() {
    let nested = json!({"account_id": ACCOUNT, "time": 1_767_607_270, "action": {"typing": {
        "user": {"id": OLGA}, "conversation": {"id": CHAT, "client_id": "tg:777:1001"}, "expired_at": 1_767_607_275,
    }}});
    let mut flat = nested.clone();
    flat["action"]["typing"].as_object_mut().unwrap().remove("user");
    flat["action"]["user"] = json!({"id": OLGA});
    for hook in [nested, flat] {
        let heard = heard_one(&hook);
        assert_eq!((heard.id, heard.by.id.as_str()), (None, OLGA));
        let until = Timestamp::from_secs(1_767_607_275);
        assert_eq!(heard.act, HeardAct::Reply(ReplyAct::Type { until }));
    }
}

#[test]
fn reactions_of_both_shapes_are_heard() {
    let reaction = |reaction: Value| {
        let mut hook = json!({"account_id": ACCOUNT, "time": 1_767_607_280, "action": {"reaction": {
            "user": {"id": OLGA}, "conversation": {"id": CHAT, "client_id": "tg:777:1001"},
        }}});
        for (name, value) in reaction.as_object().unwrap() {
            hook["action"]["reaction"][name] = value.clone();
        }
        hook
    };
    let quoted = |ours: Option<&str>, theirs: &str| Quoted {
        ours: ours.map(str::to_owned),
        theirs: theirs.to_owned(),
    };
    for (given, of, emoji) in [
        (
            json!({"message": {"id": "7e6d", "client_id": "tg:777:1001:43", "timestamp": 1}, "type": "react", "emoji": "👍"}),
            quoted(Some("tg:777:1001:43"), "7e6d"),
            Some("👍"),
        ),
        (json!({"message": {"id": "7e6d"}, "type": "unreact"}), quoted(None, "7e6d"), None),
        (
            json!({"msgid": "tg:777:1001:43", "type": "react", "emoji": "👍"}),
            quoted(Some("tg:777:1001:43"), ""),
            Some("👍"),
        ),
        (json!({"msgid": "7e6d", "type": "react", "emoji": "👍"}), quoted(None, "7e6d"), Some("👍")),
    ] {
        let heard = heard_one(&reaction(given));
        assert!(heard.id.unwrap().starts_with("reaction:"));
        assert_eq!(heard.act, HeardAct::Reply(ReplyAct::React { of, emoji: emoji.map(str::to_owned) }));
    }
    let ignored = hear(&reaction(json!({"msgid": "x", "type": "boost"}))).unwrap();
    assert_eq!(ignored, [News::Ignored("a reaction of type boost".to_owned())]);
    unreadable_with(hear(&reaction(json!({"msgid": "x", "type": "react"}))));
    unreadable_with(hear(&reaction(json!({"type": "react", "emoji": "👍"}))));
}

#[test]
fn what_nobody_knows_is_ignored_by_name() {
    let ignored = |hook: &Value| match &hear(hook).unwrap()[..] {
        [News::Ignored(name)] => name.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        ignored(&message_hook(&json!({"type": "hologram\n<b>", "text": "x"}))),
        "a message of type hologramb"
    );
    assert_eq!(ignored(&message_hook(&json!({"text": "x", "post": {"id": "p"}}))), "a comment to a post");
    assert_eq!(ignored(&json!({"account_id": ACCOUNT, "time": 1})), "a hook without a message or an action");
    assert_eq!(
        ignored(&json!({"account_id": ACCOUNT, "action": {"wave": {}}})),
        "an action that nobody knows"
    );
}

#[test]
fn a_hook_that_proves_nothing_is_refused_before_it_is_read() {
    let good = hook(message_hook(&json!({"text": "Hello"})).to_string().as_bytes());
    assert!(hear_raw(&good, Some(ACCOUNT)).is_ok());
    let forged = |change: fn(&mut Hook)| {
        let mut hook = good.clone();
        change(&mut hook);
        hear_raw(&hook, Some(ACCOUNT))
    };
    for refused in [
        forged(|hook| hook.headers.clear()),
        forged(|hook| {
            hook.headers
                .insert("x-signature", HeaderValue::from_static("36cf6f258b66f5e2fa714c6c6d3cb6281fbd39e4"));
        }),
        forged(|hook| hook.body = Bytes::from_static(b"{}")),
        forged(|hook| hook.body = hook.body.slice(..hook.body.len() - 10)),
        forged(|hook| hook.method = Method::GET),
    ] {
        assert_eq!(refused, Err(HookRefusal::Unproven));
    }
}

#[test]
fn a_proved_hook_that_cannot_be_understood_says_why_and_nothing_of_its_contents() {
    let raw = |body: &[u8]| unreadable_with(hear_raw(&hook(body), Some(ACCOUNT)));
    let good = message_hook(&json!({"text": "SECRET"})).to_string();
    assert!(raw(&good.as_bytes()[..good.len() / 2]).starts_with("it is cut off"));
    let mut not_utf8 = good.clone().into_bytes();
    let at = good.find("SECRET").unwrap();
    not_utf8[at] = 0xff;
    assert!(raw(&not_utf8).starts_with("it is no JSON"));
    assert!(raw(b"nonsense").starts_with("it is no JSON"));
    let wrong_type = raw(good.replace("\"SECRET\"", "{\"a\":\"SECRET\"}").as_bytes());
    assert!(wrong_type.starts_with("something in it has another type") && !wrong_type.contains("SECRET"));
    assert!(raw(&vec![b' '; HOOK_BYTES + 1]).contains("longer than"));
    assert!(
        raw(message_hook(&json!({"text": " "})).to_string().as_bytes()).contains("neither text nor file")
    );
    assert!(
        raw(message_hook(&json!({"type": "picture"})).to_string().as_bytes())
            .contains("neither text nor file")
    );
    let old = json!({"receiver": "tg:1001", "conversation_id": "tg:777:1001", "type": "text", "text": "x", "msec_timestamp": 1});
    assert!(raw(old.to_string().as_bytes()).contains("version 1"));
}

#[test]
fn a_hook_goes_to_its_account_only() {
    let other = "11112222-3333-4444-8555-666677778888";
    let mut body = message_hook(&json!({"text": "x"}));
    body["account_id"] = json!(other);
    assert!(unreadable_with(hear(&body)).contains("another account"));
    // Nobody could be asked yet for the account's id: the address says it.
    let good = message_hook(&json!({"text": "x"}));
    let hear_early = |body: &Value| hear_raw(&hook(body.to_string().as_bytes()), None);
    assert!(hear_early(&good).is_ok());
    assert!(unreadable_with(hear_early(&body)).contains("another account"));
    let managers = HashMap::new();
    let channel = channel();
    let owns = |account, path: &[&str]| {
        let path: Vec<_> = path.iter().map(|&piece| piece.to_owned()).collect();
        super::owns(&Known { channel: &channel, account, managers: &managers }, &path)
    };
    let (scope, foreign) = (format!("{CHANNEL}_{ACCOUNT}"), format!("{CHANNEL}_{other}"));
    assert!(owns(Some(ACCOUNT), &[CHANNEL, &scope]));
    assert!(owns(None, &[CHANNEL, &foreign]));
    for strange in [
        &[CHANNEL, &*foreign][..],
        &[CHANNEL],
        &[&scope],
        &[CHANNEL, CHANNEL],
        &[ACCOUNT, &scope],
        &[CHANNEL, &scope, "x"],
    ] {
        assert!(!owns(Some(ACCOUNT), strange), "{strange:?}");
    }
}

#[test]
fn the_disable_hook_is_proved_for_its_account() {
    let client_id = "12345678-90ab-4cde-8f01-234567890abc";
    let secret = "exampleClientSecret".into();
    let query = format!(
        "account_id=31000001&client_uuid={client_id}&signature=fac9f0a25d970c1713dbccba7a899f8082bdcb23cc1451026940bc7be047d937"
    );
    let hear = |query: &str, account, method| {
        let hook = Hook {
            method,
            path: vec![DISABLED.to_owned(), client_id.to_owned()],
            query: Some(query.to_owned()),
            headers: HeaderMap::new(),
            body: Bytes::new(),
        };
        disabled(&Disabling { client_id, client_secret: &secret, account }, &hook)
    };
    for account in [None, Some(31_000_001)] {
        assert_eq!(hear(&query, account, Method::GET), Ok(vec![News::Disabled]));
        assert_eq!(
            hear(&query.replace("client_uuid", "client_id"), account, Method::GET),
            Ok(vec![News::Disabled])
        );
    }
    for refused in [
        hear(&query, Some(31_000_002), Method::GET),
        hear(&query, None, Method::POST),
        hear(&query.replace("31000001", "31000002"), None, Method::GET),
        hear(&query.replace("fac9", "fac8"), None, Method::GET),
        hear("", None, Method::GET),
    ] {
        assert_eq!(refused, Err(HookRefusal::Unproven));
    }
}

proptest! {
    /// Whatever stands in a proved hook, it is news or a refusal.
    #[test]
    fn nothing_in_a_proved_hook_is_a_panic(
        body in prop_oneof![prop::collection::vec(any::<u8>(), 0..200), Just(b"{\"account_id\":\"a\"}".to_vec())],
        account in prop::option::of("[a-f0-9-]{0,40}"),
    ) {
        hear_raw(&hook(&body), account.as_deref()).ok();
    }

    #[test]
    fn one_strange_field_makes_a_message_hook_news_or_a_refusal(
        field in prop::sample::select(vec!["id", "type", "text", "media", "file_name", "file_size", "markup", "reply_to", "forwards", "media_group_id", "post"]),
        value in prop::sample::select(vec![json!(null), json!(1), json!(-1.5), json!("x"), json!([]), json!({}), json!([[{"text": 1}]]), json!({"buttons": [[{"text": "a"}]]}), json!({"messages": [{}]}), json!({"message": {}})]),
    ) {
        hear(&message_hook(&json!({"text": "x", field: value}))).ok();
    }
}
