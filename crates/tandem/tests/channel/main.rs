//! A channel at amoCRM through the whole service: the real `tandem serve` between the sandbox's Telegram and its amoCRM,
//! with clients on one side and managers on the other.

#![allow(clippy::unwrap_used, reason = "where a test panics, it fails")]

#[path = "../support/mod.rs"]
mod support;

mod kills;
mod kinds;
mod media;
mod outage;
mod write_first;
