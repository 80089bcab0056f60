//! Urlencoded bodies and query strings, against a decoder of a few lines.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderValue, header};
use tandem_telegram::params::Params;

pub(crate) fn hold(data: &[u8]) {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("Application/X-WWW-Form-Urlencoded; x"));
    let expected = decoded(data);
    let body = Params::read(None, &headers, data);
    let small = expected.len() < 1000 && data.len() <= 1 << 20;
    match &body {
        Ok(params) => {
            assert!(params.whole && params.files().is_empty());
            assert_eq!(texts(params), expected);
        }
        Err(error) => assert!(!small, "{error}"),
    }
    // In the address the same text means the same, and comes before what the body says.
    if let (Ok(query), true) = (std::str::from_utf8(data), small) {
        let params = Params::read(Some(query), &HeaderMap::new(), b"").expect("a query is read");
        assert_eq!(texts(&params), expected);
        let both = Params::read(Some(query), &headers, b"chat_id=from+the+body").expect("both are read");
        let wins = expected.get("chat_id").map_or("from the body", String::as_str);
        assert_eq!(both.text("chat_id"), Some(wins));
    }
}

fn texts(params: &Params) -> BTreeMap<String, String> {
    params.texts().map(|(name, text)| (name.to_owned(), text.to_owned())).collect()
}

fn decoded(data: &[u8]) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    for pair in data.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        let mut halves = pair.splitn(2, |byte| *byte == b'=');
        let name = decode(halves.next().unwrap_or_default());
        let value = decode(halves.next().unwrap_or_default());
        texts.entry(name).or_insert(value);
    }
    texts
}

fn decode(mut text: &[u8]) -> String {
    let mut out = Vec::new();
    while let [first, rest @ ..] = text {
        let (byte, rest) = match (first, rest) {
            (b'+', _) => (b' ', rest),
            (b'%', [high, low, after @ ..]) => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => (high << 4 | low, after),
                _ => (b'%', rest),
            },
            _ => (*first, rest),
        };
        out.push(byte);
        text = rest;
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
