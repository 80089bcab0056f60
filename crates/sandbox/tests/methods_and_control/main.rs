//! What bots send and what their clients see: the methods of the emulated Telegram, and the control API, over
//! raw HTTP on both listeners.
//!
//! Nothing here sleeps: time is a manual clock.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected has failed")]

mod all_methods;
mod buttons;
mod chats;
mod control_api;
mod copies;
mod documentation;
mod edits;
mod errors;
mod files;
mod guides;
mod inline_mode;
mod payments;
mod polls;
mod reactions;
mod settings;
mod stage;
mod texts;
