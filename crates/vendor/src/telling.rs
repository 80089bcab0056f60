//! What a vendor is told.

use tandem_model::message::{ChatKey, Client, Told};

/// A chat that a vendor is to know before anything is said in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// Our name of the chat.
    pub chat: ChatKey,
    /// Who the client is.
    pub client: Client,
    /// The route's settings, as the vendor's own.
    pub route: serde_json::Value,
    /// The `/start` payload by which the client came first, and last, if he came by one.
    pub starts: Vec<String>,
    /// The vendor's name of the contact, where it is known already.
    pub contact: Option<String>,
}

/// A chat at the vendor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedChat {
    /// Its names.
    pub ids: ChatIds,
    /// The vendor's name of the contact, where it became known.
    pub contact: Option<String>,
}

/// A chat that is open, and whose person and card are to be looked after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tending {
    /// What the chat would be opened with now.
    pub opening: Opening,
    /// The chat's names at the vendor.
    pub ids: ChatIds,
    /// What the client was called when this was done last: whoever was renamed by hand since keeps that name.
    pub called: Option<String>,
    /// Why now.
    pub occasion: Occasion,
}

/// Why a chat is looked after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// Nobody could say who the client is when the chat was opened.
    Unmatched,
    /// The client's name changed, or he shared his number.
    Changed,
    /// The client writes after a while in which much may have happened at the vendor.
    Silence,
    /// The client pressed start again.
    Started,
}

/// What became known by it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tended {
    /// The vendor's name of the contact.
    pub contact: Option<String>,
}

/// The names of a chat at a vendor.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChatIds {
    /// Ours, where it is not the plain key of the chat: a person's further chats at a vendor need names of their own.
    pub ours: Option<String>,
    /// The vendor's name of the chat; `None` where it is known by ours.
    pub chat: Option<String>,
    /// The vendor's name of the client in it.
    pub person: Option<String>,
}

/// One thing to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Telling {
    /// What. Its attachments have links where they can be served, its edits are of messages that were told before.
    pub told: Told,
    /// The client of the chat: who is spoken to when the company's side said it.
    pub client: Client,
    /// The chat's names at the vendor.
    pub ids: ChatIds,
    /// The vendor's id of the message that is edited or reacted to, where it was born there: the vendor does not know
    /// it by our key.
    pub message: Option<String>,
    /// The vendor's id of the message that is answered, where it was born there.
    pub quoted: Option<String>,
    /// Kept for the history only: nobody is to be notified.
    pub silent: bool,
    /// The route's settings, as the vendor's own.
    pub route: serde_json::Value,
}

/// It was taken.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Taken {
    /// The vendor's id of the message, where it said one.
    pub message: Option<String>,
}

/// Whether a vendor has a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// It has; with its id of it.
    Yes(Option<String>),
    /// It has not.
    No,
    /// It cannot be asked.
    Unknowable,
}
