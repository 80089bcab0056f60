//! Faults that a test plants, per bot and per method, counted or timed.

use serde::{Deserialize, Serialize};

use super::dispatch;

/// A planted fault. Without `times` and `for_ms` it lasts until it is removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultSpec {
    /// A method in any case, `webhook` for deliveries, `file` for downloads, or `*` for all methods and
    /// downloads.
    pub method: String,
    /// What happens.
    pub fault: Fault,
    /// How many requests it meets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// How long it lasts by the sandbox's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_ms: Option<i64>,
    /// Whether the method has done its work when the fault strikes.
    #[serde(default)]
    pub when: When,
}

/// A fault that could never strike, or not in the way it says.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum FaultError {
    /// A slip of the pen, most likely.
    #[error("the Bot API has no method {0}")]
    UnknownMethod(String),
    /// Whether a webhook answers, and what, is its own affair.
    #[error("a delivery to a webhook can be duplicate, late, slow or reset, and nothing else")]
    NotForWebhooks,
    /// A call happens when the bot makes it.
    #[error("only deliveries to a webhook can be duplicate or late")]
    ForWebhooksOnly,
    /// Not what a server answers with in the end.
    #[error("{0} is no HTTP status of 200 to 599")]
    BadStatus(u16),
}

impl FaultSpec {
    fn check(&self) -> Result<(), FaultError> {
        let for_webhooks = self.method.eq_ignore_ascii_case("webhook");
        match self.fault {
            Fault::Status { .. } | Fault::Silence | Fault::Unauthorized if for_webhooks => {
                return Err(FaultError::NotForWebhooks);
            }
            Fault::Duplicate | Fault::Late { .. } if !for_webhooks => {
                return Err(FaultError::ForWebhooksOnly);
            }
            Fault::Status { code, .. } if !(200..=599).contains(&code) => {
                return Err(FaultError::BadStatus(code));
            }
            _ => {}
        }
        let name = self.method.to_ascii_lowercase();
        if for_webhooks || name == "*" || name == "file" || dispatch::is_method(&name) {
            return Ok(());
        }
        Err(FaultError::UnknownMethod(self.method.clone()))
    }
}

/// On which side of the method's effect a fault strikes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// Nothing has happened yet.
    #[default]
    Before,
    /// The message is sent and only the answer is lost: what makes a blind retry double it.
    After,
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Fault {
    /// An answer with this status.
    Status {
        /// The HTTP status.
        code: u16,
        /// The Bot API's envelope, or the page of the nginx before it.
        #[serde(default)]
        body: FaultBody,
        /// For 429.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<u32>,
    },
    /// No answer; the connection stays open.
    Silence,
    /// The connection is reset.
    Reset,
    /// The answer comes this much later, by the sandbox's clock; for a delivery the same as late.
    Slow {
        /// Milliseconds.
        ms: i64,
    },
    /// 401, as after the token was revoked.
    Unauthorized,
    /// A webhook gets the update twice.
    Duplicate,
    /// A webhook gets the update this much later.
    Late {
        /// Milliseconds.
        ms: i64,
    },
}

impl Fault {
    /// Whether a call that it strikes first is not carried out.
    pub(crate) const fn ends_calls(&self) -> bool {
        match self {
            Self::Status { .. } | Self::Silence | Self::Reset | Self::Unauthorized => true,
            Self::Slow { .. } | Self::Duplicate | Self::Late { .. } => false,
        }
    }
}

/// The body of a [`Fault::Status`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FaultBody {
    /// `{"ok":false,…}`.
    #[default]
    Json,
    /// An nginx error page.
    Html,
}

/// A bot's planted faults, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Planted>);

#[derive(Debug)]
struct Planted {
    spec: FaultSpec,
    remaining: Option<u32>,
    until_ms: Option<i64>,
}

impl Faults {
    pub(crate) fn plant(&mut self, spec: FaultSpec, now_ms: i64) -> Result<(), FaultError> {
        spec.check()?;
        let until_ms = spec.for_ms.map(|for_ms| now_ms.saturating_add(for_ms));
        self.0.push(Planted { remaining: spec.times, until_ms, spec });
        Ok(())
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The oldest fault that meets a request to this method now; counts it.
    pub(crate) fn strike(&mut self, method: &str, now_ms: i64) -> Option<(Fault, When)> {
        if self.0.is_empty() {
            return None;
        }
        self.0.retain(|planted| {
            planted.until_ms.is_none_or(|until| now_ms < until) && planted.remaining != Some(0)
        });
        let meets = |pattern: &str| match pattern {
            "*" => method != "webhook",
            pattern => pattern.eq_ignore_ascii_case(method),
        };
        let planted = self.0.iter_mut().find(|planted| meets(&planted.spec.method))?;
        if let Some(remaining) = &mut planted.remaining {
            *remaining -= 1;
        }
        Some((planted.spec.fault.clone(), planted.spec.when))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(method: &str, times: Option<u32>, for_ms: Option<i64>) -> FaultSpec {
        FaultSpec { method: method.to_owned(), fault: Fault::Reset, times, for_ms, when: When::Before }
    }

    #[test]
    fn counted_and_timed_faults_end() {
        let mut faults = Faults::default();
        faults.plant(spec("sendmessage", Some(2), None), 0).unwrap();
        let strikes = (0..3).filter(|_| faults.strike("sendMessage", 0).is_some()).count();
        assert_eq!(strikes, 2);
        faults.plant(spec("*", None, Some(100)), 0).unwrap();
        assert!(faults.strike("getMe", 99).is_some());
        assert!(faults.strike("webhook", 99).is_none(), "a star is for requests of the bot");
        assert!(faults.strike("getMe", 100).is_none());
    }

    #[test]
    fn what_could_never_strike_is_refused() {
        let mut faults = Faults::default();
        let mut plant = |method: &str, fault: Fault| {
            faults
                .plant(FaultSpec { fault, ..spec(method, None, None) }, 0)
                .map_err(|error| error.to_string())
        };
        let status = |code| Fault::Status { code, body: FaultBody::Json, retry_after: None };
        for known in ["getUpdates", "KICKCHATMEMBER", "close", "sendRichMessage", "file", "*"] {
            assert_eq!(plant(known, status(500)), Ok(()), "{known}");
        }
        let unknown = Err("the Bot API has no method sendMesage".to_owned());
        assert_eq!(plant("sendMesage", Fault::Reset), unknown);
        let webhook = Err(FaultError::NotForWebhooks.to_string());
        for fault in [status(500), Fault::Silence, Fault::Unauthorized] {
            assert_eq!(plant("webhook", fault), webhook);
        }
        for fault in [Fault::Reset, Fault::Duplicate, Fault::Late { ms: 1 }, Fault::Slow { ms: 1 }] {
            assert_eq!(plant("Webhook", fault), Ok(()));
        }
        let calls = Err(FaultError::ForWebhooksOnly.to_string());
        assert_eq!(plant("*", Fault::Duplicate), calls);
        assert_eq!(plant("getUpdates", Fault::Late { ms: 1 }), calls);
        assert_eq!(plant("*", status(1000)), Err("1000 is no HTTP status of 200 to 599".to_owned()));
    }

    #[test]
    fn the_wire_form_is_the_documented_one() {
        let spec: FaultSpec = serde_json::from_str(
            r#"{"method":"*","fault":{"kind":"status","code":502,"body":"html"},"times":3}"#,
        )
        .unwrap();
        assert_eq!(spec.fault, Fault::Status { code: 502, body: FaultBody::Html, retry_after: None });
        assert!(serde_json::from_str::<FaultSpec>(r#"{"method":"*","fault":{"kind":"rain"}}"#).is_err());
    }
}
