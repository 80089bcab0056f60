//! What a run comes to: for people, and as JSON for programs.

use std::{collections::BTreeMap, fmt, time::Duration};

use serde::Serialize;

use crate::{
    checker::{self, Violation},
    history::History,
    plan::{Fault, Plan},
};

/// So many violations of a rule are told; all are counted.
const TOLD: usize = 10;

/// What a run comes to.
#[derive(Debug, Serialize)]
pub struct Verdict {
    /// Everything was as it is promised.
    pub clean: bool,
    /// The seed of the plan.
    pub seed: u64,
    /// How long the run took.
    pub seconds: u64,
    /// How often each fault was planned.
    pub faults: BTreeMap<Fault, usize>,
    /// What could not be done on this machine.
    pub left_out: Vec<&'static str>,
    /// What was counted.
    pub counts: BTreeMap<String, u64>,
    /// How often each promise was broken.
    pub broken: BTreeMap<&'static str, usize>,
    /// The first of each.
    pub violations: Vec<Violation>,
}

impl Verdict {
    pub(crate) fn of(seed: u64, plan: &Plan, history: &History, unfilled: bool, took: Duration) -> Self {
        let findings = checker::check(history);
        let mut broken: BTreeMap<&'static str, usize> = BTreeMap::new();
        let mut violations = Vec::new();
        for violation in findings.violations {
            let times = broken.entry(violation.rule).or_default();
            *times += 1;
            if *times <= TOLD {
                violations.push(violation);
            }
        }
        let left_out = if unfilled {
            vec!["the disk could not be filled: nothing may be mounted here"]
        } else {
            Vec::new()
        };
        Self {
            clean: broken.is_empty(),
            seed,
            seconds: took.as_secs(),
            faults: plan.counts(),
            left_out,
            counts: findings.counts,
            broken,
            violations,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}, {} s", self.seed, self.seconds)?;
        for (what, number) in &self.counts {
            writeln!(f, "{number:>10}  {what}")?;
        }
        for left_out in &self.left_out {
            writeln!(f, "left out: {left_out}")?;
        }
        for Violation { rule, what } in &self.violations {
            writeln!(f, "BROKEN {rule}: {what}")?;
        }
        for (rule, times) in &self.broken {
            writeln!(f, "BROKEN {rule}: {times} times")?;
        }
        f.write_str(if self.clean { "clean" } else { "not clean" })
    }
}
