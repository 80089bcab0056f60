//! What the service takes of the machine does not grow with what happened before: memory, open files, the database's
//! log; and the database grows by what is in it alone.

use super::Findings;
use crate::history::{History, Size};

const RULE: &str = "size";
/// Far above what two apps and two routes need, far below what a backlog of minutes would take if it were kept.
const MEMORY_KB: u64 = 96 << 10;
/// Connections of two hundred clients' worth of deliveries, files of the store.
const FILES: u64 = 400;
/// SQLite's log is begun anew at a thousand pages once nobody reads the old one.
const LOG_BYTES: u64 = 48 << 20;
/// Bytes of the database for each update and message in it, indexes and held rows included.
const BYTES_EACH: u64 = 4 << 10;
const DATABASE_BYTES: u64 = 1 << 20;

pub(super) fn check(history: &History, findings: &mut Findings) {
    let most = |of: fn(&Size) -> u64| history.sizes.iter().map(of).max().unwrap_or(0);
    let events = u64::try_from(history.updates.len() + history.journal.len()).unwrap_or(u64::MAX);
    for (what, seen, allowed) in [
        ("kB of memory", most(|size| size.memory_kb), MEMORY_KB),
        ("open files", most(|size| size.files), FILES),
        ("bytes of log", most(|size| size.log), LOG_BYTES),
        ("bytes of database", most(|size| size.database), DATABASE_BYTES + events * BYTES_EACH),
    ] {
        findings.most(format!("most {what}"), seen);
        if seen > allowed {
            findings.violate(RULE, format!("{seen} {what}, which is more than {allowed}"));
        }
    }
    memory_is_flat(history, findings);
}

/// The last third of the run takes no more than the first one.
fn memory_is_flat(history: &History, findings: &mut Findings) {
    let third = history.sizes.len() / 3;
    if third < 20 {
        return;
    }
    let median = |sizes: &[Size]| {
        let mut memory: Vec<u64> = sizes.iter().map(|size| size.memory_kb).collect();
        memory.sort_unstable();
        memory[memory.len() / 2]
    };
    let (first, last) = (median(&history.sizes[..third]), median(&history.sizes[2 * third..]));
    findings.most("median kB of memory in the first third", first);
    findings.most("median kB of memory in the last third", last);
    if last > first + first / 2 {
        findings.violate(RULE, format!("memory grew from {first} kB to {last} kB"));
    }
}
