//! One bot's undelivered updates, and the offset table of `getUpdates` (reference/telegram.md 2.2, 2.4, 2.6).
//!
//! Pure data: no clock, no locks. Whatever leaves the queue is reported to the caller, who keeps the record of
//! every update. Bounded as the official server's: more than 100,000 updates or 128 MiB are dropped on arrival.

use std::{collections::VecDeque, ops::Range};

use bytes::Bytes;

use super::kinds::QueueKey;

/// One stored update.
#[derive(Debug, Clone)]
pub(crate) struct StoredUpdate {
    pub(crate) id: i32,
    /// Its number in the bot's record of updates.
    pub(crate) number: u64,
    pub(crate) queue: QueueKey,
    pub(crate) expires_at_ms: i64,
    /// The whole update object as it goes out.
    pub(crate) body: Bytes,
}

/// Why an update was not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    /// Over 512 KiB.
    TooLarge,
    /// 100,000 updates or 128 MiB are waiting.
    QueueFull,
}

/// An update that left the queue, by its number in the record, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Left {
    pub(crate) number: u64,
    pub(crate) why: Leaving,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leaving {
    Confirmed,
    Expired,
    Dropped,
}

const MAX_UPDATES: usize = 100_000;
const MAX_BYTES: usize = 1 << 27;
const MAX_UPDATE_BYTES: usize = 65_536 * 8;
const MAX_ANSWER_BYTES: usize = 1 << 22;
/// How far ahead of the next id an offset may be before it is ignored.
const MAX_AHEAD: i64 = 10;
/// Where the sequence begins, and where it begins anew.
pub(crate) const FIRST_IDS: Range<i64> = 2_000_001..1_000_000_001;
const LAST_ID: i32 = 2_000_000_000;

/// Updates in the order of their ids.
#[derive(Debug)]
pub(crate) struct Queue {
    updates: VecDeque<StoredUpdate>,
    bytes: usize,
    next_id: i32,
}

impl Queue {
    /// Empty, with the id its first update will get.
    pub(crate) fn new(next_id: i32) -> Self {
        Self { updates: VecDeque::new(), bytes: 0, next_id }
    }

    pub(crate) fn len(&self) -> usize {
        self.updates.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.updates.is_empty()
    }

    /// The id the next update will get.
    pub(crate) fn tail(&self) -> i32 {
        self.next_id
    }

    /// Whether the sequence has come to its end and must be drawn anew before the next update.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.next_id >= LAST_ID
    }

    fn head(&self) -> i32 {
        self.updates.front().map_or(self.next_id, |update| update.id)
    }

    /// Whether an update of this size may be stored now.
    pub(crate) fn check_room(&self, size: usize) -> Result<(), Full> {
        if size > MAX_UPDATE_BYTES {
            return Err(Full::TooLarge);
        }
        if self.updates.len() >= MAX_UPDATES || self.bytes + size > MAX_BYTES {
            return Err(Full::QueueFull);
        }
        Ok(())
    }

    /// Stores an update. An id at or above the next one moves the sequence on; a lower one (a raw update with
    /// an id of its own) is put where it belongs and moves nothing.
    pub(crate) fn push(&mut self, update: StoredUpdate) {
        self.bytes += update.body.len();
        if update.id >= self.next_id {
            self.next_id = update.id.saturating_add(1);
            self.updates.push_back(update);
        } else {
            let place = self.updates.partition_point(|stored| stored.id <= update.id);
            self.updates.insert(place, update);
        }
    }

    /// Empties the queue and lets the sequence go on at another id, as the server does when a sequence ends.
    pub(crate) fn rebase(&mut self, next_id: i32, left: &mut Vec<Left>) {
        self.clear(Leaving::Dropped, left);
        self.next_id = next_id;
    }

    /// Removes everything.
    pub(crate) fn clear(&mut self, why: Leaving, left: &mut Vec<Left>) {
        self.remove_first(self.updates.len(), why, left);
    }

    /// What `getUpdates` does with its offset: confirms what the table says, and gives the id to read from.
    pub(crate) fn apply_offset(&mut self, offset: i32, left: &mut Vec<Left>) -> i32 {
        if offset < 0 {
            let keep = usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX);
            let surplus = self.updates.len().saturating_sub(keep);
            self.remove_first(surplus, Leaving::Confirmed, left);
        }
        let (head, tail) = (i64::from(self.head()), i64::from(self.next_id));
        let wanted = i64::from(offset);
        let oldest = head - i64::try_from(MAX_UPDATES).unwrap_or(i64::MAX);
        if wanted <= 0 || wanted > tail + MAX_AHEAD || wanted < oldest {
            return self.head();
        }
        self.confirm_below(offset, left);
        offset
    }

    fn confirm_below(&mut self, id: i32, left: &mut Vec<Left>) {
        let confirmed = self.updates.partition_point(|update| update.id < id);
        self.remove_first(confirmed, Leaving::Confirmed, left);
    }

    /// Up to `limit` live updates from the id on, at most about 4 MiB of them. Expired ones met on the way are
    /// removed.
    pub(crate) fn read(
        &mut self,
        from: i32,
        limit: usize,
        now_ms: i64,
        left: &mut Vec<Left>,
    ) -> Vec<StoredUpdate> {
        let mut found = Vec::new();
        let mut bytes = 0;
        let mut place = self.updates.partition_point(|update| update.id < from);
        while found.len() < limit && bytes < MAX_ANSWER_BYTES {
            let Some(update) = self.updates.get(place) else { break };
            if update.expires_at_ms <= now_ms {
                self.remove_at(place, Leaving::Expired, left);
                continue;
            }
            bytes += update.body.len();
            found.push(update.clone());
            place += 1;
        }
        found
    }

    /// Up to `limit` updates from the head on, expired ones included: a webhook's load window.
    pub(crate) fn oldest(&self, limit: usize) -> impl Iterator<Item = &StoredUpdate> {
        self.updates.iter().take(limit)
    }

    /// Removes one update, if it is still there.
    pub(crate) fn remove(&mut self, id: i32, number: u64, why: Leaving, left: &mut Vec<Left>) {
        let mut place = self.updates.partition_point(|update| update.id < id);
        while let Some(update) = self.updates.get(place).filter(|update| update.id == id) {
            if update.number == number {
                self.remove_at(place, why, left);
                return;
            }
            place += 1;
        }
    }

    fn remove_first(&mut self, count: usize, why: Leaving, left: &mut Vec<Left>) {
        for update in self.updates.drain(..count) {
            self.bytes -= update.body.len();
            left.push(Left { number: update.number, why });
        }
    }

    fn remove_at(&mut self, place: usize, why: Leaving, left: &mut Vec<Left>) {
        if let Some(update) = self.updates.remove(place) {
            self.bytes -= update.body.len();
            left.push(Left { number: update.number, why });
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::telegram::kinds;

    /// Ids 100, 101, … with the last one named.
    fn queue(through: i32) -> Queue {
        let mut queue = Queue::new(100);
        for id in 100..=through {
            queue.push(update(id, 16));
        }
        queue
    }

    fn update(id: i32, size: usize) -> StoredUpdate {
        let key = kinds::kind("message").queue(&json!({"chat": {"id": 1}}), 0);
        let number = u64::from(id.unsigned_abs());
        StoredUpdate { id, number, queue: key, expires_at_ms: 1_000, body: vec![b'x'; size].into() }
    }

    fn get(queue: &mut Queue, offset: i32) -> Vec<i32> {
        let mut left = Vec::new();
        let from = queue.apply_offset(offset, &mut left);
        queue.read(from, 100, 0, &mut left).iter().map(|update| update.id).collect()
    }

    #[test]
    fn the_offset_table_holds_line_by_line() {
        // (offset, ids answered, updates left): the queue holds 100..=104, the next id is 105.
        let cases: [(i32, &[i32], usize); 12] = [
            (0, &[100, 101, 102, 103, 104], 5),
            (1, &[100, 101, 102, 103, 104], 5),
            (100, &[100, 101, 102, 103, 104], 5),
            (103, &[103, 104], 2),
            (105, &[], 0),
            (115, &[], 0),
            (116, &[100, 101, 102, 103, 104], 5),
            (i32::MAX, &[100, 101, 102, 103, 104], 5),
            (-1, &[104], 1),
            (-3, &[102, 103, 104], 3),
            (-1000, &[100, 101, 102, 103, 104], 5),
            (i32::MIN, &[100, 101, 102, 103, 104], 5),
        ];
        for (offset, ids, remaining) in cases {
            let mut queue = queue(104);
            assert_eq!(get(&mut queue, offset), ids, "offset {offset}");
            assert_eq!(queue.len(), remaining, "left after offset {offset}");
        }
    }

    #[test]
    fn an_offset_far_behind_the_head_is_the_head() {
        let mut queue = Queue::new(500_000);
        queue.push(update(500_000, 1));
        assert_eq!(get(&mut queue, 399_999), [500_000]);
        assert_eq!(get(&mut queue, 400_000), [500_000]);
    }

    #[test]
    fn reading_skips_and_removes_what_is_expired_and_stops_at_4_mib() {
        let mut q = queue(101);
        let mut left = Vec::new();
        assert!(q.read(100, 100, 1_000, &mut left).is_empty());
        assert_eq!(left.len(), 2);
        assert!(left.iter().all(|left| left.why == Leaving::Expired));

        let mut q = Queue::new(1);
        for id in 1..=20 {
            q.push(update(id, 500_000));
        }
        assert_eq!(q.read(1, 100, 0, &mut left).len(), 9, "the first nine reach 4 MiB");
    }

    #[test]
    fn the_queue_is_bounded_in_number_and_size() {
        let mut q = Queue::new(1);
        assert_eq!(q.check_room(65_536 * 8 + 1), Err(Full::TooLarge));
        for id in 1..=100_000 {
            q.push(update(id, 1));
        }
        assert_eq!(q.check_room(1), Err(Full::QueueFull));
        let mut q = Queue::new(1);
        for id in 1..=268 {
            q.push(update(id, 500_000));
        }
        assert_eq!(q.check_room(500_000), Err(Full::QueueFull));
        assert_eq!(q.check_room(1_000), Ok(()));
    }

    #[test]
    fn a_raw_update_may_repeat_or_go_below_an_id() {
        let mut q = queue(104);
        q.push(StoredUpdate { number: 9_000, ..update(102, 16) });
        q.push(update(50, 16));
        assert_eq!(q.tail(), 105);
        assert_eq!(get(&mut q, 0), [50, 100, 101, 102, 102, 103, 104]);
        let mut left = Vec::new();
        q.remove(102, 9_000, Leaving::Confirmed, &mut left);
        assert_eq!(left, [Left { number: 9_000, why: Leaving::Confirmed }]);
        assert_eq!(get(&mut q, 0), [50, 100, 101, 102, 103, 104]);
    }
}
