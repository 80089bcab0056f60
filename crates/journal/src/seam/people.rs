//! What is known about the people a bot talks to, and where a manager is talking.

use async_trait::async_trait;
use tandem_model::{BotId, ConnectionId, Conversation, Timestamp, UserId};

use super::Lease;
use crate::{ReadError, WriteError};

/// Where somebody came from: the payload of a `/start`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartSource {
    /// The payload; empty for a plain `/start`.
    pub payload: String,
    /// When.
    pub at: Timestamp,
}

/// Whether somebody can be written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Yes, as far as we know.
    Reachable,
    /// He has blocked the bot.
    Blocked {
        /// Since when.
        since: Timestamp,
    },
}

/// A Telegram user as one bot knows him.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Who.
    pub user: UserId,
    /// The phone number he shared himself.
    pub phone: Option<String>,
    /// His first `/start`.
    pub first_start: Option<StartSource>,
    /// His latest `/start`.
    pub latest_start: Option<StartSource>,
    /// Whether he can be written to.
    pub presence: Presence,
}

/// What has become known about somebody. What is `None` stays as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonChange {
    /// Who.
    pub user: UserId,
    /// He shared his number.
    pub phone: Option<String>,
    /// He pressed start. The earliest and the latest by its time are kept.
    pub start: Option<StartSource>,
    /// He blocked the bot, or came back.
    pub presence: Option<Presence>,
}

/// A person and his contact in a CRM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactLink {
    /// Who.
    pub user: UserId,
    /// In which account.
    pub connection: ConnectionId,
    /// The vendor's id of him there.
    pub contact: String,
}

/// A manager is talking in a conversation until then; an instant that has passed ends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandOff {
    /// Where.
    pub conversation: Conversation,
    /// Until when.
    pub until: Timestamp,
}

/// People. They are also written as a [`Fact`](super::Fact) of an append or a settlement, and mostly so.
#[async_trait]
pub trait People: Send + Sync {
    /// Notes it.
    async fn put_person(&self, lease: Lease, bot: BotId, change: PersonChange) -> Result<(), WriteError>;

    /// What is known of somebody.
    async fn find_person(&self, bot: BotId, user: UserId) -> Result<Option<Person>, ReadError>;

    /// Who has shared this number: its digits, with the country's and without a plus, as Telegram writes it with or
    /// without one. By user id, at most `limit`.
    async fn list_people_by_phone(
        &self,
        bot: BotId,
        digits: String,
        limit: usize,
    ) -> Result<Vec<Person>, ReadError>;

    /// Notes who he is in a CRM.
    async fn put_contact(&self, lease: Lease, bot: BotId, contact: ContactLink) -> Result<(), WriteError>;

    /// Who he is in a CRM.
    async fn find_contact(
        &self,
        bot: BotId,
        user: UserId,
        connection: ConnectionId,
    ) -> Result<Option<String>, ReadError>;

    /// Who in Telegram a contact is; several when one person has several accounts. At most `limit`.
    async fn list_users_of_contact(
        &self,
        bot: BotId,
        connection: ConnectionId,
        contact: String,
        limit: usize,
    ) -> Result<Vec<UserId>, ReadError>;

    /// Begins, lengthens or ends a hand-off.
    async fn put_hand_off(&self, lease: Lease, bot: BotId, hand_off: HandOff) -> Result<(), WriteError>;

    /// The latest hand-off of a conversation, ended or not.
    async fn find_hand_off(
        &self,
        bot: BotId,
        conversation: Conversation,
    ) -> Result<Option<HandOff>, ReadError>;
}
