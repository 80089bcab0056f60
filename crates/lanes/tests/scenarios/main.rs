//! What lanes promise, told as scenarios on the SQLite engine with a clock that stands still.

#![expect(clippy::unwrap_used, reason = "what fails here fails a test")]

mod support;

mod bounds;
mod failures;
mod machine;
mod operate;
mod order;
mod pauses;
mod pull;
mod repeats;
mod shutdown;
mod switching;
