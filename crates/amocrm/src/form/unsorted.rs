//! `add_unsorted` (5.5): the only hook with the Telegram user's id, once for each new chat.

use tandem_model::{Timestamp, UserId};
use tandem_vendor::{HeardChat, News, Notice, Noticed};

use super::{BUILT_IN, Item, Tree, ignored};
use crate::connection::is_amojo_id;

pub(super) fn news(item: &Item) -> News {
    let fields = &item.fields;
    if fields.text("category") != Some("chats") {
        return ignored(item, "of no chat");
    }
    let Some(data) = fields.at("source_data") else { return ignored(item, "without its source") };
    let origin = data.at("origin");
    let provider = origin.and_then(|origin| origin.text("provider")).or_else(|| data.text("service"));
    if provider != Some(BUILT_IN) {
        return ignored(item, "of another origin");
    }
    let chat = origin.and_then(|origin| origin.text("chat_id")).filter(|id| is_amojo_id(id));
    let user = data.at("client").and_then(|client| client.number("id"));
    let user = user.and_then(|id| UserId::new(i64::try_from(id).ok()?).ok()).filter(|user| user.get() > 0);
    let (Some(uid), Some(chat), Some(user)) = (fields.text("uid"), chat, user) else {
        return ignored(item, "without a chat or its client");
    };
    let at = fields.number("created_at").or_else(|| fields.number("date_create"));
    let Some(at) = at.and_then(|secs| i64::try_from(secs).ok()) else { return ignored(item, "of no time") };
    let chat = HeardChat {
        theirs: chat.to_owned(),
        ours: None,
        person: None,
        person_ours: None,
        phone: None,
        source: None,
    };
    News::Noticed(Box::new(Noticed {
        id: format!("unsorted:{}", uid.chars().take(64).collect::<String>()),
        chat,
        contact: contact(fields),
        at: Timestamp::from_secs(at),
        notice: Notice::Met {
            user,
            bot: data.text("source_name").map(|name| name.trim_start_matches('@').to_owned()),
        },
    }))
}

/// The first contact it came with, by its id in the item or as the key of a map.
fn contact(fields: &Tree) -> Option<String> {
    let contacts = fields.at("data")?.at("contacts")?;
    let first = contacts.numbered().into_iter().find_map(|contact| contact.number("id"));
    first.filter(|id| *id > 0).map(|id| id.to_string())
}
