//! What a vendor tells us.

use bytes::Bytes;
use http::{HeaderMap, Method};
use tandem_model::{
    Timestamp, UserId,
    message::{Manager, ReplyAct},
};

/// A request to our public listener under a vendor's path.
#[derive(Debug, Clone)]
pub struct Hook {
    /// How it came.
    pub method: Method,
    /// What stands in the path behind `/hooks/<vendor>/`, percent-decoded, piece by piece.
    pub path: Vec<String>,
    /// The query, as it came.
    pub query: Option<String>,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, as it came.
    pub body: Bytes,
}

/// Why a hook is refused. Nothing of it is kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HookRefusal {
    /// It proves nothing: the wrong signature or none.
    #[error("the hook is not proved to be the vendor's")]
    Unproven,
    /// It is proved and cannot be understood.
    #[error("the hook cannot be read: {reason}")]
    Unreadable {
        /// Why; never its contents.
        reason: String,
    },
}

/// What a hook tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// Somebody did something in a chat.
    Heard(Box<Heard>),
    /// The company's side said something: a manager, unless it is what we told ourselves that comes back.
    Spoken(Box<Spoken>),
    /// How far something has come that we told.
    Arrived {
        /// The vendor's id of it.
        message: String,
        /// How far.
        how: Arrived,
    },
    /// Something became known of a chat of the vendor's own integration, or of a talk in any.
    Noticed(Box<Noticed>),
    /// The account has thrown us out: nothing can be done before it is connected again.
    Disabled,
    /// Something that is known and means nothing to us, by its name.
    Ignored(String),
}

/// Something that a manager said, or we.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spoken {
    /// As it is if a manager said it; its id is the vendor's of the message.
    pub heard: Heard,
    /// By what an echo of ours is known whose id we were never told ([`Account::fingerprint`](crate::Account)).
    pub fingerprint: String,
    /// Whether it may be an echo although nothing is known of it.
    pub doubt: Doubt,
}

/// Whether something that is not known as ours can be ours all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// No.
    None,
    /// Something was told to the same person just now: the answer, with its id, may be on its way.
    LookAgain,
}

/// How far a message of ours has come. The order is the way it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Arrived {
    /// The vendor has sent it.
    Sent,
    /// It could not be delivered.
    Failed,
    /// It was delivered.
    Delivered,
    /// It was read.
    Read,
}

impl Arrived {
    /// The word for links and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Delivered => "delivered",
            Self::Read => "read",
        }
    }

    /// Reads the word.
    pub fn read(word: &str) -> Option<Self> {
        [Self::Sent, Self::Failed, Self::Delivered, Self::Read].into_iter().find(|one| one.as_str() == word)
    }
}

/// Somebody at the vendor did something in a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// The vendor's id of it, by which a repeat is recognised; `None` for what may be lost (typing).
    pub id: Option<String>,
    /// Where.
    pub chat: HeardChat,
    /// Who.
    pub by: Manager,
    /// When, by the vendor's clock.
    pub at: Timestamp,
    /// What.
    pub act: HeardAct,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeardAct {
    /// It is to be carried out in Telegram.
    Reply(ReplyAct),
    /// The client has it already: the vendor's own integration has sent it. With its text.
    Said(String),
}

/// Something that a vendor shows of a chat, and that asks for nothing to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noticed {
    /// The vendor's id of it, by which a repeat is recognised.
    pub id: String,
    /// Where.
    pub chat: HeardChat,
    /// The vendor's name of the contact to which the chat belongs now.
    pub contact: Option<String>,
    /// When, by the vendor's clock.
    pub at: Timestamp,
    /// What.
    pub notice: Notice,
}

/// What a vendor shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Who the client of the chat is.
    Met {
        /// Who he is in Telegram.
        user: UserId,
        /// The bot he wrote to, by its name without the `@`.
        bot: Option<String>,
    },
    /// The client's own message, as it is shown there.
    Shown {
        /// Its text; may be empty.
        text: String,
        /// How he is called there.
        name: Option<String>,
    },
    /// The managers are done with what the client had wanted.
    TalkClosed,
}

/// A chat as a vendor names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeardChat {
    /// The vendor's name of the chat.
    pub theirs: String,
    /// Ours, where the vendor gave it back. Not for a chat that a manager began.
    pub ours: Option<String>,
    /// The vendor's name of the client.
    pub person: Option<String>,
    /// Ours of the client, where the vendor gave it back.
    pub person_ours: Option<String>,
    /// The client's phone, where a manager began the chat with it.
    pub phone: Option<String>,
    /// The vendor's source, which tells bots of one account apart.
    pub source: Option<String>,
}
