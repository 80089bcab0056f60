//! Sources: the entry points inside channels, by which leads find their pipeline (reference 1.12, 4.8).
//!
//! Data and rules; the REST methods are [`super::rest`]'s.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

/// One entry point of one integration.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Source {
    pub(crate) id: u64,
    #[serde(skip)]
    pub(crate) client_id: String,
    pub(crate) name: String,
    pub(crate) external_id: String,
    pub(crate) pipeline_id: u64,
    pub(crate) default: bool,
    pub(crate) origin_code: Option<String>,
    pub(crate) services: Value,
}

/// All sources of the account.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    by_id: BTreeMap<u64, Source>,
    last: u64,
}

/// So many active ones an integration has; the documentation says 100 in one place and 50 in another.
pub(crate) const LIMIT: usize = 100;

impl Sources {
    /// Keeps a source under a number of its own. A default one takes the place of the one before.
    pub(crate) fn add(&mut self, mut source: Source) -> &Source {
        self.last += 1;
        source.id = 9_500_000 + self.last;
        self.settle_default(&source);
        let id = source.id;
        self.by_id.entry(id).insert_entry(source).into_mut()
    }

    /// Puts a changed source back.
    pub(crate) fn replace(&mut self, source: Source) {
        self.settle_default(&source);
        self.by_id.insert(source.id, source);
    }

    fn settle_default(&mut self, new: &Source) {
        if new.default {
            for other in self.by_id.values_mut().filter(|other| other.client_id == new.client_id) {
                other.default = false;
            }
        }
    }

    /// Removing the default one promotes nobody.
    pub(crate) fn remove(&mut self, client_id: &str, id: u64) -> Option<Source> {
        self.find(client_id, id)?;
        self.by_id.remove(&id)
    }

    /// An integration sees only its own.
    pub(crate) fn of(&self, client_id: &str) -> impl Iterator<Item = &Source> {
        self.by_id.values().filter(move |source| source.client_id == client_id)
    }

    pub(crate) fn find(&self, client_id: &str, id: u64) -> Option<&Source> {
        self.by_id.get(&id).filter(|source| source.client_id == client_id)
    }

    pub(crate) fn find_external(&self, client_id: &str, external_id: &str) -> Option<&Source> {
        self.of(client_id).find(|source| source.external_id == external_id)
    }

    pub(crate) fn find_default(&self, client_id: &str) -> Option<&Source> {
        self.of(client_id).find(|source| source.default)
    }
}
