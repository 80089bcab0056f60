//! The connections of a listener, and who goes when there are too many.
//!
//! Who goes is looked for only when somebody has to, for a whole batch at once, so that nothing is paid for it while
//! there is room.

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::Notify;

use super::{
    Limits, Peer,
    connection::{Connection, Worth},
};

/// When everybody is busy, so often it is looked whether that has changed.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

#[derive(Debug)]
pub(super) struct Places {
    limits: Arc<Limits>,
    open: Mutex<Open>,
    /// Bytes of all heads that are not whole yet.
    heads: Arc<AtomicUsize>,
    freed: Notify,
    /// How many were let go to make room, and how many refused.
    let_go: AtomicU64,
    refused: AtomicU64,
}

#[derive(Debug, Default)]
struct Open {
    /// By age.
    connections: BTreeMap<u64, Arc<Connection>>,
    peers: HashMap<IpAddr, usize>,
    next: u64,
}

/// A connection's place, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    key: u64,
    connection: Arc<Connection>,
}

enum Entering {
    Entered(Place),
    /// The peer has as many as it may.
    Refused,
    /// There is no room yet.
    Full,
}

impl Places {
    pub(super) fn new(limits: Arc<Limits>) -> Self {
        Self {
            limits,
            open: Mutex::default(),
            heads: Arc::default(),
            freed: Notify::new(),
            let_go: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        }
    }

    /// A place for a new connection, once there is room; `None` when its peer has as many as it may.
    pub(super) async fn enter(self: &Arc<Self>, peer: Peer) -> Option<Place> {
        loop {
            let freed = self.freed.notified();
            match self.try_enter(peer) {
                Entering::Entered(place) => return Some(place),
                Entering::Refused => return None,
                // Nobody says when a busy connection becomes a quiet one.
                Entering::Full => drop(tokio::time::timeout(LOOK_AGAIN, freed).await),
            }
        }
    }

    fn try_enter(self: &Arc<Self>, peer: Peer) -> Entering {
        let mut open = self.open();
        if open.connections.len() >= self.limits.connections {
            self.make_room(&open);
            return Entering::Full;
        }
        let counted = peer.counted(&self.limits);
        let own = counted.and_then(|peer| open.peers.get(&peer)).copied().unwrap_or(0);
        if own >= self.limits.connections_per_peer && !self.replace_stranger(&open, counted) {
            note(&self.refused, "refused, which one peer had too many of");
            return Entering::Refused;
        }
        let connection = Arc::new(Connection::new(peer, &self.limits, Arc::clone(&self.heads)));
        let key = open.next;
        open.next += 1;
        open.connections.insert(key, Arc::clone(&connection));
        if let Some(peer) = counted {
            *open.peers.entry(peer).or_insert(0) += 1;
        }
        Entering::Entered(Place { places: Arc::clone(self), key, connection })
    }

    /// Lets some go: the strangers that have been here longest, or else the known that have been quiet longest.
    /// Nobody, while some are on their way out.
    fn make_room(&self, open: &Open) {
        if open.connections.values().any(|connection| connection.is_let_go()) {
            return;
        }
        let mut worths: Vec<_> = open
            .connections
            .values()
            .filter_map(|connection| Some((connection.worth()?, connection)))
            .collect();
        let strangers = worths.iter().any(|(worth, _)| matches!(worth, Worth::Stranger(_)));
        worths.retain(|(worth, _)| !strangers || matches!(worth, Worth::Stranger(_)));
        worths.sort_by_key(|(worth, _)| *worth);
        let batch = (self.limits.connections / 64).max(1);
        for (_, connection) in worths.iter().take(batch) {
            connection.let_go();
            note(&self.let_go, "let go to make room");
        }
    }

    /// Lets a peer's oldest connection go that has proven nothing: of those who share an address, strangers do not
    /// keep out others.
    fn replace_stranger(&self, open: &Open, peer: Option<IpAddr>) -> bool {
        let of_peer = open.connections.values().filter(|connection| connection.counted() == peer);
        let strangers = of_peer.filter_map(|connection| match connection.worth()? {
            Worth::Stranger(since) => Some((since, connection)),
            Worth::Quiet(_) => None,
        });
        let Some((_, oldest)) = strangers.min_by_key(|(since, _)| *since) else { return false };
        oldest.let_go();
        note(&self.let_go, "let go to make room");
        true
    }

    /// Heads that are not whole have become too large together: those that have taken longest go, until half of it is
    /// left.
    fn shed_heads(&self) {
        let open = self.open();
        let mut heads: Vec<_> = open
            .connections
            .values()
            .filter_map(|connection| {
                connection.unfinished_head().map(|(since, bytes)| (since, bytes, connection))
            })
            .collect();
        heads.sort_by_key(|(since, ..)| *since);
        let mut together: usize = heads.iter().map(|(_, bytes, _)| bytes).sum();
        for (_, bytes, connection) in heads {
            if together <= self.limits.heads_bytes() / 2 {
                break;
            }
            together -= bytes;
            connection.let_go();
            note(&self.let_go, "let go to make room");
        }
    }

    fn leave(&self, place: &Place) {
        let mut open = self.open();
        open.connections.remove(&place.key);
        if let Some(peer) = place.connection.counted()
            && let Some(count) = open.peers.get_mut(&peer)
        {
            *count -= 1;
            if *count == 0 {
                open.peers.remove(&peer);
            }
        }
        drop(open);
        self.freed.notify_one();
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts, and says so now and then: whoever floods us floods the log too, otherwise.
fn note(count: &AtomicU64, what: &str) {
    let count = count.fetch_add(1, Ordering::Relaxed) + 1;
    if count.is_power_of_two() {
        tracing::warn!(count, "connections were {what} ({count} since the start)");
    }
}

impl Place {
    pub(super) const fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }

    pub(super) const fn places(&self) -> &Arc<Places> {
        &self.places
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.leave(self);
    }
}

impl Places {
    /// Bytes of one of its connections have come.
    pub(super) fn received(&self, connection: &Connection, bytes: &[u8]) {
        if connection.received(bytes, &self.limits) {
            self.shed_heads();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use super::*;

    fn places(connections: usize, connections_per_peer: usize) -> Arc<Places> {
        let limits = Limits {
            connections,
            connections_per_peer,
            head_bytes: Limits::LEAST_HEAD_BYTES,
            ..Limits::APPS
        };
        Arc::new(Places::new(Arc::new(limits)))
    }

    fn peer(number: u32) -> Peer {
        Peer::at(SocketAddr::new(Ipv4Addr::from_bits(number).into(), 1))
    }

    fn enter(places: &Arc<Places>, peer: Peer) -> Option<Place> {
        match places.try_enter(peer) {
            Entering::Entered(place) => Some(place),
            Entering::Refused | Entering::Full => None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn strangers_go_first_and_then_who_has_been_quiet_longest() {
        let places = places(3, 3);
        let known: Vec<_> = (0..2).map(|number| enter(&places, peer(number)).unwrap()).collect();
        for place in &known {
            place.connection().begin();
            place.connection().prove();
        }
        let stranger = enter(&places, peer(9)).unwrap();
        assert!(enter(&places, peer(10)).is_none(), "it is full");
        assert!(stranger.connection().is_let_go());
        drop(stranger);
        let third = enter(&places, peer(11)).expect("there is room again");
        third.connection().begin();
        third.connection().prove();
        assert!(enter(&places, peer(12)).is_none());
        let gone = |place: &Place| place.connection().is_let_go();
        assert!(!known.iter().any(gone) && !gone(&third), "whoever is busy stays");
        known[1].connection().end();
        tokio::time::advance(Duration::from_secs(1)).await;
        known[0].connection().end();
        assert!(enter(&places, peer(12)).is_none());
        assert!(gone(&known[1]) && !gone(&known[0]) && !gone(&third));
    }

    #[tokio::test(start_paused = true)]
    async fn a_newcomer_waits_until_somebody_leaves() {
        let places = places(1, 1);
        let first = enter(&places, peer(1)).unwrap();
        first.connection().begin();
        first.connection().prove();
        let waiting = tokio::spawn({
            let places = Arc::clone(&places);
            async move { places.enter(peer(2)).await.is_some() }
        });
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert!(!waiting.is_finished() && !first.connection().is_let_go());
        first.connection().end();
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(first.connection().is_let_go(), "it is quiet, and somebody waits");
        drop(first);
        assert!(waiting.await.unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn one_peer_has_no_more_than_its_share_and_its_strangers_give_way() {
        let places = places(100, 2);
        let known = enter(&places, peer(1)).unwrap();
        known.connection().prove();
        let stranger = enter(&places, peer(1)).unwrap();
        let third = enter(&places, peer(1)).expect("in place of the stranger");
        assert!(stranger.connection().is_let_go());
        drop(stranger);
        third.connection().prove();
        assert!(enter(&places, peer(1)).is_none());
        assert!(enter(&places, peer(2)).is_some());
        let local: Vec<_> = (0..10).filter_map(|_| enter(&places, peer(0x7f00_0001))).collect();
        assert_eq!(local.len(), 10, "this machine speaks for many");
        drop(third);
        assert!(enter(&places, peer(1)).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn heads_that_never_end_take_a_bounded_part_of_memory() {
        let places = places(10_000, 10_000);
        let part = vec![b'x'; Limits::LEAST_HEAD_BYTES / 2];
        let mut held = Vec::new();
        for number in 0..2_000 {
            let place = enter(&places, peer(number)).unwrap();
            places.received(place.connection(), &part);
            held.push(place);
            // Their tasks end them.
            held.retain(|place| !place.connection().is_let_go());
            assert!(held.len() * part.len() <= places.limits.heads_bytes(), "{}", held.len());
            tokio::time::advance(Duration::from_millis(1)).await;
        }
        held.clear();
        assert_eq!(places.heads.load(Ordering::Relaxed), 0);
        assert!(places.open().peers.is_empty() && places.open().connections.is_empty());
    }
}
