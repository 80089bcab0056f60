//! Requests that are wrong, and the words Telegram has for them.

use serde_json::json;
use tokio::io::AsyncWriteExt as _;

use crate::stage::{Answer, Stage, post};

const FORM: &str = "application/x-www-form-urlencoded";

fn refused(answer: &Answer) -> (u16, String) {
    let body = answer.json();
    assert_eq!(body["ok"], false);
    assert_eq!(body["error_code"], answer.status);
    (answer.status, body["description"].as_str().unwrap().to_owned())
}

async fn get(stage: &Stage, path: &str) -> Answer {
    stage.raw(format!("GET {path} HTTP/1.1\r\nHost: t\r\n\r\n")).await
}

#[tokio::test]
async fn the_cloud_answers_404_to_a_malformed_token_and_401_to_a_wrong_one() {
    let stage = Stage::start().await;
    let not_found = (404, "Not Found".to_owned());
    for path in ["/", "/bot", "/bot1:x", "/nothing", "/botabc/getMe", "/bot0123:x/getMe"] {
        assert_eq!(refused(&get(&stage, path).await), not_found, "{path}");
    }
    let wrong = format!("/bot{}:{}/getMe", stage.bot.id(), "A".repeat(35));
    assert_eq!(refused(&get(&stage, &wrong).await), (401, "Unauthorized".to_owned()));
    let unauthorized = (401, "Unauthorized".to_owned());
    assert_eq!(refused(&get(&stage, "/bot1:short/getMe").await), unauthorized, "well-formed, and nobody's");
    let stranger = format!("/bot77:{}/getMe", "A".repeat(35));
    assert_eq!(refused(&get(&stage, &stranger).await), (401, "Unauthorized".to_owned()));
    let slash = format!("/bot{}/getMe/", stage.token());
    assert_eq!(refused(&get(&stage, &slash).await), not_found, "a trailing slash is part of the name");
}

#[tokio::test]
async fn the_bare_server_has_words_of_its_own() {
    let stage = Stage::bare().await;
    let invalid = (401, "Unauthorized: invalid token specified".to_owned());
    for token in ["abc", "0123:x", ":x", &format!("1:{}", "A".repeat(90)), &format!("{}:x", 1_i64 << 54)] {
        assert_eq!(refused(&get(&stage, &format!("/bot{token}/getMe")).await), invalid, "{token}");
    }
    let unauthorized = (401, "Unauthorized".to_owned());
    assert_eq!(refused(&get(&stage, "/bot1:short/getMe").await), unauthorized);
    let method = format!("/bot{}/nothing", stage.token());
    assert_eq!(refused(&get(&stage, &method).await), (404, "Not Found: method not found".to_owned()));
    let file = format!("/file/bot{}/photos/file_1.jpg", stage.token());
    assert_eq!(refused(&get(&stage, &file).await), (404, "Not Found".to_owned()));
}

#[tokio::test]
async fn a_revoked_token_is_unauthorized() {
    let stage = Stage::start().await;
    let old = stage.token();
    let new = stage.sandbox.telegram().rotate_token(&stage.bot, None).unwrap();
    assert_eq!(get(&stage, &format!("/bot{old}/getMe")).await.status, 401);
    assert_eq!(get(&stage, &format!("/bot{new}/getMe")).await.status, 200);
    assert!(stage.sandbox.telegram().rotate_token(&stage.bot, Some("9:x".to_owned())).is_err());
}

#[tokio::test]
async fn an_absolute_address_is_refused_in_words() {
    let stage = Stage::start().await;
    let request = format!("GET http://t/bot{}/getMe HTTP/1.1\r\nHost: t\r\n\r\n", stage.token());
    let text = "Not Found: absolute URI is specified in the Request-Line";
    assert_eq!(refused(&stage.raw(request).await), (404, text.to_owned()));
}

#[tokio::test]
async fn unreadable_requests_get_a_bare_status_line_and_a_closed_connection() {
    let stage = Stage::start().await;
    let path = format!("/bot{}/getMe", stage.token());
    let with =
        |header: &str| format!("POST {path} HTTP/1.1\r\nHost: t\r\nContent-Type: {FORM}\r\n{header}\r\n");
    let long = format!("GET {path} HTTP/1.1\r\nHost: t\r\nX-Long: {}\r\n\r\n", "x".repeat(1 << 18));
    let boundary = "x".repeat(71);
    let cases = [
        ("another verb", format!("PUT {path} HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\n\r\n"), 501),
        ("another encoding", with("Content-Encoding: br\r\nContent-Length: 1\r\n") + "x", 415),
        ("broken gzip", with("Content-Encoding: gzip\r\nContent-Length: 3\r\n") + "a=1", 400),
        ("gzip as transfer encoding", with("Transfer-Encoding: gzip, chunked\r\n") + "0\r\n\r\n", 501),
        ("no HTTP", "nonsense\r\n\r\n".to_owned(), 400),
        ("long headers", long, 431),
        ("no boundary", String::from_utf8(post(&path, "multipart/form-data", "x")).unwrap(), 400),
        (
            "long boundary",
            String::from_utf8(post(&path, &format!("multipart/form-data; boundary={boundary}"), "x"))
                .unwrap(),
            400,
        ),
        (
            "broken multipart",
            String::from_utf8(post(
                &path,
                "multipart/form-data; boundary=b",
                "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nunfinished",
            ))
            .unwrap(),
            400,
        ),
    ];
    for (what, request, status) in cases {
        let answer = stage.raw(request).await;
        assert_eq!((answer.status, answer.body.len()), (status, 0), "{what}: {}", answer.head);
        assert_eq!(answer.header("connection"), Some("close"), "{what}");
    }
    assert!(stage.bot.calls_after(0).is_empty(), "none of them was a call");
}

#[tokio::test]
async fn oversize_bodies_are_413_as_json_from_the_cloud_and_bare_without_it() {
    let requests = |token: &str| {
        let path = format!("/bot{token}/sendMessage");
        let part = "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n\r\nx\r\n";
        let value = format!(
            "--b\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\n{}\r\n--b--\r\n",
            "x".repeat((1 << 20) + 1)
        );
        [
            ("a form", post(&path, FORM, "x".repeat((1 << 20) + 1))),
            ("query and form", post(&format!("{path}?a=1"), FORM, "x".repeat(1 << 20))),
            ("json", post(&path, "application/json", format!("{{\"a\":\"{}\"}}", "x".repeat(1 << 20)))),
            ("a value", post(&path, "multipart/form-data; boundary=b", value)),
            ("51 files", post(&path, "multipart/form-data; boundary=b", part.repeat(51) + "--b--\r\n")),
        ]
    };
    let cloud = Stage::start().await;
    for (what, request) in requests(&cloud.token()) {
        assert_eq!(
            refused(&cloud.raw(request).await),
            (413, "Request Entity Too Large".to_owned()),
            "{what}"
        );
    }
    let bare = Stage::bare().await;
    for (what, request) in requests(&bare.token()) {
        let answer = bare.raw(request).await;
        assert_eq!((answer.status, answer.body.len()), (413, 0), "{what}");
    }
}

#[tokio::test]
async fn a_body_that_unpacks_beyond_the_limit_is_413() {
    use std::io::Write as _;
    let stage = Stage::start().await;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&vec![b'x'; 60 << 20]).unwrap();
    let body = gzip.finish().unwrap();
    let head = format!(
        "POST /bot{}/getMe HTTP/1.1\r\nHost: t\r\nContent-Type: {FORM}\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
        stage.token(),
        body.len()
    );
    assert_eq!(stage.raw([head.as_bytes(), &body].concat()).await.status, 413);
}

#[tokio::test]
async fn an_upload_over_50_mb_is_413_with_an_answer_that_can_be_read() {
    let stage = Stage::start().await;
    let part = "--b\r\nContent-Disposition: form-data; name=\"document\"; filename=\"f\"\r\n\r\n";
    let body = [part.as_bytes(), &vec![0; 52 << 20], b"\r\n--b--\r\n"].concat();
    let path = format!("/bot{}/sendDocument?chat_id=1", stage.token());
    let answer = stage.post(&path, "multipart/form-data; boundary=b", body).await;
    assert_eq!(refused(&answer), (413, "Request Entity Too Large".to_owned()));
}

#[tokio::test]
async fn text_that_is_no_utf_8_is_refused_in_words() {
    let stage = Stage::start().await;
    let answer = stage.call("sendMessage", "chat_id=1&text=%FF%FE").await;
    assert_eq!(refused(&answer), (400, "Bad Request: strings must be encoded in UTF-8".to_owned()));
    let [call] = &stage.bot.calls_after(0)[..] else { panic!("one call") };
    assert_eq!((call.method.as_str(), call.ok, call.error_code), ("sendMessage", false, Some(400)));
}

#[tokio::test]
async fn half_sent_requests_change_nothing() {
    let stage = Stage::start().await;
    let whole = post(&format!("/bot{}/getMe", stage.token()), FORM, "a=1&b=2");
    for length in [5, whole.len() / 2, whole.len() - 1] {
        let mut stream = stage.connect().await;
        stream.write_all(&whole[..length]).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut rest = Vec::new();
        // Nothing or a bare 400, and then the end.
        let read = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut rest);
        crate::stage::soon("the end", read).await.ok();
        let rest = String::from_utf8(rest).unwrap();
        assert!(rest.is_empty() || rest.starts_with("HTTP/1.1 400"), "{length}: {rest}");
    }
    assert!(stage.bot.calls_after(0).is_empty());
    assert_eq!(stage.call("getMe", "").await.status, 200);
}

#[tokio::test]
async fn answers_are_json_with_a_length_for_any_origin() {
    let stage = Stage::start().await;
    for answer in [stage.call("getMe", "").await, stage.call("nothing", "").await] {
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert_eq!(answer.header("content-length"), Some(answer.body.len().to_string().as_str()));
        assert_eq!(answer.header("connection"), None);
    }
}

#[tokio::test]
async fn log_out_and_close_behave_as_documented() {
    let stage = Stage::start().await;
    stage.message(1, "pending");
    let wait = stage.call("close", "").await;
    assert_eq!(refused(&wait), (429, "Too Many Requests: retry after 600".to_owned()));
    assert_eq!(wait.header("retry-after"), Some("600"));
    assert_eq!(wait.json()["parameters"], json!({"retry_after": 600}));
    stage.advance(600);
    assert_eq!(stage.call("close", "").await.json()["result"], true);
    let again = (400, "Bad Request: the bot has already been closed".to_owned());
    assert_eq!(refused(&stage.call("close", "").await), again);
    assert_eq!(stage.call("getMe", "").await.status, 200, "any other call starts it again");
    assert_eq!(stage.bot.pending(), 1);
    assert_eq!(stage.call("logOut", "").await.json()["result"], true);
    assert_eq!(refused(&stage.call("getMe", "").await), (400, "Logged out".to_owned()));
    assert_eq!(stage.bot.pending(), 0, "the queue is gone");
    stage.advance(600);
    assert_eq!(stage.call("getMe", "").await.status, 200);
}
