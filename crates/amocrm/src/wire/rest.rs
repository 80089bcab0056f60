//! What the account's API (4) and its tokens (6.3) look like.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// An error (4.1), and the one of tokens (6.3).
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Problem {
    #[serde(default)]
    pub(crate) title: Option<String>,
    #[serde(default)]
    pub(crate) detail: Option<String>,
    #[serde(default)]
    pub(crate) hint: Option<String>,
    #[serde(default)]
    pub(crate) retry_after: Option<u64>,
    #[serde(default, rename = "validation-errors")]
    pub(crate) validation: Vec<ValidationErrors>,
}

/// What is wrong with one item of a batch.
#[derive(Debug, Deserialize)]
pub(crate) struct ValidationErrors {
    #[serde(default)]
    pub(crate) errors: Vec<ValidationError>,
}

/// One thing that is wrong.
#[derive(Debug, Deserialize)]
pub(crate) struct ValidationError {
    #[serde(default)]
    pub(crate) code: Option<String>,
    #[serde(default)]
    pub(crate) path: Option<String>,
    #[serde(default)]
    pub(crate) detail: Option<String>,
    /// Of `AlreadyExists`: whose it is (4.5).
    #[serde(default)]
    pub(crate) entity_id: Option<u64>,
}

/// `GET /api/v4/account` (4.2).
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct AccountInfo {
    pub(crate) id: u64,
    #[serde(default)]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) amojo_id: Option<String>,
    #[serde(default)]
    pub(crate) drive_url: Option<String>,
}

/// A list in its envelope.
#[derive(Debug, Deserialize)]
pub(crate) struct Page<T> {
    #[serde(rename = "_embedded")]
    pub(crate) embedded: T,
    #[serde(default, rename = "_links")]
    pub(crate) links: Links,
}

/// Where a list goes on.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Links {
    #[serde(default)]
    pub(crate) next: Option<serde::de::IgnoredAny>,
}

/// Users of an account (4.3).
#[derive(Debug, Deserialize)]
pub(crate) struct Users {
    pub(crate) users: Vec<User>,
}

/// A user.
#[derive(Debug, Deserialize)]
pub(crate) struct User {
    #[serde(default)]
    pub(crate) id: u64,
    #[serde(default)]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) amojo_id: Option<String>,
}

/// Sources of an integration (4.8).
#[derive(Debug, Deserialize)]
pub(crate) struct Sources {
    pub(crate) sources: Vec<SourceInfo>,
}

/// A new source.
#[derive(Debug, Serialize)]
pub(crate) struct NewSource<'a> {
    pub(crate) name: &'a str,
    pub(crate) external_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pipeline_id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) origin_code: Option<&'a str>,
}

/// What changes in a source.
#[derive(Debug, Serialize)]
pub(crate) struct SourceChange {
    pub(crate) pipeline_id: u64,
}

/// A source.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct SourceInfo {
    #[serde(default)]
    pub(crate) id: u64,
    #[serde(default)]
    pub(crate) external_id: String,
    #[serde(default)]
    pub(crate) pipeline_id: Option<u64>,
    #[serde(default)]
    pub(crate) origin_code: Option<String>,
}

/// Which contact a chat belongs to (4.5).
#[derive(Debug, Deserialize)]
pub(crate) struct ChatLinks {
    pub(crate) chats: Vec<ChatLinkInfo>,
}

/// One of them.
#[derive(Debug, Deserialize)]
pub(crate) struct ChatLinkInfo {
    pub(crate) contact_id: u64,
}

/// `POST /api/v4/contacts/chats`, an item.
#[derive(Debug, Serialize)]
pub(crate) struct NewChatLink<'a> {
    pub(crate) contact_id: u64,
    pub(crate) chat_id: &'a str,
}

/// `POST /api/v4/contacts/{id}/notes`, an item (4.10).
#[derive(Debug, Serialize)]
pub(crate) struct NewNote<'a> {
    pub(crate) note_type: &'static str,
    pub(crate) params: NoteText<'a>,
}

/// The text of a note.
#[derive(Debug, Serialize)]
pub(crate) struct NoteText<'a> {
    pub(crate) text: &'a str,
}

/// Subscriptions of account hooks (5.1).
#[derive(Debug, Deserialize)]
pub(crate) struct Webhooks {
    pub(crate) webhooks: Vec<WebhookInfo>,
}

/// A subscription.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct WebhookInfo {
    pub(crate) destination: String,
    #[serde(default)]
    pub(crate) disabled: bool,
    #[serde(default)]
    pub(crate) settings: Vec<String>,
}

/// `POST /api/v4/webhooks`.
#[derive(Debug, Serialize)]
pub(crate) struct Subscribing<'a> {
    pub(crate) destination: &'a str,
    pub(crate) settings: &'a [&'a str],
}

/// `DELETE /api/v4/webhooks`.
#[derive(Debug, Serialize)]
pub(crate) struct Unsubscribing<'a> {
    pub(crate) destination: &'a str,
}

/// `POST /oauth2/access_token`.
#[derive(Serialize)]
pub(crate) struct TokenRequest<'a> {
    pub(crate) client_id: &'a str,
    pub(crate) client_secret: &'a str,
    pub(crate) grant_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refresh_token: Option<&'a str>,
    pub(crate) redirect_uri: &'a str,
}

/// A pair of tokens.
#[derive(Debug, Deserialize)]
pub(crate) struct TokenPair {
    pub(crate) access_token: SecretString,
    pub(crate) refresh_token: SecretString,
    #[serde(default)]
    pub(crate) expires_in: Option<u64>,
}
