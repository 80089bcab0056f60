//! What is remembered for a while, and never more of it than fits.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, PoisonError},
};

use tandem_model::Timestamp;

/// Values that are good until a moment, at most `most` of them. When there is no more room, those go that end first.
#[derive(Debug)]
pub(super) struct Bounded<K, V> {
    most: usize,
    values: Mutex<HashMap<K, (Timestamp, V)>>,
}

impl<K: Eq + Hash, V: Clone> Bounded<K, V> {
    pub(super) fn new(most: usize) -> Self {
        Self { most, values: Mutex::default() }
    }

    pub(super) fn get(&self, key: &K, now: Timestamp) -> Option<V> {
        let values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        values.get(key).filter(|(until, _)| now < *until).map(|(_, value)| value.clone())
    }

    pub(super) fn put(&self, key: K, value: V, now: Timestamp, until: Timestamp) {
        let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        if values.len() >= self.most && !values.contains_key(&key) {
            values.retain(|_, (until, _)| now < *until);
            if values.len() >= self.most {
                // A quarter at once, so that not every further value has to look through all.
                let mut ends: Vec<_> = values.values().map(|(until, _)| *until).collect();
                let (_, last, _) = ends.select_nth_unstable(self.most / 4);
                let last = *last;
                values.retain(|_, (until, _)| *until > last);
            }
        }
        values.insert(key, (until, value));
    }

    pub(super) fn forget(&self, key: &K) {
        self.values.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(seconds)
    }

    #[test]
    fn a_value_is_there_until_its_moment_or_until_there_is_no_room() {
        let bounded = Bounded::new(8);
        for key in 0..100 {
            bounded.put(key, key, at(0), at(1000 + key));
            assert_eq!(bounded.get(&key, at(0)), Some(key));
            assert!(bounded.values.lock().unwrap().len() <= 8);
        }
        assert_eq!(bounded.get(&0, at(0)), None, "it was the first to end");
        assert_eq!(bounded.get(&99, at(1098)), Some(99));
        assert_eq!(bounded.get(&99, at(1099)), None);
        bounded.forget(&99);
        assert_eq!(bounded.get(&99, at(0)), None);
        let alike = Bounded::new(4);
        (0..20).for_each(|key| alike.put(key, (), at(0), at(1)));
        assert!(alike.values.lock().unwrap().len() <= 4, "all end in one moment");
    }
}
