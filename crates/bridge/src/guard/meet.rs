//! Somebody else has a bot's stream: what is decided, committed, done and said.
//!
//! One commit has the decision, the count of retakes, and the route's new address; only then anything is done at
//! Telegram. A crash after it finds the webhook still foreign and takes it back then, as one more retake: never more
//! than six an hour. A call that fails is made again without being counted again.

use std::time::Duration;

use tandem_journal::{Bot, Document, SettingsChange, SettingsError};
use tandem_telegram::upstream::{CallError, WebhookInfo};

use super::{
    GuardMark,
    decide::{Decision, RETAKES},
    keep::Kept,
    whose::Stays,
};
use crate::{
    BotDocument, BotPhase, Bridge, ChangeError, GuardPolicy, HolderKind, IntakeState, StreamError, Taker,
    UpstreamMode, bots::LiveBot, bridge::Chain, intake::backoff,
};

/// How often a stream that somebody else has is looked at.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// Another poller that has not been met for so long is gone.
pub(crate) const POLLER_GONE: Duration = Duration::from_mins(5);
/// How often the policy `alert` says that it lasts.
const SAY_AGAIN: Duration = Duration::from_hours(1);

/// Who was met.
#[derive(Debug, Clone)]
pub(crate) enum Met {
    /// Another program that polls.
    Poller,
    /// Our webhook is gone.
    Removed,
    /// A webhook of somebody else's.
    Webhook(WebhookInfo),
}

/// Whether the stream is ours now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    /// It is.
    Ours,
    /// It is not; it is looked at again after this.
    Taken(Duration),
}

/// What was decided, as it is committed.
struct Decided {
    decision: Decision,
    kept: Kept,
    document: BotDocument,
    /// It is somebody new.
    is_news: bool,
}

impl Bridge {
    /// Decides by the bot's policy what to do about whoever has its stream, and does it. Dropping the future is like a
    /// crash: it is met again.
    pub(crate) async fn meet(&self, live: &LiveBot, met: &Met) -> Result<Stream, StreamError> {
        let by = match met {
            Met::Poller | Met::Removed => Taker::poller(),
            Met::Webhook(info) => self.taker_of(info),
        };
        live.guard.set_suspect(Some(by.clone()));
        if let Met::Poller = met {
            live.guard.meet_poller(self.parts().clock.now());
        }
        let Some(decided) = self.decide(live, &by, met).await? else {
            return Ok(Stream::Taken(self.look_again(live)));
        };
        live.set_known(decided.document.clone(), live.hook());
        match decided.decision {
            Decision::Retake(nth) => {
                self.retake(live, &by, nth, &decided.kept).await?;
                Ok(Stream::Ours)
            }
            Decision::StandDown | Decision::StayDown | Decision::Leave => {
                self.say_taken(live, &by, &decided);
                let mut marks = Vec::new();
                if decided.is_news {
                    marks.push(GuardMark::Taken { by: by.clone() });
                }
                if decided.decision == Decision::StandDown {
                    marks.push(GuardMark::StoodDown { by });
                }
                if !marks.is_empty() {
                    self.put_marks(live, marks).await;
                }
                Ok(Stream::Taken(self.look_again(live)))
            }
        }
    }

    /// Decides and commits. `None` when the bot is not ours any more.
    async fn decide(&self, live: &LiveBot, by: &Taker, met: &Met) -> Result<Option<Decided>, StreamError> {
        let (store, bot) = (&self.parts().store, live.id());
        loop {
            let revision = store.revision().await.map_err(ChangeError::from)?;
            let Some(row) = store.find_bot(bot).await.map_err(ChangeError::from)? else { return Ok(None) };
            let unreadable = |source| ChangeError::Document { bot, source };
            let mut document: BotDocument = row.document.read().map_err(unreadable)?;
            if document.phase != BotPhase::Active {
                return Ok(None);
            }
            let before = document.clone();
            let mut as_kept = document.clone();
            let (kept, mut changes) = match met {
                Met::Poller | Met::Removed => (Kept::AsBefore, Vec::new()),
                Met::Webhook(info) => self.keep(live, by, info, &mut as_kept).await?,
            };
            let may_retake = !matches!(met, Met::Poller) && !matches!(kept, Kept::Undecided(_));
            let unfinished = live.guard.is_unfinished();
            let decision = if unfinished && may_retake {
                Decision::Retake(document.guard.retakes.len())
            } else {
                document.guard.decide(by, may_retake, self.parts().clock.now())
            };
            if let Decision::Retake(_) = decision {
                document.taken_from = as_kept.taken_from;
            } else {
                changes.clear();
            }
            let is_news = document.guard.alerts > before.guard.alerts;
            if document == before && changes.is_empty() {
                return Ok(Some(Decided { decision, kept, document, is_news }));
            }
            let put = Bot { bot, document: Document::of(&document).map_err(unreadable)? };
            changes.insert(0, SettingsChange::PutBot(put));
            if let Decision::Retake(_) = decision {
                live.guard.set_unfinished(true);
            }
            let answer = store.change_settings(Some(revision), changes).await;
            if answer.is_ok() {
                return Ok(Some(Decided { decision, kept, document, is_news }));
            }
            live.guard.set_unfinished(unfinished);
            match answer {
                Ok(_) | Err(SettingsError::Stale { .. }) => {}
                Err(error) => return Err(ChangeError::from(error).into()),
            }
        }
    }

    /// Takes the stream back. What is pending stays pending and comes to us.
    async fn retake(&self, live: &LiveBot, by: &Taker, nth: usize, kept: &Kept) -> Result<(), StreamError> {
        let bot = live.id();
        if kept.changed().is_some()
            && let Err(error) = self.sync(bot).await
        {
            // The route gets everything from where its lane stands, once it can be served.
            let reason = Chain(&error);
            tracing::error!(bot.id = %bot, "not everything of bot {bot} can be served: {reason}");
        }
        match live.document().upstream {
            UpstreamMode::Polling => self.delete_webhook_in_turn(live).await?,
            UpstreamMode::Webhook => {
                self.pace().turn().await;
                live.guard.checked();
                self.set_own_webhook_patiently(live).await?;
            }
        }
        live.guard.set_unfinished(false);
        Self::say_retaken(live, by, nth, kept);
        let route = kept.changed().map(str::to_owned);
        let marks =
            vec![GuardMark::Taken { by: by.clone() }, GuardMark::Retaken { by: by.clone(), nth, route }];
        self.put_marks(live, marks).await;
        Ok(())
    }

    /// The stream has come to us: notes it if somebody was known to have it.
    pub(crate) async fn meet_nobody(&self, live: &LiveBot) {
        let guard = live.document().guard;
        let Some(taken) = guard.taker() else {
            self.show_running(live);
            return;
        };
        let (bot, now) = (live.id(), self.parts().clock.now());
        if taken.by.kind == HolderKind::Poller && live.guard.without_poller(now) < POLLER_GONE {
            let (since, by) = (taken.since, &taken.by);
            let advice = by.advice(Stays::Policy(guard.policy));
            live.set_intake(IntakeState::Conflict { since, holder: by.kind, host: None, advice });
            return;
        }
        match Box::pin(self.change_bot(bot, &[], |document| document.guard.end(now))).await {
            Ok(document) => {
                live.set_known(document, live.hook());
                let name = taken.by.name();
                tracing::info!(bot.id = %bot, "{name} has left the updates of bot {bot}: they come to us again");
                self.put_marks(live, vec![GuardMark::Free]).await;
                self.show_running(live);
            }
            Err(error) => {
                let reason = Chain(&error);
                tracing::warn!(bot.id = %bot, "that the stream of bot {bot} is free could not be noted: {reason}");
            }
        }
    }

    /// Asks who has the stream, when it is this question's turn.
    pub(crate) async fn look_who_has_it(&self, live: &LiveBot) -> Result<WebhookInfo, CallError> {
        self.pace().turn().await;
        live.guard.checked();
        self.parts().upstream.get_webhook_info(&live.handle.token()).await
    }

    /// Takes a webhook away, when it is this call's turn.
    pub(crate) async fn delete_webhook_in_turn(&self, live: &LiveBot) -> Result<(), CallError> {
        self.pace().turn().await;
        live.guard.checked();
        self.parts().upstream.delete_webhook(&live.handle.token()).await
    }

    /// When to look again: no later than the guard means to try.
    fn look_again(&self, live: &LiveBot) -> Duration {
        let wait = backoff::jittered(LOOK_AGAIN, &*self.parts().rng);
        let next = live.document().guard.stood_down.and_then(|down| down.next_try);
        next.map_or(wait, |at| wait.min(at.since(self.parts().clock.now()).max(Duration::from_secs(1))))
    }

    fn say_retaken(live: &LiveBot, by: &Taker, nth: usize, kept: &Kept) {
        let (bot, name) = (live.id(), by.name());
        let what = by.what_happened(&format!("bot {bot}"), live.document().upstream);
        let whom = match kept {
            Kept::Learned(route) => format!("; the route {route} goes to its new address"),
            Kept::New(route) => {
                format!("; it is kept as the new route {route} and gets everything from now on")
            }
            Kept::AsBefore | Kept::Undecided(_) if by.kind == HolderKind::Other => format!(
                "; {name} gets nothing: to keep it, make it a route with `tandem apply`, or set its webhook again and \
                 run `tandem adopt`"
            ),
            Kept::AsBefore | Kept::Undecided(_) => String::new(),
        };
        tracing::warn!(
            bot.id = %bot, holder.kind = by.kind.as_str(), holder.host = by.host, guard.nth = nth,
            "{what}; they were taken back ({nth} of {RETAKES} times within an hour){whom}"
        );
    }

    /// Shows that somebody has the stream, and says so when it begins; under the policy `alert` every hour.
    fn say_taken(&self, live: &LiveBot, by: &Taker, decided: &Decided) {
        let (bot, now, guard) = (live.id(), self.parts().clock.now(), &decided.document.guard);
        let why = match &decided.kept {
            Kept::Undecided(route) => Stays::BesideRoute(route),
            _ if guard.policy == GuardPolicy::Retake => Stays::TookItAgain,
            _ => Stays::Policy(guard.policy),
        };
        let advice = by.advice(why);
        let lasts = guard.policy == GuardPolicy::Alert && live.guard.is_to_be_said(now, SAY_AGAIN);
        let shown = live.intake.borrow().state.clone();
        let is_shown = matches!(&shown, IntakeState::Conflict { holder, host, .. } if *holder == by.kind && *host == by.host);
        let stands_down = decided.decision == Decision::StandDown;
        if decided.is_news || stands_down || lasts || !is_shown {
            live.guard.is_said(now);
            let what = by.what_happened(&format!("bot {bot}"), decided.document.upstream);
            let gives_way = match (stands_down, guard.policy) {
                (true, GuardPolicy::Retake) => "; the guard stands down",
                (true, _) => "; the guard gives way",
                (false, _) => "",
            };
            tracing::error!(
                bot.id = %bot, holder.kind = by.kind.as_str(), holder.host = by.host,
                "{what}{gives_way}: {advice}"
            );
        }
        let since = guard.taken.as_ref().map_or(now, |taken| taken.since);
        live.set_intake(IntakeState::Conflict { since, holder: by.kind, host: by.host.clone(), advice });
    }
}
