//! What of a route's settings concerns the chat service.

use serde::Deserialize;
use serde_json::Value;

use super::Language;

/// Longest name of a source: the shorter of the two that are documented (1.12).
const SOURCE_CHARS: usize = 36;

/// A route's settings, as far as they are ours.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct RouteSettings {
    pub(crate) source: Option<String>,
    pub(crate) language: Language,
    pub(crate) without_rest: WithoutRest,
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
