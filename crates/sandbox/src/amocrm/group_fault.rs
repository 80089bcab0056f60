//! Faults of amojo, REST, OAuth and the chat hooks: how each of them misbehaves when it is told to.
//!
//! As with the Telegram hook's faults the first one that is still due decides; a fault here can also be meant for
//! one endpoint or one channel only.

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::calls::Part;

/// What happens to a call, or to a hook.
///
/// `taken` says whether amoCRM does what was asked before it fails: `true` is the ambiguous failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum GroupFault {
    /// An answer with this status, in the envelope of the part unless `body` says otherwise.
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
    /// Done, and answered `ms` later.
    Slow { ms: u64 },
    /// amojo: as if the `Date` were too old.
    StaleDate,
    /// amojo: as if the `msgid` had been sent before.
    DuplicateMsgid,
    /// REST and OAuth: the bare HTML page of a rate ban.
    Ban,
    /// Hooks: never sent.
    Lost,
    /// Hooks: sent `ms` later, past those that follow.
    Late { ms: u64 },
}

impl GroupFault {
    /// Whether it means anything for this part.
    pub(crate) fn fits(&self, part: Part) -> bool {
        let hook_fault = matches!(self, Self::Lost | Self::Late { .. });
        match (self, part) {
            (_, Part::Hooks) => hook_fault,
            (Self::StaleDate | Self::DuplicateMsgid, part) => part == Part::Amojo,
            (Self::Ban, part) => matches!(part, Part::Rest | Part::Oauth),
            (_, Part::Amojo | Part::Rest | Part::Oauth | Part::Attachments) => !hook_fault,
        }
    }

    /// Whether the call is carried out all the same.
    pub(crate) fn is_taken(&self) -> bool {
        match self {
            Self::Status { taken, .. } | Self::Silence { taken } | Self::Reset { taken } => *taken,
            Self::Slow { .. } => true,
            Self::StaleDate | Self::DuplicateMsgid | Self::Ban | Self::Lost | Self::Late { .. } => false,
        }
    }

    /// The status that goes out, if one does.
    pub(crate) fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Status { code, .. } => StatusCode::from_u16(*code).ok(),
            Self::StaleDate | Self::Ban => Some(StatusCode::FORBIDDEN),
            Self::DuplicateMsgid => Some(StatusCode::BAD_REQUEST),
            Self::Silence { .. }
            | Self::Reset { .. }
            | Self::Slow { .. }
            | Self::Lost
            | Self::Late { .. } => None,
        }
    }
}

/// A fault with what it is meant for and how long it lasts.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct PlannedGroupFault {
    pub(crate) on: Part,
    pub(crate) fault: GroupFault,
    pub(crate) endpoint: Option<String>,
    pub(crate) channel: Option<String>,
    pub(crate) times: Option<u64>,
    pub(crate) until_ms: Option<i64>,
    pub(crate) percent: Option<u8>,
}

/// What a call is, for those faults that are not meant for all.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Occasion<'a> {
    pub(crate) on: Part,
    pub(crate) endpoint: &'a str,
    pub(crate) channel: Option<&'a str>,
    pub(crate) now_ms: i64,
}

/// All planned faults of these parts.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(transparent)]
pub(crate) struct GroupFaults(Vec<PlannedGroupFault>);

impl GroupFaults {
    pub(crate) fn plan(&mut self, planned: PlannedGroupFault) {
        self.0.push(planned);
    }

    pub(crate) fn clear(&mut self, on: Part) {
        self.0.retain(|planned| planned.on != on);
    }

    /// The fault for this call, counted down. `strikes` draws whether a share of so many percent is met.
    pub(crate) fn next(
        &mut self,
        occasion: Occasion<'_>,
        strikes: impl Fn(u8) -> bool,
    ) -> Option<GroupFault> {
        self.0.retain(|planned| {
            planned.times != Some(0) && planned.until_ms.is_none_or(|until_ms| occasion.now_ms < until_ms)
        });
        let meant = |wanted: &Option<String>, is: Option<&str>| wanted.is_none() || wanted.as_deref() == is;
        let planned = self.0.iter_mut().find(|planned| {
            planned.on == occasion.on
                && meant(&planned.endpoint, Some(occasion.endpoint))
                && meant(&planned.channel, occasion.channel)
                && planned.percent.is_none_or(&strikes)
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
        let mut faults = GroupFaults::default();
        faults.plan(PlannedGroupFault {
            on: Part::Amojo,
            fault: GroupFault::StaleDate,
            endpoint: Some("react".into()),
            channel: None,
            times: Some(1),
            until_ms: None,
            percent: None,
        });
        let mut next =
            |on, endpoint| faults.next(Occasion { on, endpoint, channel: Some("c"), now_ms: 0 }, |_| true);
        assert_eq!(next(Part::Rest, "react"), None);
        assert_eq!(next(Part::Amojo, "typing"), None);
        assert_eq!(next(Part::Amojo, "react"), Some(GroupFault::StaleDate));
        assert_eq!(next(Part::Amojo, "react"), None, "it was meant for one call");
    }
}
