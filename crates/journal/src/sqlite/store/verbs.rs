//! The seam's verbs: each goes to its thread and there to the module of its subject.

mod events;
mod keeping;
mod lanes;
mod outside;

use super::{
    super::{
        append, event_rows, facts, held, inbox, journals, lane_rows, lanes as lane_verbs, leases, links,
        outline, people, read, secrets, settings, survey, sweep, upkeep,
    },
    SqliteStore,
};

/// A limit for SQL.
fn sql_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
