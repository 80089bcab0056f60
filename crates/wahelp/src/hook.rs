//! Bodies of hooks, whichever of the spellings that were seen they have (9.3), and rows of messages in them (8.1). Pure.
//!
//! Every field may be missing, ids are numbers or texts, and nothing here fails for a field that is strange: what cannot
//! be read is not there.

use serde_json::Value;

use crate::envelope;

/// What a hook says happened, in its order.
#[derive(Debug, Clone, PartialEq)]
pub struct Messages(pub Vec<(String, Row)>);

/// A message as Wahelp shows it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Row {
    /// Its number.
    pub id: Option<String>,
    /// The client in the channel: the dialogue.
    pub user: Option<String>,
    /// The channel, by number.
    pub channel: Option<String>,
    /// The text; empty where there is none.
    pub text: String,
    /// `text`, `audio`, …
    pub kind: Option<String>,
    /// Who it is from.
    pub destination: Option<String>,
    /// When it was written, as it stands there.
    pub at: Value,
    /// How far it has come.
    pub status: Option<String>,
    /// Where its file is.
    pub file_url: Option<String>,
    /// What the messenger calls the client.
    pub uid: Option<String>,
    /// The same, otherwise.
    pub uid2: Option<String>,
    /// Who in the company wrote, where that is said.
    pub operator: Option<String>,
}

/// Reads a body. `None` for what is no JSON of objects.
pub fn read_hook(body: &[u8]) -> Option<Messages> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let pieces = match body {
        Value::Array(pieces) => pieces,
        Value::Object(_) => vec![body],
        _ => return None,
    };
    let mut messages = Vec::new();
    for piece in &pieces {
        let action = ["action", "event", "type"].iter().find_map(|name| piece.get(name)?.as_str());
        let inner = ["payload", "data"].iter().find_map(|name| piece.get(name));
        let (Some(action), Some(inner)) = (action, inner) else { continue };
        match inner {
            Value::Array(rows) => messages.extend(rows.iter().map(|row| (action.to_owned(), Row::read(row)))),
            row => messages.push((action.to_owned(), Row::read(row))),
        }
    }
    Some(Messages(messages))
}

impl Row {
    /// Reads a message.
    pub fn read(row: &Value) -> Self {
        let text =
            |value: &Value| value.as_str().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        let first = |places: &[&str]| places.iter().find_map(|place| envelope::id(row.pointer(place)?));
        let message = &row["message"];
        let said = [message, &message["text"], &row["text"], &row["body"]];
        Self {
            id: first(&["/id", "/message_id"]),
            user: first(&["/user_id", "/user/id"]),
            channel: first(&["/channel_id", "/channel/id", "/user/channel_id"]),
            text: said.iter().find_map(|value| value.as_str()).unwrap_or_default().to_owned(),
            kind: text(&row["message_type"]),
            destination: text(&row["destination"]),
            at: row["created_at"].clone(),
            status: text(&row["status"]),
            file_url: text(&row["file_url"]),
            uid: first(&["/user/uid"]),
            uid2: first(&["/user/uid2"]),
            operator: first(&["/operator_id"]),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(body: &Value) -> Vec<(String, Row)> {
        read_hook(body.to_string().as_bytes()).unwrap().0
    }

    #[test]
    fn both_spellings_and_lists_of_them_say_the_same() {
        let row = json!({"id": 9_000_001, "channel_id": "31001", "user_id": 5_550_001, "destination": "from",
            "message_type": "text", "message": "When?", "created_at": "2026-06-01 12:30:45", "file_url": null,
            "user": {"id": 5_550_001, "uid": "1001", "contact_id": 7}});
        let expected = vec![("channel.message.created".to_owned(), Row::read(&row))];
        for body in [
            json!({"action": "channel.message.created", "payload": row}),
            json!({"event": "channel.message.created", "data": row}),
            json!({"type": "channel.message.created", "data": [row]}),
            json!([{"action": "channel.message.created", "payload": row}]),
        ] {
            assert_eq!(read(&body), expected, "{body}");
        }
        let (_, read) = &expected[0];
        assert_eq!((read.id.as_deref(), read.user.as_deref()), (Some("9000001"), Some("5550001")));
        assert_eq!((read.channel.as_deref(), read.uid.as_deref()), (Some("31001"), Some("1001")));
        assert_eq!((read.text.as_str(), read.file_url.as_deref()), ("When?", None));
    }

    #[test]
    fn whatever_is_strange_is_not_there() {
        assert_eq!(read_hook(b"not json"), None);
        assert_eq!(read_hook(b"5"), None);
        assert_eq!(read(&json!([5, "x", {}, {"action": 5, "payload": {}}])), Vec::new());
        let (_, row) = read(&json!({"action": "x", "payload": "text"})).remove(0);
        assert_eq!(row, Row { at: Value::Null, ..Row::default() });
        let (_, row) = read(&json!({"action": "x", "payload": {"message": {"text": "deep"}, "id": {"a": 1},
            "user": {"id": "5", "channel_id": 3}}}))
        .remove(0);
        assert_eq!(
            (row.text.as_str(), row.id, row.user, row.channel),
            ("deep", None, Some("5".into()), Some("3".into()))
        );
    }
}
