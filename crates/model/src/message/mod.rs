//! What people say to each other, in nobody's words but ours: what a CRM is told of a conversation, and what a manager
//! wants done in it.
//!
//! Telegram's objects become [`Told`] (in `tandem-telegram`), a vendor's crate makes its requests of it; a vendor's
//! hook becomes a [`ReplyDocument`], which is made into Telegram's calls. Neither side knows the other.
//!
//! Ids of ours are texts that can be computed (DESIGN section 3): [`MessageKey`], [`ChatKey`], [`PersonKey`].

mod key;
mod language;
mod reply;
mod told;

pub use key::{ChatKey, MessageKey, MessagePlace, PersonKey};
pub use language::Language;
pub use reply::{
    Keyboard, KeyboardButton, KeyboardKind, Manager, OutcomeDocument, Quoted, RemoteFile, ReplyAct,
    ReplyDocument, ReplyFailure, ReplyOrigin, ReplyResult,
};
pub use told::{
    Act, Attachment, AttachmentKind, Body, Client, ContactCard, Content, FileRef, Place, Quote, Speaker, Told,
};
