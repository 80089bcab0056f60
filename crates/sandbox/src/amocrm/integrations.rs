//! Integrations: OAuth clients of the account (reference 6.1).

use serde::{Deserialize, Serialize};

use super::ids::uuid;
use crate::random::Random;

/// An OAuth client.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Integration {
    /// Counts from 1: which was there first.
    pub(crate) number: u64,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) name: String,
    pub(crate) kind: IntegrationKind,
    pub(crate) redirect_uri: String,
    /// Where it wants to hear that it was switched off.
    pub(crate) disable_hook: Option<String>,
    /// Whether its archive lists `lead_sources`; without, there is no Sources API.
    pub(crate) lead_sources: bool,
    pub(crate) enabled: bool,
    /// How often it was installed; each time its channels must be connected again.
    pub(crate) installations: u64,
}

/// What an integration may do follows from how it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum IntegrationKind {
    Private,
    Public,
    /// Neither users nor sources.
    External,
}

impl Integration {
    /// The one that is there from the start.
    pub(crate) fn first(random: &Random) -> Self {
        Self::new(random, 1)
    }

    /// A private integration with everything made up.
    pub(crate) fn new(random: &Random, number: u64) -> Self {
        Self {
            number,
            client_id: uuid(random),
            client_secret: random.word(64),
            name: "Tandem".to_owned(),
            kind: IntegrationKind::Private,
            redirect_uri: "https://bridge.example/oauth".to_owned(),
            disable_hook: None,
            lead_sources: true,
            enabled: true,
            installations: 1,
        }
    }
}
