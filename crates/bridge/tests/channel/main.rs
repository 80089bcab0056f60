//! A route of mode `channel` from end to end: clients in the sandbox's Telegram, the bridge, and the emulator's amoCRM.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod crowd;
mod failures;
mod outage;
mod people;
mod shop;
#[expect(dead_code, unused_imports, reason = "it serves other tests, too")]
#[path = "../support/mod.rs"]
mod support;
mod telling;
mod town;
