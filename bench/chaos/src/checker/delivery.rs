//! Each update reaches each lane whose filter lets it through, unchanged, and nothing else does.
//!
//! What may be missing: an update that Telegram dropped before it was confirmed (then it is missing everywhere); at an
//! app a press on a message that another app sent, which is that app's; and at an app a short-lived query that had
//! lived its time. Such queries are counted by the lane, and there must be a reason for each: the app or its lane was
//! kept from it, or the clock was set ahead.

use std::collections::{BTreeMap, BTreeSet};

use super::Findings;
use crate::{
    history::{Answer, Consumer, History, LaneLog, Update},
    plan::Fault,
};

const RULE: &str = "delivery";
/// How long a press is worth delivering to an app.
const PRESS_LIVES_MS: i64 = 150_000;
/// How long before it was made a failure may have happened for which a query waits: the longest wait of the ladder.
const LADDER_MS: i64 = 120_000;

pub(super) fn check(history: &History, findings: &mut Findings) {
    let made: BTreeMap<u64, &Update> = history
        .updates
        .iter()
        .filter_map(|update| update.given.as_ref().map(|(_, seen)| (seen.identity, update)))
        .collect();
    findings.count("updates", history.updates.len());
    findings.count("updates confirmed", history.updates.iter().filter(|one| one.confirmed).count());
    findings.count("updates dropped by Telegram", history.updates.iter().filter(|one| one.dropped).count());
    for update in &history.updates {
        if update.confirmed && update.given.is_none() {
            let n = update.n;
            findings.violate(RULE, format!("update {n} was confirmed and never given"));
        }
        if !(update.confirmed || update.dropped || update.expired) {
            findings
                .violate(RULE, format!("update {} ({}) was left at Telegram", update.n, update.update_id));
        }
    }
    let taken: Vec<BTreeSet<u64>> = history.lanes.iter().map(taken).collect();
    for (lane, taken) in history.lanes.iter().zip(&taken) {
        for strange in taken.iter().filter(|identity| !made.contains_key(identity)) {
            findings.violate(RULE, format!("{} got something Telegram never gave: {strange:x}", lane.name));
        }
        for unwanted in taken
            .iter()
            .filter_map(|identity| made.get(identity))
            .filter(|one| !lane.kinds.contains(&one.kind))
        {
            findings
                .violate(RULE, format!("{} got a {}, which it did not ask for", lane.name, unwanted.kind));
        }
        findings.count(format!("{}: updates", lane.name), taken.len());
    }
    for lane in &history.lanes {
        numbers_are_kept(lane, &made, findings);
    }
    missing(history, &made, &taken, findings);
}

fn taken(lane: &LaneLog) -> BTreeSet<u64> {
    lane.receipts
        .iter()
        .filter(|receipt| receipt.answer != Answer::Failed)
        .map(|receipt| receipt.seen.identity)
        .collect()
}

/// A route gets Telegram's own numbers.
fn numbers_are_kept(lane: &LaneLog, made: &BTreeMap<u64, &Update>, findings: &mut Findings) {
    if lane.consumer != Consumer::Route {
        return;
    }
    for receipt in &lane.receipts {
        if let Some(update) = made.get(&receipt.seen.identity)
            && update.update_id != receipt.seen.update_id
        {
            let what = format!(
                "{} got update {} under the number {}",
                lane.name, update.update_id, receipt.seen.update_id
            );
            findings.violate(RULE, what);
        }
    }
}

fn missing(
    history: &History,
    made: &BTreeMap<u64, &Update>,
    taken: &[BTreeSet<u64>],
    findings: &mut Findings,
) {
    let authors = Authors::of(history);
    for (lane, has) in history.lanes.iter().zip(taken) {
        let (mut of_others, mut shared) = (0, 0);
        let mut expired = Vec::new();
        for (identity, update) in made {
            if has.contains(identity) || !lane.kinds.contains(&update.kind) {
                continue;
            }
            // The service has it if it confirmed it or if anybody got it.
            if !update.confirmed && !taken.iter().any(|has| has.contains(identity)) {
                continue;
            }
            if lane.consumer != Consumer::Route {
                let got_by = |app: &str| {
                    history
                        .lanes
                        .iter()
                        .zip(taken)
                        .any(|(lane, has)| lane.name == app && has.contains(identity))
                };
                let authors = authors.find(update);
                if authors.is_some_and(|apps| {
                    !apps.contains(lane.name.as_str()) || apps.iter().any(|app| got_by(app))
                }) {
                    of_others += 1;
                    continue;
                }
                if may_have_expired(history, lane, update) {
                    expired.push(update.update_id);
                    shared += u64::from(authors.is_some_and(|apps| apps.len() > 1));
                    continue;
                }
            }
            let what = format!("{} never got update {} ({})", lane.name, update.update_id, update.kind);
            findings.violate(RULE, what);
        }
        let number = u64::try_from(expired.len()).unwrap_or(u64::MAX);
        // A press that came before the journal had its message was everybody's, and may have lived its time too.
        let allowed = number.saturating_sub(shared)..=number + of_others;
        let counted = lane.end.expired;
        if !allowed.contains(&counted) {
            let what = format!(
                "{} says that {counted} updates had lived their time; missing for that reason are {expired:?}",
                lane.name
            );
            findings.violate(RULE, what);
        }
        findings.count(format!("{}: queries that had lived their time", lane.name), number);
        findings.count(format!("{}: presses that were another app's", lane.name), of_others);
    }
}

/// Which apps sent, or edited, which messages with buttons.
struct Authors(BTreeMap<(String, i64), BTreeSet<&'static str>>);

impl Authors {
    fn of(history: &History) -> Self {
        let mut authors: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for (_, seen) in history.updates.iter().filter_map(|update| update.given.as_ref()) {
            let Some(pressed) = seen.pressed else { continue };
            if let Some(send) = pressed.mark.and_then(|mark| history.sends.get(&mark)) {
                authors.entry((seen.conversation.clone(), pressed.message)).or_default().insert(send.app);
            }
        }
        for (send, (chat, message)) in history.sends.values().filter_map(|send| Some((send, send.edits?))) {
            authors.entry((chat.to_string(), message)).or_default().insert(send.app);
        }
        Self(authors)
    }

    /// The apps that have to do with the message of a press, if that is known.
    fn find(&self, update: &Update) -> Option<&BTreeSet<&'static str>> {
        let (_, seen) = update.given.as_ref()?;
        self.0.get(&(seen.conversation.clone(), seen.pressed?.message))
    }
}

/// Whether this update is one of those that live shortly, and something kept the app from it for so long.
fn may_have_expired(history: &History, lane: &LaneLog, update: &Update) -> bool {
    let Some((made_ms, _)) = &update.given else { return false };
    if update.kind != "callback_query" {
        return false;
    }
    let (from, to) = (made_ms - LADDER_MS, made_ms + PRESS_LIVES_MS);
    let failed = || {
        let mut failures = lane.receipts.iter().filter(|receipt| receipt.answer != Answer::Took);
        failures.any(|receipt| from <= receipt.at_ms && receipt.at_ms <= to)
    };
    history.was(&[Fault::ClockAhead], *made_ms - 1000, to) || history.was(&lane.faults, from, to) || failed()
}
