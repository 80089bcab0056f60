//! Faults: how Wahelp misbehaves when it is told to.
//!
//! The first one that is meant for a call and still due decides.

use serde::{Deserialize, Serialize};

/// What happens to a call, a download or a hook. `taken` says whether what was asked is done before it fails:
/// `true` is the ambiguous failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Fault {
    /// An answer with this status: with `body` as it is, else a page of HTML from 500 on, else the API's own error.
    Status {
        code: u16,
        #[serde(default)]
        body: Option<String>,
        #[serde(default)]
        retry_after: Option<u32>,
        #[serde(default)]
        taken: bool,
    },
    /// `success: false` with this text and this status.
    Unsuccessful {
        text: String,
        #[serde(default = "ok")]
        code: u16,
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
    /// Done, and answered `ms` later.
    Slow { ms: u64 },
    /// Hooks: never sent.
    Lost,
    /// Hooks: sent `ms` later, past those that follow.
    Late { ms: u64 },
    /// Hooks: sent once more.
    Twice,
}

fn ok() -> u16 {
    200
}

impl Fault {
    /// Whether it is about what Wahelp sends, not about what it is asked.
    pub(crate) fn is_of_hooks(&self) -> bool {
        matches!(self, Self::Lost | Self::Late { .. } | Self::Twice)
    }

    /// Whether the call is carried out all the same.
    pub(crate) fn is_taken(&self) -> bool {
        match self {
            Self::Status { taken, .. } | Self::Silence { taken } | Self::Reset { taken } => *taken,
            Self::Slow { .. } => true,
            Self::Unsuccessful { .. } | Self::Lost | Self::Late { .. } | Self::Twice => false,
        }
    }
}

/// A fault with what it is meant for and how long it lasts.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Planned {
    pub(crate) fault: Fault,
    /// Absent: every call.
    pub(crate) endpoint: Option<String>,
    pub(crate) times: Option<u64>,
    pub(crate) until_ms: Option<i64>,
}

/// All planned faults.
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

    /// The fault for this call, counted down.
    pub(crate) fn next(&mut self, endpoint: &str, now_ms: i64) -> Option<Fault> {
        self.0.retain(|planned| {
            planned.times != Some(0) && planned.until_ms.is_none_or(|until_ms| now_ms < until_ms)
        });
        let hooks = endpoint == super::hooks::ENDPOINT;
        let planned = self.0.iter_mut().find(|planned| {
            planned.fault.is_of_hooks() == hooks
                && planned.endpoint.as_deref().is_none_or(|wanted| wanted == endpoint)
        })?;
        if let Some(times) = &mut planned.times {
            *times -= 1;
        }
        Some(planned.fault.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_meets_only_what_it_is_meant_for() {
        let mut faults = Faults::default();
        let silence = Fault::Silence { taken: false };
        for (fault, endpoint) in [(silence.clone(), Some("send_message")), (Fault::Lost, None)] {
            let endpoint = endpoint.map(ToOwned::to_owned);
            faults.plan(Planned { fault, endpoint, times: Some(1), until_ms: None });
        }
        assert_eq!(faults.next("login", 0), None);
        assert_eq!(faults.next("hooks", 0), Some(Fault::Lost));
        assert_eq!(faults.next("send_message", 0), Some(silence));
        assert_eq!(faults.next("send_message", 0), None, "it was meant for one call");
    }
}
