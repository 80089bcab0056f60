//! Connections and what comes through them, from outside: a vendor of our own, real HTTP, real SQLite.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod applying;
mod applying_wahelp;
mod connecting;
mod crm;
mod echoes;
mod hand_off;
mod hooks;
mod missed;
mod oauth;
mod shared_path;
#[expect(dead_code, unused_imports, reason = "it serves other tests, too")]
#[path = "../support/mod.rs"]
mod support;
mod world;
mod write_first;
