//! The client and the pipe against servers and proxies written here on bare TCP: they answer late, in pieces, with
//! HTML, or not at all.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests too")]

mod calls;
mod pipes;
mod proxies;
mod secrecy;
mod server;
mod tls;
