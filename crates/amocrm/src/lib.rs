//! amoCRM and Kommo, the same product on two platforms, as a [`tandem_vendor::Vendor`].
//!
//! Two APIs are spoken. The *chat service* (amojo) has the conversation: messages, statuses, reactions, history, and
//! hooks for what managers do. It knows no tokens, only signatures with the secret of a *channel* that support
//! registers. The *account's API* (REST v4) has people: contacts, notes, users, sources. It is asked with a token, seven
//! times a second at most, and may be closed for a while; chats go on without it.
//!
//! Numbers in parentheses are sections of the project's reference of amoCRM. What nobody has tried on a live account is
//! marked where it matters.
//!
//! Pure and tested by tables: signatures (`sign`), requests (`request`, `tell`), answers (`response`), hooks
//! (`inbound`, [`form`]), who a contact is and what becomes of leads (`people`), the form for registering a channel
//! (`registration`). What talks: `http`, `chats`, `rest`. What is known of an account and done in it: `account`.
//!
//! Not here: what a CRM is told and when, and what becomes of failures; the bridge decides that.

mod account;
mod chats;
mod connection;
mod document;
pub mod form;
mod http;
mod inbound;
mod people;
mod registration;
mod request;
mod response;
mod rest;
mod sign;
mod tell;
mod vendor;
mod wire;

pub use document::{
    ChannelDocument, ConnectionDocument, LimitsDocument, OauthDocument, PeopleDocument, Platform, secret,
};
pub use http::SetUpError;
pub use registration::{Registration, RegistrationLanguage, registration_form};
pub use tandem_outbound::{AddressFilter, Roots, Settings};
pub use vendor::Amocrm;
