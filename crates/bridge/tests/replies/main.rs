//! What managers want, carried out in Telegram: from a `Reply` in the journal to what the client sees.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "what the bridge's core is shown with is more than replies need")]
mod support;

mod acts;
mod albums;
mod budget;
mod crm;
mod desk;
mod file_faults;
mod file_server;
mod interrupted;
mod presses;
mod refusals;
