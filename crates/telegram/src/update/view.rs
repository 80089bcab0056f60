//! What routing and storing need of one update.

use std::borrow::Cow;

use bytes::Bytes;
use tandem_model::{
    Conversation, EventKind, Family, Flags, Lifetime, NewEvent, SourceId, Timestamp, Topic, Upstream,
    UpstreamId, UserId,
};

use super::{
    MessageView,
    fields::{Fields, integer},
    kind::Kind,
    message::{seconds, user_id},
};
use crate::json::{self, Malformed};

/// Why bytes are no update.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UpdateError {
    /// Not JSON at all, or only at the beginning.
    #[error("the update is not JSON")]
    NotJson(#[from] Malformed),
    /// JSON, and no object.
    #[error("the update is not an object")]
    NotAnObject,
    /// No `update_id` that is an integer.
    #[error("the update has no integer update_id")]
    NoUpdateId,
    /// An integer that no server gives: below 0 or above 2^31-1.
    #[error("update_id {0} is out of range")]
    UpdateIdOutOfRange(i64),
}

/// A view over one update. There is one for every JSON object with an integer `update_id`, whatever else is in it;
/// what is missing or of a wrong type reads as absent.
#[derive(Debug, Clone)]
pub struct UpdateView<'a> {
    body: &'a Bytes,
    id: UpstreamId,
    kind: Kind,
    raw_kind: &'a [u8],
    object: &'a [u8],
    fields: Fields<'a>,
}

/// A member that could be what the update is about, and how good a candidate it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Nothing,
    Null,
    OtherValue,
    KnownValue,
    OtherObject,
    KnownObject,
}

impl<'a> UpdateView<'a> {
    /// Reads an update. White space around it is allowed.
    pub fn of(body: &'a Bytes) -> Result<Self, UpdateError> {
        let start = json::skip_space(body, 0);
        let Some(mut members) = json::Parts::of_object(body, start) else {
            json::whole_value(body)?;
            return Err(UpdateError::NotAnObject);
        };
        let mut id = None;
        let (mut best, mut kind, mut raw_kind, mut object) =
            (Rank::Nothing, Kind::Unknown, [].as_slice(), [].as_slice());
        while let Some(member) = members.next_member() {
            let member = member?;
            let value = &body[member.value.clone()];
            let key = member.key();
            if *key == *b"update_id" {
                id = json::integer(value).or(id);
                continue;
            }
            let candidate = Kind::of_name(&key);
            let rank = match (candidate, value.first()) {
                (_, Some(b'n')) => Rank::Null,
                (Kind::Unknown, Some(b'{')) => Rank::OtherObject,
                (_, Some(b'{')) => Rank::KnownObject,
                (Kind::Unknown, _) => Rank::OtherValue,
                _ => Rank::KnownValue,
            };
            // A repeated kind counts as its last one; otherwise the first of the best.
            if rank > best || (rank == best && candidate == kind && member.raw_key == raw_kind) {
                (best, kind, raw_kind, object) = (rank, candidate, member.raw_key, value);
            }
        }
        let end = json::skip_space(body, members.end());
        if end != body.len() {
            return Err(Malformed { at: end }.into());
        }
        let id = id.ok_or(UpdateError::NoUpdateId)?;
        let id = UpstreamId::new(id).map_err(|error| UpdateError::UpdateIdOutOfRange(error.value))?;
        Ok(Self { body, id, kind, raw_kind, object, fields: Fields::of(object) })
    }

    /// The number its source gave it.
    pub const fn id(&self) -> UpstreamId {
        self.id
    }

    /// Its kind.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The name of its kind, known or not; empty when there is nothing but an `update_id`.
    pub fn kind_name(&self) -> Cow<'a, str> {
        json::unescape(self.raw_kind)
    }

    /// What it is about, as it stands; usually an object.
    pub const fn object(&self) -> &'a [u8] {
        self.object
    }

    /// The number of its kind.
    pub fn topic(&self) -> Topic {
        self.kind.topic()
    }

    /// Its queue family.
    pub const fn family(&self) -> Family {
        self.kind.family().number()
    }

    /// How long it is worth delivering to apps.
    pub const fn lifetime(&self) -> Lifetime {
        self.kind.lifetime()
    }

    /// The message that it is, or that it is about: of a callback query the one with the button. Of other kinds
    /// with a chat the view has what they share with messages: chat, sender, date, message id.
    pub fn message(&self) -> MessageView<'a> {
        if self.fields.chat.is_none()
            && let Some(message) = self.fields.message.and_then(MessageView::of)
        {
            return message;
        }
        MessageView::of_fields(&self.fields)
    }

    /// What it belongs to: the chat with its business connection, else the user, else the poll, else the bot.
    pub fn conversation(&self) -> Conversation {
        if self.kind == Kind::GuestMessage
            && let Some(chat) = self.message().chat_id()
        {
            // A chat the bot is a guest in: its id can equal that of a chat of the bot's own.
            return Conversation::from_stored(&format!("g:{chat}"));
        }
        self.message()
            .conversation()
            .or_else(|| integer(self.fields.user_chat_id).map(Conversation::chat))
            .or_else(|| self.user_id().map(Conversation::user))
            .or_else(|| self.poll_id().map(|poll| Conversation::poll(&poll)))
            .unwrap_or_else(Conversation::bot)
    }

    /// Who caused it: the sender, the one who pressed, chose, voted, joined, boosted. Placeholders that Telegram
    /// puts beside a `sender_chat` or `voter_chat` do not count.
    pub fn user_id(&self) -> Option<UserId> {
        let fields = &self.fields;
        if fields.sender_chat.is_some() || fields.voter_chat.is_some() {
            return None;
        }
        let boosted = || {
            let source = fields.source.or_else(|| Fields::of(fields.boost?).source);
            user_id(Fields::of(source?).user)
        };
        user_id(fields.from).or_else(|| user_id(fields.user)).or_else(boosted)
    }

    /// The chat's id.
    pub fn chat_id(&self) -> Option<i64> {
        self.message().chat_id()
    }

    /// `private`, `group`, `supergroup`, `channel`, or what is new.
    pub fn chat_type(&self) -> Option<Cow<'a, str>> {
        self.message().chat_type()
    }

    /// The number of the message it is or is about.
    pub fn message_id(&self) -> Option<i64> {
        self.message().message_id()
    }

    /// The poll it is about.
    pub fn poll_id(&self) -> Option<Cow<'a, str>> {
        match self.kind {
            Kind::Poll => json::text(self.fields.id?),
            _ => json::text(self.fields.poll_id?),
        }
    }

    /// The id under which a query is answered.
    pub fn query_id(&self) -> Option<Cow<'a, str>> {
        match self.kind {
            Kind::CallbackQuery | Kind::InlineQuery | Kind::ShippingQuery | Kind::PreCheckoutQuery => {
                json::text(self.fields.id?)
            }
            _ => None,
        }
    }

    /// The data of the pressed button.
    pub fn callback_data(&self) -> Option<Cow<'a, str>> {
        if self.kind == Kind::CallbackQuery { json::text(self.fields.data?) } else { None }
    }

    /// The inline message that a press or a chosen result is about.
    pub fn inline_message_id(&self) -> Option<Cow<'a, str>> {
        json::text(self.fields.inline_message_id?)
    }

    /// The new status in a membership update: in a private chat `kicked` says that the bot was blocked.
    pub fn new_status(&self) -> Option<Cow<'a, str>> {
        json::text(Fields::of(self.fields.new_chat_member?).status?)
    }

    /// When it happened by its own account; `None` where it does not say, or not credibly.
    pub fn date(&self) -> Option<Timestamp> {
        let fields = &self.fields;
        match self.kind {
            Kind::EditedMessage | Kind::EditedChannelPost | Kind::EditedBusinessMessage => {
                seconds(fields.edit_date).or_else(|| seconds(fields.date))
            }
            Kind::ChatBoost => seconds(Fields::of(fields.boost?).add_date),
            Kind::RemovedChatBoost => seconds(fields.remove_date),
            // Documented to live from their arrival, whatever their object says (2.4).
            Kind::BusinessConnection => None,
            _ => seconds(fields.date),
        }
    }

    /// The event for the journal. Its time is the update's own date, or the arrival when it has none or one that
    /// has not come yet.
    pub fn to_event(&self, source: SourceId, received: Timestamp) -> NewEvent {
        NewEvent {
            kind: EventKind::Update,
            topic: self.topic(),
            conversation: self.conversation(),
            family: self.family(),
            at: self.date().map_or(received, |date| date.min(received)),
            lifetime: self.lifetime(),
            flags: Flags::NONE,
            upstream: Some(Upstream { source, id: self.id }),
            cause: None,
            owner: None,
            body: self.body.clone(),
        }
    }
}
