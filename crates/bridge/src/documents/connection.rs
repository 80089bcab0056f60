//! What is stored of a connection.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tandem_model::Timestamp;

/// A connection, as stored. Secrets are stored sealed, apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectionDocument {
    /// Its settings: an object whose fields are the vendor's.
    pub settings: Value,
    /// Since when the account has us thrown out. Nothing is asked of it until somebody connects it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled_since: Option<Timestamp>,
}
