//! Telegram as a destination: one reply at a time in each conversation.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use tandem_gateway::{BotHandle, BotState};
use tandem_journal::{HeldStates, LinkScope, ReadError};
use tandem_lanes::{Delivered, Destination, LaneAddress, LeaseSource, Run};
use tandem_model::{
    Blame, Event, HeldState, LaneId, PauseReason, Timestamp, Verdict,
    message::{MessageKey, MessagePlace, Quoted, ReplyAct, ReplyDocument, ReplyFailure},
};
use tandem_telegram::reply::{self, Target};

use super::{
    Shared,
    budget::Budget,
    progress::{Outcome, Progress},
    send::Trouble,
};
use crate::bridge::Chain;

/// How soon it is looked again when the store has trouble.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// Telegram, for one bot.
pub(super) struct Replies {
    pub(super) shared: Arc<Shared>,
    pub(super) bot: Arc<BotHandle>,
    pub(super) lane: LaneAddress,
    budget: Mutex<Budget>,
    /// Something became unknown and could not be told: it is looked for before the next reply.
    pub(super) owed: AtomicBool,
}

/// A reply under way.
#[derive(Debug)]
pub(super) struct Reply<'a> {
    pub(super) event: &'a Event,
    pub(super) document: ReplyDocument,
    pub(super) progress: Progress,
}

impl Reply<'_> {
    pub(super) fn target(&self) -> Target<'_> {
        Target { business: self.document.business.as_deref(), chat: self.document.chat }
    }

    pub(super) fn place(&self, message: i64) -> MessagePlace {
        MessagePlace { business: self.document.business.clone(), chat: self.document.chat, message }
    }
}

#[async_trait]
impl Destination for Replies {
    async fn deliver(&self, run: &Run) -> Delivered {
        let Some(event) = run.events.first() else { return Delivered::all(run) };
        match self.carry_out(event).await {
            Ok(()) => Delivered { taken: 1, verdict: Verdict::Done, facts: Vec::new() },
            Err(verdict) => Delivered::first(verdict),
        }
    }
}

impl Replies {
    pub(super) fn new(shared: Arc<Shared>, bot: Arc<BotHandle>, lane: LaneAddress) -> Self {
        Self { shared, bot, lane, budget: Mutex::default(), owed: AtomicBool::new(false) }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    pub(super) fn budget(&self) -> MutexGuard<'_, Budget> {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for room to send so many messages at once.
    pub(super) fn take_room(&self, chat: i64, messages: usize) -> Result<(), Verdict> {
        let now = self.now();
        self.budget().take(chat, messages, now).map_err(|until| Verdict::Wait { until })
    }

    /// `Err` with what is to be said of it when it was not carried out (yet).
    async fn carry_out(&self, event: &Event) -> Result<(), Verdict> {
        if self.owed.swap(false, Ordering::Relaxed) {
            self.tell_unknown(HeldStates::only(HeldState::Unknown)).await;
        }
        let document: ReplyDocument = serde_json::from_slice(&event.body)
            .map_err(|error| Verdict::Reject { reason: format!("the reply cannot be read: {error}") })?;
        match self.bot.state() {
            BotState::Active => {}
            BotState::Revoked | BotState::Released => return Err(revoked()),
        }
        if let ReplyAct::Type { until } = document.act {
            return self.show_typing(&document, until).await;
        }
        if !self.shared.recorder.keeps_promises() {
            // Before it is sent: afterwards it could not be kept (invariant 1).
            return Err(Verdict::Wait { until: self.now().plus(STORE_PAUSE) });
        }
        let progress = self.progress(event).await?;
        let mut reply = Reply { event, document, progress };
        self.go_on_from_what_is_known(&mut reply).await?;
        if reply.progress.told == Some(Outcome::Sent) {
            return Ok(());
        }
        match reply.document.act.clone() {
            ReplyAct::Say { album: Some(album), file: Some(_), keyboard: None, .. }
                if reply.progress.parts == 0 =>
            {
                self.say_with_album(reply, &album).await
            }
            ReplyAct::Say { .. } => self.say(reply, None).await,
            ReplyAct::React { of, emoji } => self.react(reply, &of, emoji.as_deref()).await,
            ReplyAct::Type { .. } => Ok(()),
        }
    }

    async fn progress(&self, event: &Event) -> Result<Progress, Verdict> {
        Progress::find(&*self.shared.store, self.lane, event.seq).await.map_err(|error| unread(&error))
    }

    /// A part of an album whose fate was decided together with another part's has it, without being tried; so has what
    /// failed just before a crash. Once that is noted, or where it was decided alone, somebody has asked for another try.
    async fn go_on_from_what_is_known(&self, reply: &mut Reply<'_>) -> Result<(), Verdict> {
        let Some(first) = reply.progress.with else { return Ok(()) };
        reply.progress.with = None;
        match reply.progress.told {
            Some(Outcome::Sent) => Ok(()),
            Some(told) => {
                self.keep_progress(reply).await?;
                let reason = if first == reply.event.seq {
                    "what became of it was told before the service stopped"
                } else {
                    "what became of the album became of it"
                };
                let reason = reason.to_owned();
                Err(match told {
                    Outcome::Failed => Verdict::Reject { reason },
                    Outcome::Sent | Outcome::Unknown => Verdict::Unknown { reason },
                })
            }
            None => {
                let first = Progress::find(&*self.shared.store, self.lane, first).await;
                match first.map_err(|error| unread(&error))?.told {
                    Some(Outcome::Unknown) => {
                        Err(self.unknown(&[&*reply], "the service stopped while its album was sent").await)
                    }
                    Some(Outcome::Sent | Outcome::Failed) | None => Ok(()),
                }
            }
        }
    }

    async fn keep_progress(&self, reply: &Reply<'_>) -> Result<(), Verdict> {
        let link = reply.progress.link(self.lane, reply.event.seq, self.now());
        self.keep_links(vec![link]).await
    }

    pub(super) async fn keep_links(&self, links: Vec<tandem_journal::Link>) -> Result<(), Verdict> {
        let pause = |reason: String| retry(Some(STORE_PAUSE), Blame::Event, reason);
        let bot = self.lane.bot;
        let Some(lease) = self.shared.ownership.lease(bot) else {
            return Err(pause(format!("bot {bot} belongs to another process")));
        };
        let kept = self.shared.store.put_links(lease, bot, links).await;
        kept.map_err(|error| pause(Chain(&error).to_string()))
    }

    async fn show_typing(&self, document: &ReplyDocument, until: Timestamp) -> Result<(), Verdict> {
        let now = self.now();
        // Late it would be a lie, and nobody waits for it where there is no room.
        if until <= now || self.budget().take_aside(now).is_err() {
            return Ok(());
        }
        let target = Target { business: document.business.as_deref(), chat: document.chat };
        match self.call(document.chat, &reply::typing(target)).await {
            Err(Trouble::Again(verdict @ Verdict::Stop { .. })) => Err(verdict),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    async fn react(&self, mut reply: Reply<'_>, of: &Quoted, emoji: Option<&str>) -> Result<(), Verdict> {
        let Some(message) = self.find_quoted(&reply, of).await? else {
            let words = "the message that was reacted to is not known";
            return Err(self.fail(&[&reply], ReplyFailure::Refused, words).await);
        };
        let now = self.now();
        self.budget().take_aside(now).map_err(|until| Verdict::Wait { until })?;
        let call = reply::reaction(&reply.place(message), emoji);
        match self.call(reply.document.chat, &call).await {
            Ok(result) => self.note_sent(&mut [&mut reply], &call, &[], &result, true).await,
            // The same reaction again is the same reaction.
            Err(Trouble::Lost(reason)) => Err(retry(None, Blame::Unclear, reason)),
            Err(trouble) => Err(self.give_up(&[&reply], trouble).await),
        }
    }

    /// The id of the message that is meant, if it is one of the reply's chat.
    pub(super) async fn find_quoted(
        &self,
        reply: &Reply<'_>,
        quoted: &Quoted,
    ) -> Result<Option<i64>, Verdict> {
        let bot = self.lane.bot;
        let mut ours = quoted.ours.clone();
        if ours.is_none()
            && !quoted.theirs.is_empty()
            && let Some(route) = reply.event.cause
        {
            let links =
                self.shared.store.list_links(bot, LinkScope::Lane(route), quoted.theirs.clone(), 1).await;
            ours = links.map_err(|error| unread(&error))?.pop().map(|link| link.ours);
        }
        let place = ours.and_then(|ours| MessageKey::read(&ours)).filter(|(of, _)| *of == bot);
        let same_chat = |place: &MessagePlace| *place == reply.place(place.message);
        Ok(place.map(|(_, place)| place).filter(same_chat).map(|place| place.message))
    }

    /// The lane through which the reply's route is told.
    pub(super) fn route_lane(&self, reply: &Reply<'_>) -> LaneId {
        reply.event.cause.unwrap_or(self.lane.lane)
    }
}

/// What is said of a reply while Telegram does not take the bot's token.
pub(super) fn revoked() -> Verdict {
    let detail = "Telegram does not take the bot's token".to_owned();
    Verdict::Stop { reason: PauseReason::Refused, detail }
}

pub(super) const fn retry(after: Option<Duration>, blame: Blame, reason: String) -> Verdict {
    Verdict::Retry { after, blame, reason }
}

pub(super) fn unread(error: &ReadError) -> Verdict {
    retry(Some(STORE_PAUSE), Blame::Event, Chain(error).to_string())
}

impl fmt::Debug for Replies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replies").field("lane", &self.lane).finish_non_exhaustive()
    }
}
