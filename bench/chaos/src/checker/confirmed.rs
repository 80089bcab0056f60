//! What a polling app has confirmed never comes back to it, under whatever number.

use std::collections::BTreeSet;

use super::Findings;
use crate::history::{History, LaneLog, Poll};

const RULE: &str = "confirmed";

pub(super) fn check(history: &History, findings: &mut Findings) {
    for lane in history.lanes.iter().filter(|lane| !lane.polls.is_empty()) {
        never_back(lane, findings);
    }
}

fn never_back(lane: &LaneLog, findings: &mut Findings) {
    // What was got, by number, and what of it is confirmed; questions are looked at in the order of their beginning,
    // so that one that was asked before a confirmation was answered is not held against it.
    let mut answered: Vec<&Poll> = lane.polls.iter().collect();
    answered.sort_by_key(|poll| poll.answered);
    let mut asked: Vec<&Poll> = lane.polls.iter().collect();
    asked.sort_by_key(|poll| poll.asked);
    let mut given: BTreeSet<(i64, u64)> = BTreeSet::new();
    let mut confirmed: BTreeSet<u64> = BTreeSet::new();
    let mut below = 0;
    let mut next = answered.into_iter().peekable();
    for poll in asked {
        while let Some(before) = next.next_if(|before| before.answered < poll.asked) {
            below = below.max(before.offset);
            given.extend(before.got.iter().copied());
            let rest = given.split_off(&(below, 0));
            confirmed.extend(std::mem::replace(&mut given, rest).into_iter().map(|(_, identity)| identity));
        }
        for (number, identity) in &poll.got {
            if *number < below || confirmed.contains(identity) {
                let what = format!(
                    "{} got update {number} again after everything below {below} was confirmed",
                    lane.name
                );
                findings.violate(RULE, what);
            }
        }
    }
    findings.count(format!("{}: confirmed", lane.name), confirmed.len());
    findings.count(format!("{}: answered questions", lane.name), lane.polls.len());
}
