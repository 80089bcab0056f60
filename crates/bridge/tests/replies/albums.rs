//! Files that were sent at once.

use std::time::Duration;

use serde_json::{Value, json};
use tandem_model::{
    HeldState,
    message::{AttachmentKind, Keyboard, KeyboardButton, KeyboardKind, ReplyAct, ReplyFailure, ReplyResult},
};

use crate::{
    desk::{Desk, file, in_album, messages, param, text},
    file_server::{FileServer, png},
    support::until,
};

fn picture(url: &str, caption: &str) -> ReplyAct {
    in_album(file(AttachmentKind::Picture, url, "a.png", caption), "album-1")
}

#[tokio::test]
async fn parts_become_one_album_and_each_is_reported() {
    let desk = Desk::open().await;
    let server = FileServer::start().await;
    let png = server.file("/a.png", &png(640, 480, 3000));
    let film = server.file("/a.mp4", b"\0\0\0\x20ftypisomaaaa");
    desk.does("m1", picture(&png, "")).await;
    desk.does("m2", in_album(file(AttachmentKind::Video, &film, "a.mp4", "both"), "album-1")).await;
    desk.does("m3", picture(&png, "")).await;
    for message in ["m1", "m2", "m3"] {
        assert_eq!(messages(&desk.outcome(message).await), 1);
        assert_eq!(desk.keys_of(message).await.len(), 1);
    }
    let sent = desk.sent();
    assert_eq!((sent.len(), sent[0].method.as_str()), (1, "sendMediaGroup"));
    let media: Value = serde_json::from_str(&param(&sent[0], "media")).unwrap();
    assert_eq!(
        media,
        json!([
            {"type": "photo", "media": "attach://file0", "caption": "both"},
            {"type": "video", "media": "attach://file1"},
            {"type": "photo", "media": "attach://file2"},
        ])
    );
    until("nothing held", async || desk.held().await.is_empty().then_some(())).await;
    desk.service.stop().await;
}

#[tokio::test]
async fn another_part_is_waited_for_as_long_as_one_is_young() {
    let desk = Desk::open().await;
    let server = FileServer::start().await;
    let png = server.file("/a.png", &png(640, 480, 3000));
    desk.does("m1", picture(&png, "")).await;
    until("the wait", async || (!desk.held().await.is_empty()).then_some(())).await;
    desk.stage.clock.advance(Duration::from_millis(1400));
    desk.does("m2", picture(&png, "")).await;
    desk.stage.clock.advance(Duration::from_millis(1400));
    assert!(desk.sent().is_empty(), "m2 is young");
    desk.stage.clock.advance(Duration::from_millis(100));
    desk.outcome_now("m2").await;
    assert_eq!(desk.sent()[0].method, "sendMediaGroup");
    desk.stage.clock.advance(Duration::from_mins(1));
    desk.does("m3", picture(&png, "")).await;
    desk.outcome("m3").await;
    assert_eq!(desk.sent()[1].method, "sendPhoto", "one file is no album");
    desk.service.stop().await;
}

#[tokio::test]
async fn what_cannot_stand_together_is_sent_in_turn() {
    let desk = Desk::open().await;
    let server = FileServer::start().await;
    let png = server.file("/a.png", &png(640, 480, 3000));
    let pdf = server.file("/a.pdf", b"%PDF");
    let document = |name| in_album(file(AttachmentKind::File, &pdf, name, ""), "album-1");
    let button = KeyboardButton { text: "Yes".to_owned(), url: None };
    let keyboard = Some(Keyboard { kind: KeyboardKind::Reply, rows: vec![vec![button]] });
    let with_buttons = match picture(&png, "well?") {
        ReplyAct::Say { text, file, quote, album, .. } => {
            ReplyAct::Say { text, file, quote, album, keyboard }
        }
        other => other,
    };
    let acts = [
        picture(&png, ""),
        picture(&png, ""),
        document("1.pdf"),
        document("2.pdf"),
        document("3.pdf"),
        picture(&png, "alone"),
        with_buttons,
        text("and a word"),
    ];
    for (number, act) in acts.into_iter().enumerate() {
        desk.does(&format!("m{number}"), act).await;
    }
    desk.outcome("m7").await;
    let shown: Vec<_> = desk
        .sent()
        .iter()
        .map(|call| {
            let media: Vec<Value> = serde_json::from_str(&param(call, "media")).unwrap_or_default();
            (call.method.clone(), media.len())
        })
        .collect();
    let expected = [
        ("sendMediaGroup", 2),
        ("sendMediaGroup", 3),
        ("sendPhoto", 0),
        ("sendPhoto", 0),
        ("sendMessage", 0),
    ];
    assert_eq!(shown, expected.map(|(method, files)| (method.to_owned(), files)));
    desk.service.stop().await;
}

#[tokio::test]
async fn eleven_files_are_an_album_of_ten_and_one_alone() {
    let desk = Desk::open().await;
    let server = FileServer::start().await;
    let png = server.file("/a.png", &png(640, 480, 3000));
    for number in 0..11 {
        desk.does(&format!("m{number}"), picture(&png, "")).await;
    }
    desk.outcome("m10").await;
    let methods: Vec<_> = desk.sent().into_iter().map(|call| call.method).collect();
    assert_eq!(methods, ["sendMediaGroup", "sendPhoto"]);
    desk.service.stop().await;
}

#[tokio::test]
async fn a_part_that_is_not_there_fails_alone() {
    let desk = Desk::open().await;
    let server = FileServer::start().await;
    let png = server.file("/a.png", &png(640, 480, 3000));
    let gone = server.status("/gone.png", "404 Not Found", "");
    for (message, url) in [("m1", &png), ("m2", &png), ("m3", &gone), ("m4", &png), ("m5", &png)] {
        desk.does(message, picture(url, "")).await;
    }
    let ReplyResult::Failed { why, words, .. } = desk.outcome("m3").await else { panic!() };
    assert_eq!((why, words.as_str()), (ReplyFailure::File, "the file's server answered 404"));
    desk.outcome("m5").await;
    let methods: Vec<_> = desk.sent().into_iter().map(|call| call.method).collect();
    assert_eq!(methods, ["sendMediaGroup", "sendMediaGroup"]);
    for message in ["m1", "m2", "m4", "m5"] {
        assert_eq!(messages(&desk.outcome(message).await), 1);
    }
    desk.service.stop().await;
}

#[tokio::test]
async fn an_album_whose_answer_is_lost_is_unknown_as_a_whole_and_never_sent_again() {
    let desk = Desk::open().await;
    let server = FileServer::start().await;
    let png = server.file("/a.png", &png(640, 480, 3000));
    desk.fault(json!({"method": "sendMediaGroup", "fault": {"kind": "reset"}, "when": "after", "times": 1}))
        .await;
    for message in ["m1", "m2", "m3"] {
        desk.does(message, picture(&png, "")).await;
    }
    desk.does("m4", text("after it")).await;
    desk.outcome("m4").await;
    for message in ["m1", "m2", "m3"] {
        assert!(matches!(desk.outcome(message).await, ReplyResult::Unknown { .. }), "{message}");
    }
    let groups = desk.bot.calls_after(0).iter().filter(|call| call.method == "sendMediaGroup").count();
    let photos = desk.bot.calls_after(0).iter().filter(|call| call.method == "sendPhoto").count();
    assert_eq!((groups, photos), (1, 0));
    until("three rows for people", async || {
        let states: Vec<_> = desk.held().await.iter().map(|row| row.state).collect();
        (states == [HeldState::Unknown; 3]).then_some(())
    })
    .await;
    desk.service.stop().await;
}

#[tokio::test]
async fn an_album_that_telegram_does_not_take_is_sent_file_by_file() {
    let desk = Desk::open().await;
    let server = FileServer::start().await;
    let png = server.file("/a.png", &png(640, 480, 3000));
    desk.fault(json!({"method": "sendMediaGroup", "fault": {"kind": "status", "code": 400}})).await;
    desk.does("m1", picture(&png, "both")).await;
    desk.does("m2", picture(&png, "")).await;
    desk.outcome("m2").await;
    let sent: Vec<_> = desk.sent().iter().map(|call| (call.method.clone(), param(call, "caption"))).collect();
    assert_eq!(sent, [("sendPhoto".to_owned(), "both".to_owned()), ("sendPhoto".to_owned(), String::new())]);
    desk.service.stop().await;
}
