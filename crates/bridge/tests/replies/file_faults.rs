//! Files that are not there, or should not be fetched.

use std::{net::IpAddr, sync::Arc, time::Duration};

use tandem_model::{
    HeldState,
    message::{AttachmentKind, ReplyFailure, ReplyResult},
};
use tandem_telegram::upstream::AddressGuard;
use tandem_testkit::Log;

use crate::{
    desk::{Desk, file, messages, param, text},
    file_server::{FileServer, png},
    support::{assert_no_secret, until},
};

/// Nothing of this machine may be reached.
#[derive(Debug)]
struct NotHere;

impl AddressGuard for NotHere {
    fn allows(&self, address: IpAddr) -> bool {
        !address.is_loopback()
    }
}

async fn fails(desk: &Desk, message: &str, url: &str) -> String {
    desk.does(message, file(AttachmentKind::File, url, "a.pdf", "caption")).await;
    let ReplyResult::Failed { why, words, .. } = desk.outcome(message).await else { panic!("{url}") };
    assert_eq!(why, ReplyFailure::File, "{url}");
    words
}

#[tokio::test]
async fn files_are_fetched_only_from_where_they_may_be_redirects_included() {
    let desk = Desk::open().await;
    let server = FileServer::start().await;
    let to = |location: &str| format!("Location: {location}\r\n");
    let port = server.url.rsplit(':').next().unwrap().to_owned();
    server.file("/a.pdf", b"%PDF");
    server.status("/one", "302 Found", &to("/a.pdf"));
    server.status("/loop", "302 Found", &to("/loop"));
    server.status("/away", "302 Found", &to(&format!("http://127.0.0.2:{port}/a.pdf")));
    server.status("/disk", "307 Temporary Redirect", &to("file:///etc/passwd"));
    let at = |path: &str| format!("{}{path}", server.url);
    for (number, (url, words)) in [
        ("http://127.0.0.2:9/a.pdf".to_owned(), "files are not fetched from 127.0.0.2"),
        ("https://files.example/a.pdf?token=s3cret".to_owned(), "files are not fetched from files.example"),
        ("ftp://127.0.0.1/a.pdf".to_owned(), "the file's address does not begin with https://"),
        ("http://user:s3cret@127.0.0.1/a".to_owned(), "the file's address has a user in it"),
        ("no address".to_owned(), "the file's address cannot be used"),
        (at("/loop"), "the file is somewhere else again and again"),
        (at("/away"), "files are not fetched from 127.0.0.2"),
        (at("/disk"), "the file's address does not begin with https://"),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(fails(&desk, &format!("m{number}"), &url).await, words, "{url}");
    }
    desk.does("good", file(AttachmentKind::File, &at("/one"), "a.pdf", "")).await;
    assert_eq!(messages(&desk.outcome("good").await), 1);
    let dead = until("eight dead", async || {
        let rows = desk.held().await;
        (rows.iter().filter(|row| row.state == HeldState::Dead).count() == 8).then_some(rows)
    })
    .await;
    assert!(dead.iter().all(|row| !row.reason.contains("s3cret")));
    desk.service.stop().await;
}

#[tokio::test]
async fn what_an_allowed_name_stands_for_is_looked_at_when_it_is_connected_to() {
    let desk = Desk::open_with(|config| config.guard = Some(Arc::new(NotHere))).await;
    let private = "the file's address is not one of the public internet";
    assert_eq!(fails(&desk, "m1", "https://127.0.0.1:9/a.pdf").await, private);
    assert_eq!(fails(&desk, "m2", "https://localhost:9/a.pdf").await, private);
    let plain = "the file's address does not begin with https://";
    assert_eq!(fails(&desk, "m3", "http://127.0.0.1:9/a.pdf").await, plain);
    desk.service.stop().await;
}

#[tokio::test]
async fn a_file_that_is_too_large_is_not_fetched_whether_its_length_is_said_or_not() {
    let desk = Desk::open_with(|config| config.files.max_bytes = 1 << 20).await;
    let server = FileServer::start().await;
    let said = server.hanging("/said", b"HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n");
    let unsaid = server.chunked("/unsaid", &vec![7; (1 << 20) + 1]);
    for (message, url) in [("m1", &said), ("m2", &unsaid)] {
        assert_eq!(fails(&desk, message, url).await, "the file is larger than 1 MB");
    }
    let fits = server.chunked("/fits", &vec![7; 1 << 20]);
    desk.does("m3", file(AttachmentKind::File, &fits, "a.bin", "")).await;
    assert_eq!(messages(&desk.outcome("m3").await), 1);
    assert!(param(&desk.sent()[0], "document").contains("1048576 bytes"));
    desk.service.stop().await;
}

#[tokio::test]
async fn a_server_that_fails_for_a_while_is_asked_again_and_nothing_is_sent_before() {
    let desk = Desk::open().await;
    let server = FileServer::start().await;
    let contents = png(640, 480, 3000);
    server.status("/a.png", "503 Service Unavailable", "");
    // Cut in the middle: after Telegram has been asked, and before.
    server.raw("/a.png", b"HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n\x89PNG");
    let large = [b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n".as_slice(), &vec![7; 600_000]].concat();
    server.raw("/a.png", &large);
    let url = server.file("/a.png", &contents);
    desk.does("m1", file(AttachmentKind::Picture, &url, "a.png", "")).await;
    desk.does("m2", text("after it")).await;
    assert_eq!(messages(&desk.outcome("m1").await), 1);
    desk.outcome("m2").await;
    let methods: Vec<_> = desk.sent().into_iter().map(|call| call.method).collect();
    assert_eq!((methods, server.asked().len()), (vec!["sendPhoto".to_owned(), "sendMessage".to_owned()], 4));
    desk.service.stop().await;
}

#[tokio::test]
async fn a_server_that_never_comes_back_fails_the_reply_after_an_hour() {
    let desk = Desk::open().await;
    let server = FileServer::start().await;
    let url = server.status("/a.pdf", "500 Internal Server Error", "");
    desk.does("m1", file(AttachmentKind::File, &url, "a.pdf", "")).await;
    until("the first failure", async || desk.held().await.pop()).await;
    desk.stage.clock.advance(Duration::from_secs(3500));
    assert!(desk.outcomes("m1").await.is_empty());
    desk.stage.clock.advance(Duration::from_mins(2));
    let ReplyResult::Failed { why, words, .. } = desk.outcome("m1").await else { panic!() };
    assert_eq!((why, words.as_str()), (ReplyFailure::File, "the file's server answered 500"));
    desk.service.stop().await;
}

#[tokio::test]
async fn a_server_that_is_too_slow_is_given_up_and_asked_again() {
    let desk = Desk::open_with(|config| config.files.idle = Duration::from_millis(100)).await;
    let server = FileServer::start().await;
    server.hanging("/a.pdf", b"");
    server.hanging("/a.pdf", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n%PDF");
    let url = server.file("/a.pdf", b"%PDF-1.4");
    desk.does("m1", file(AttachmentKind::File, &url, "a.pdf", "")).await;
    assert_eq!(messages(&desk.outcome("m1").await), 1);
    assert_eq!((desk.sent().len(), server.asked().len()), (1, 3));
    desk.service.stop().await;
}

#[tokio::test]
async fn no_address_of_a_file_and_no_token_is_logged() {
    let (log, _guard) = Log::begin();
    let desk = Desk::open().await;
    let nobody = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}/f1le-s3cret.pdf?key=s3cret", listener.local_addr().unwrap())
    };
    desk.does("m1", file(AttachmentKind::File, &nobody, "a.pdf", "w0rds of a manager")).await;
    let held = until("the failure", async || {
        desk.held().await.into_iter().find(|row| row.state == HeldState::Retrying)
    })
    .await;
    let secrets = ["s3cret".to_owned(), desk.bot.token(), "w0rds".to_owned()];
    assert_no_secret(&held, &secrets);
    assert_no_secret(&desk.lane("telegram").await, &secrets);
    desk.service.stop().await;
    assert_no_secret(&log.text(), &secrets);
}
