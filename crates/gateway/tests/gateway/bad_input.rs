//! What strangers and broken programs send: Telegram's own answers, and nothing lost.

use serde_json::json;

use crate::support::{
    REAL, Stage,
    http::{get, post, send},
    server::Reply,
};

#[tokio::test]
async fn malformed_tokens_are_not_found_and_wrong_ones_unauthorized() {
    let t = Stage::start().await;
    for (path, status, description) in [
        ("/bot/getMe", 404, "Not Found"),
        ("/botx/getMe", 404, "Not Found"),
        ("/bot0700100:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0/getMe", 404, "Not Found"),
        ("/bot700100/getMe", 404, "Not Found"),
        ("/bot%FF%FE:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0/getMe", 404, "Not Found"),
        ("/bot700100:short/getMe", 401, "Unauthorized"),
        ("/bot700100:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw1/getMe", 401, "Unauthorized"),
        ("/bot700101:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0/getMe", 401, "Unauthorized"),
        ("/bot700101:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0/getUpdates", 401, "Unauthorized"),
        ("/file/bot700101:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0/x.jpg", 401, "Unauthorized"),
        ("/", 404, "Not Found"),
        ("/ui", 404, "Not Found"),
        ("/getMe", 404, "Not Found"),
        ("http://gateway/bot1/getMe", 404, "Not Found: absolute URI is specified in the Request-Line"),
    ] {
        let answer = send(t.address, &get(path)).await;
        assert_eq!((answer.status, answer.description().as_str()), (status, description), "{path}");
    }
    assert!(t.telegram.seen().is_empty());
}

#[tokio::test]
async fn a_method_nobody_knows_is_telegrams_to_refuse() {
    let t = Stage::start().await;
    let unknown = r#"{"ok":false,"error_code":404,"description":"Not Found"}"#;
    for (method, at_telegram) in
        [("noSuchMethod", "noSuchMethod"), ("getMe/", "getMe%2F"), ("a%00b", "a%00b"), ("%D0%BF", "%D0%BF")]
    {
        t.telegram.next([Reply::json("404 Not Found", unknown)]);
        let answer = send(t.address, &get(&t.main().path(method))).await;
        assert_eq!((answer.status, answer.text()), (404, unknown), "{method}");
        assert_eq!(t.telegram.take_seen()[0].path(), format!("/bot{REAL}/{at_telegram}"));
    }
    let answer = send(t.address, &get(&t.main().path(""))).await;
    assert_eq!((answer.status, answer.description().as_str()), (404, "Not Found"), "no method at all");
}

#[tokio::test]
async fn huge_and_broken_bodies_of_virtual_methods_are_answered_in_json() {
    let mut t = Stage::start().await;
    t.says(7, "one").await;
    let path = t.main().path("getUpdates");
    let huge = vec![b'x'; 6 << 20];
    let large = [b"a=".as_slice(), &huge[..2 << 20]].concat();
    let form = "application/x-www-form-urlencoded";
    for (kind, body, status, description) in [
        ("application/json", huge.as_slice(), 413, "Request Entity Too Large"),
        (form, &large, 413, "Request Entity Too Large"),
        (
            "multipart/form-data; boundary=b",
            b"--b\r\nContent-Disposition",
            400,
            "Bad Request: can't parse request body",
        ),
        ("application/json", b"{\"limit\":1,", 200, ""),
        ("application/json", b"[1]", 200, ""),
        ("application/json", b"\xff\xfe", 200, ""),
        (form, b"limit=\xff&%ff=%ff&offset=%zz", 200, ""),
        ("\u{e9}", b"limit=1", 200, ""),
    ] {
        t.clock.advance(std::time::Duration::from_secs(5));
        let answer = send(t.address, &post(&path, kind, body)).await;
        assert_eq!((answer.status, answer.description().as_str()), (status, description), "{kind}");
    }
    let compressed =
        format!("POST {path} HTTP/1.1\r\nHost: g\r\nContent-Encoding: br\r\nContent-Length: 3\r\n\r\nabc");
    assert_eq!(send(t.address, compressed.as_bytes()).await.status, 415);
    t.clock.advance(std::time::Duration::from_secs(5));
    assert_eq!(t.main().texts(json!({})).await, ["one"]);
}

#[tokio::test]
async fn bytes_that_are_no_text_pass_to_telegram_as_they_are() {
    let t = Stage::start().await;
    let body = b"chat_id=7&text=\xff\xfe%ff\x00";
    let request = post(&t.main().path("sendMessage"), "application/x-www-form-urlencoded", body);
    assert_eq!(send(t.address, &request).await.status, 200);
    assert_eq!(t.telegram.seen()[0].body, body);
    assert_eq!(t.sent().await.len(), 1);
}

#[tokio::test]
async fn other_verbs_and_addresses_that_are_too_long_are_refused() {
    let t = Stage::start().await;
    for verb in ["PUT", "DELETE", "OPTIONS", "BREW"] {
        let request =
            format!("{verb} {} HTTP/1.1\r\nHost: g\r\nContent-Length: 0\r\n\r\n", t.main().path("getMe"));
        let answer = send(t.address, request.as_bytes()).await;
        assert_eq!((answer.status, answer.description().as_str()), (501, "Not Implemented"), "{verb}");
    }
    let long = "x".repeat(60_000);
    assert_eq!(
        send(t.address, &get(&format!("{}?text={long}", t.main().path("sendMessage")))).await.status,
        200
    );
    // The last few bytes before the limit are needed for the address at Telegram.
    let longer = "x".repeat(65_460);
    let answer = send(t.address, &get(&format!("{}?text={longer}", t.main().path("sendMessage")))).await;
    assert_eq!((answer.status, answer.description().as_str()), (414, "Request-URI Too Long"));
    let longest = "x".repeat(70_000);
    let answer = send(t.address, &get(&format!("{}?text={longest}", t.main().path("sendMessage")))).await;
    assert_eq!(answer.status, 414);
}

#[tokio::test]
async fn a_connection_serves_one_request_after_the_other() {
    use tokio::io::AsyncWriteExt as _;
    let t = Stage::start().await;
    let mut stream = tokio::net::TcpStream::connect(t.address).await.unwrap();
    for _ in 0..3 {
        stream.write_all(&get(&t.main().path("getMe"))).await.unwrap();
        let answer = crate::support::http::read_answer(&mut stream).await.unwrap();
        assert_eq!(answer.status, 200);
    }
}
