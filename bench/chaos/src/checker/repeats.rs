//! A destination that is posted to gets something again only if it failed to say that it had taken it, or if the
//! service was cut off meanwhile; and then at most what a lane keeps that its cursor has not passed.

use std::collections::BTreeMap;

use super::Findings;
use crate::{
    history::{Answer, Consumer, History, LaneLog},
    plan::Fault,
};

const RULE: &str = "repeats";
/// The lane's window (`tandem_lanes::Config::window`) and what can be under way at the destination.
const WINDOW: u64 = 256 + 40;
/// Between the end of a process and the record of it.
const SLACK_MS: i64 = 500;
/// The slowest answer of a destination.
const ANSWERS_WITHIN_MS: i64 = 4_500;

pub(super) fn check(history: &History, findings: &mut Findings) {
    for lane in history.lanes.iter().filter(|lane| lane.consumer != Consumer::PollingApp) {
        repeated(history, lane, findings);
    }
}

fn repeated(history: &History, lane: &LaneLog, findings: &mut Findings) {
    let mut last: BTreeMap<u64, (i64, Answer)> = BTreeMap::new();
    // How much came again because of which end of a process.
    let mut by_end: BTreeMap<i64, u64> = BTreeMap::new();
    for receipt in lane.receipts.iter().filter(|receipt| receipt.answer != Answer::Failed) {
        let before = last.insert(receipt.seen.identity, (receipt.at_ms, receipt.answer));
        let Some((before_ms, Answer::Took)) = before else { continue };
        if was_shut_out(history, lane, before_ms) {
            continue;
        }
        let cut =
            history.lives.iter().filter(|life| life.was_cut()).find(|life| {
                before_ms <= life.ended_ms + SLACK_MS && life.ended_ms <= receipt.at_ms + SLACK_MS
            });
        if let Some(life) = cut {
            *by_end.entry(life.ended_ms).or_default() += 1;
            continue;
        }
        let what = format!(
            "{} got update {} at {} again, which it had taken at {before_ms}, with nothing to explain it",
            lane.name, receipt.seen.update_id, receipt.at_ms
        );
        findings.violate(RULE, what);
    }
    let most = by_end.values().copied().max().unwrap_or(0);
    if most > WINDOW {
        findings.violate(RULE, format!("{} got {most} updates again after one crash", lane.name));
    }
    findings.most(format!("{}: most repeats of one crash", lane.name), most);
    findings.count(format!("{}: repeats", lane.name), by_end.values().sum::<u64>());
}

/// Whether the destination shut its door while it may still have been answering.
fn was_shut_out(history: &History, lane: &LaneLog, taken_ms: i64) -> bool {
    let shuts = |fault: Fault| {
        lane.faults.contains(&fault)
            && matches!(
                fault,
                Fault::CrmIsAway | Fault::CrmResets | Fault::RelayIsAway | Fault::WebhookIsAway
            )
    };
    history.episodes.iter().any(|one| {
        shuts(one.fault) && (taken_ms - SLACK_MS..=taken_ms + ANSWERS_WITHIN_MS).contains(&one.from_ms)
    })
}
