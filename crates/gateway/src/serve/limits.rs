//! What the peers of a listener may do.

use std::{net::IpAddr, time::Duration};

use super::Network;

/// What a listener's peers may do. The defaults are those of `gateway_limits` and `public_limits` in the settings.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at a time. When there are more, those of strangers are let go, the oldest first, then those that
    /// have been quiet longest; if all are busy, new ones wait in the listener's backlog.
    pub connections: usize,
    /// Connections at a time of one address, or of one /64 of IPv6. This machine and [`Self::trusted_proxies`] speak
    /// for many and may have all.
    pub connections_per_peer: usize,
    /// Longest head of a request, at least [`Self::LEAST_HEAD_BYTES`]. Somewhat beyond it the answer is 431.
    pub head_bytes: usize,
    /// For a request's head from its first byte on, and for a new connection's first request.
    pub head: Duration,
    /// For the quiet between two requests, on the connection of somebody who has proven who he is.
    pub idle: Duration,
    /// How long a peer may bring nothing of a body, or take nothing of an answer. Whoever is slower than
    /// [`Self::bytes_per_sec`] uses it up.
    pub stall: Duration,
    /// What a body and an answer must move at in the long run.
    pub bytes_per_sec: u32,
    /// Longest body; beyond it the answer is 413.
    pub body_bytes: u64,
    /// After so many requests a connection is closed, with `Connection: close` on the last answer.
    pub requests_per_connection: u64,
    /// So many refusals a minute a peer may collect (401 and 404, with nothing proven); beyond them it is told to come
    /// back later, and every answer closes its connection.
    pub refused_per_minute: u32,
    /// Proxies before the listener, whose `X-Forwarded-For` is believed. This machine is always believed.
    pub trusted_proxies: Vec<Network>,
}

impl Limits {
    /// No head can be asked to be shorter.
    pub const LEAST_HEAD_BYTES: usize = 8 << 10;

    /// For apps: each may hold a long poll open. Quiet connections are kept as long as Telegram keeps them
    /// (reference/telegram.md 1.3), so that no library finds one closed that it would not find closed there; heads and
    /// bodies may be as long as there.
    pub const APPS: Self = Self {
        connections: 20_000,
        connections_per_peer: 5_000,
        head_bytes: 256 << 10,
        head: Duration::from_secs(30),
        idle: Duration::from_secs(500),
        stall: Duration::from_mins(1),
        bytes_per_sec: 256,
        body_bytes: 4000 << 20,
        requests_per_connection: 100_000,
        refused_per_minute: 300,
        trusted_proxies: Vec::new(),
    };

    /// For whoever reaches the public address. Telegram opens at most a hundred connections for a bot. Updates are at
    /// most half a mebibyte long; the body's limit is what `getUpdates` gives in one answer.
    pub const STRANGERS: Self = Self {
        connections: 4_000,
        connections_per_peer: 1_000,
        head_bytes: 32 << 10,
        head: Duration::from_secs(10),
        idle: Duration::from_secs(75),
        stall: Duration::from_secs(20),
        bytes_per_sec: 1024,
        body_bytes: 4 << 20,
        requests_per_connection: 100_000,
        refused_per_minute: 300,
        trusted_proxies: Vec::new(),
    };

    /// For this user's own commands.
    pub const OWN: Self = Self {
        connections: 64,
        connections_per_peer: 64,
        head_bytes: Self::LEAST_HEAD_BYTES,
        head: Duration::from_secs(10),
        idle: Duration::from_secs(30),
        stall: Duration::from_mins(1),
        bytes_per_sec: 1024,
        body_bytes: 16 << 20,
        requests_per_connection: 100_000,
        refused_per_minute: 300,
        trusted_proxies: Vec::new(),
    };

    /// All heads that are not whole yet take at most as much memory as so many of the largest.
    pub(super) const fn heads_bytes(&self) -> usize {
        const HEADS: usize = 256;
        self.head_bytes.saturating_mul(HEADS)
    }

    /// Whether this address speaks for many.
    pub(super) fn speaks_for_others(&self, address: IpAddr) -> bool {
        address.is_loopback() || self.trusted_proxies.iter().any(|network| network.contains(address))
    }
}
