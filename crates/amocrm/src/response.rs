//! What an answer of the chat service or of the account's API means: one table for all of them (1.4, 4.1, 6.3), pure.
//!
//! The first row that fits decides. What a status says is documented mostly; what stands in the body only for some of
//! them, so bodies only tell apart what has the same status.

use std::{ops::RangeInclusive, time::Duration};

use bytes::Bytes;
use http::HeaderMap;
use tandem_model::{Blame, PauseReason, Timestamp};
use tandem_vendor::{Failure, FailureKind};

use crate::{
    request::Repeat,
    sign,
    wire::{answer::ErrorEnvelope, rest::Problem},
};

/// How far a request's date may be from theirs (1.2).
const DATE_WINDOW: Duration = Duration::from_mins(15);
/// How long the account's API is left alone after a ban, and between two looks whether it is lifted.
pub(crate) const BAN_PROBE: Duration = Duration::from_mins(5);
/// Longest piece of somebody else's words in ours, in characters.
const WORDS_CHARS: usize = 300;

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// When the request was made, by our clock.
    pub(crate) asked_at: Timestamp,
}

/// Who answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Api {
    Chats,
    Rest,
    Oauth,
}

/// What tells a row from others of its status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Says {
    /// Nothing.
    Anything,
    /// The envelope has this type.
    Type(&'static str),
    /// It is a page for people, not an answer.
    Html,
    /// The date of the answer is too far from the request's.
    OtherTime,
}

/// What an answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// It will never be taken.
    Refused,
    /// What was meant is not there.
    NotThere,
    /// The channel is not connected to the account.
    Unconnected,
    /// Credentials or rights: somebody has to act.
    Forbidden,
    /// The token does not serve (any more).
    Unauthorized,
    /// Somebody has to set the clock.
    Clock,
    /// Slower.
    TooFast,
    /// Everything is refused for a while.
    Banned,
    /// It failed there.
    Failed,
    /// Somebody else answers, or it has moved.
    Elsewhere,
}

/// A row of the table.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) api: Api,
    pub(crate) status: RangeInclusive<u16>,
    pub(crate) says: Says,
    pub(crate) means: Meaning,
    /// A sentence for people, before the vendor's own words.
    pub(crate) words: &'static str,
}

const fn fault(
    api: Api,
    status: RangeInclusive<u16>,
    says: Says,
    means: Meaning,
    words: &'static str,
) -> Fault {
    Fault { api, status, says, means, words }
}

/// Every answer that is no success.
pub(crate) const FAULTS: &[Fault] = {
    use Api::{Chats, Oauth, Rest};
    use Meaning::{
        Banned, Clock, Elsewhere, Failed, Forbidden, NotThere, Refused, TooFast, Unauthorized, Unconnected,
    };
    use Says::{Anything, Html, OtherTime, Type};
    &[
        fault(Chats, 300..=399, Anything, Elsewhere, "the chat service's address leads somewhere else"),
        fault(Chats, 400..=400, Anything, Refused, "the chat service refuses what it was sent"),
        fault(Chats, 401..=401, Anything, Forbidden, "the chat service refuses the channel"),
        fault(Chats, 403..=403, OtherTime, Clock, "the chat service refuses the date of the request"),
        fault(
            Chats,
            403..=403,
            Type("ORIGIN_INVALID_SIGNATURE"),
            Forbidden,
            "the chat service refuses the signature: the channel's secret is wrong, or it is not this channel's",
        ),
        fault(Chats, 403..=403, Html, Banned, "the chat service is closed to this address for a while"),
        fault(Chats, 403..=403, Anything, Forbidden, "the chat service refuses the channel"),
        fault(
            Chats,
            404..=404,
            Type("ORIGIN_NOT_REGISTERED"),
            Unconnected,
            "the chat service does not know the channel in this account",
        ),
        fault(Chats, 404..=404, Anything, NotThere, "the chat service does not know what was meant"),
        fault(Chats, 408..=408, Anything, Failed, "the chat service did not get the request in time"),
        fault(Chats, 429..=429, Anything, TooFast, "the chat service asks for fewer requests"),
        fault(Chats, 402..=499, Anything, Refused, "the chat service refuses the request"),
        fault(Chats, 500..=599, Anything, Failed, "the chat service has failed"),
        fault(Rest, 300..=399, Anything, Elsewhere, "the account's address leads somewhere else"),
        fault(Rest, 400..=400, Anything, Refused, "the account refuses what it was sent"),
        fault(Rest, 401..=401, Anything, Unauthorized, "the account refuses the token"),
        fault(
            Rest,
            402..=402,
            Anything,
            Forbidden,
            "the account is not paid for, or its plan has not got this",
        ),
        fault(
            Rest,
            403..=403,
            Html,
            Banned,
            "the account's API is closed to this address after too many requests; support lifts that",
        ),
        fault(Rest, 403..=403, Anything, Refused, "the token has no right to this"),
        fault(Rest, 404..=404, Anything, NotThere, "the account does not know what was meant"),
        fault(Rest, 408..=408, Anything, Failed, "the account did not get the request in time"),
        fault(Rest, 429..=429, Anything, TooFast, "the account asks for fewer requests"),
        fault(Rest, 405..=499, Anything, Refused, "the account refuses the request"),
        fault(Rest, 500..=599, Anything, Failed, "the account's API has failed"),
        fault(Oauth, 300..=399, Anything, Elsewhere, "the address of tokens leads somewhere else"),
        fault(Oauth, 403..=403, Html, Banned, "tokens are not given to this address after too many requests"),
        fault(Oauth, 408..=408, Anything, Failed, "the account did not get the request for a token in time"),
        fault(Oauth, 429..=429, Anything, TooFast, "the account asks for fewer requests for tokens"),
        fault(Oauth, 400..=499, Anything, Unauthorized, "the account gives no token"),
        fault(Oauth, 500..=599, Anything, Failed, "the account's server of tokens has failed"),
    ]
};

/// An answer that is no success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) status: u16,
    pub(crate) means: Meaning,
    /// For people: bounded, without secrets.
    pub(crate) words: String,
    pub(crate) retry_after: Option<Duration>,
}

impl Answer {
    /// What it means, where it is no success.
    pub(crate) fn trouble(&self, api: Api) -> Option<Trouble> {
        if (200..300).contains(&self.status) {
            return None;
        }
        let row = FAULTS
            .iter()
            .find(|row| row.api == api && row.status.contains(&self.status) && self.fits(row.says));
        let (means, words) = row
            .map_or((Meaning::Failed, "it answers with a status that nobody knows"), |row| {
                (row.means, row.words)
            });
        let words = match (means, self.clock_off()) {
            (Meaning::Clock, Some(off)) => clock_sentence(off),
            _ => match self.their_words(api) {
                Some(theirs) => format!("{words} ({}: {theirs})", self.status),
                None => format!("{words} ({})", self.status),
            },
        };
        Some(Trouble { status: self.status, means, words, retry_after: self.retry_after(api) })
    }

    fn fits(&self, says: Says) -> bool {
        match says {
            Says::Anything => true,
            Says::Html => self.is_html(),
            Says::Type(name) => self.envelope().error_type.as_deref() == Some(name),
            Says::OtherTime => self.clock_off().is_some_and(|off| off.by >= DATE_WINDOW),
        }
    }

    fn envelope(&self) -> ErrorEnvelope {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    fn problem(&self) -> Problem {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    fn is_html(&self) -> bool {
        let declared = self.headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        declared.is_some_and(|value| value.trim_start().starts_with("text/html"))
            || self.body.trim_ascii_start().starts_with(b"<")
    }

    /// How far our clock is from theirs, by the date of the answer.
    pub(crate) fn clock_off(&self) -> Option<ClockOff> {
        let theirs = self.headers.get(http::header::DATE)?.to_str().ok().and_then(sign::read_date)?;
        let (by, side) = if theirs > self.asked_at {
            (theirs.since(self.asked_at), Side::Slow)
        } else {
            (self.asked_at.since(theirs), Side::Fast)
        };
        Some(ClockOff { by, side })
    }

    fn retry_after(&self, api: Api) -> Option<Duration> {
        let header = self.headers.get(http::header::RETRY_AFTER).and_then(|value| value.to_str().ok());
        let seconds = header.and_then(|value| value.trim().parse().ok());
        let seconds = seconds.or_else(|| (api != Api::Chats).then(|| self.problem().retry_after)?);
        seconds.map(Duration::from_secs)
    }

    /// Whose a chat is already, where linking it was refused for that (4.5).
    pub(crate) fn belongs_to(&self) -> Option<u64> {
        let problem = self.problem();
        let errors = problem.validation.iter().flat_map(|item| &item.errors);
        errors
            .filter(|error| error.code.as_deref() == Some("AlreadyExists"))
            .find_map(|error| error.entity_id)
    }

    /// What is not there, where something was refused for that: the path of it in what was sent (4.5).
    pub(crate) fn missing(&self) -> Option<String> {
        let problem = self.problem();
        let mut errors = problem.validation.into_iter().flat_map(|item| item.errors);
        errors.find(|error| error.code.as_deref() == Some("EntityNotFound"))?.path
    }

    fn their_words(&self, api: Api) -> Option<String> {
        if self.is_html() {
            return None;
        }
        let words = match api {
            Api::Chats => {
                let envelope = self.envelope();
                [envelope.error_type, envelope.error_description]
            }
            Api::Rest | Api::Oauth => {
                let problem = self.problem();
                let invalid = problem.validation.iter().flat_map(|item| &item.errors).next().map(|error| {
                    let parts = [&error.code, &error.path, &error.detail];
                    parts.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" ")
                });
                [problem.hint.or(problem.title), invalid.or(problem.detail)]
            }
        };
        let words =
            words.into_iter().flatten().filter(|words| !words.is_empty()).collect::<Vec<_>>().join(", ");
        (!words.is_empty()).then(|| shortened(&words))
    }
}

impl Trouble {
    /// What follows for something that was asked for. Whoever knows more (that a token can be renewed, that a channel
    /// can be connected) has looked before.
    pub(crate) fn failure(&self, repeat: Repeat) -> Failure {
        let later = |after, blame| FailureKind::Later { after, blame };
        let kind = match (self.means, repeat) {
            (Meaning::Refused | Meaning::NotThere, _) => FailureKind::Refused,
            (Meaning::Forbidden | Meaning::Unauthorized | Meaning::Clock, _) => {
                FailureKind::Stop(PauseReason::Refused)
            }
            (Meaning::Unconnected, _) => later(self.retry_after, Blame::Destination),
            (Meaning::Elsewhere, _) => later(None, Blame::Destination),
            (Meaning::TooFast, _) => {
                later(Some(self.retry_after.unwrap_or(Duration::from_secs(1))), Blame::Unclear)
            }
            (Meaning::Banned, _) => later(Some(BAN_PROBE), Blame::Destination),
            // A message may have been taken before it failed.
            (Meaning::Failed, Repeat::Refused) => FailureKind::Lost { blame: Blame::Unclear },
            (Meaning::Failed, Repeat::Harmless) => later(self.retry_after, Blame::Unclear),
        };
        Failure::new(kind, self.words.clone())
    }
}

/// How far our clock is from theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClockOff {
    pub(crate) by: Duration,
    pub(crate) side: Side,
}

/// In which direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Slow,
    Fast,
}

/// For people.
pub(crate) fn clock_sentence(off: ClockOff) -> String {
    let minutes = off.by.as_secs().div_ceil(60);
    let (minutes, unit) = if minutes == 1 { (minutes, "minute") } else { (minutes, "minutes") };
    let side = match off.side {
        Side::Slow => "slow",
        Side::Fast => "fast",
    };
    format!(
        "the clock of this machine is {minutes} {unit} {side}, and the chat service takes at most 15: set it"
    )
}

/// Somebody else's words, bounded and in one line.
pub(crate) fn shortened(words: &str) -> String {
    let mut clean: String =
        words.chars().map(|c| if c.is_control() { ' ' } else { c }).take(WORDS_CHARS + 1).collect();
    if let Some((end, _)) = clean.char_indices().nth(WORDS_CHARS) {
        clean.truncate(end);
        clean.push('…');
    }
    clean
}

#[cfg(test)]
mod tests;
