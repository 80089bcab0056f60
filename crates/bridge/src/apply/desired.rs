//! What a file says, with its secrets read.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tandem_gateway::Owners;

use crate::{
    GuardPolicy, RouteDocument, UpstreamMode,
    operations::{AppSettings, Confidential},
    rules::RuleDocument,
};

/// Connections and bots as they are to be.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Desired {
    /// The connections, in the file's order.
    #[serde(default)]
    pub connections: Vec<DesiredConnection>,
    /// The bots, in the file's order.
    pub bots: Vec<DesiredBot>,
}

/// A connection as it is to be.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DesiredConnection {
    /// Its name.
    pub name: String,
    /// Whose account it is.
    pub vendor: String,
    /// Its settings, as the vendor's own.
    pub settings: Value,
    /// Its secrets by name; those that are left out stay.
    pub secrets: Vec<(String, Confidential)>,
}

/// A bot as it is to be.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DesiredBot {
    /// Its token at Telegram.
    pub token: Confidential,
    /// How its updates are to come in; as the service is set where this says nothing.
    pub upstream: Option<UpstreamMode>,
    /// Which apps answer what only one can answer; what is left out stays.
    #[serde(default)]
    pub owners: Owners,
    /// What its guard is to do; what it does already where this says nothing.
    #[serde(default)]
    pub guard: Option<GuardPolicy>,
    /// Its apps, in the file's order.
    pub apps: Vec<DesiredApp>,
    /// Its routes, in the file's order.
    pub routes: Vec<DesiredRoute>,
}

/// An app as it is to be.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DesiredApp {
    /// Its name.
    pub name: String,
    /// What differs from the defaults.
    pub settings: AppSettings,
}

/// A route as it is to be.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DesiredRoute {
    /// Its name.
    pub name: String,
    /// The connection it uses, by name; what it uses already where this says nothing.
    #[serde(default)]
    pub connection: Option<String>,
    /// What is stored of it.
    pub document: RouteDocument,
    /// What of it all it is told; what it is told already where this says nothing. In place of the document's.
    #[serde(default)]
    pub rules: Option<Vec<RuleDocument>>,
    /// Where it goes; whoever held the bot when it was adopted, where this says nothing.
    pub url: Option<Confidential>,
    /// What its receiver checks.
    pub secret: Option<Confidential>,
    /// The certificate (PEM) its receiver shows.
    pub certificate: Option<String>,
}
