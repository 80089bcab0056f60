//! Wahelp's emulator from outside: over its API, its hooks, its control routes and the Bot API.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected has failed")]

mod account;
mod amocrm;
mod bot_channel;
mod faults;
mod hooks;
mod messages;
mod stage;
