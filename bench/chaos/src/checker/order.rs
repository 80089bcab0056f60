//! What belongs together comes in the order in which Telegram made it; and numbers for apps only grow.

use std::collections::BTreeMap;

use super::Findings;
use crate::history::{Answer, Consumer, History, LaneLog, Order};

const RULE: &str = "order";

pub(super) fn check(history: &History, findings: &mut Findings) {
    let places: BTreeMap<u64, u64> = history
        .updates
        .iter()
        .filter_map(|update| update.given.as_ref().map(|(_, seen)| (seen.identity, update.n)))
        .collect();
    for lane in &history.lanes {
        in_order(lane, &places, findings);
    }
    numbers_grow(history, findings);
}

/// The first time something is taken, everything before it in its queue has been taken.
fn in_order(lane: &LaneLog, places: &BTreeMap<u64, u64>, findings: &mut Findings) {
    let mut last: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    let mut known = std::collections::BTreeSet::new();
    for receipt in lane.receipts.iter().filter(|receipt| receipt.answer != Answer::Failed) {
        let seen = &receipt.seen;
        if !known.insert(seen.identity) {
            continue;
        }
        let Some(place) = places.get(&seen.identity) else { continue };
        let family = match lane.order {
            Order::Conversation => "",
            Order::ConversationAndFamily => seen.family.as_str(),
        };
        let before = last.entry((&seen.conversation, family)).or_default();
        if place < before {
            let what = format!(
                "{} got update {place} of conversation {} after update {before}",
                lane.name, seen.conversation
            );
            findings.violate(RULE, what);
        }
        *before = (*before).max(*place);
    }
    findings.count(format!("{}: queues in order", lane.name), last.len());
}

/// An update has one number for all apps and for ever, and a later one has a higher one.
fn numbers_grow(history: &History, findings: &mut Findings) {
    let mut numbers: BTreeMap<u64, i64> = BTreeMap::new();
    for lane in history.lanes.iter().filter(|lane| lane.consumer != Consumer::Route) {
        for receipt in &lane.receipts {
            let number = receipt.seen.update_id;
            let known = *numbers.entry(receipt.seen.identity).or_insert(number);
            if known != number {
                let what = format!("{} got one update under {number} and under {known}", lane.name);
                findings.violate(RULE, what);
            }
        }
        for poll in &lane.polls {
            if poll.got.windows(2).any(|pair| pair[0].0 >= pair[1].0) {
                let numbers: Vec<i64> = poll.got.iter().map(|(number, _)| *number).collect();
                findings.violate(RULE, format!("{} got numbers that do not grow: {numbers:?}", lane.name));
            }
        }
    }
    let mut owners: BTreeMap<i64, u64> = BTreeMap::new();
    for (identity, number) in numbers {
        if owners.insert(number, identity).is_some() {
            findings.violate(RULE, format!("two updates have the number {number}"));
        }
    }
}
