//! What the operator's settings say about how accounts are reached: the same for all of them.

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

/// Says which addresses may be connected to.
pub type AddressFilter = Arc<dyn Fn(IpAddr) -> bool + Send + Sync>;

/// How servers are reached.
#[derive(Clone)]
pub struct Settings {
    /// Whom to believe.
    pub roots: Roots,
    /// Asked about every address before it is connected to; every address is allowed without one.
    pub guard: Option<AddressFilter>,
    /// For making a connection.
    pub connect_limit: Duration,
    /// For a request and its answer together.
    pub answer_limit: Duration,
}

/// Whom to believe when a server shows its certificate.
#[derive(Debug, Clone)]
pub enum Roots {
    /// The authorities of the platform.
    Platform,
    /// Those in this PEM text and no others.
    Only(Vec<u8>),
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            roots: Roots::Platform,
            guard: None,
            connect_limit: Duration::from_secs(10),
            answer_limit: Duration::from_secs(30),
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("roots", &self.roots)
            .field("guarded", &self.guard.is_some())
            .field("connect_limit", &self.connect_limit)
            .field("answer_limit", &self.answer_limit)
            .finish()
    }
}
