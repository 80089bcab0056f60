//! What of a route's settings is ours: the bridge hands them over as they are stored.

use serde::Deserialize;
use serde_json::Value;
use tandem_model::{PauseReason, message::Language};
use tandem_vendor::{Failure, FailureKind};

/// A route's settings.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Route {
    #[serde(default)]
    pub(crate) language: Language,
    pub(crate) wahelp: RouteSettings,
}

/// What belongs to Wahelp alone.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct RouteSettings {
    /// By alias or uuid.
    pub(crate) channel: String,
    #[serde(default)]
    pub(crate) destination: Option<String>,
    #[serde(default)]
    pub(crate) encoding: Encoding,
    #[serde(default)]
    pub(crate) files: Files,
    #[serde(default)]
    pub(crate) personal_account: Option<PersonalAccount>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Encoding {
    #[default]
    Json,
    Multipart,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Files {
    #[default]
    Link,
    Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PersonalAccount {
    Confirmed,
}

impl Route {
    pub(crate) fn read(route: &Value) -> Result<Self, Failure> {
        serde_json::from_value(route.clone()).map_err(|error| {
            let words = format!("the route's settings are none of a route to Wahelp: {error}");
            Failure::new(FailureKind::Stop(PauseReason::Refused), words)
        })
    }
}
