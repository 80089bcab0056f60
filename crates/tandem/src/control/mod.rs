//! The control socket: how commands speak to the process that has the database open.
//!
//! A Unix socket beside the database, for its owner alone (mode 0600, and the peer's user is asked for again).
//! HTTP/1.1, one path: `POST /perform` with an operation's `Request` as JSON is answered 200 with its `Response`,
//! or 422 with a `Refusal`. Nothing else is there, and nothing of it is reachable from the network.

mod client;
mod server;

pub use client::{ControlError, perform};
pub(crate) use server::{ControlSocket, SocketError};

/// Where operations are posted.
const PERFORM: &str = "/perform";

/// Says which version serves, so that a difference can be named when two do not understand each other.
const VERSION_HEADER: &str = "tandem-version";

/// Largest request and answer: a whole `bots.toml`, a long list of held events.
const MAX_BODY_BYTES: usize = 16 << 20;
