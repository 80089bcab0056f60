//! What became of a reply, in the journal: one commit for each call that Telegram carried out.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use tandem_gateway::{Author, RecordError, Said, keyboard_notes};
use tandem_journal::{Append, Fact, Link, LinkScope, PersonChange, Presence, Urgency};
use tandem_model::{
    Blame, EventKind, Flags, Lifetime, NewEvent, Seq, Timestamp, Topic, UserId, Verdict,
    message::{MessageKey, OutcomeDocument, ReplyDocument, ReplyFailure, ReplyResult},
};
use tandem_telegram::{
    methods::{Capture, Class},
    reply::Call,
    token::redact,
    update::{Family, MessageView, split_array},
};

use super::{
    ReplyMark,
    destination::{Replies, Reply, retry},
    progress::Outcome,
    send::parts_of,
};
use crate::bridge::Chain;

impl Replies {
    /// Telegram carried out a call: its messages are the replies', one of each when they are several. `last`: whether
    /// the first reply is done by it; the others always are.
    pub(super) async fn note_sent(
        &self,
        replies: &mut [&mut Reply<'_>],
        call: &Call,
        sizes: &[u64],
        result: &Bytes,
        last: bool,
    ) -> Result<(), Verdict> {
        let now = self.now();
        let (mut events, mut facts) = (Vec::new(), Vec::new());
        let messages = messages_of(result);
        if let Some(first) = replies.first() {
            let (sent, notes) = self.sent_event(first, call, sizes, result, now);
            events.extend(sent);
            facts.extend(notes);
        }
        let together = replies.len() > 1;
        for (number, reply) in replies.iter_mut().enumerate() {
            let own: Vec<i64> =
                if together { messages.get(number).copied().into_iter().collect() } else { messages.clone() };
            facts.extend(own.iter().filter_map(|message| self.message_link(reply, *message, now)));
            reply.progress.parts += 1;
            reply.progress.messages.extend(own);
            if last || number > 0 {
                let places = reply.progress.messages.iter().map(|message| reply.place(*message)).collect();
                events.push(outcome(reply, ReplyResult::Sent { messages: places }, now));
                reply.progress.told = Some(Outcome::Sent);
            }
            facts.push(reply.progress.fact(self.lane, reply.event.seq, now));
        }
        self.append(events, facts).await.map_err(|error| {
            self.owed.store(true, Ordering::Relaxed);
            let (bot, reason) = (self.lane.bot, Chain(&error).to_string());
            tracing::error!(bot.id = %bot, "a manager's message was sent and could not be kept in the journal: {reason}");
            Verdict::Unknown { reason: format!("it was sent, and the journal could not keep it: {reason}") }
        })
    }

    fn sent_event(
        &self,
        reply: &Reply<'_>,
        call: &Call,
        sizes: &[u64],
        result: &Bytes,
        now: Timestamp,
    ) -> (Option<NewEvent>, Vec<Fact>) {
        let Some(capture) = capture_of(call.method) else { return (None, Vec::new()) };
        let lane = self.route_lane(reply);
        let mut parameters = call.params.clone();
        for part in parts_of(call, sizes) {
            parameters.attach(part);
        }
        let notes = keyboard_notes(lane, capture, &parameters, result, now);
        let ReplyDocument { origin, by, .. } = &reply.document;
        let apps = self.shared.directory.list_apps(self.lane.bot);
        let said = Said {
            by: Author::Manager {
                route: origin.route.as_str().into(),
                id: by.id.as_str().into(),
                name: by.name.as_deref().map(Into::into),
            },
            lane,
            method: call.method,
            capture,
            parameters,
            result,
            now,
            shown: apps.iter().any(|app| app.document().sees_sent()),
        };
        (said.event(), notes)
    }

    /// The vendor's name of a message that was born there, and ours.
    fn message_link(&self, reply: &Reply<'_>, message: i64, now: Timestamp) -> Option<Fact> {
        let route = reply.event.cause?;
        let theirs = reply.document.origin.message.clone();
        let ours = MessageKey::of(self.lane.bot, &reply.place(message)).to_string();
        let link = Link { scope: LinkScope::Lane(route), ours, theirs, at: now };
        (!link.theirs.is_empty()).then_some(Fact::Link(link))
    }

    /// It will never be carried out.
    pub(super) async fn fail(&self, replies: &[&Reply<'_>], why: ReplyFailure, words: &str) -> Verdict {
        let (now, words) = (self.now(), redact(words).into_owned());
        let (mut events, mut facts) =
            self.decided(replies, Outcome::Failed, now, |reply| ReplyResult::Failed {
                why,
                words: words.clone(),
                messages: reply.progress.messages.iter().map(|message| reply.place(*message)).collect(),
            });
        if why == ReplyFailure::Blocked
            && let Some(first) = replies.first()
            && let Some((mark, noted)) = self.blocked(first, &words, now).await
        {
            events.push(mark);
            facts.extend(noted);
        }
        match self.append(events, facts).await {
            Ok(()) => Verdict::Reject { reason: words },
            // Nothing was sent: Telegram says it again.
            Err(error) => retry(None, Blame::Event, Chain(&error).to_string()),
        }
    }

    /// Nobody can say whether it was carried out.
    pub(super) async fn unknown(&self, replies: &[&Reply<'_>], words: &str) -> Verdict {
        let (now, words) = (self.now(), redact(words).into_owned());
        let (events, facts) =
            self.decided(replies, Outcome::Unknown, now, |_| ReplyResult::Unknown { words: words.clone() });
        if let Err(error) = self.append(events, facts).await {
            self.owed.store(true, Ordering::Relaxed);
            let (bot, reason) = (self.lane.bot, Chain(&error).to_string());
            tracing::warn!(bot.id = %bot, "that a reply's fate is unknown could not be kept yet: {reason}");
        }
        Verdict::Unknown { reason: words }
    }

    /// One fate of several replies. Of all but the first it is found when their turn comes.
    fn decided(
        &self,
        replies: &[&Reply<'_>],
        told: Outcome,
        now: Timestamp,
        result: impl Fn(&Reply<'_>) -> ReplyResult,
    ) -> (Vec<NewEvent>, Vec<Fact>) {
        let first = replies.first().map_or(Seq::ZERO, |first| first.event.seq);
        let decided = replies.iter().enumerate().map(|(number, reply)| {
            let mut progress = reply.progress.clone();
            progress.told = Some(told);
            progress.with = (number > 0).then_some(first);
            (outcome(reply, result(reply), now), progress.fact(self.lane, reply.event.seq, now))
        });
        decided.unzip()
    }

    /// What is noted of somebody who has blocked the bot, once for each time that he does. That Telegram may have said so
    /// before (the update is in the journal, the intake keeps it of the person) makes no difference to the mark: nobody
    /// else tells which replies found it so.
    async fn blocked(&self, reply: &Reply<'_>, words: &str, now: Timestamp) -> Option<(NewEvent, Vec<Fact>)> {
        let (store, bot, scope) = (&self.shared.store, self.lane.bot, LinkScope::Lane(self.lane.lane));
        let user = UserId::new(reply.document.chat).ok()?;
        let presence = store.find_person(bot, user).await.ok().flatten().map(|person| person.presence);
        let ours = format!("blocked:{user}");
        let marked = store.find_link(bot, scope, ours.clone()).await.ok().flatten().map(|link| link.at);
        let since = match presence {
            Some(Presence::Blocked { since }) => since,
            Some(Presence::Reachable) | None => now,
        };
        if matches!(presence, Some(Presence::Blocked { .. })) && marked.is_some_and(|marked| since <= marked)
        {
            return None;
        }
        let mark = ReplyMark::Blocked { user, words: words.to_owned() };
        let presence = Some(Presence::Blocked { since });
        let change = PersonChange { user, phone: None, start: None, presence };
        let link = Link { scope, ours, theirs: since.as_millis().to_string(), at: now };
        let mark = mark.event(reply.event.conversation.clone(), now);
        Some((mark, vec![Fact::Person(change), Fact::Link(link)]))
    }

    async fn append(&self, events: Vec<NewEvent>, facts: Vec<Fact>) -> Result<(), RecordError> {
        let append = Append { events, facts, urgency: Urgency::MustKeep, ..Append::default() };
        self.shared.recorder.record(self.lane.bot, append).await.map(drop)
    }
}

/// The event that tells what became of a reply.
pub(super) fn outcome(reply: &Reply<'_>, result: ReplyResult, now: Timestamp) -> NewEvent {
    let document = OutcomeDocument { reply: reply.event.seq, origin: reply.document.origin.clone(), result };
    NewEvent {
        kind: EventKind::Outcome,
        topic: Topic::new(0).expect("a topic is at most 63"),
        conversation: reply.event.conversation.clone(),
        family: Family::Chat.number(),
        at: now,
        lifetime: Lifetime::Backlog,
        flags: Flags::NONE,
        upstream: None,
        cause: None,
        owner: None,
        body: serde_json::to_vec(&document).expect("texts and numbers always serialise").into(),
    }
}

fn capture_of(method: &str) -> Option<Capture> {
    match Class::of(method) {
        Class::Captured(capture) => Some(capture),
        Class::Virtual(_) | Class::Pass | Class::Unknown => None,
    }
}

/// The ids of the messages that a result shows; none in `true`.
fn messages_of(result: &Bytes) -> Vec<i64> {
    let messages = split_array(result).unwrap_or_else(|_one| vec![result.clone()]);
    messages.iter().filter_map(|message| MessageView::of(message)?.message_id()).collect()
}
