//! What operators do, from outside: taking bots over and giving them back, apps, lanes, files.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "what the bridge's core is shown with is more than operators need")]
mod support;

mod adopt;
mod adopt_interrupted;
mod apply;
mod guard_fight;
mod guard_holes;
mod guard_policies;
mod guard_retake;
mod guarded;
mod operators;
mod people;
mod release;
mod rules;
mod sharing;
