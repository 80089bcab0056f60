//! What is not known of the real Wahelp: each guess is a switch, and its default the likeliest answer.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// How this Wahelp behaves.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is one open question of the reference")]
pub(crate) struct Switches {
    /// Where the token stands in the answer to a login.
    pub(crate) login_shape: TokenShape,
    /// Where it stands in the answer to a renewal; seen nested on production.
    pub(crate) refresh_shape: TokenShape,
    /// Absent: the answers do not say how long a token lives.
    pub(crate) tell_expires_in: bool,
    pub(crate) expires_in_s: i64,
    /// Whether an expired token can still be renewed.
    pub(crate) refresh_expired: bool,
    /// Every id in answers and hooks is a string.
    pub(crate) ids_as_strings: bool,
    /// No user has a phone in answers and hooks.
    pub(crate) missing_phone: bool,
    /// The text of a message is an object with `text` in it.
    pub(crate) message_as_object: bool,
    pub(crate) hook_shape: HookShape,
    /// The hook of a sent message goes out, and is answered, before the answer to the request.
    pub(crate) hook_before_answer: bool,
    /// How often each hook is sent.
    pub(crate) hook_copies: u32,
    /// What is answered with 200 is not repeated; what is not, so many times more, 30 seconds apart.
    pub(crate) hook_retries: u32,
    /// Which spelling of paths is answered at once; the other one is redirected.
    pub(crate) slashes: Slashes,
    pub(crate) redirect_status: u16,
    /// The destination of a message sent by the API without one.
    pub(crate) api_destination: String,
    /// The destination of what a manager types in amoCRM.
    pub(crate) amocrm_destination: String,
    /// Whether what the API sends is shown in a linked amoCRM.
    pub(crate) mirror_api: bool,
    /// The order of the list of messages.
    pub(crate) newest_first: bool,
    /// The words of delivery, upwards.
    pub(crate) status_words: StatusWords,
    /// Answered with an error status, or with 200 and `success: false`.
    pub(crate) refusal_status: u16,
}

/// Where a token stands in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TokenShape {
    /// `data.access_token`.
    Data,
    /// `data.token.token`.
    Nested,
    /// `access_token` beside `success`.
    Top,
}

/// What a hook's body looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HookShape {
    /// `{"action", "payload"}`.
    Action,
    /// `{"event", "data"}`.
    Event,
    /// `{"type", "data"}`.
    Type,
    /// An array of the first.
    Array,
}

/// How a path must be spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Slashes {
    /// Both spellings are the same.
    Either,
    /// Lists with a slash at the end, everything else without, as the vendor's own listing has it.
    Vendor,
    Always,
    Never,
}

/// The words of a message's way.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct StatusWords {
    pub(crate) sent: String,
    pub(crate) delivered: String,
    pub(crate) read: String,
    pub(crate) failed: String,
}

impl Default for StatusWords {
    fn default() -> Self {
        let word = ToOwned::to_owned;
        Self { sent: word("sent"), delivered: word("delivered"), read: word("read"), failed: word("failed") }
    }
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            login_shape: TokenShape::Data,
            refresh_shape: TokenShape::Nested,
            tell_expires_in: true,
            expires_in_s: 3600,
            refresh_expired: false,
            ids_as_strings: false,
            missing_phone: false,
            message_as_object: false,
            hook_shape: HookShape::Action,
            hook_before_answer: false,
            hook_copies: 1,
            hook_retries: 0,
            slashes: Slashes::Either,
            redirect_status: 301,
            api_destination: "from_operator".to_owned(),
            amocrm_destination: "from_operator".to_owned(),
            mirror_api: true,
            newest_first: true,
            status_words: StatusWords::default(),
            refusal_status: 200,
        }
    }
}

/// Switches that make no sense.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SwitchError {
    #[error("there is no such switch, or not with such a value")]
    Unreadable(#[source] serde_json::Error),
    #[error("redirect_status: {0}")]
    Redirect(u16),
    #[error("refusal_status: {0}")]
    Refusal(u16),
    #[error("hook_copies: at least 1")]
    Copies,
}

impl Switches {
    /// With these changed; what is not given stays.
    pub(crate) fn with(&self, given: Map<String, Value>) -> Result<Self, SwitchError> {
        let mut all = serde_json::to_value(self).map_err(SwitchError::Unreadable)?;
        if let Some(all) = all.as_object_mut() {
            all.extend(given);
        }
        let changed: Self = serde_json::from_value(all).map_err(SwitchError::Unreadable)?;
        if !matches!(changed.redirect_status, 301 | 302 | 307 | 308) {
            return Err(SwitchError::Redirect(changed.redirect_status));
        }
        if !matches!(changed.refusal_status, 200 | 400..=499) {
            return Err(SwitchError::Refusal(changed.refusal_status));
        }
        if changed.hook_copies == 0 {
            return Err(SwitchError::Copies);
        }
        Ok(changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn changes_leave_the_rest_and_nonsense_is_refused() {
        let change = |changes: Value| Switches::default().with(changes.as_object().unwrap().clone());
        let changed = change(json!({"refresh_shape": "data", "status_words": {"read": "seen"}})).unwrap();
        assert_eq!((changed.refresh_shape, changed.login_shape), (TokenShape::Data, TokenShape::Data));
        assert_eq!(
            (changed.status_words.read.as_str(), changed.status_words.sent.as_str()),
            ("seen", "sent")
        );
        for nonsense in [
            json!({"refresh_shap": "data"}),
            json!({"redirect_status": 200}),
            json!({"refusal_status": 500}),
            json!({"hook_copies": 0}),
        ] {
            assert!(change(nonsense.clone()).is_err(), "{nonsense}");
        }
    }
}
