//! The service ends when it is asked to, in time, and by itself only when the disk gives it no choice.

use super::Findings;
use crate::{
    history::{End, History},
    plan::Fault,
};

const RULE: &str = "process";
/// Eight seconds to finish, and closing the store.
const ENDS_WITHIN_MS: i64 = 10_000;

pub(super) fn check(history: &History, findings: &mut Findings) {
    for life in &history.lives {
        match life.end {
            End::Killed => findings.count("kills", 1_u64),
            End::Asked { code, took_ms } => {
                findings.count("ends on SIGTERM", 1_u64);
                findings.most("longest end on SIGTERM in ms", u64::try_from(took_ms).unwrap_or(0));
                // What stands still cannot hear, and a sync that takes its time is waited for.
                let from = life.ended_ms - took_ms;
                let hindered = history.was(
                    &[Fault::Stopped, Fault::DiskIsSlow, Fault::DiskFails, Fault::DiskIsFullForGood],
                    from - 1_000,
                    life.ended_ms,
                );
                if code != Some(0) && !hindered {
                    findings.violate(RULE, format!("it ended with {code:?} when it was asked to"));
                }
                if took_ms > ENDS_WITHIN_MS && !hindered {
                    findings.violate(RULE, format!("it took {took_ms} ms to end"));
                }
            }
            End::ByItself { code } => {
                findings.count("ends by itself", 1_u64);
                let disk = [Fault::DiskFails, Fault::DiskIsFull, Fault::DiskIsFullForGood];
                if !history.was(&disk, life.ended_ms - 3_000, life.ended_ms) {
                    findings
                        .violate(RULE, format!("it ended by itself with {code:?}, and the disk was well"));
                }
            }
        }
    }
    for panic in &history.panics {
        findings.violate(RULE, format!("it panicked: {panic}"));
    }
}
