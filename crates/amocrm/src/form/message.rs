//! `add_message` and `add_outgoing_message` (5.4): what a client said, and what a manager said to him.
//!
//! No id of Telegram's stands in them. What the Salesbot says is nobody's talking: it makes no conversation a manager's,
//! and other routes are not told of it.

use tandem_model::{Timestamp, message::Manager};
use tandem_vendor::{Heard, HeardAct, HeardChat, News, Notice, Noticed};

use super::{BUILT_IN, Item, Tree, ignored, word};
use crate::connection::is_amojo_id;

/// Whose words they are.
enum Side {
    Client,
    Manager,
    Salesbot,
    Unknown,
}

pub(super) fn news(item: &Item) -> News {
    let fields = &item.fields;
    let id = |key| fields.text(key).filter(|id| is_amojo_id(id));
    match fields.text("origin") {
        Some(BUILT_IN) => {}
        Some(other) => return ignored(item, &format!("of {}", word(other))),
        None => return ignored(item, "of no origin"),
    }
    let (Some(message), Some(chat)) = (id("id"), id("chat_id")) else {
        return ignored(item, "without an id or a chat");
    };
    let Some(at) = fields.number("created_at").and_then(|secs| i64::try_from(secs).ok()) else {
        return ignored(item, "of no time");
    };
    let at = Timestamp::from_secs(at);
    let chat = HeardChat {
        theirs: chat.to_owned(),
        ours: None,
        person: None,
        person_ours: None,
        phone: None,
        source: None,
    };
    let author = fields.at("author");
    let name = author.and_then(|author| author.text("name")).map(str::to_owned);
    match side(item, author) {
        Side::Client => News::Noticed(Box::new(Noticed {
            id: message.to_owned(),
            chat,
            contact: contact(fields),
            at,
            notice: Notice::Shown { text: fields.text("text").unwrap_or_default().to_owned(), name },
        })),
        Side::Manager => {
            let of = |key| author.and_then(|author| author.text(key));
            let by = Manager { id: of("user_id").or_else(|| of("id")).unwrap_or_default().to_owned(), name };
            let act = HeardAct::Said(words(fields));
            News::Heard(Box::new(Heard { id: Some(message.to_owned()), chat, by, at, act }))
        }
        Side::Salesbot => ignored(item, "by the Salesbot"),
        Side::Unknown => ignored(item, "by nobody known"),
    }
}

/// The type decides, not where it stands: outgoing messages were seen among incoming ones.
fn side(item: &Item, author: Option<&Tree>) -> Side {
    let by = author.and_then(|author| author.text("type"));
    let kind = item.fields.text("type").or(match item.entity.as_str() {
        "outgoing_message" => Some("outgoing"),
        "message" => Some("incoming"),
        _ => None,
    });
    match (kind, by) {
        (Some("incoming"), Some("external") | None) => Side::Client,
        (Some("outgoing"), Some("bot")) => Side::Salesbot,
        (Some("outgoing"), Some("internal") | None) => Side::Manager,
        _ => Side::Unknown,
    }
}

/// The contact that a message's chat belongs to.
pub(super) fn contact(fields: &Tree) -> Option<String> {
    fields.number("contact_id").filter(|id| *id > 0).map(|id| id.to_string())
}

/// A manager's words; of a file its name, which is all that others can be told of it.
fn words(fields: &Tree) -> String {
    let file = fields.at("attachment").and_then(|file| file.text("file_name").or_else(|| file.text("type")));
    let file = file.map(|name| format!("[{name}]"));
    let text = fields.text("text").map(str::to_owned);
    file.into_iter().chain(text).collect::<Vec<_>>().join(" ")
}
