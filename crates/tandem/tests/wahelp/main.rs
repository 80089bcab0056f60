//! The stories with Wahelp in the middle, in both modes.

#![allow(clippy::unwrap_used, reason = "where a test panics, it fails")]

mod api;
mod native;
#[path = "../support/mod.rs"]
mod support;
