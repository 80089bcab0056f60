//! What a lane holds is what its destination failed at, and in the end nothing is held, given up or lost.

use super::Findings;
use crate::history::{Answer, HeldSample, History, LaneLog};

const RULE: &str = "held";
/// A row says so of an event that has not been tried.
const UNTRIED: [&str; 3] = ["", "the lane stood still", "the attempt takes long"];

pub(super) fn check(history: &History, findings: &mut Findings) {
    for lane in &history.lanes {
        let end = &lane.end;
        for (what, number) in [
            ("waiting", end.waiting),
            ("held for another attempt", end.retrying),
            ("of unknown outcome", end.unknown),
            ("given up", end.dead),
            ("skipped", end.skipped),
            ("lost", end.lost),
        ] {
            if number > 0 {
                findings.violate(RULE, format!("{}: {number} updates are {what} in the end", lane.name));
            }
        }
    }
    for sample in &history.held {
        let Some(lane) = history.lanes.iter().find(|lane| lane.name == sample.lane) else {
            findings.violate(RULE, format!("there is no lane {}", sample.lane));
            continue;
        };
        match sample.state.as_str() {
            "retrying" | "sending" if is_explained(history, lane, sample) => {}
            state => {
                let what = format!(
                    "{} held an update of conversation {} as {state} after {} attempts: {}",
                    lane.name, sample.conversation, sample.tries, sample.reason
                );
                findings.violate(RULE, what);
            }
        }
    }
    findings.count("held updates looked at", history.held.len());
}

/// Whether the destination failed an update of this conversation, or could not be reached, before it was looked at.
fn is_explained(history: &History, lane: &LaneLog, sample: &HeldSample) -> bool {
    if sample.tries == 0 && UNTRIED.contains(&sample.reason.as_str()) {
        return true;
    }
    let failed = lane.receipts.iter().any(|receipt| {
        receipt.answer != Answer::Took
            && receipt.at_ms <= sample.at_ms
            && receipt.seen.conversation == sample.conversation
    });
    failed || history.was(&lane.faults, i64::MIN, sample.at_ms)
}
