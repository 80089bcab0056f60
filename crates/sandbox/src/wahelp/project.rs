//! A project: one linkage to amoCRM, one set of webhooks.

use std::collections::BTreeMap;

use serde::Serialize;

use super::amocrm::Linkage;

/// A project of the account.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Project {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) webhooks: BTreeMap<String, Webhook>,
    pub(crate) amocrm: Option<Linkage>,
}

/// A subscription, by its uuid.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Webhook {
    pub(crate) uuid: String,
    pub(crate) url: String,
    /// Entities, not events: `channel.message` brings all that happens to messages.
    pub(crate) entities: Vec<String>,
}

impl Project {
    pub(crate) fn new(id: i64, name: String) -> Self {
        Self { id, name, webhooks: BTreeMap::new(), amocrm: None }
    }
}

impl Webhook {
    /// Whether it brings this event, by its entity.
    pub(crate) fn brings(&self, action: &str) -> bool {
        let entity = action.rsplit_once('.').map_or(action, |(entity, _)| entity);
        self.entities.iter().any(|wanted| wanted == entity)
    }
}
