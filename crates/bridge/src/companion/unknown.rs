//! Chats of the built-in integration of which nobody knows whose they are: listed, the latest of them, for people.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tandem_model::Timestamp;

/// Most chats that are listed of a connection; whoever was quiet longest goes first.
const MOST: usize = 500;
/// Most that are shown.
const SHOWN: usize = 20;

/// They.
#[derive(Debug, Default)]
pub(crate) struct UnknownChats(BTreeMap<String, UnknownChat>);

#[derive(Debug, Clone)]
struct UnknownChat {
    contact: Option<String>,
    last_at: Timestamp,
    managers: u64,
}

/// A chat whose client is not known in Telegram.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnknownChatView {
    /// The vendor's name of the chat.
    pub chat: String,
    /// The vendor's contact, by which people find it.
    pub contact: Option<String>,
    /// When something happened there last.
    pub last_at: Timestamp,
    /// How many of managers' messages were heard of which nothing followed.
    pub managers: u64,
}

/// Who did something in a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doer {
    Client,
    Manager,
}

impl UnknownChats {
    /// Something happened in such a chat.
    pub(crate) fn note(&mut self, chat: &str, contact: Option<&str>, doer: Doer, now: Timestamp) {
        if self.0.len() >= MOST && !self.0.contains_key(chat) {
            let quietest = self.0.iter().min_by_key(|(_, chat)| chat.last_at).map(|(name, _)| name.clone());
            if let Some(quietest) = quietest {
                self.0.remove(&quietest);
            }
        }
        let known = self.0.entry(chat.to_owned()).or_insert_with(|| UnknownChat {
            contact: None,
            last_at: now,
            managers: 0,
        });
        known.last_at = now;
        known.managers += u64::from(doer == Doer::Manager);
        if let Some(contact) = contact {
            known.contact = Some(contact.to_owned());
        }
    }

    /// It is known now.
    pub(crate) fn forget(&mut self, chat: &str) {
        self.0.remove(chat);
    }

    /// How many there are, and the latest of them.
    pub(crate) fn views(&self) -> (usize, Vec<UnknownChatView>) {
        let mut views: Vec<UnknownChatView> = self
            .0
            .iter()
            .map(|(chat, known)| UnknownChatView {
                chat: chat.clone(),
                contact: known.contact.clone(),
                last_at: known.last_at,
                managers: known.managers,
            })
            .collect();
        views.sort_by(|a, b| b.last_at.cmp(&a.last_at).then_with(|| a.chat.cmp(&b.chat)));
        views.truncate(SHOWN);
        (self.0.len(), views)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_are_listed_until_they_are_known() {
        let mut unknown = UnknownChats::default();
        let at = Timestamp::from_secs;
        unknown.note("a", Some("40"), Doer::Client, at(1));
        unknown.note("a", None, Doer::Manager, at(2));
        unknown.note("b", None, Doer::Client, at(3));
        let (count, views) = unknown.views();
        let shown: Vec<_> = views.iter().map(|view| (view.chat.as_str(), view.managers)).collect();
        assert_eq!((count, shown), (2, vec![("b", 0), ("a", 1)]));
        assert_eq!(views[1].contact.as_deref(), Some("40"));
        unknown.forget("b");
        for number in 0..600 {
            unknown.note(&format!("c{number}"), None, Doer::Client, at(10 + number));
        }
        let (count, views) = unknown.views();
        assert_eq!((count, views.len(), views[0].chat.as_str()), (MOST, SHOWN, "c599"));
    }
}
