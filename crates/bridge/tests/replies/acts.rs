//! Each thing that a manager can want.

use std::time::Duration;

use serde_json::{Value, json};
use tandem_gateway::{Author, SentDocument};
use tandem_model::{
    EventKind, Timestamp,
    message::{
        AttachmentKind, Keyboard, KeyboardButton, KeyboardKind, Quoted, ReplyAct, ReplyFailure, ReplyResult,
    },
};

use crate::{
    desk::{Desk, file, messages, param, text},
    file_server::{FileServer, png},
    support::{id, until},
};

#[tokio::test]
async fn a_text_is_sent_told_to_others_as_the_managers_and_reported_to_his_own_route_alone() {
    let desk = Desk::open().await;
    let seq = desk.does("m1", text("hello")).await;
    let result = desk.outcome_now("m1").await;
    let sent = desk.sent();
    assert_eq!((sent.len(), param(&sent[0], "text").as_str()), (1, "hello"));
    let ReplyResult::Sent { messages } = result else { panic!("{result:?}") };
    let (bot, route) = (id(&desk.bot), desk.lane("route:crm").await.id);
    let key = format!("tg:{bot}:{}:{}", desk.client, messages[0].message);
    assert_eq!(desk.keys_of("m1").await, [key]);
    let events = desk.service.journal(&desk.bot).await;
    let said = events.iter().find(|event| event.kind == EventKind::Sent).unwrap();
    let outcome = events.iter().find(|event| event.kind == EventKind::Outcome).unwrap();
    assert!(seq < said.seq && outcome.seq.get() == said.seq.get() + 1, "one commit");
    assert_eq!((said.cause, outcome.cause), (Some(route), None));
    let document: SentDocument<'_> = serde_json::from_slice(&said.body).unwrap();
    let by = Author::Manager { route: "crm".into(), id: "manager-7".into(), name: Some("Eve".into()) };
    assert_eq!((document.by, &*document.method, &*document.act), (by, "sendMessage", "send"));
    until("the report", async || {
        let told = desk.crm.told();
        let kinds: Vec<_> =
            told.iter().map(|event| event.kind).filter(|kind| *kind != EventKind::Update).collect();
        assert!(!kinds.contains(&EventKind::Sent) && !kinds.contains(&EventKind::Reply), "{kinds:?}");
        (kinds == [EventKind::Outcome]).then_some(())
    })
    .await;
    desk.service.stop().await;
}

#[tokio::test]
async fn a_long_text_arrives_in_order_in_several_messages_of_one_reply() {
    let desk = Desk::open().await;
    let long: String =
        (0..1500).flat_map(|number| ["слово".to_owned(), number.to_string(), " ".to_owned()]).collect();
    desk.does("m1", text(&long)).await;
    desk.does("m2", text("after it")).await;
    assert_eq!(messages(&desk.outcome("m1").await), 4);
    desk.outcome("m2").await;
    let texts = desk.texts();
    assert_eq!((texts[..4].concat(), texts[4].as_str()), (long, "after it"));
    assert_eq!(desk.keys_of("m1").await.len(), 4);
    desk.service.stop().await;
}

#[tokio::test]
async fn files_are_sent_as_what_they_are() {
    let desk = Desk::open().await;
    let server = FileServer::start().await;
    let opus = b"OggS\0\x02\0\0\0\0\0\0\0\0abcd\0\0\0\0efgh\x01\x13OpusHead\x01";
    let webp = b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\xff\x01\0\xff\x01\0";
    let (mp3, mp4) = (b"ID3\x04aaaa".as_slice(), b"\0\0\0\x20ftypisomaaaa".as_slice());
    let cases: [(AttachmentKind, &str, &[u8], &str); 10] = [
        (AttachmentKind::Picture, "/a.png", &png(640, 480, 3000), "sendPhoto"),
        (AttachmentKind::Picture, "/tall.png", &png(10, 9000, 3000), "sendDocument"),
        (AttachmentKind::Picture, "/large.png", &png(640, 480, (10 << 20) + 1), "sendDocument"),
        (AttachmentKind::Video, "/a.mp4", mp4, "sendVideo"),
        (AttachmentKind::Voice, "/a.ogg", opus, "sendVoice"),
        (AttachmentKind::Voice, "/a.wav", b"RIFF\0\0\0\0WAVEfmt ", "sendDocument"),
        (AttachmentKind::Audio, "/a.mp3", mp3, "sendAudio"),
        (AttachmentKind::Sticker, "/a.webp", webp, "sendSticker"),
        (AttachmentKind::File, "/a.pdf", b"%PDF", "sendDocument"),
        (AttachmentKind::File, "/chunked.bin", b"no length", "sendDocument"),
    ];
    for (number, (kind, path, contents, method)) in cases.into_iter().enumerate() {
        let url = if path.contains("chunked") {
            server.chunked(path, contents)
        } else {
            server.file(path, contents)
        };
        let message = format!("m{number}");
        desk.does(&message, file(kind, &url, &path[1..], "")).await;
        assert_eq!(messages(&desk.outcome(&message).await), 1, "{path}");
        let call = desk.sent().pop().unwrap();
        assert_eq!(call.method, method, "{path}");
        let part = param(&call, &method[4..].to_lowercase());
        assert!(part.contains(&format!("{} bytes", contents.len())), "{path}: {part}");
    }
    desk.service.stop().await;
}

#[tokio::test]
async fn a_caption_that_is_too_long_goes_on_behind_the_file() {
    let desk = Desk::open().await;
    let server = FileServer::start().await;
    let url = server.file("/a.png", &png(640, 480, 3000));
    let long = format!("{}\n\n{}", "a".repeat(1000), "b".repeat(500));
    desk.does("m1", file(AttachmentKind::Picture, &url, "a.png", &long)).await;
    assert_eq!(messages(&desk.outcome("m1").await), 2);
    let sent = desk.sent();
    assert_eq!((sent[0].method.as_str(), sent[1].method.as_str()), ("sendPhoto", "sendMessage"));
    assert_eq!(param(&sent[0], "caption") + &param(&sent[1], "text"), long);
    assert_eq!(server.asked(), ["/a.png"], "what was sent is not fetched again");
    desk.service.stop().await;
}

#[tokio::test]
async fn quotes_point_at_our_messages_and_at_those_that_were_born_at_the_vendor() {
    let desk = Desk::open().await;
    desk.does("m1", text("first")).await;
    let ReplyResult::Sent { messages } = desk.outcome("m1").await else { panic!() };
    let first = messages[0].message;
    let quoting = |quoted: Quoted| ReplyAct::Say {
        text: "second".to_owned(),
        file: None,
        keyboard: None,
        quote: Some(quoted),
        album: None,
    };
    let ours = format!("tg:{}:{}:{first}", id(&desk.bot), desk.client);
    let other_chat = format!("tg:{}:1:{first}", id(&desk.bot));
    let cases = [
        (Quoted { ours: None, theirs: "m1".to_owned() }, true),
        (Quoted { ours: Some(ours), theirs: String::new() }, true),
        (Quoted { ours: None, theirs: "nobody-knows".to_owned() }, false),
        (Quoted { ours: Some(other_chat), theirs: String::new() }, false),
    ];
    for (number, (quoted, found)) in cases.into_iter().enumerate() {
        desk.does(&format!("q{number}"), quoting(quoted)).await;
        let sent = desk.until_sent(number + 2).await.pop().unwrap();
        let parameters: Value = serde_json::from_str(&param(&sent, "reply_parameters")).unwrap_or_default();
        let expected = json!({"message_id": first, "allow_sending_without_reply": true});
        assert_eq!(parameters, if found { expected } else { Value::Null });
    }
    desk.service.stop().await;
}

#[tokio::test]
async fn buttons_are_shown_where_the_route_says() {
    let desk = Desk::open().await;
    let say = |kind| {
        let button = KeyboardButton { text: "Yes".to_owned(), url: None };
        let keyboard = Some(Keyboard { kind, rows: vec![vec![button]] });
        ReplyAct::Say { text: "well?".to_owned(), file: None, keyboard, quote: None, album: None }
    };
    desk.does("m1", say(KeyboardKind::Reply)).await;
    desk.does("m2", say(KeyboardKind::Inline)).await;
    let sent = desk.until_sent(2).await;
    let markup =
        |number: usize| serde_json::from_str::<Value>(&param(&sent[number], "reply_markup")).unwrap();
    assert_eq!(markup(0), json!({"keyboard": [[{"text": "Yes"}]], "resize_keyboard": true}));
    assert_eq!(markup(1), json!({"inline_keyboard": [[{"text": "Yes", "callback_data": "tandem:Yes"}]]}));
    desk.service.stop().await;
}

#[tokio::test]
async fn typing_is_shown_while_it_is_true_and_leaves_nothing_behind() {
    let desk = Desk::open().await;
    let now = Timestamp::from_millis(desk.stage.clock.now_ms());
    desk.does("", ReplyAct::Type { until: now.minus(Duration::from_secs(1)) }).await;
    desk.does("", ReplyAct::Type { until: now.plus(Duration::from_mins(1)) }).await;
    desk.does("m1", text("hello")).await;
    desk.outcome("m1").await;
    let methods: Vec<_> = desk.sent().into_iter().map(|call| call.method).collect();
    assert_eq!(methods, ["sendChatAction", "sendMessage"]);
    let kinds = desk.service.journal(&desk.bot).await.iter().map(|event| event.kind).collect::<Vec<_>>();
    assert_eq!(kinds.iter().filter(|kind| **kind == EventKind::Outcome).count(), 1);
    desk.service.stop().await;
}

#[tokio::test]
async fn a_reaction_is_set_and_taken_back_and_one_that_telegram_does_not_know_is_reported() {
    let desk = Desk::open().await;
    desk.does("m1", text("first")).await;
    desk.outcome("m1").await;
    let of = || Quoted { ours: None, theirs: "m1".to_owned() };
    let react = |emoji: Option<&str>| ReplyAct::React { of: of(), emoji: emoji.map(str::to_owned) };
    desk.does("r1", react(Some("👍"))).await;
    desk.does("r2", react(None)).await;
    desk.does("r3", react(Some("🪿"))).await;
    assert_eq!(desk.outcome("r1").await, ReplyResult::Sent { messages: Vec::new() });
    assert_eq!(desk.outcome("r2").await, ReplyResult::Sent { messages: Vec::new() });
    let ReplyResult::Failed { why, words, .. } = desk.outcome("r3").await else { panic!() };
    assert_eq!((why, words.as_str()), (ReplyFailure::Refused, "400 Bad Request: REACTION_INVALID"));
    let set: Vec<_> = desk.sent().iter().skip(1).map(|call| param(call, "reaction")).collect();
    assert_eq!(set, [r#"[{"emoji":"👍","type":"emoji"}]"#, "[]"]);
    desk.service.stop().await;
}

#[tokio::test]
async fn nothing_to_say_is_reported_and_holds_nobody_up() {
    let desk = Desk::open().await;
    desk.does("m1", text(" \n ")).await;
    desk.does("m2", text("hello")).await;
    let ReplyResult::Failed { why, .. } = desk.outcome("m1").await else { panic!() };
    assert_eq!(why, ReplyFailure::Refused);
    assert_eq!(messages(&desk.outcome("m2").await), 1);
    desk.service.stop().await;
}
