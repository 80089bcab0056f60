//! The core of the bridge from outside: updates in, relays out.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

#[path = "../support/mod.rs"]
mod support;

mod every_kind;
mod intake_polling;
mod intake_trouble;
mod intake_webhook;
mod keeping;
mod media;
mod relay_delivery;
mod relay_failures;
mod secrecy;
mod settings;
