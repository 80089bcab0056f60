//! What an account is opened with.

use std::fmt;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tandem_model::ConnectionId;

/// A connection as it is stored, its secrets opened.
#[derive(Clone)]
pub struct ConnectionSetting {
    /// Its number.
    pub id: ConnectionId,
    /// Its name.
    pub name: String,
    /// Its settings: an object whose fields are the vendor's.
    pub document: Value,
    /// Its secrets by name, in order.
    pub secrets: Vec<(String, SecretString)>,
    /// Where the vendor reaches our public listener, without a slash at its end.
    pub public_url: Option<String>,
}

impl ConnectionSetting {
    /// The secret of this name.
    pub fn secret(&self, name: &str) -> Option<&SecretString> {
        self.secrets.iter().find(|(known, _)| known == name).map(|(_, secret)| secret)
    }

    /// Whether nothing about it has changed.
    pub fn is_same(&self, other: &Self) -> bool {
        fn shown(setting: &ConnectionSetting) -> impl Iterator<Item = (&str, &str)> {
            setting.secrets.iter().map(|(name, secret)| (name.as_str(), secret.expose_secret()))
        }
        self.id == other.id
            && self.name == other.name
            && self.document == other.document
            && self.public_url == other.public_url
            && shown(self).eq(shown(other))
    }
}

impl fmt::Debug for ConnectionSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secrets: Vec<_> = self.secrets.iter().map(|(name, _)| name).collect();
        f.debug_struct("ConnectionSetting")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("secrets", &secrets)
            .finish_non_exhaustive()
    }
}

/// Why an account cannot be used as it is set. Nothing was asked of the vendor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Something has to be given.
    #[error("the connection has no {what}")]
    Missing {
        /// What.
        what: &'static str,
    },
    /// A setting cannot be used.
    #[error("the connection's {what} cannot be used: {problem}")]
    Unusable {
        /// Which.
        what: &'static str,
        /// Why; never a secret.
        problem: String,
    },
}

/// Where an account puts what must not be lost: committed when it returns.
#[async_trait]
pub trait Keep: fmt::Debug + Send + Sync {
    /// Keeps secrets of the connection, all in one commit, in place of those of the same names.
    async fn keep(&self, secrets: Vec<(&'static str, SecretString)>) -> Result<(), KeepError>;
}

/// It was not kept.
#[derive(Debug, thiserror::Error)]
#[error("what the vendor gave could not be kept: {reason}")]
pub struct KeepError {
    /// Why.
    pub reason: String,
}
