//! The server core of the emulated Telegram, seen over raw HTTP (`reference/telegram.md` sections 1 to 3, and
//! groups 1 to 11 of its checklist in section 10).
//!
//! Nothing here sleeps: time is a manual clock, and a test waits until the sandbox waits before it moves it.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected has failed")]

mod allowed_updates;
mod bad_input;
mod faults;
mod files;
mod forms;
mod lifetimes;
mod long_poll;
mod offsets;
mod stage;
mod webhook_delivery;
mod webhook_replies;
mod webhook_retries;
mod webhook_settings;
mod webhook_tls;
