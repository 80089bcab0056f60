//! The journal has everything that Telegram carried out for the apps, once, and nothing else.
//!
//! What may be missing (invariant 1): what Telegram had carried out when the service was cut off before it could commit
//! that, and what Telegram's answer did not come through for. To neither the app was told that it was sent. A disk that
//! fails or is filled in that very moment is the same hole, except that the app is told.

use std::collections::BTreeMap;

use super::Findings;
use crate::{
    history::{Happened, Heard, History, Send},
    plan::Fault,
};

const RULE: &str = "sent";
/// Nobody hears what came of a call that was a webhook's answer: so long it may have been under way.
const UNHEARD_MS: i64 = 15_000;
/// Between what the sandbox, the app and the supervisor note of one moment.
const SLACK_MS: i64 = 250;

pub(super) fn check(history: &History, findings: &mut Findings) {
    let mut kept: BTreeMap<u64, u64> = BTreeMap::new();
    for mark in &history.journal {
        *kept.entry(*mark).or_default() += 1;
    }
    for (mark, times) in &kept {
        if *times > 1 {
            findings.violate(RULE, format!("the journal has message {mark} {times} times"));
        }
        if !history.carried_out.contains_key(mark) {
            findings.violate(RULE, format!("the journal has message {mark}, which Telegram never sent"));
        }
    }
    for (mark, at_ms) in history.carried_out.iter().filter(|(mark, _)| !kept.contains_key(mark)) {
        let Some(send) = history.sends.get(mark) else {
            findings.violate(RULE, format!("message {mark} was sent by nobody"));
            continue;
        };
        if let Some(excuse) = excuse(history, *mark, *at_ms, *send) {
            findings.count(format!("sent, not in the journal: {excuse}"), 1_u64);
            continue;
        }
        let (asked_ms, heard) = (send.at_ms, send.heard);
        let ends: Vec<i64> = history.lives.iter().map(|life| life.ended_ms - at_ms).collect();
        let nearest = ends.into_iter().min_by_key(|distance| distance.abs());
        let what = format!(
            "message {mark}, asked for at {asked_ms} and carried out at {at_ms}, is not in the journal: its app heard {heard:?}; \
                     the nearest end of a process was {nearest:?} ms after it"
        );
        findings.violate(RULE, what);
    }
    for (mark, send) in &history.sends {
        if let Some((_, Heard::Ok)) = send.heard
            && !history.carried_out.contains_key(mark)
        {
            findings.violate(RULE, format!("an app was told that message {mark} was sent, and it was not"));
        }
    }
    findings.count("messages sent by apps", history.carried_out.len());
    findings.count("messages in the journal", history.journal.len());
}

/// Why a message may be missing.
fn excuse(history: &History, mark: u64, at_ms: i64, send: Send) -> Option<&'static str> {
    // What was on the last stretch of the way when the connection broke counts too.
    let broke =
        |one: &Happened| one.fault == Fault::UpstreamIsAway && (one.from_ms - at_ms).abs() <= SLACK_MS;
    if history.answers_lost.contains(&mark) || history.episodes.iter().any(broke) {
        return Some("Telegram's answer was lost");
    }
    let disk = [Fault::DiskFails, Fault::DiskIsFull, Fault::DiskIsFullForGood];
    let heard_ms = match send.heard {
        Some((_, Heard::Ok)) => {
            return history
                .was(&disk, at_ms - SLACK_MS, at_ms + SLACK_MS)
                .then_some("the disk failed or was full at that moment");
        }
        Some((heard_ms, Heard::Failure)) => heard_ms,
        Some((_, Heard::Never)) | None => at_ms + UNHEARD_MS,
    };
    // It was under way when the process that it was asked of ended. Telegram may have carried it out even later: the
    // request had left.
    let cut = history.lives.iter().any(|life| {
        life.was_cut() && send.at_ms <= life.ended_ms && life.end_began_ms <= heard_ms + SLACK_MS
    });
    if cut {
        return Some("the service was cut off");
    }
    history
        .was(&disk, at_ms - SLACK_MS, at_ms + SLACK_MS)
        .then_some("the disk failed or was full at that moment")
}
