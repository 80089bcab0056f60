//! Addresses and request forms.

use std::io::Write as _;

use flate2::{
    Compression,
    write::{DeflateEncoder, GzEncoder, ZlibEncoder},
};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;

use crate::stage::{Answer, Stage, post, read_answer, soon};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// The parameters of the last call, as the server understood them.
fn understood(stage: &Stage) -> Value {
    let calls = stage.bot.calls_after(0);
    Value::Object(calls.last().expect("a call").params.clone())
}

async fn check(stage: &Stage, what: &str, request: impl AsRef<[u8]>, expected: Value) -> Answer {
    let before = stage.bot.calls_after(0).len();
    let answer = stage.raw(request).await;
    assert_eq!(stage.bot.calls_after(0).len(), before + 1, "{what}: {answer:?}");
    assert_eq!(understood(stage), expected, "{what}");
    answer
}

#[tokio::test]
async fn method_names_work_in_any_case_in_both_environments_and_with_an_encoded_token() {
    let stage = Stage::start().await;
    let token = stage.token();
    let escaped = token.replace(':', "%3A");
    let paths = [
        format!("/bot{token}/getMe"),
        format!("/bot{token}/GETME"),
        format!("/bot{token}/GetMe"),
        format!("/bot{escaped}/getMe"),
        format!("/bot{token}%2FgetMe"),
        format!("/bot{token}/test/getMe"),
        format!("/bot{token}/?method=getMe"),
    ];
    for path in paths {
        for verb in ["GET", "POST"] {
            let request = format!("{verb} {path} HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\n\r\n");
            let answer = stage.raw(request).await;
            assert_eq!(
                (answer.status, answer.json()["result"]["id"].as_i64()),
                (200, Some(stage.bot.id())),
                "{verb} {path}"
            );
        }
    }
    let old = stage.raw(format!("GET /bot{token}/getMe HTTP/1.0\r\n\r\n")).await;
    assert_eq!(old.status, 200, "HTTP/1.0 is good enough");
}

#[tokio::test]
async fn a_method_parameter_counts_only_when_the_path_names_none() {
    let stage = Stage::start().await;
    let path = format!("/bot{}/getMe", stage.token());
    let answer = stage.post(&path, FORM, "method=sendMessage").await;
    assert_eq!(answer.json()["result"]["id"], stage.bot.id());
    let path = format!("/bot{}/", stage.token());
    assert_eq!(stage.post(&path, JSON, r#"{"method":"getMe"}"#).await.status, 200);
}

#[tokio::test]
async fn all_body_forms_mean_the_same() {
    let stage = Stage::start().await;
    let path = format!("/bot{}/getWebhookInfo", stage.token());
    let expected = json!({"chat_id": "7", "text": "Привет & пока", "silent": "true"});
    let form = "chat_id=7&text=%D0%9F%D1%80%D0%B8%D0%B2%D0%B5%D1%82+%26+%D0%BF%D0%BE%D0%BA%D0%B0&silent=true";
    check(&stage, "urlencoded", post(&path, FORM, form), expected.clone()).await;
    check(&stage, "query", format!("GET {path}?{form} HTTP/1.1\r\nHost: t\r\n\r\n"), expected.clone()).await;
    check(
        &stage,
        "query of a POST",
        post(&format!("{path}?{form}"), "text/plain", "ignored"),
        expected.clone(),
    )
    .await;
    let body = r#"{"chat_id":7,"text":"Привет & пока","silent":true}"#;
    check(&stage, "json", post(&path, "Application/JSON; charset=utf-8", body), expected.clone()).await;
    let body = "--b\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n7\r\n\
                --b\r\nContent-Disposition: form-data; name=\"text\"\r\nContent-Type: text/plain; charset=utf-8\r\nX-Odd: 1\r\n\r\nПривет & пока\r\n\
                --b\r\nContent-Disposition: form-data; name=\"silent\"\r\n\r\ntrue\r\n--b--\r\n";
    check(&stage, "multipart", post(&path, "multipart/form-data; boundary=b", body), expected.clone()).await;
    check(&stage, "quoted boundary", post(&path, "multipart/form-data; boundary=\"b\"", body), expected)
        .await;
}

#[tokio::test]
async fn the_first_occurrence_wins_and_the_query_is_read_first() {
    let stage = Stage::start().await;
    let path = format!("/bot{}/getWebhookInfo?a=query", stage.token());
    check(&stage, "query over body", post(&path, FORM, "a=body&b=1&b=2"), json!({"a": "query", "b": "1"}))
        .await;
    check(
        &stage,
        "query over json",
        post(&path, JSON, r#"{"a":"body","b":1,"b":2}"#),
        json!({"a": "query", "b": "1"}),
    )
    .await;
}

#[tokio::test]
async fn json_is_read_leniently() {
    let stage = Stage::start().await;
    let path = format!("/bot{}/getWebhookInfo", stage.token());
    let cases = [
        (
            r#"{"a":[1, 2],"b":{"c":null},"d":null,"e":1.0}"#,
            json!({"a": "[1, 2]", "b": "{\"c\":null}", "d": "null", "e": "1.0"}),
        ),
        (r#""just text""#, json!({"content": "just text"})),
        (r#"{"a":1,"b":"#, json!({"a": "1"})),
        ("{broken", json!({})),
        ("[1,2]", json!({})),
        ("", json!({})),
    ];
    for (body, expected) in cases {
        check(&stage, body, post(&path, JSON, body), expected).await;
    }
    let path = format!("/bot{}/sendMessage", stage.token());
    let answer = stage.post(&path, JSON, "{broken").await;
    assert_eq!(answer.status, 400);
}

#[tokio::test]
async fn an_empty_multipart_body_is_no_parameters() {
    let stage = Stage::start().await;
    let path = format!("/bot{}/getWebhookInfo", stage.token());
    check(&stage, "with a length", post(&path, "multipart/form-data; boundary=b", ""), json!({})).await;
    let chunked = format!(
        "POST {path} HTTP/1.1\r\nHost: t\r\nContent-Type: multipart/form-data; boundary=b\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    );
    check(&stage, "chunked", chunked, json!({})).await;
}

#[tokio::test]
async fn multipart_parts_with_a_name_are_files_and_forms_within_forms_are_expanded() {
    let stage = Stage::start().await;
    let path = format!("/bot{}/getWebhookInfo", stage.token());
    let body = "--b\r\nContent-Disposition: form-data; name=\"doc\"; filename=\"\"\r\n\r\nbytes\r\n\
                --b\r\nContent-Disposition: form-data; name=\"more\"\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\nx=1&y=%2B\r\n\
                --b\r\nContent-Disposition: form-data; name=\"z\"\r\n\r\n3\r\n--b--\r\n";
    let expected = json!({"doc": "<, 5 bytes>", "x": "1", "y": "+", "z": "3"});
    check(&stage, "parts", post(&path, "multipart/form-data; boundary=b", body), expected).await;
}

#[tokio::test]
async fn bodies_may_be_chunked_and_compressed() {
    let stage = Stage::start().await;
    let path = format!("/bot{}/getWebhookInfo", stage.token());
    let chunked = format!(
        "POST {path} HTTP/1.1\r\nHost: t\r\nContent-Type: {FORM}\r\nTransfer-Encoding: chunked\r\n\r\n3\r\na=1\r\n4\r\n&b=2\r\n0\r\n\r\n"
    );
    check(&stage, "chunked", chunked, json!({"a": "1", "b": "2"})).await;
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
    let mut deflate = DeflateEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(b"a=1").unwrap();
    zlib.write_all(b"a=1").unwrap();
    deflate.write_all(b"a=1").unwrap();
    let bodies = [
        ("gzip", gzip.finish().unwrap()),
        ("deflate", zlib.finish().unwrap()),
        ("deflate", deflate.finish().unwrap()),
    ];
    for (encoding, body) in bodies {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: t\r\nContent-Type: {FORM}\r\nContent-Encoding: {encoding}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        check(&stage, encoding, [head.as_bytes(), &body].concat(), json!({"a": "1"})).await;
    }
}

#[tokio::test]
async fn raw_utf_8_in_a_query_is_read() {
    let stage = Stage::start().await;
    let path = format!("/bot{}/getWebhookInfo?text=Привет", stage.token());
    let request = format!("GET {path} HTTP/1.1\r\nHost: t\r\n\r\n");
    check(&stage, "raw", request, json!({"text": "Привет"})).await;
}

#[tokio::test]
async fn a_query_of_60_kb_and_a_body_of_100_kb_are_read() {
    let stage = Stage::start().await;
    let text = "x".repeat(60_000);
    let path = format!("/bot{}/getWebhookInfo", stage.token());
    check(
        &stage,
        "query",
        format!("GET {path}?text={text} HTTP/1.1\r\nHost: t\r\n\r\n"),
        json!({"text": text}),
    )
    .await;
    let text = "y".repeat(100_000);
    check(&stage, "body", post(&path, FORM, format!("text={text}")), json!({"text": text})).await;
}

#[tokio::test]
async fn a_connection_is_kept_alive_for_many_calls() {
    let stage = Stage::start().await;
    let mut stream = stage.connect().await;
    for _ in 0..3 {
        stream.write_all(&post(&format!("/bot{}/getMe", stage.token()), FORM, "")).await.unwrap();
        assert_eq!(soon("an answer", read_answer(&mut stream)).await.status, 200);
    }
}

#[tokio::test]
async fn the_old_names_of_three_methods_still_work() {
    let stage = Stage::start().await;
    for old in ["kickChatMember", "getChatMembersCount", "setStickerSetThumb"] {
        let answer = stage.call(old, "").await;
        assert_eq!(answer.status, 400, "{old} exists, but lacks a parameter: {answer:?}");
    }
    let unknown = stage.call("noSuchMethod", "").await;
    assert_eq!(unknown.json(), json!({"ok": false, "error_code": 404, "description": "Not Found"}));
    for undocumented in ["sendCustomRequest", "answerCustomQuery"] {
        assert_eq!(stage.call(undocumented, "").await.status, 400, "{undocumented}");
    }
}
