//! Faults of the hook: how amoCRM misbehaves when it is told to.
//!
//! A fault is counted (`times`), timed by the sandbox's clock (`for_ms`), both, or stays until it is cleared.
//! The first one that is still due decides about a delivery.

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

    /// The fault for the next delivery, counted down.
    pub(crate) fn next(&mut self, now_ms: i64) -> Option<Fault> {
        self.0.retain(|planned| {
            planned.times != Some(0) && planned.until_ms.is_none_or(|until_ms| now_ms < until_ms)
        });
        let planned = self.0.first_mut()?;
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
        faults.plan(Planned { fault: status(500), times: Some(2), until_ms: None });
        faults.plan(Planned { fault: status(502), times: None, until_ms: Some(100) });
        assert_eq!(faults.next(0), Some(status(500)));
        assert_eq!(faults.next(0), Some(status(500)));
        assert_eq!(faults.next(99), Some(status(502)));
        assert_eq!(faults.next(100), None);
    }
}
