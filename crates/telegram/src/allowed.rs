//! The parameter `allowed_updates`, read exactly as Telegram reads it (reference/telegram.md 2.5).

use serde_json::Value;
use tandem_model::Topics;

use crate::update::Kind;

/// What a value of `allowed_updates` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AllowedUpdates {
    /// Nothing was asked: the setting from before stays.
    Absent,
    /// Everything but the opt-in kinds, kinds of the future included.
    Default,
    /// Exactly these.
    Topics(Topics),
}

impl AllowedUpdates {
    /// Reads the parameter's text, `None` when the parameter was not given.
    ///
    /// Not an array, an element that is no string, or the text `null`: absent. Unknown names are ignored; an
    /// empty array, or one without a known name, is the default. Names are compared in lower case.
    pub fn of(parameter: Option<&str>) -> Self {
        let Some(Ok(Value::Array(names))) = parameter.map(serde_json::from_str) else {
            return Self::Absent;
        };
        let mut topics = Topics::NONE;
        for name in names {
            let Value::String(name) = name else {
                return Self::Absent;
            };
            let kind = Kind::of_name(name.to_lowercase().as_bytes());
            if kind.is_documented() {
                topics = topics.with(kind.topic());
            }
        }
        // Telegram keeps one bit a kind and calls "default" whatever has the default's bits: a list that names all
        // of them cannot be told from none.
        if topics == Topics::NONE || topics == default_names() { Self::Default } else { Self::Topics(topics) }
    }

    /// The setting after this was asked, when it was `before`.
    #[must_use]
    pub fn over(self, before: Topics) -> Topics {
        match self {
            Self::Absent => before,
            Self::Default => Kind::default_topics(),
            Self::Topics(topics) => topics,
        }
    }
}

fn default_names() -> Topics {
    Kind::documented()
        .filter(|kind| !kind.is_opt_in())
        .fold(Topics::NONE, |topics, kind| topics.with(kind.topic()))
}

/// The names for `WebhookInfo.allowed_updates`; `None` when the setting is the default, which Telegram does not show.
pub fn shown(topics: Topics) -> Option<Vec<&'static str>> {
    if topics == Kind::default_topics() {
        return None;
    }
    Some(Kind::documented().filter(|kind| topics.contains(kind.topic())).filter_map(Kind::name).collect())
}

/// Every kind that has a name: what is asked of Telegram, so that nothing is left out. Names that a server does not
/// know yet do no harm.
pub fn every_name() -> Vec<&'static str> {
    Kind::documented().filter_map(Kind::name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topics(names: &[&str]) -> Topics {
        names.iter().fold(Topics::NONE, |set, name| set.with(Kind::of_name(name.as_bytes()).topic()))
    }

    #[test]
    fn the_parameter_is_read_as_telegram_reads_it() {
        use AllowedUpdates::{Absent, Default};
        let message = AllowedUpdates::Topics(topics(&["message"]));
        for (parameter, expected) in [
            (None, Absent),
            (Some("null"), Absent),
            (Some(""), Absent),
            (Some("message"), Absent),
            (Some("\"message\""), Absent),
            (Some("{}"), Absent),
            (Some("[\"message\",1]"), Absent),
            (Some("[\"message\",null]"), Absent),
            (Some("[\"message\""), Absent),
            (Some("[]"), Default),
            (Some(" [ ] "), Default),
            (Some("[\"nonsense\"]"), Default),
            (Some("[\"custom_event\",\"update_id\",\"\"]"), Default),
            (Some("[\"message\"]"), message),
            (Some("[\"MESSAGE\",\"Nonsense\",\"message\"]"), message),
            (Some("[\"m\\u0065ssage\"]"), message),
            (
                Some("[\"chat_member\",\"callback_query\"]"),
                AllowedUpdates::Topics(topics(&["chat_member", "callback_query"])),
            ),
        ] {
            assert_eq!(AllowedUpdates::of(parameter), expected, "{parameter:?}");
        }
    }

    #[test]
    fn a_list_of_all_default_names_is_the_default_and_one_of_everything_is_not() {
        let defaults: Vec<_> =
            Kind::documented().filter(|kind| !kind.is_opt_in()).filter_map(Kind::name).collect();
        let text = serde_json::to_string(&defaults).unwrap();
        assert_eq!(AllowedUpdates::of(Some(&text)), AllowedUpdates::Default);
        let all = AllowedUpdates::of(Some(&serde_json::to_string(&every_name()).unwrap()));
        let AllowedUpdates::Topics(all) = all else { panic!("{all:?}") };
        // An explicit list never holds a kind of the future, the default does.
        assert!(
            !all.contains(Kind::Unknown.topic()) && Kind::default_topics().contains(Kind::Unknown.topic())
        );
        assert_eq!(shown(all).unwrap(), every_name());
    }

    #[test]
    fn absent_keeps_what_was_and_only_a_setting_of_ones_own_is_shown() {
        let before = topics(&["poll", "chat_member"]);
        assert_eq!(AllowedUpdates::Absent.over(before), before);
        assert_eq!(AllowedUpdates::Default.over(before), Kind::default_topics());
        assert_eq!(shown(before), Some(vec!["poll", "chat_member"]));
        assert_eq!(shown(Kind::default_topics()), None);
    }

    #[test]
    fn everything_is_asked_of_telegram_the_opt_in_kinds_too() {
        let names = every_name();
        assert_eq!(names.len(), 27);
        for name in
            ["chat_member", "message_reaction", "message_reaction_count", "stopped_message_generation"]
        {
            assert!(names.contains(&name));
        }
    }
}
