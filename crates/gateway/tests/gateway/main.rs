//! The gateway as apps meet it: over HTTP, on a real store with real lanes, before a Telegram that does as it is told.

#![expect(clippy::unwrap_used, reason = "helpers of tests: a failure is a failed test")]

mod a_day_away;
mod answers;
mod bad_input;
mod buttons;
mod captured;
mod conversations;
mod documentation;
mod every_capture;
mod every_kind;
mod every_method;
mod every_method_understood;
mod faults;
mod files;
mod forms;
mod hand_offs;
mod hostile_addresses;
mod hostile_connections;
mod hostile_requests;
mod limits;
mod long_poll;
mod offsets;
mod others_sends;
mod presses;
mod questions;
mod secrecy;
mod support;
mod two_apps;
mod virtual_methods;
mod webhook_delivery;
mod webhook_replies;
mod webhook_settings;
