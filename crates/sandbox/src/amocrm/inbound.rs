//! Reads a Telegram update the way a manager's screen needs it: who wrote, in which chat, what kind of thing.
//!
//! Pure: JSON in, [`Seen`] out. It never refuses an update that has an `update_id`: kinds it does not know come
//! out as [`Content::Other`] and unknown message contents as kind `unknown`, because which kinds the real
//! amoCRM reads is not known (reference 7.1) and a stand-in that hides some would hide mistakes.

use serde_json::Value;

/// What can be said of one update.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Seen {
    pub(crate) update_id: i64,
    /// The update's own key: `message`, `callback_query`, or one not invented yet.
    pub(crate) update_kind: String,
    pub(crate) chat: Option<SeenChat>,
    pub(crate) from: Option<Person>,
    pub(crate) content: Content,
}

/// The Telegram chat an update belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SeenChat {
    pub(crate) id: i64,
    pub(crate) private: bool,
    pub(crate) title: String,
}

/// Whoever caused the update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) id: i64,
    pub(crate) name: String,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Content {
    Message(SeenMessage),
    Edit(SeenMessage),
    /// A press of an inline button.
    Press {
        callback_id: String,
        data: String,
    },
    Reaction {
        message_id: i64,
        reactions: Vec<String>,
    },
    /// The client blocked the bot or let it in again.
    Membership {
        status: String,
    },
    Other,
}

/// A message as a person tells it apart from others.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct SeenMessage {
    pub(crate) message_id: i64,
    pub(crate) kind: &'static str,
    pub(crate) text: Option<String>,
    pub(crate) file: Option<SeenFile>,
    /// The phone of a shared contact, with whether it is the sender's own.
    pub(crate) phone: Option<Phone>,
    /// `X` of `/start X`.
    pub(crate) start_payload: Option<String>,
    pub(crate) reply_to: Option<i64>,
    pub(crate) media_group_id: Option<String>,
    pub(crate) bot_sent: bool,
}

/// A file that can be fetched with `getFile`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SeenFile {
    pub(crate) file_id: String,
    pub(crate) file_name: String,
    pub(crate) size_bytes: Option<u64>,
}

/// A phone number inside a shared contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Phone {
    pub(crate) digits: String,
    pub(crate) own: bool,
}

/// Message fields that hold a file, with the word shown for them and the name for a file that has none.
const MEDIA: [(&str, &str, &str); 8] = [
    // `animation` stands before `document`: Telegram sends both fields for one GIF.
    ("animation", "animation", "animation.mp4"),
    ("document", "document", "file.bin"),
    ("voice", "voice", "voice.ogg"),
    ("audio", "audio", "audio.mp3"),
    ("video", "video", "video.mp4"),
    ("video_note", "video_note", "video_note.mp4"),
    ("sticker", "sticker", "sticker.webp"),
    ("photo", "photo", "photo.jpg"),
];

/// Message fields without a file. `venue` stands before `location`: Telegram sends both for a venue.
const PLAIN: [&str; 9] =
    ["contact", "venue", "location", "poll", "dice", "game", "invoice", "successful_payment", "web_app_data"];

/// Fields that only describe a message. What is left beside them is its content.
const ENVELOPE: [&str; 18] = [
    "message_id",
    "message_thread_id",
    "from",
    "sender_chat",
    "date",
    "chat",
    "edit_date",
    "reply_to_message",
    "reply_markup",
    "entities",
    "caption_entities",
    "via_bot",
    "forward_origin",
    "media_group_id",
    "has_protected_content",
    "is_topic_message",
    "quote",
    "link_preview_options",
];

/// Service messages that say something to a person.
const SERVICE: [&str; 10] = [
    "new_chat_members",
    "left_chat_member",
    "new_chat_title",
    "new_chat_photo",
    "delete_chat_photo",
    "group_chat_created",
    "supergroup_chat_created",
    "migrate_to_chat_id",
    "migrate_from_chat_id",
    "pinned_message",
];

impl Seen {
    /// `None` when the value is no update: not an object, or without an integer `update_id`.
    pub(crate) fn read(update: &Value) -> Option<Self> {
        let fields = update.as_object()?;
        let update_id = update.get("update_id")?.as_i64()?;
        let (kind, object) = fields
            .iter()
            .find(|(name, value)| *name != "update_id" && value.is_object())
            .map_or(("empty", &Value::Null), |(name, value)| (name.as_str(), value));
        let from = person(object.get("from").or_else(|| object.get("user")));
        let chat_object = object.get("chat").or_else(|| object.pointer("/message/chat"));
        let chat = chat_object.and_then(chat).or_else(|| {
            // Queries and answers come without a chat; a person's private chat has the person's id.
            from.as_ref().map(|person| SeenChat { id: person.id, private: true, title: person.name.clone() })
        });
        let content = match kind {
            "message" => Content::Message(message(object)),
            "edited_message" => Content::Edit(message(object)),
            "callback_query" => Content::Press {
                callback_id: text(object, "id").unwrap_or_default(),
                data: text(object, "data").unwrap_or_default(),
            },
            "message_reaction" => Content::Reaction {
                message_id: object.get("message_id").and_then(Value::as_i64).unwrap_or_default(),
                reactions: reactions(object.get("new_reaction")),
            },
            "my_chat_member" => Content::Membership {
                status: object
                    .pointer("/new_chat_member/status")
                    .and_then(Value::as_str)
                    .unwrap_or("unknown")
                    .to_owned(),
            },
            _ => Content::Other,
        };
        Some(Self { update_id, update_kind: kind.to_owned(), chat, from, content })
    }
}

fn text(object: &Value, field: &str) -> Option<String> {
    object.get(field).and_then(Value::as_str).map(ToOwned::to_owned)
}

fn full_name(object: &Value) -> Option<String> {
    let first = object.get("first_name").and_then(Value::as_str)?;
    Some(match object.get("last_name").and_then(Value::as_str) {
        Some(last) => format!("{first} {last}"),
        None => first.to_owned(),
    })
}

fn person(object: Option<&Value>) -> Option<Person> {
    let object = object?;
    let id = object.get("id")?.as_i64()?;
    Some(Person { id, name: full_name(object).unwrap_or_else(|| id.to_string()) })
}

fn chat(object: &Value) -> Option<SeenChat> {
    let id = object.get("id")?.as_i64()?;
    let private = object.get("type").and_then(Value::as_str).map_or(id > 0, |kind| kind == "private");
    let title = text(object, "title").or_else(|| full_name(object)).unwrap_or_else(|| id.to_string());
    Some(SeenChat { id, private, title })
}

fn reactions(list: Option<&Value>) -> Vec<String> {
    let Some(list) = list.and_then(Value::as_array) else { return Vec::new() };
    list.iter()
        .map(|reaction| {
            text(reaction, "emoji")
                .or_else(|| text(reaction, "custom_emoji_id"))
                .unwrap_or_else(|| "paid".into())
        })
        .collect()
}

fn message(object: &Value) -> SeenMessage {
    let mut seen = SeenMessage {
        message_id: object.get("message_id").and_then(Value::as_i64).unwrap_or_default(),
        text: text(object, "text").or_else(|| text(object, "caption")),
        reply_to: object.pointer("/reply_to_message/message_id").and_then(Value::as_i64),
        media_group_id: text(object, "media_group_id"),
        bot_sent: object.pointer("/from/is_bot").and_then(Value::as_bool).unwrap_or(false),
        ..SeenMessage::default()
    };
    if object.get("text").is_some() {
        seen.kind = if begins_with_command(object) { "command" } else { "text" };
        seen.start_payload = seen.text.as_deref().and_then(start_payload);
        return seen;
    }
    if let Some((field, kind, name)) = MEDIA.iter().find(|(field, ..)| object.get(*field).is_some()) {
        seen.kind = kind;
        seen.file = object.get(*field).and_then(|value| file(value, name));
        if *kind == "sticker" {
            seen.text = object.pointer("/sticker/emoji").and_then(Value::as_str).map(ToOwned::to_owned);
        }
        return seen;
    }
    if let Some(field) = PLAIN.iter().find(|field| object.get(**field).is_some()) {
        seen.kind = field;
        seen.text = describe(field, &object[*field]);
        if *field == "contact" {
            seen.phone = phone(object);
        }
        return seen;
    }
    let rest: Vec<&str> = object
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name.as_str())
        .filter(|name| !ENVELOPE.contains(name))
        .collect();
    seen.kind = if rest.iter().any(|name| SERVICE.contains(name)) { "service" } else { "unknown" };
    seen.text = seen.text.or_else(|| (!rest.is_empty()).then(|| rest.join(", ")));
    seen
}

fn begins_with_command(message: &Value) -> bool {
    message.get("entities").and_then(Value::as_array).is_some_and(|entities| {
        entities.iter().any(|entity| entity["type"] == "bot_command" && entity["offset"].as_i64() == Some(0))
    })
}

/// `X` of `/start X` and of `/start@some_bot X`.
fn start_payload(text: &str) -> Option<String> {
    let (command, payload) = text.split_once(' ')?;
    let name = command.split('@').next().unwrap_or(command);
    let payload = payload.trim();
    (name == "/start" && !payload.is_empty()).then(|| payload.to_owned())
}

fn file(value: &Value, fallback_name: &str) -> Option<SeenFile> {
    // A photo is a list of sizes, the largest last.
    let value = value.as_array().map_or(Some(value), |sizes| sizes.last())?;
    Some(SeenFile {
        file_id: text(value, "file_id")?,
        file_name: text(value, "file_name").unwrap_or_else(|| fallback_name.to_owned()),
        size_bytes: value.get("file_size").and_then(Value::as_u64),
    })
}

fn phone(message: &Value) -> Option<Phone> {
    let number = message.pointer("/contact/phone_number")?.as_str()?;
    let owner = message.pointer("/contact/user_id").and_then(Value::as_i64);
    let sender = message.pointer("/from/id").and_then(Value::as_i64);
    Some(Phone { digits: digits(number), own: owner.is_some() && owner == sender })
}

/// Phones are compared by their digits; the Russian trunk prefix 8 means 7.
pub(crate) fn digits(number: &str) -> String {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    match digits.strip_prefix('8') {
        Some(rest) if rest.len() == 10 => format!("7{rest}"),
        _ => digits,
    }
}

fn describe(field: &str, value: &Value) -> Option<String> {
    match field {
        "contact" => Some(
            format!("{} {}", full_name(value).unwrap_or_default(), text(value, "phone_number")?)
                .trim()
                .to_owned(),
        ),
        "location" => Some(format!("{}, {}", value.get("latitude")?, value.get("longitude")?)),
        "venue" => Some(format!("{}, {}", text(value, "title")?, text(value, "address")?)),
        "poll" => text(value, "question"),
        "dice" => Some(format!("{} {}", text(value, "emoji")?, value.get("value")?)),
        "game" | "invoice" => text(value, "title"),
        "successful_payment" => Some(format!("{} {}", value.get("total_amount")?, text(value, "currency")?)),
        _ => text(value, "data"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn kind_of(content: &Value) -> (&'static str, Option<String>) {
        let mut object = json!({"message_id": 5, "date": 1, "from": {"id": 7, "first_name": "Анна"},
            "chat": {"id": 7, "type": "private", "first_name": "Анна"}});
        for (name, value) in content.as_object().unwrap() {
            object[name] = value.clone();
        }
        match Seen::read(&json!({"update_id": 1, "message": object})).unwrap().content {
            Content::Message(message) => (message.kind, message.text),
            other => panic!("not a message: {other:?}"),
        }
    }

    #[test]
    fn each_content_has_a_word_of_its_own() {
        let table = [
            (json!({"text": "привет"}), "text", Some("привет")),
            (
                json!({"text": "/start", "entities": [{"type": "bot_command", "offset": 0, "length": 6}]}),
                "command",
                Some("/start"),
            ),
            (json!({"photo": [{"file_id": "a"}, {"file_id": "b"}], "caption": "c"}), "photo", Some("c")),
            (json!({"voice": {"file_id": "a"}}), "voice", None),
            (json!({"animation": {"file_id": "a"}, "document": {"file_id": "a"}}), "animation", None),
            (json!({"document": {"file_id": "a", "file_name": "x.pdf"}}), "document", None),
            (json!({"video": {"file_id": "a"}}), "video", None),
            (json!({"sticker": {"file_id": "a", "emoji": "👍"}}), "sticker", Some("👍")),
            (json!({"location": {"latitude": 55.7, "longitude": 37.6}}), "location", Some("55.7, 37.6")),
            (
                json!({"venue": {"title": "Салон", "address": "Ленина 1"}, "location": {}}),
                "venue",
                Some("Салон, Ленина 1"),
            ),
            (
                json!({"contact": {"first_name": "Анна", "phone_number": "+7 900"}}),
                "contact",
                Some("Анна +7 900"),
            ),
            (json!({"new_chat_title": "x"}), "service", Some("new_chat_title")),
            (json!({"hologram": {"depth": 3}}), "unknown", Some("hologram")),
        ];
        for (content, kind, text) in table {
            assert_eq!(kind_of(&content), (kind, text.map(ToOwned::to_owned)), "{content}");
        }
    }

    #[test]
    fn the_largest_photo_is_the_one_to_fetch() {
        let update = json!({"update_id": 1, "message": {"message_id": 1,
            "photo": [{"file_id": "small"}, {"file_id": "large", "file_size": 9}]}});
        let Content::Message(message) = Seen::read(&update).unwrap().content else { panic!() };
        assert_eq!(
            message.file,
            Some(SeenFile { file_id: "large".into(), file_name: "photo.jpg".into(), size_bytes: Some(9) })
        );
    }

    #[test]
    fn a_start_payload_is_read_with_and_without_the_bots_name() {
        assert_eq!(start_payload("/start ref_7").as_deref(), Some("ref_7"));
        assert_eq!(start_payload("/start@shop_bot ref_7").as_deref(), Some("ref_7"));
        assert_eq!(start_payload("/start"), None);
        assert_eq!(start_payload("/starts x"), None);
    }

    #[test]
    fn phones_are_compared_by_their_digits() {
        assert_eq!(digits("+7 (900) 111-22-33"), digits("8 900 111 22 33"));
    }

    #[test]
    fn an_update_of_a_kind_not_invented_yet_is_still_read() {
        let seen = Seen::read(&json!({"update_id": 3, "telepathy": {"from": {"id": 7, "first_name": "A"}}}))
            .unwrap();
        assert_eq!((seen.update_kind.as_str(), seen.chat.unwrap().id), ("telepathy", 7));
        assert!(Seen::read(&json!({"message": {}})).is_none());
        assert!(Seen::read(&json!([1])).is_none());
    }
}
