//! What is stored of a route to Wahelp, beside what every route of its mode has.

use serde::{Deserialize, Serialize};

/// What belongs to a route to Wahelp. What nobody knows for certain is said here and guessed nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WahelpDocument {
    /// The channel, by its name in the connection or by its uuid.
    pub channel: String,
    /// As what a message is marked that is told; nothing where this says nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<String>,
    /// How a message is written down.
    #[serde(default)]
    pub encoding: WahelpEncoding,
    /// How files go.
    #[serde(default)]
    pub files: WahelpFiles,
    /// What the owner says of a channel whose clients are sent whatever is told there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub personal_account: Option<PersonalAccount>,
}

/// How a message is written down for Wahelp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WahelpEncoding {
    /// As JSON.
    #[default]
    Json,
    /// As a form.
    Multipart,
}

/// How files go to Wahelp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WahelpFiles {
    /// As signed links in the text.
    #[default]
    Link,
    /// As a part of the form; a file that cannot be had goes as a link.
    Form,
}

/// What the owner says of a personal account as a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonalAccount {
    /// That clients are sent their own words is wanted.
    Confirmed,
}
