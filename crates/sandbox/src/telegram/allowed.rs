//! `allowed_updates`: which kinds a bot wants (reference/telegram.md 2.5).

use serde_json::Value;

use super::{kinds, params::Params};

/// The set of kinds, one bit each in the order of the table of kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allowed(u32);

impl Default for Allowed {
    fn default() -> Self {
        let bits = kinds::all().iter().enumerate().filter(|(_, kind)| kind.default);
        Self(bits.fold(0, |bits, (index, _)| bits | 1 << index))
    }
}

impl Allowed {
    /// Whether an update of this kind is created for the bot. Kinds that no list can name always are.
    pub(crate) fn allows(self, name: &str) -> bool {
        kinds::index(name).is_none_or(|index| self.0 & (1 << index) != 0)
    }

    /// The setting after a call with these parameters: absent, not an array, an element that is no string and
    /// `null` leave it; an empty list and a list without a known name mean the default.
    #[must_use]
    pub(crate) fn updated_by(self, params: &Params) -> Self {
        let Some(Value::Array(names)) = params.json("allowed_updates") else { return self };
        let mut bits = 0;
        for name in &names {
            let Some(name) = name.as_str() else { return self };
            if let Some(index) = kinds::index(&name.to_ascii_lowercase()) {
                bits |= 1 << index;
            }
        }
        if bits == 0 { Self::default() } else { Self(bits) }
    }

    /// What `getWebhookInfo` shows: nothing while it is the default.
    pub(crate) fn shown(self) -> Option<Vec<&'static str>> {
        if self == Self::default() {
            return None;
        }
        let set = kinds::all().iter().enumerate().filter(|(index, _)| self.0 & (1 << index) != 0);
        Some(set.map(|(_, kind)| kind.name).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(before: Allowed, value: &str) -> Allowed {
        before.updated_by(&Params::from_iter([("allowed_updates", value)]))
    }

    #[test]
    fn a_list_is_taken_in_any_case_and_unknown_names_are_ignored() {
        let set = after(Allowed::default(), r#"["Message", "CHAT_MEMBER", "nonsense"]"#);
        assert_eq!(set.shown(), Some(vec!["message", "chat_member"]));
        assert!(set.allows("chat_member") && !set.allows("callback_query") && set.allows("custom_event"));
    }

    #[test]
    fn what_is_no_list_of_strings_leaves_the_setting() {
        let set = after(Allowed::default(), r#"["poll"]"#);
        for value in ["null", "", "\"message\"", r#"["message", 5]"#, "{", "7"] {
            assert_eq!(after(set, value), set, "{value}");
        }
        assert_eq!(set.updated_by(&Params::default()), set);
    }

    #[test]
    fn an_empty_list_and_one_without_a_known_name_mean_the_default() {
        let set = after(Allowed::default(), r#"["poll"]"#);
        for value in ["[]", r#"["nonsense"]"#] {
            assert_eq!(after(set, value), Allowed::default(), "{value}");
            assert_eq!(after(set, value).shown(), None);
        }
    }
}
