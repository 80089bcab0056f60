//! Taking turns with each of many things (bots, ids of messages): a lock for each, which exists only while somebody
//! has it or waits for it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::OwnedMutexGuard;

type Lock = Arc<tokio::sync::Mutex<()>>;

/// Whose turn it is with each.
#[derive(Debug)]
pub(crate) struct Turns<K: Ord>(Mutex<BTreeMap<K, Lock>>);

/// A turn, until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn<'a, K: Ord> {
    // In this order: the lock is let go before it is looked at whether anybody else wants it.
    _guard: OwnedMutexGuard<()>,
    _place: Place<'a, K>,
}

/// A place in the queue for a lock.
#[derive(Debug)]
struct Place<'a, K: Ord> {
    turns: &'a Turns<K>,
    key: K,
    lock: Lock,
}

impl<K: Ord> Default for Turns<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Ord + Clone> Turns<K> {
    /// Waits for a turn. Dropping the future gives the place up.
    pub(crate) async fn take(&self, key: K) -> Turn<'_, K> {
        let lock = Arc::clone(self.locks().entry(key.clone()).or_default());
        let place = Place { turns: self, key, lock };
        let guard = Arc::clone(&place.lock).lock_owned().await;
        Turn { _guard: guard, _place: place }
    }
}

impl<K: Ord> Turns<K> {
    fn locks(&self) -> std::sync::MutexGuard<'_, BTreeMap<K, Lock>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Ord> Drop for Place<'_, K> {
    fn drop(&mut self) {
        let mut locks = self.turns.locks();
        // The map's and this one's: nobody else has it, and nobody can get it while the map is locked.
        if Arc::strong_count(&self.lock) == 2 {
            locks.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use tandem_model::BotId;

    use super::*;

    fn bot(id: i64) -> BotId {
        BotId::new(id).unwrap()
    }

    #[tokio::test]
    async fn one_bot_waits_for_its_turn_and_another_does_not() {
        let turns = Turns::default();
        let first = turns.take(bot(1)).await;
        let mut second = Box::pin(turns.take(bot(1)));
        tokio::select! {
            biased;
            _ = &mut second => panic!("two at a time"),
            _ = turns.take(bot(2)) => {}
        }
        drop(first);
        drop(second.await);
        assert!(turns.locks().is_empty());
    }

    #[tokio::test]
    async fn whoever_gives_up_waiting_leaves_nothing_behind() {
        let turns = Turns::default();
        let first = turns.take(bot(1)).await;
        tokio::select! {
            biased;
            _ = turns.take(bot(1)) => panic!("two at a time"),
            () = std::future::ready(()) => {}
        }
        drop(first);
        assert!(turns.locks().is_empty());
    }
}
