//! How often whom was refused lately.
//!
//! The table never grows: a million peers and a million tokens take the memory of one. Where it is too small, who was
//! refused longest ago and least is forgotten; with that many peers, none can do much.

use std::{
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// Over this time refusals are counted.
const WINDOW: Duration = Duration::from_mins(1);
/// Peers that share a set.
const WAYS: usize = 4;
const SETS: usize = 1024;

/// Refusals by peer.
#[derive(Debug)]
pub(super) struct Refusals {
    allowed: u32,
    begun: Instant,
    /// Keyed, so that nobody can choose his neighbours.
    hasher: RandomState,
    sets: Mutex<Box<[[Slot; WAYS]]>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    peer: Option<IpAddr>,
    /// Which window it counts.
    window: u64,
    count: u32,
}

impl Refusals {
    pub(super) fn new(allowed: u32) -> Self {
        let sets = vec![[Slot::default(); WAYS]; SETS].into_boxed_slice();
        Self { allowed, begun: Instant::now(), hasher: RandomState::new(), sets: Mutex::new(sets) }
    }

    /// Counts one. When there were too many: how long the peer is to stay away.
    pub(super) fn count(&self, peer: IpAddr) -> Option<Duration> {
        let elapsed = self.begun.elapsed();
        let window = elapsed.as_secs() / WINDOW.as_secs();
        let set = usize::try_from(self.hasher.hash_one(peer) % SETS as u64).unwrap_or(0);
        let mut sets = self.sets.lock().unwrap_or_else(PoisonError::into_inner);
        let slots = &mut sets[set];
        let at = slots.iter().position(|slot| slot.peer == Some(peer)).unwrap_or_else(|| {
            let mut oldest = 0;
            for (at, slot) in slots.iter().enumerate() {
                if (slot.window, slot.count) < (slots[oldest].window, slots[oldest].count) {
                    oldest = at;
                }
            }
            oldest
        });
        let slot = &mut slots[at];
        if slot.peer != Some(peer) || slot.window != window {
            *slot = Slot { peer: Some(peer), window, count: 0 };
        }
        slot.count = slot.count.saturating_add(1);
        let left = Duration::from_secs((window + 1) * WINDOW.as_secs()).saturating_sub(elapsed);
        (slot.count > self.allowed).then_some(left)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn peer(number: u32) -> IpAddr {
        Ipv4Addr::from_bits(number).into()
    }

    #[tokio::test(start_paused = true)]
    async fn too_many_in_a_minute_are_too_many_and_the_next_minute_is_new() {
        let refusals = Refusals::new(3);
        for _ in 0..3 {
            assert_eq!(refusals.count(peer(1)), None);
        }
        tokio::time::advance(Duration::from_secs(20)).await;
        assert_eq!(refusals.count(peer(1)), Some(Duration::from_secs(40)));
        assert_eq!(refusals.count(peer(2)), None, "another peer is another peer");
        tokio::time::advance(Duration::from_secs(40)).await;
        assert_eq!(refusals.count(peer(1)), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_million_peers_take_no_more_room_than_one_and_the_loudest_is_remembered() {
        let refusals = Refusals::new(10);
        for number in 0..1_000_000 {
            refusals.count(peer(number));
            if number % 100 == 0 {
                refusals.count(peer(u32::MAX));
            }
        }
        let sets = refusals.sets.lock().unwrap();
        assert_eq!(std::mem::size_of_val(&**sets), SETS * WAYS * std::mem::size_of::<Slot>());
        drop(sets);
        assert!(refusals.count(peer(u32::MAX)).is_some());
    }
}
