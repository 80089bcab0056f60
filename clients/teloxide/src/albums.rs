//! Puts the items of an album together: Telegram sends them one by one and does not say how many.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use teloxide::types::{MediaGroupId, Message};

const PAUSE: Duration = Duration::from_millis(500);

/// Albums under way.
#[derive(Clone, Default)]
pub struct Albums(Arc<Mutex<HashMap<MediaGroupId, Vec<Message>>>>);

impl Albums {
    /// Takes an item in; says whether it is the album's first.
    pub fn add(&self, group: &MediaGroupId, item: Message) -> bool {
        let mut albums = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let items = albums.entry(group.clone()).or_default();
        items.push(item);
        items.len() == 1
    }

    /// Waits until no more items come, then gives them all, in the order of the chat.
    pub async fn finish(&self, group: &MediaGroupId) -> Vec<Message> {
        let mut seen = 0;
        loop {
            tokio::time::sleep(PAUSE).await;
            let mut albums = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let count = albums.get(group).map_or(0, Vec::len);
            if count == seen {
                let mut items = albums.remove(group).unwrap_or_default();
                items.sort_by_key(|item| item.id.0);
                return items;
            }
            seen = count;
        }
    }
}
