//! A route's settings, as far as they are about this account.

use serde::Deserialize;
use serde_json::Value;

use super::Language;
use crate::people::{LeadWishes, NewLeads, StartTarget};

/// Longest name of a source: the shorter of the two that are documented (1.12).
const SOURCE_CHARS: usize = 36;

/// A route's settings, as far as they are ours.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own in the operator's file")]
pub(crate) struct RouteSettings {
    pub(crate) source: Option<String>,
    pub(crate) language: Language,
    pub(crate) without_rest: WithoutRest,
    /// Everything is for the history only: nobody's card is made or moved for it.
    pub(crate) silent: bool,
    /// What a new source is called.
    pub(crate) source_name: Option<String>,
    pub(crate) pipeline: Option<u64>,
    pub(crate) stage: Option<u64>,
    pub(crate) responsible: Option<u64>,
    pub(crate) leads: NewLeads,
    pub(crate) reopen_lost: bool,
    pub(crate) reopen_stage: Option<u64>,
    pub(crate) accept_unsorted: bool,
    pub(crate) close_talk_on_start: bool,
    /// Where the payload of the first `/start` goes, and that of the latest.
    pub(crate) start_first: Vec<StartTarget>,
    pub(crate) start_latest: Vec<StartTarget>,
}

/// What becomes of new people while the account's API cannot be asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WithoutRest {
    #[default]
    Send,
    Wait,
}

/// Why a route's settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RouteError {
    #[error("the route's settings cannot be read")]
    Unreadable(#[source] serde_json::Error),
    #[error("the route's source is not 1 to {SOURCE_CHARS} Latin letters, digits, signs and spaces")]
    Source,
}

impl RouteSettings {
    pub(crate) fn lead_wishes(&self) -> LeadWishes {
        LeadWishes { new: self.leads, reopens: self.reopen_lost }
    }

    /// Whether anything is to be done about leads at all.
    pub(crate) fn cares_for_leads(&self) -> bool {
        let starts = !self.start_first.is_empty() || !self.start_latest.is_empty();
        let wishes = self.leads == NewLeads::Make || self.reopen_lost || self.accept_unsorted;
        !self.silent && (starts || wishes)
    }

    pub(crate) fn read(route: &Value) -> Result<Self, RouteError> {
        let settings: Self = match route {
            Value::Null => Self::default(),
            route => Self::deserialize(route).map_err(RouteError::Unreadable)?,
        };
        let is_usable = |source: &String| {
            (1..=SOURCE_CHARS).contains(&source.len())
                && source.bytes().all(|byte| (b' '..=b'~').contains(&byte))
        };
        if settings.source.as_ref().is_some_and(|source| !is_usable(source)) {
            return Err(RouteError::Source);
        }
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn settings_of_others_are_left_alone_and_a_bad_source_is_said() {
        let read =
            RouteSettings::read(&json!({"pipeline": 1, "source": "bot_777", "language": "en"})).unwrap();
        assert_eq!((read.source.as_deref(), read.language), (Some("bot_777"), Language::En));
        assert_eq!(RouteSettings::read(&Value::Null).unwrap(), RouteSettings::default());
        for bad in ["", "бот", &"x".repeat(37)] {
            assert!(
                matches!(RouteSettings::read(&json!({ "source": bad })), Err(RouteError::Source)),
                "{bad}"
            );
        }
        let unreadable = RouteSettings::read(&json!({"language": "de"}));
        assert!(matches!(unreadable, Err(RouteError::Unreadable(_))));
    }
}
