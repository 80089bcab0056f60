//! A message, from an update or from the result of a send.

use std::borrow::Cow;

use tandem_model::{Conversation, Timestamp, UserId};

use super::{
    Command, Content,
    fields::{Fields, integer},
};
use crate::json;

/// A view over the bytes of a `Message`, or of anything that looks enough like one. Every part may be missing.
#[derive(Debug, Clone)]
pub struct MessageView<'a>(Fields<'a>);

/// A contact that somebody shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact<'a> {
    /// The phone number as Telegram gives it, with or without a plus.
    pub phone: Cow<'a, str>,
    /// Whose it is, when he has an account that the sender may see.
    pub user: Option<UserId>,
    /// Whether the sender shared his own contact: only then is the number proven to be his.
    pub own: bool,
}

impl<'a> MessageView<'a> {
    /// Of one JSON object with nothing around it; `None` when it is something else.
    pub fn of(object: &'a [u8]) -> Option<Self> {
        (object.first() == Some(&b'{')).then(|| Self(Fields::of(object)))
    }

    pub(super) fn of_fields(fields: &Fields<'a>) -> Self {
        Self(fields.clone())
    }

    /// The chat.
    pub fn chat_id(&self) -> Option<i64> {
        integer(Fields::of(self.0.chat?).id)
    }

    /// `private`, `group`, `supergroup`, `channel`, or what is new.
    pub fn chat_type(&self) -> Option<Cow<'a, str>> {
        json::text(Fields::of(self.0.chat?).type_?)
    }

    /// The name of a public chat, without `@`.
    pub fn chat_username(&self) -> Option<Cow<'a, str>> {
        json::text(Fields::of(self.0.chat?).username?)
    }

    /// The keyboard under it, as it stands.
    pub const fn reply_markup(&self) -> Option<&'a [u8]> {
        self.0.reply_markup
    }

    /// The id of a message that was sent by an inline query, a guest query or a web app.
    pub fn inline_message_id(&self) -> Option<Cow<'a, str>> {
        json::text(self.0.inline_message_id?)
    }

    /// The business connection through which the chat is seen.
    pub fn business_connection(&self) -> Option<Cow<'a, str>> {
        json::text(self.0.business_connection_id?).filter(|id| !id.is_empty())
    }

    /// What it belongs to: the chat with its business connection.
    pub fn conversation(&self) -> Option<Conversation> {
        let chat = self.chat_id()?;
        Some(match self.business_connection() {
            Some(connection) => Conversation::business(&connection, chat),
            None => Conversation::chat(chat),
        })
    }

    /// Its number in the chat. 0 for a scheduled one.
    pub fn message_id(&self) -> Option<i64> {
        integer(self.0.message_id)
    }

    /// When it was sent; `None` too for a message that is no longer accessible (date 0).
    pub fn date(&self) -> Option<Timestamp> {
        seconds(self.0.date)
    }

    /// When it was last edited.
    pub fn edit_date(&self) -> Option<Timestamp> {
        seconds(self.0.edit_date)
    }

    /// Who sent it. With a `sender_chat` this is a placeholder, which does not count.
    pub fn sender(&self) -> Option<UserId> {
        if self.0.sender_chat.is_some() { None } else { user_id(self.0.from) }
    }

    /// The chat on whose behalf it was sent: a channel, an anonymous administrator.
    pub fn sender_chat(&self) -> Option<i64> {
        integer(Fields::of(self.0.sender_chat?).id)
    }

    /// Its text.
    pub fn text(&self) -> Option<Cow<'a, str>> {
        json::text(self.0.text?)
    }

    /// The caption of its media.
    pub fn caption(&self) -> Option<Cow<'a, str>> {
        json::text(self.0.caption?)
    }

    /// What it is; `None` for what nobody knew when this was written, and for what is no message.
    pub const fn content(&self) -> Option<Content> {
        self.0.content
    }

    /// The command that its text is.
    pub fn command(&self) -> Option<Command<'a>> {
        // A look at the first byte spares every other text its copy.
        if self.0.text?.get(1) == Some(&b'/') || self.0.text?.get(1) == Some(&b'\\') {
            Command::of(self.text()?)
        } else {
            None
        }
    }

    /// What stood behind `/start`: where a deep link came from. `None` without one.
    pub fn start_payload(&self) -> Option<String> {
        let command = self.command()?;
        (command.name() == "start")
            .then(|| command.arguments().to_owned())
            .filter(|payload| !payload.is_empty())
    }

    /// The contact it shares.
    pub fn contact(&self) -> Option<Contact<'a>> {
        let contact = Fields::of(self.0.contact?);
        let user = integer(contact.user_id).and_then(|id| UserId::new(id).ok());
        Some(Contact {
            phone: json::text(contact.phone_number?)?,
            user,
            own: user.is_some() && user == self.sender(),
        })
    }

    /// The album it is part of.
    pub fn media_group(&self) -> Option<Cow<'a, str>> {
        json::text(self.0.media_group_id?)
    }

    /// The supergroup that this group became.
    pub fn migrated_to(&self) -> Option<i64> {
        integer(self.0.migrate_to_chat_id)
    }

    /// The id of the poll it shows, by which answers are brought to its chat.
    pub fn poll_id(&self) -> Option<Cow<'a, str>> {
        json::text(Fields::of(self.0.poll?).id?)
    }
}

/// A moment given in seconds; nothing for 0, which Telegram uses for "unknown", and for what is negative.
pub(super) fn seconds(field: Option<&[u8]>) -> Option<Timestamp> {
    integer(field).filter(|seconds| *seconds > 0).map(Timestamp::from_secs)
}

/// The id of a `User` object.
pub(super) fn user_id(user: Option<&[u8]>) -> Option<UserId> {
    UserId::new(integer(Fields::of(user?).id)?).ok()
}
