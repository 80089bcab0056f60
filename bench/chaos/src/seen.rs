//! An update as anybody sees it on the wire: what it is, where it belongs, and whether two of them are the same.
//!
//! Written from Telegram's documentation, not from the service's code: the checker judges by it.

use std::hash::{DefaultHasher, Hasher as _};

use serde::Deserialize;
use serde_json::{Value, value::RawValue};

/// An update that somebody has seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its `update_id`: Telegram's, or the one the service gives it for apps.
    pub update_id: i64,
    /// The same for the same update, whoever numbered it: of all bytes but the number.
    pub identity: u64,
    /// The name of its kind.
    pub kind: String,
    /// The chat, else the person, it belongs to.
    pub conversation: String,
    /// The queue in which Telegram would deliver it.
    pub family: String,
    /// Of a press: on which message.
    pub pressed: Option<Pressed>,
}

/// The message with the button that was pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pressed {
    /// Its number in its chat.
    pub message: i64,
    /// What it is marked with.
    pub mark: Option<u64>,
}

impl Seen {
    /// Reads an update's bytes.
    pub fn read(body: &[u8]) -> Option<Self> {
        let (update_id, identity) = take_apart(body)?;
        let update: Value = serde_json::from_slice(body).ok()?;
        let (kind, object) = update.as_object()?.iter().find(|(name, _)| *name != "update_id")?;
        let chat = object["chat"]["id"].as_i64().or_else(|| object["message"]["chat"]["id"].as_i64());
        let from = || object["from"]["id"].as_i64().or_else(|| object["user"]["id"].as_i64());
        let conversation = chat.or_else(from).map_or_else(String::new, |id| id.to_string());
        let family = match kind.as_str() {
            "message" | "edited_message" | "channel_post" | "edited_channel_post" => "chat".to_owned(),
            // Two people who press in one group are two queues.
            "callback_query" => format!("press by {}", from().unwrap_or_default()),
            other => other.to_owned(),
        };
        let pressed = object["message"]["message_id"].as_i64().filter(|_| kind == "callback_query");
        let pressed =
            pressed.map(|message| Pressed { message, mark: marks(&object["message"].to_string()).next() });
        Some(Self { update_id, identity, kind: kind.clone(), conversation, family, pressed })
    }

    /// The updates of an answer to `getUpdates`, with their bytes.
    pub fn read_answer(answer: &[u8]) -> Option<Vec<(Self, Box<RawValue>)>> {
        #[derive(Deserialize)]
        struct Answer {
            ok: bool,
            #[serde(default)]
            result: Vec<Box<RawValue>>,
        }
        let answer: Answer = serde_json::from_slice(answer).ok()?;
        let read = |raw: Box<RawValue>| Self::read(raw.get().as_bytes()).map(|seen| (seen, raw));
        answer.ok.then(|| answer.result.into_iter().filter_map(read).collect())
    }
}

/// The number, and what is left without it.
fn take_apart(body: &[u8]) -> Option<(i64, u64)> {
    const NAME: &[u8] = b"\"update_id\":";
    let name = body.windows(NAME.len()).position(|window| window == NAME)?;
    let begin = name + NAME.len();
    let digits = body[begin..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number = std::str::from_utf8(&body[begin..begin + digits]).ok()?.parse().ok()?;
    let mut hasher = DefaultHasher::new();
    hasher.write(&body[..begin]);
    hasher.write(&body[begin + digits..]);
    Some((number, hasher.finish()))
}

/// Marks of what apps send begin with this.
const MARK: &str = "chaosmark";

/// A text by which a message is known again.
pub fn mark(number: u64) -> String {
    format!("{MARK}{number}x")
}

/// The marks in some bytes.
pub fn marks(text: &str) -> impl Iterator<Item = u64> {
    text.split(MARK).skip(1).filter_map(|rest| rest.split('x').next()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_update_under_another_number_is_the_same_and_any_other_byte_makes_another() {
        let read = |body: &str| Seen::read(body.as_bytes()).unwrap();
        let one = read("{\"update_id\":7,\n\"message\":{\"chat\":{\"id\":5},\"text\":\"a\"}}");
        let renumbered = read("{\"update_id\":70007,\n\"message\":{\"chat\":{\"id\":5},\"text\":\"a\"}}");
        let respaced = read("{\"update_id\":7,\"message\":{\"chat\":{\"id\":5},\"text\":\"a\"}}");
        assert_eq!((one.update_id, renumbered.update_id), (7, 70007));
        assert_eq!(one.identity, renumbered.identity);
        assert_ne!(one.identity, respaced.identity);
        assert_eq!(
            (one.kind.as_str(), one.conversation.as_str(), one.family.as_str()),
            ("message", "5", "chat")
        );
    }

    #[test]
    fn presses_of_two_people_in_a_group_are_two_queues_of_one_conversation() {
        let press = |person: i64| {
            let body = format!(
                "{{\"update_id\":1,\"callback_query\":{{\"from\":{{\"id\":{person}}},\"message\":{{\"chat\":{{\"id\":-9}}}}}}}}"
            );
            Seen::read(body.as_bytes()).unwrap()
        };
        assert_eq!(press(1).conversation, press(2).conversation);
        assert_ne!(press(1).family, press(2).family);
        assert_eq!(press(1).pressed, None, "without its number a message is none that could be known again");
    }

    #[test]
    fn marks_are_found_in_any_text() {
        let text = format!("{{\"text\":\"hi {}\",\"caption\":\"{}\"}}", mark(12), mark(3));
        assert_eq!(marks(&text).collect::<Vec<_>>(), [12, 3]);
    }
}
