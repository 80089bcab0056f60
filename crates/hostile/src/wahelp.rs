//! Bodies of Wahelp's hooks, which nobody signs.
//!
//! Whatever the spelling, the same is read; nothing that would change an address stands in an id; every text that is
//! read stands in the body.

use serde_json::{Value, json};
use tandem_wahelp::{Messages, Row, read_hook};

/// Longest id.
const ID_BYTES: usize = 64;

pub(crate) fn hold(data: &[u8]) {
    let read = read_hook(data);
    let Ok(body) = serde_json::from_slice::<Value>(data) else {
        assert!(read.is_none(), "what is no JSON was read");
        return;
    };
    assert_eq!(read.is_some(), body.is_object() || body.is_array());
    let Some(Messages(messages)) = read else { return };
    for (_, row) in &messages {
        check(row, &body);
    }
    for (action, inner) in [("action", "payload"), ("event", "data"), ("type", "data")] {
        // Each message by itself, in each spelling and alone in a list, is what it was.
        for (name, row) in rows(&body) {
            let spelled = json!({action: name, inner: row});
            let alone = read_again(&spelled);
            assert_eq!(alone, read_again(&json!([spelled])));
            assert_eq!(alone, read_again(&json!({action: name, inner: [row]})));
            assert!(matches!(alone.as_slice(), [(read, one)] if *read == name && *one == Row::read(&row)));
        }
    }
}

fn read_again(body: &Value) -> Vec<(String, Row)> {
    read_hook(body.to_string().as_bytes()).expect("an object is read").0
}

/// What of a body is a message, found another way.
fn rows(body: &Value) -> Vec<(String, Value)> {
    let pieces = body.as_array().cloned().unwrap_or_else(|| vec![body.clone()]);
    let named =
        |piece: &Value| Some((piece.get("action")?.as_str()?.to_owned(), piece.get("payload")?.clone()));
    pieces.iter().filter_map(named).filter(|(_, row)| row.is_object()).collect()
}

fn check(row: &Row, body: &Value) {
    for id in [&row.id, &row.user, &row.channel, &row.uid, &row.uid2, &row.operator].into_iter().flatten() {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        assert!(!id.is_empty() && id.len() <= ID_BYTES && id.bytes().all(is_plain), "{id:?}");
    }
    let whole = [&row.kind, &row.destination, &row.status, &row.file_url].into_iter().flatten();
    for text in whole.chain([&row.text]).filter(|text| !text.is_empty()) {
        assert!(stands_in(body, text), "{text:?} stands nowhere");
    }
}

fn stands_in(value: &Value, text: &str) -> bool {
    match value {
        Value::String(other) => other == text || other.trim() == text,
        Value::Array(values) => values.iter().any(|value| stands_in(value, text)),
        Value::Object(fields) => fields.values().any(|value| stands_in(value, text)),
        _ => false,
    }
}
