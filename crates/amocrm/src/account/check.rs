//! A look at everything that has to be right, changing nothing.

use tandem_vendor::{Finding, FindingState};

use super::AmocrmAccount;
use crate::{
    chats::{Chats, Unsuccessful},
    people::Double,
    request,
    response::{Answer, ClockOff, Meaning, clock_sentence},
    rest::{NotHad, Rest, RestTrouble},
    wire::rest::AccountInfo,
};

/// A chat that nobody has: asking for its history proves channel, secret and connection, and changes nothing.
pub(super) const NO_CHAT: &str = "00000000-0000-4000-8000-000000000000";

use FindingState::{Bad, Good, Skipped, Warning};

fn found(step: &'static str, state: FindingState, sentence: impl Into<String>) -> Finding {
    Finding { step, state, sentence: sentence.into() }
}

impl AmocrmAccount {
    pub(super) async fn check_all(&self) -> Vec<Finding> {
        let (mut findings, amojo_id) = if let Some(rest) = &self.rest {
            self.check_rest(rest).await
        } else {
            let sentence = "there is no token: contacts, notes and names of managers are not available";
            let skipped = |step| found(step, Skipped, "without a token it cannot be looked at");
            let token = found("token", Warning, sentence);
            (vec![token, skipped("rights"), skipped("source"), skipped("hooks"), skipped("limits")], None)
        };
        let amojo_id = amojo_id.or_else(|| self.facts().amojo_id.clone());
        findings.extend(match &self.chats {
            Some(chats) => self.check_chats(chats, amojo_id).await,
            None => vec![found("channel", Skipped, "the connection has no channel: support registers one")],
        });
        findings
    }

    async fn check_rest(&self, rest: &Rest) -> (Vec<Finding>, Option<String>) {
        let (token, amojo_id) = match rest.account().await {
            Ok(AccountInfo { id, name, amojo_id, .. }) => {
                (found("token", Good, format!("the token serves for account {id} ({name})")), amojo_id)
            }
            Err(not_had) => {
                let words = if not_had.is_for_people() {
                    self.with_way_out(&not_had.failure.words)
                } else {
                    not_had.failure.words
                };
                (found("token", Bad, words), None)
            }
        };
        if token.state == Bad {
            let skipped = |step| found(step, Skipped, "without a token that serves it cannot be looked at");
            return (vec![token, skipped("rights"), skipped("source"), skipped("hooks"), limits(rest)], None);
        }
        let rights = match rest.manager_names().await {
            Ok(names) => found(
                "rights",
                Good,
                format!("the token is an administrator's; {} users have names", names.len()),
            ),
            Err(not_had) => found("rights", Warning, without_rights(not_had)),
        };
        let source = self.check_source(rest).await;
        let hooks = self.check_hooks(rest).await;
        let mut findings = vec![token, rights, source, hooks, limits(rest)];
        findings.extend(self.people.doubles().iter().map(double));
        (findings, amojo_id)
    }

    async fn check_source(&self, rest: &Rest) -> Finding {
        let sources = match rest.sources().await {
            Ok(sources) => sources,
            Err(NotHad { status: Some(403), .. }) => {
                let words = "the integration has no sources: it needs an uploaded archive whose manifest lists lead_sources";
                return found("source", Warning, words);
            }
            Err(not_had) => return found("source", Warning, not_had.failure.words),
        };
        let code = self.connection.channel.as_ref().and_then(|channel| channel.code.as_ref());
        let of_channel =
            sources.iter().filter(|source| code.is_none() || source.origin_code.as_ref() == code).count();
        match (sources.len(), of_channel) {
            (0, _) => found(
                "source",
                Warning,
                "the integration has no source: new leads come into the main pipeline",
            ),
            (all, 0) => {
                let words =
                    format!("none of the integration's {all} sources has the channel's code as origin_code");
                found("source", Warning, words)
            }
            (_, some) => found("source", Good, format!("the channel has {some} sources")),
        }
    }

    async fn check_chats(&self, chats: &Chats, amojo_id: Option<String>) -> Vec<Finding> {
        let Some(account) = amojo_id else {
            let words = "the account's amojo_id is not known: give a token, or channel.account";
            return vec![
                found("channel", Bad, words),
                found("connect", Skipped, "without the account's amojo_id it cannot be looked at"),
                found("clock", Skipped, "nobody has said what time it is"),
            ];
        };
        let scope = self.facts().scope.clone().unwrap_or_else(|| format!("{}_{account}", chats.channel().id));
        let host = chats.base().host().to_owned();
        let asked = chats.send(&request::history(&scope, NO_CHAT, 0)).await;
        let id = &chats.channel().id;
        let known = found("channel", Good, format!("channel {id} and its secret are known at {host}"));
        match asked {
            Ok(answer) => {
                vec![known, found("connect", Good, "the channel is connected to the account"), clock(&answer)]
            }
            Err(unsuccessful) if unsuccessful.is_unconnected() => vec![
                known,
                found(
                    "connect",
                    Bad,
                    "the channel is not connected to the account: Tandem connects it when it runs, and after the integration was installed again",
                ),
                found("clock", Good, "the chat service has taken the date of a request"),
            ],
            Err(unsuccessful) => {
                let failure = unsuccessful.failure(request::Repeat::Harmless);
                let (channel, clock) = match &unsuccessful {
                    Unsuccessful::Answered(trouble) if trouble.means == Meaning::Clock => {
                        let channel = found("channel", Skipped, "with a wrong clock it cannot be looked at");
                        (channel, found("clock", Bad, failure.words))
                    }
                    _ => {
                        let clock = found("clock", Skipped, "nobody has said what time it is");
                        (found("channel", Bad, failure.words), clock)
                    }
                };
                vec![channel, found("connect", Skipped, "the chat service has to answer first"), clock]
            }
        }
    }
}

fn double(double: &Double) -> Finding {
    let contacts = super::doubles::listed(double);
    let words = format!(
        "contacts {contacts} may be one person, whose chat is in the card of {}: look at them and merge them",
        double.chosen
    );
    found("doubles", Warning, words)
}

fn limits(rest: &Rest) -> Finding {
    match rest.trouble() {
        Some(RestTrouble::Resting(words)) => found("limits", Bad, words),
        Some(RestTrouble::Refused(_)) | None => found("limits", Good, "the account's API may be asked"),
    }
}

fn without_rights(not_had: NotHad) -> String {
    match not_had.status {
        Some(403) => "the token is no administrator's, or its integration may not see users: managers have no names, and chats cannot be put into contacts' cards".to_owned(),
        _ => not_had.failure.words,
    }
}

fn clock(answer: &Answer) -> Finding {
    match answer.clock_off() {
        None => found("clock", Skipped, "the chat service has not said what time it is"),
        Some(ClockOff { by, .. }) if by.as_secs() < 60 => {
            found("clock", Good, "the clock of this machine is right")
        }
        Some(off) => found("clock", Warning, clock_sentence(off)),
    }
}
