//! Who wants to hear what: the account's destinations, as REST shows them (reference 5.1).

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::policy::{Answer, Health};

/// An account takes so many.
const LIMIT: usize = 100;

const ACTIONS: [(&str, &[&str]); 6] = [
    (
        "add_",
        &[
            "lead",
            "contact",
            "company",
            "customer",
            "task",
            "talk",
            "message",
            "outgoing_message",
            "unsorted",
            "chat_template_review",
        ],
    ),
    ("update_", &["lead", "contact", "company", "customer", "task", "talk", "unsorted"]),
    ("delete_", &["lead", "contact", "company", "customer", "task", "talk", "unsorted"]),
    ("restore_", &["lead", "contact", "company"]),
    ("responsible_", &["lead", "contact", "company", "customer", "task"]),
    ("note_", &["lead", "contact", "company", "customer"]),
];

/// One destination.
#[derive(Debug, Serialize)]
pub(crate) struct Subscription {
    pub(crate) id: u64,
    pub(crate) destination: String,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
    pub(crate) account_id: u64,
    pub(crate) created_by: u64,
    pub(crate) sort: i64,
    /// Switched off for failing too often; a person switches it on again.
    pub(crate) disabled: bool,
    pub(crate) settings: BTreeSet<String>,
    #[serde(skip)]
    health: Health,
}

/// Why a subscription is not taken.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum SubscribeError {
    #[error("destination: an http or https URL without Cyrillic letters in its host")]
    Destination,
    #[error("settings: at least one code")]
    NoSettings,
    #[error("settings: `{0}` is no event code")]
    UnknownCode(String),
    #[error("at most {LIMIT} destinations")]
    TooMany,
}

/// All destinations of the account.
#[derive(Debug, Default)]
pub(crate) struct Subscriptions {
    by_id: BTreeMap<u64, Subscription>,
    last_id: u64,
}

/// Whose account it is and when something is done to it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stamp {
    pub(crate) account_id: u64,
    pub(crate) user_id: u64,
    pub(crate) now_secs: i64,
}

impl Subscriptions {
    /// Adds a destination; a known one gets the new settings and is switched on again.
    pub(crate) fn upsert(
        &mut self,
        destination: &str,
        settings: BTreeSet<String>,
        sort: Option<i64>,
        stamp: Stamp,
    ) -> Result<&Subscription, SubscribeError> {
        // `Url` turns Cyrillic hosts into punycode, so the host is looked at as it was written.
        let host_is_ascii = destination.split('/').nth(2).is_some_and(str::is_ascii);
        let url = url::Url::parse(destination).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        if url.is_none() || !host_is_ascii {
            return Err(SubscribeError::Destination);
        }
        if settings.is_empty() {
            return Err(SubscribeError::NoSettings);
        }
        if let Some(unknown) = settings.iter().find(|code| !is_event_code(code)) {
            return Err(SubscribeError::UnknownCode(unknown.clone()));
        }
        let known = self.by_id.values().find(|known| known.destination == destination).map(|known| known.id);
        let id = match known {
            Some(id) => id,
            None if self.by_id.len() >= LIMIT => return Err(SubscribeError::TooMany),
            None => {
                self.last_id += 1;
                839_000 + self.last_id
            }
        };
        let subscription = self.by_id.entry(id).or_insert_with(|| Subscription {
            id,
            destination: destination.to_owned(),
            created_at: stamp.now_secs,
            updated_at: stamp.now_secs,
            account_id: stamp.account_id,
            created_by: stamp.user_id,
            sort: 1,
            disabled: false,
            settings: BTreeSet::new(),
            health: Health::default(),
        });
        subscription.settings = settings;
        subscription.sort = sort.unwrap_or(subscription.sort);
        subscription.updated_at = stamp.now_secs;
        subscription.enable();
        Ok(subscription)
    }

    /// Whether there was such a destination.
    pub(crate) fn remove(&mut self, destination: &str) -> bool {
        let before = self.by_id.len();
        self.by_id.retain(|_, subscription| subscription.destination != destination);
        self.by_id.len() < before
    }

    pub(crate) fn list(&self) -> impl Iterator<Item = &Subscription> {
        self.by_id.values()
    }

    pub(crate) fn find(&self, id: u64) -> Option<&Subscription> {
        self.by_id.get(&id)
    }

    pub(crate) fn find_mut(&mut self, id: u64) -> Option<&mut Subscription> {
        self.by_id.get_mut(&id)
    }

    /// Ids of the destinations that hear `code` now.
    pub(crate) fn hearing(&self, code: &str) -> Vec<u64> {
        let hearing =
            |subscription: &&Subscription| !subscription.disabled && subscription.settings.contains(code);
        self.by_id.values().filter(hearing).map(|subscription| subscription.id).collect()
    }
}

impl Subscription {
    pub(crate) fn enable(&mut self) {
        self.disabled = false;
        self.health = Health::default();
    }

    pub(crate) fn note(&mut self, answer: Answer, now_ms: i64) {
        if self.health.note(answer, now_ms) {
            self.disabled = true;
        }
    }
}

fn is_event_code(code: &str) -> bool {
    code == "status_lead"
        || ACTIONS.iter().any(|(action, entities)| {
            code.strip_prefix(action).is_some_and(|entity| entities.contains(&entity))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAMP: Stamp = Stamp { account_id: 31, user_id: 8, now_secs: 100 };

    fn codes(list: &[&str]) -> BTreeSet<String> {
        list.iter().map(|code| (*code).to_owned()).collect()
    }

    #[test]
    fn a_known_destination_gets_the_new_settings() {
        let mut all = Subscriptions::default();
        let first = all.upsert("http://a.example/x", codes(&["add_message"]), None, STAMP).unwrap().id;
        let again = all.upsert("http://a.example/x", codes(&["add_unsorted"]), Some(5), STAMP).unwrap();
        assert_eq!((again.id, again.sort), (first, 5));
        assert!(all.hearing("add_message").is_empty());
        assert_eq!(all.hearing("add_unsorted"), [first]);
        assert!(all.remove("http://a.example/x"));
        assert!(!all.remove("http://a.example/x"));
    }

    #[test]
    fn what_amocrm_would_refuse_is_refused() {
        let mut all = Subscriptions::default();
        let mut refusal = |destination: &str, settings: &[&str]| {
            all.upsert(destination, codes(settings), None, STAMP).map(|_| ()).unwrap_err()
        };
        assert_eq!(refusal("ftp://a.example/", &["add_message"]), SubscribeError::Destination);
        assert_eq!(refusal("https://пример.рф/x", &["add_message"]), SubscribeError::Destination);
        assert_eq!(refusal("https://a.example/", &[]), SubscribeError::NoSettings);
        assert_eq!(
            refusal("https://a.example/", &["add_joy"]),
            SubscribeError::UnknownCode("add_joy".into())
        );
        for n in 0..LIMIT {
            all.upsert(&format!("https://a.example/{n}"), codes(&["status_lead"]), None, STAMP).unwrap();
        }
        assert_eq!(
            all.upsert("https://a.example/more", codes(&["add_talk"]), None, STAMP).map(|_| ()).unwrap_err(),
            SubscribeError::TooMany
        );
    }
}
