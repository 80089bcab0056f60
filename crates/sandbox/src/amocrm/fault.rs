//! Faults of the hook: how amoCRM misbehaves when it is told to.
//!
//! A fault is counted (`times`), timed by the sandbox's clock (`for_ms`), both, or stays until it is cleared.
//! The first one that is still due decides about a delivery; one with a `percent` meets only that share of them, by the
//! sandbox's seed.

use serde::{Deserialize, Serialize};

/// What happens to a delivery.
///
/// `taken` says whether amoCRM keeps the update before it fails: `true` is the ambiguous failure after which a
/// sender repeats what has already been shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum Fault {
    /// An answer with this status.
    Status {
        code: u16,
        #[serde(default)]
        body: Option<String>,
        #[serde(default)]
        retry_after: Option<u32>,
        #[serde(default)]
        taken: bool,
    },
    /// No answer at all.
    Silence {
        #[serde(default)]
        taken: bool,
    },
    /// The connection is reset.
    Reset {
        #[serde(default)]
        taken: bool,
    },
    /// The update is kept, the answer comes `ms` later.
    Slow { ms: u64 },
}

/// A fault with how long it lasts.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Planned {
    pub(crate) fault: Fault,
    pub(crate) times: Option<u64>,
    pub(crate) until_ms: Option<i64>,
    /// It meets this share of the deliveries; all of them without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) percent: Option<u8>,
}

/// The faults of one connection, or of all.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(transparent)]
pub(crate) struct Faults(Vec<Planned>);

impl Faults {
    pub(crate) fn plan(&mut self, planned: Planned) {
        self.0.push(planned);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The fault for the next delivery, counted down. `strikes` draws whether a share of so many percent is met.
    pub(crate) fn next(&mut self, now_ms: i64, strikes: impl Fn(u8) -> bool) -> Option<Fault> {
        self.0.retain(|planned| {
            planned.times != Some(0) && planned.until_ms.is_none_or(|until_ms| now_ms < until_ms)
        });
        let planned = self.0.iter_mut().find(|planned| planned.percent.is_none_or(&strikes))?;
        if let Some(times) = &mut planned.times {
            *times -= 1;
        }
        Some(planned.fault.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(code: u16) -> Fault {
        Fault::Status { code, body: None, retry_after: None, taken: false }
    }

    #[test]
    fn counted_and_timed_faults_end_and_the_next_one_takes_over() {
        let mut faults = Faults::default();
        faults.plan(Planned { fault: status(500), times: Some(2), until_ms: None, percent: None });
        faults.plan(Planned { fault: status(502), times: None, until_ms: Some(100), percent: None });
        assert_eq!(faults.next(0, |_| true), Some(status(500)));
        assert_eq!(faults.next(0, |_| true), Some(status(500)));
        assert_eq!(faults.next(99, |_| true), Some(status(502)));
        assert_eq!(faults.next(100, |_| true), None);
    }

    #[test]
    fn a_fault_with_a_share_leaves_the_others_to_the_next_one() {
        let mut faults = Faults::default();
        let share = |code, percent| Planned { fault: status(code), times: None, until_ms: None, percent };
        faults.plan(share(500, Some(10)));
        faults.plan(share(502, Some(20)));
        assert_eq!(faults.next(0, |percent| percent == 10), Some(status(500)));
        assert_eq!(faults.next(0, |percent| percent == 20), Some(status(502)));
        assert_eq!(faults.next(0, |_| false), None);
    }
}
