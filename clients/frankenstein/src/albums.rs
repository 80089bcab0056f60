//! Puts the items of an album together: Telegram sends them one by one and does not say how many.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use frankenstein::types::Message;

const PAUSE: Duration = Duration::from_millis(500);

/// Albums under way.
#[derive(Clone, Default)]
pub struct Albums(Arc<Mutex<HashMap<String, Vec<Message>>>>);

impl Albums {
    /// Takes an item in; says whether it is the album's first.
    pub fn add(&self, group: &str, item: Message) -> bool {
        let mut albums = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let items = albums.entry(group.to_owned()).or_default();
        items.push(item);
        items.len() == 1
    }

    /// Waits until no more items come, then gives them all, in the order of the chat.
    pub fn finish(&self, group: &str) -> Vec<Message> {
        let mut seen = 0;
        loop {
            thread::sleep(PAUSE);
            let mut albums = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let count = albums.get(group).map_or(0, Vec::len);
            if count == seen {
                let mut items = albums.remove(group).unwrap_or_default();
                items.sort_by_key(|item| item.message_id);
                return items;
            }
            seen = count;
        }
    }
}
