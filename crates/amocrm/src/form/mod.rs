//! Account hooks (5): forms with PHP's nested keys, as they come from an account to whoever has subscribed.
//!
//! Nothing in them is signed; what proves one is the secret in the address it came to (`account`). Pure: bytes in,
//! [`Item`]s out, then what they tell (`AccountHook::news`). Whatever is not known is named and counted, never refused:
//! amoCRM adds entities and fields as it likes.
//!
//! The grammar is that of 5.3 with all its oddities: several items and several entities in one request, outgoing messages
//! among incoming ones, an unwrapped `add[0]`, items wrapped twice, maps whose keys are numbers.

mod entities;
mod message;
mod talk;
mod tree;
mod unsorted;

#[cfg(test)]
mod tests;

use tandem_vendor::News;

pub use entities::Item;
pub use tree::{FormError, Tree};

/// What an account hook may be asked for: everything that a companion of the built-in integration needs.
pub(crate) const WANTED: [&str; 4] = ["add_message", "add_outgoing_message", "add_unsorted", "update_talk"];

/// The chats of the built-in Telegram integration. Those of channels, ours among them, have other origins: what is said
/// there is told by the channel's own hooks.
const BUILT_IN: &str = "telegram";

/// A hook of an account, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountHook {
    /// The account's number, where it says one.
    pub account: Option<u64>,
    /// What it tells, in order.
    pub items: Vec<Item>,
}

impl AccountHook {
    /// Reads the body of a hook.
    pub fn read(body: &[u8]) -> Result<Self, FormError> {
        let tree = Tree::read(body)?;
        let account = tree.at("account").and_then(|account| account.number("id"));
        Ok(Self { account, items: entities::items(&tree) })
    }

    /// What it tells, in our words.
    pub(crate) fn news(&self) -> Vec<News> {
        let news: Vec<News> = self.items.iter().map(news).collect();
        if news.is_empty() { vec![News::Ignored("an empty form".to_owned())] } else { news }
    }
}

fn news(item: &Item) -> News {
    match (item.entity.as_str(), item.action.as_str()) {
        ("message" | "outgoing_message", "add") => message::news(item),
        // Unwrapped, it could be anything; a message is known by its chat and author.
        ("", "add") if item.fields.text("chat_id").is_some() && item.fields.at("author").is_some() => {
            message::news(item)
        }
        ("unsorted", "add") => unsorted::news(item),
        ("talk", "add" | "update") => talk::news(item),
        _ => ignored(item, ""),
    }
}

/// Something that means nothing here, by its name.
fn ignored(item: &Item, why: &str) -> News {
    let (entity, action) = (word(&item.entity), word(&item.action));
    let what = if entity.is_empty() { action } else { format!("{entity}[{action}]") };
    News::Ignored(if why.is_empty() { what } else { format!("{what} {why}") })
}

/// Somebody else's word, as far as it can stand in a log.
fn word(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')).take(40).collect()
}
