//! The checker: knows what the sandbox and the receivers saw and nothing of the service's inside, and says where that
//! is not what was promised.
//!
//! Each promise is a function of the history. `tests.rs` doctors histories: each way in which a promise can be broken
//! is found.

mod confirmed;
mod delivery;
mod held;
mod order;
mod process;
mod repeats;
mod sent;
mod size;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::history::{History, Settled};

/// Something that was promised and is not so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// Which promise.
    pub rule: &'static str,
    /// What was seen.
    pub what: String,
}

/// What the checker found, and what it counted on the way.
#[derive(Debug, Default, Serialize)]
pub struct Findings {
    /// What is not as it was promised.
    pub violations: Vec<Violation>,
    /// How much there was of what.
    pub counts: BTreeMap<String, u64>,
}

impl Findings {
    fn violate(&mut self, rule: &'static str, what: impl Into<String>) {
        self.violations.push(Violation { rule, what: what.into() });
    }

    fn count(&mut self, name: impl Into<String>, number: impl TryInto<u64>) {
        *self.counts.entry(name.into()).or_default() += number.try_into().unwrap_or(u64::MAX);
    }

    fn most(&mut self, name: impl Into<String>, number: u64) {
        let most = self.counts.entry(name.into()).or_default();
        *most = number.max(*most);
    }
}

/// Judges a history by every promise.
pub fn check(history: &History) -> Findings {
    let mut findings = Findings::default();
    if let Settled::No(missing) = &history.settled {
        findings.violate("settles", missing.clone());
    }
    delivery::check(history, &mut findings);
    order::check(history, &mut findings);
    confirmed::check(history, &mut findings);
    repeats::check(history, &mut findings);
    sent::check(history, &mut findings);
    held::check(history, &mut findings);
    process::check(history, &mut findings);
    size::check(history, &mut findings);
    findings
}
