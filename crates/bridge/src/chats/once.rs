//! Telling a vendor that recognises no repeat: nothing is sent twice by itself.
//!
//! Before a message is sent it is noted what its echo will be known by ([`super::links`]); an attempt that came to
//! nothing takes that back. Where the answer was lost, or a crash came between, the echo is waited for: a hook of it
//! (`hooks`) notes the vendor's id, and the vendor is asked what it has. If neither shows it in time, nobody can say
//! whether it arrived: the message is unknown, and its conversation goes on. Whoever delivers it again then wants it
//! sent.

use std::time::Duration;

use tandem_journal::{Fact, Link};
use tandem_model::{Blame, Verdict, message::MessageKey};
use tandem_vendor::{Failure, FailureKind, News, Telling};

use super::{
    links::{sending, unknown},
    talk::Talk,
    verdict::{unread, verdict},
};

/// How long an echo is waited for (wahelp.md 13.4).
const ECHO: Duration = Duration::from_mins(2);
/// How often it is looked for meanwhile.
const LOOK: Duration = Duration::from_secs(10);
/// The vendor's clock, which counts in seconds, and ours.
const SLACK: Duration = Duration::from_secs(5);

impl Talk<'_> {
    /// Tells something new, if it may not have been told before.
    pub(super) async fn say_once(&mut self, mut telling: Telling) -> Result<(), Verdict> {
        let (names, key) = (self.route.names, telling.told.key.clone());
        let told = names.find_message(self.route.store(), &key).await.map_err(|error| unread(&error))?;
        if told.is_some() {
            return Ok(());
        }
        let begun = self.find_lanes(sending(&key)).await?;
        if let Some(begun) = begun.filter(|begun| !begun.theirs.is_empty())
            && self.find_lanes(unknown(&key)).await?.is_none_or(|given_up| given_up.at < begun.at)
        {
            return self.look_for_echo(&key, &begun).await;
        }
        let mut reopened = false;
        loop {
            // What takes its time, or comes to nothing, comes before the attempt.
            self.account.prepare(&telling).await.map_err(verdict)?;
            let fingerprint = self.account.fingerprint(&telling).unwrap_or_default();
            self.note_attempt(&key, fingerprint).await?;
            match self.account.tell(&telling).await {
                Ok(taken) => {
                    let id = taken.message.unwrap_or_default();
                    self.facts.push(Fact::Link(self.link(key.to_string(), id)));
                    self.note_use(&telling.ids);
                    return Ok(());
                }
                Err(Failure { kind: FailureKind::Gone, .. }) if !reopened => {
                    reopened = true;
                    telling.ids = self.reopen().await?;
                }
                Err(Failure { kind: FailureKind::Lost { blame }, words }) => {
                    return Err(Verdict::Retry { after: Some(LOOK), blame, reason: waiting(&words) });
                }
                Err(failure) => {
                    self.facts.push(Fact::Link(self.link(sending(&key), String::new())));
                    return Err(verdict(failure));
                }
            }
        }
    }

    /// Whether what may have been sent has arrived.
    async fn look_for_echo(&mut self, key: &MessageKey, begun: &Link) -> Result<(), Verdict> {
        if let Some(id) = self.ask_for_echo(begun).await? {
            self.facts.push(Fact::Link(self.link(key.to_string(), id)));
            return Ok(());
        }
        let now = self.route.now();
        if now < begun.at.plus(ECHO) {
            let reason = waiting("it may have been sent");
            return Err(Verdict::Retry { after: Some(LOOK), blame: Blame::Event, reason });
        }
        self.facts.push(Fact::Link(self.link(unknown(key), String::new())));
        Err(Verdict::Unknown {
            reason: "it may have been sent: the answer was lost, and no echo came within two minutes"
                .to_owned(),
        })
    }

    /// The id of the message, if the vendor shows it.
    async fn ask_for_echo(&self, begun: &Link) -> Result<Option<String>, Verdict> {
        let Some(asked) = self.account.heard_since(begun.at.minus(SLACK)).await else { return Ok(None) };
        // It cannot be asked now; a hook may still come.
        let Ok(news) = asked else { return Ok(None) };
        for news in news {
            let News::Spoken(spoken) = news else { continue };
            let Some(id) = spoken.heard.id.filter(|_| spoken.fingerprint == begun.theirs) else { continue };
            let names = self.route.names;
            let known = names.is_told_as(self.route.store(), &id).await.map_err(|error| unread(&error))?;
            if !known {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// Notes that an attempt begins: committed when it returns.
    async fn note_attempt(&self, key: &MessageKey, fingerprint: String) -> Result<(), Verdict> {
        let bot = self.route.names.lane.bot;
        let unnoted = |reason: String| Verdict::Retry {
            after: None,
            blame: Blame::Event,
            reason: format!("it could not be noted that it is about to be sent: {reason}"),
        };
        let lease = self.route.shared.leases.lease(bot);
        let lease = lease.ok_or_else(|| unnoted("another process owns the bot".to_owned()))?;
        let noted =
            self.route.store().put_links(lease, bot, vec![self.link(sending(key), fingerprint)]).await;
        noted.map_err(|error| unnoted(error.to_string()))
    }

    async fn find_lanes(&self, ours: String) -> Result<Option<Link>, Verdict> {
        let names = self.route.names;
        let found = self.route.store().find_link(names.lane.bot, names.lane_scope(), ours).await;
        found.map_err(|error| unread(&error))
    }

    fn link(&self, ours: String, theirs: String) -> Link {
        Link { scope: self.route.names.lane_scope(), ours, theirs, at: self.route.now() }
    }

    /// What is to be said of a chat that cannot be opened. Somebody without a phone is asked about soon after he wrote,
    /// and then ever more rarely.
    pub(super) fn unopened(&self, failure: Failure) -> Verdict {
        let is_unknown = failure.kind == FailureKind::NoPhone;
        match verdict(failure) {
            Verdict::Retry { blame, reason, .. } if is_unknown => {
                let waits = self.route.now().since(self.event.appended_at);
                Verdict::Retry { after: Some(next_look(waits)), blame, reason }
            }
            verdict => verdict,
        }
    }
}

/// When somebody who has waited for so long is looked up again.
fn next_look(waits: Duration) -> Duration {
    (waits / 4).clamp(Duration::from_secs(5), Duration::from_mins(10))
}

fn waiting(words: &str) -> String {
    format!("{words}; its echo is waited for, for two minutes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_without_a_phone_is_asked_about_soon_and_then_rarely() {
        for (waits, next) in [(0, 5), (60, 15), (3600, 600), (1_000_000, 600)] {
            assert_eq!(next_look(Duration::from_secs(waits)), Duration::from_secs(next), "{waits}");
        }
    }
}
