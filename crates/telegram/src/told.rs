//! Telegram's messages in neutral words: what a CRM is told ([`Told`](tandem_model::message::Told)).
//!
//! [`of_update`] reads what Telegram delivered, [`of_call`] what the company's side has sent. Both are pure, take any
//! bytes, and lose nothing that people say: what no CRM has a word for becomes a line that can be read, a kind of content
//! that came after this was written too.
//!
//! | update | told as |
//! | --- | --- |
//! | `message`, `channel_post`, `business_message` | said; not what this bot itself sent for a business account: its call was told |
//! | their edits | edited; not where somebody on the move is just now |
//! | `message_reaction` | reacted, if emoji changed |
//! | `callback_query` | a line with the button's label, if the message is of a chat |
//! | `my_chat_member`, `chat_join_request`, `purchased_paid_media`, `subscription` | a line |
//! | `poll_answer` | a line, in the chat with whoever voted |
//! | a kind that nobody knows | a line, if it is of a chat |
//! | `shipping_query`, `pre_checkout_query` | nothing: the payment that follows is told, with the address |
//! | `inline_query`, `chosen_inline_result`, `guest_message` | nothing: said in chats that are not the bot's |
//! | `business_connection`, `managed_bot`, `chat_member`, `chat_boost`, `removed_chat_boost`, `message_reaction_count`, `poll`, `stopped_message_generation` | nothing: not said by a client |
//! | `deleted_business_messages` | nothing: no CRM can delete |
//!
//! Of calls, what puts messages into a chat is told (each of an album's), and what changes what they say: not keyboards
//! alone, scores, pins, deletions, answers to queries, and not what has only an inline id.
//!
//! It decides nothing: rules, whose chat is opened, what may be fetched and how long a text may be are others' matters.

mod apart;
mod body;
mod content;
mod file;
mod lines;
mod object;
mod person;
mod rich;
mod sent;
mod service;
mod text;
mod update;

use tandem_model::{BotId, message::Language};

pub(crate) use apart::label_of;
pub use apart::{client_of_chat, pressed_label};
pub use file::FETCHABLE_BYTES;
pub use sent::{Call, Spoken, of_call};
pub use update::of_update;

/// Whose messages are read, and in which language lines are made of them.
#[derive(Debug, Clone, Copy)]
struct Reader {
    bot: BotId,
    language: Language,
}

#[cfg(test)]
mod tests;
