use std::io::Write as _;

use flate2::{Compression, write::GzEncoder, write::ZlibEncoder};
use http::HeaderValue;

use super::*;

fn headers(content_type: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(content_type).unwrap());
    headers
}

fn read(query: Option<&str>, content_type: &str, body: &[u8]) -> Params {
    Params::read(query, &headers(content_type), body).unwrap()
}

fn texts(params: &Params) -> String {
    params.texts().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
}

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

#[test]
fn all_forms_give_the_same_parameters() {
    let multipart = "--b\r\nContent-Disposition: form-data; name=\"offset\"\r\n\r\n5\r\n--b\r\n\
        Content-Disposition: form-data; name=allowed_updates\r\n\r\n[\"message\"]\r\n--b--\r\n";
    let expected = r#"allowed_updates=["message"] offset=5"#;
    for params in [
        read(Some("offset=5&allowed_updates=%5B%22message%22%5D"), "", b""),
        read(None, FORM, b"offset=5&allowed_updates=[%22message%22]"),
        read(
            None,
            "text/x; APPLICATION/JSON; charset=utf-8",
            br#"{"offset":5,"allowed_updates":["message"]}"#,
        ),
        read(None, JSON, br#"{"offset":"5","allowed_updates":"[\"message\"]"}"#),
        read(None, "multipart/form-data; boundary=b", multipart.as_bytes()),
        read(
            Some("offset=5"),
            "multipart/form-data; boundary=\"b\"",
            multipart.replace("\r\n5\r\n", "\r\n9\r\n").as_bytes(),
        ),
    ] {
        assert_eq!(texts(&params), expected);
    }
}

#[test]
fn the_first_occurrence_wins_and_the_query_comes_first() {
    assert_eq!(texts(&read(Some("a=1&a=2"), FORM, b"a=3&b=4&b=5")), "a=1 b=4");
    assert_eq!(texts(&read(None, JSON, br#"{"a":1,"a":2}"#)), "a=1");
}

#[test]
fn plus_and_percent_are_read_as_in_forms() {
    assert_eq!(texts(&read(Some("text=a+b%2Bc%"), "", b"")), "text=a b+c%");
}

#[test]
fn json_is_read_leniently() {
    assert_eq!(
        texts(&read(None, JSON, br#"{"a":null,"b":[1, 2],"c":{"d":true},"e":1.50}"#)),
        "a=null b=[1, 2] c={\"d\":true} e=1.50"
    );
    assert_eq!(texts(&read(None, JSON, br#"{"a":1,"b":"x","c":[1,"#)), "a=1 b=x");
    assert_eq!(texts(&read(None, JSON, br#"{"a":1 "b":2}"#)), "a=1");
    assert_eq!(texts(&read(None, JSON, b"nonsense")), "");
    assert_eq!(texts(&read(None, JSON, b"")), "");
    assert_eq!(texts(&read(None, JSON, b"[1]")), "");
    assert_eq!(texts(&read(None, JSON, br#" "plain \u00e9" "#)), "content=plain é");
    let deep = format!("{{\"a\":{}{},\"b\":1}}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(read(None, JSON, deep.as_bytes()).text("b"), Some("1"));
}

#[test]
fn other_bodies_are_accepted_and_hold_nothing() {
    for kind in ["text/plain", "", "application/octet-stream"] {
        let params = read(Some("a=1"), kind, b"b=2");
        assert_eq!(texts(&params), "a=1");
        assert!(params.whole);
    }
    // go-telegram/bot: multipart announced, nothing sent.
    assert!(read(None, "multipart/form-data; boundary=b", b"").whole);
}

#[test]
fn numbers_and_truths_are_lenient() {
    let params =
        read(Some("a=12x&b=x&c=-5&d=99999999999999999999&e=+1&t=%20TRUE%20&y=yes&o=1&n=on&f=&g=-"), "", b"");
    let integer = |name| params.integer(name, 7, -10, 100);
    assert_eq!(["a", "b", "c", "d", "e", "f", "g", "missing"].map(integer), [12, 0, -5, 100, 0, 7, 0, 7]);
    assert_eq!(
        ["t", "y", "o", "n", "f", "missing"].map(|name| params.boolean(name)),
        [true, true, true, false, false, false]
    );
}

#[test]
fn files_are_found_by_their_name_or_by_attach() {
    let body = "--b\r\nContent-Disposition: form-data; name=\"url\"\r\n\r\nhttps://x\r\n--b\r\n\
        Content-Disposition: form-data; name=\"certificate\"\r\n\r\nattach://pem\r\n--b\r\n\
        Content-Disposition: form-data; name=\"pem\"; filename=\"c.pem\"\r\nContent-Type: application/x-pem-file\r\n\r\n-----BEGIN\r\n--b\r\n\
        Content-Type: Application/X-WWW-Form-Urlencoded\r\nContent-Disposition: form-data; name=\"more\"\r\n\r\nx=1&url=no\r\n--b--";
    let params = read(None, "multipart/form-data; boundary=b", body.as_bytes());
    let certificate = params.file("certificate").unwrap();
    assert_eq!(certificate.content, "-----BEGIN");
    assert_eq!((certificate.file_name.as_str(), certificate.size_bytes), ("c.pem", 10));
    assert_eq!(certificate.content_type.as_deref(), Some("application/x-pem-file"));
    assert!(params.file("url").is_none());
    assert_eq!(texts(&params), "certificate=attach://pem url=https://x x=1");
}

fn compressed(coding: &'static str, body: &[u8]) -> (HeaderMap, Vec<u8>) {
    let mut headers = headers(FORM);
    headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
    let bytes = if coding == "gzip" {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    } else {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    };
    (headers, bytes)
}

#[test]
fn compressed_bodies_are_read_and_bombs_are_refused() {
    for coding in ["gzip", "deflate"] {
        let (headers, body) = compressed(coding, b"a=1&b=2");
        assert_eq!(texts(&Params::read(None, &headers, &body).unwrap()), "a=1 b=2");
        assert_eq!(Params::read(None, &headers, &body[..body.len() / 2]), Err(ParamsError::Broken));
        assert_eq!(Params::read(None, &headers, b"not compressed"), Err(ParamsError::Broken));
        let (headers, bomb) = compressed(coding, &vec![b'a'; 50 << 20]);
        assert!(bomb.len() < 1 << 20);
        assert_eq!(Params::read(None, &headers, &bomb), Err(ParamsError::TooLarge));
    }
    let (headers, body) = compressed("gzip", b"");
    let mut brotli = headers.clone();
    brotli.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
    assert_eq!(Params::read(None, &brotli, &body), Err(ParamsError::UnsupportedEncoding));
    assert_eq!(ParamsError::UnsupportedEncoding.failure().code, 415);
}

#[test]
fn what_telegram_finds_too_large_is_refused() {
    let value = "x".repeat(1 << 20);
    for (query, kind, body) in [
        (None, FORM, format!("a={value}")),
        (None, JSON, format!("{{\"a\":\"{value}\"}}")),
        (
            None,
            "multipart/form-data; boundary=b",
            format!("--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n{value}\r\n--b--"),
        ),
        (Some(value.as_str()), FORM, "a=1".to_owned()),
    ] {
        assert_eq!(
            Params::read(query, &headers(kind), body.as_bytes()),
            Err(ParamsError::TooLarge),
            "{kind}"
        );
    }
    let files = (0..51)
        .map(|n| format!("--b\r\nContent-Disposition: form-data; name=\"f{n}\"; filename=\"\"\r\n\r\n\r\n"))
        .collect::<Vec<_>>()
        .concat();
    let kind = "multipart/form-data; boundary=b";
    assert_eq!(
        Params::read(None, &headers(kind), format!("{files}--b--").as_bytes()),
        Err(ParamsError::TooLarge)
    );
    let names = (0..1001).map(|n| format!("{n}=&")).collect::<Vec<_>>().concat();
    assert_eq!(Params::read(None, &headers(FORM), names.as_bytes()), Err(ParamsError::TooLarge));
    assert_eq!(ParamsError::TooLarge.failure().code, 413);
    // The query a client with everything in the address sends.
    let query = format!("text={}", "y".repeat(100_000));
    assert_eq!(read(Some(&query), "", b"").text("text").unwrap().len(), 100_000);
}

#[test]
fn a_multipart_body_that_breaks_off_is_broken() {
    for (kind, body) in [
        ("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1"),
        ("multipart/form-data", "--b--"),
        ("multipart/form-data; boundary=b", "--bx\r\n"),
    ] {
        assert_eq!(Params::read(None, &headers(kind), body.as_bytes()), Err(ParamsError::Broken));
    }
}
