//! Hooks that were missed: vendors send each once, so what happened while we could not take any is looked for in their
//! history.
//!
//! **How an outage is known.** While all is well a moment is written down every [`EVERY`] for each connection (a link
//! of one of its bots). A start (nobody took any hook before it, however shortly), a process that slept, a database that
//! did not take a hook and a vendor that could not be reached each open a gap. While there is a gap no new moment is
//! written, so that another crash does not hide it.
//!
//! **What is looked at.** The chats that were used in the last days, the latest first and a bounded number of them, one
//! after another and slowly: what clients say now comes first. What had come is recognised by the vendor's id. What is
//! older than a day is not sent to anybody any more: it is counted and said.

use std::time::Duration;

use tandem_journal::{Link, LinkScope};
use tandem_lanes::LeaseSource as _;
use tandem_model::Timestamp;
use tandem_vendor::{Account, FailureKind, Heard};

use super::{
    address::Place,
    metrics::MissedEnd,
    take::{TakeError, Taken},
};
use crate::{
    Bridge,
    bridge::Chain,
    connections::{LiveConnection, RouteOf, recent_chats},
};

/// How often it is written down that hooks can be taken.
const EVERY: Duration = Duration::from_secs(30);
/// A moment that is so old in a process that runs was followed by an outage.
const LATE: Duration = Duration::from_secs(90);
/// Hooks are on their way for a while, and clocks differ.
pub(super) const SLACK: Duration = Duration::from_mins(1);
/// What is older is not carried out any more.
const WORTH: Duration = Duration::from_hours(24);
/// A chat that was not used for so long is not asked about.
const ACTIVE: Duration = Duration::from_hours(72);
/// How many chats of a connection are asked about after an outage.
const CHATS: usize = 500;
/// Between two questions.
const PACE: Duration = Duration::from_millis(250);
/// How often a question is repeated whose failure passes.
const TRIES: u32 = 3;
/// Between those where the vendor names no time.
const AGAIN: Duration = Duration::from_secs(5);
/// Of how many bots the written moment is looked for.
const BOTS: usize = 64;

/// By what name the moment is written down.
const MOMENT: &str = "heartbeat";

/// The moment that is written down while all is well.
#[derive(Debug)]
pub(crate) struct Beat {
    last: Option<Timestamp>,
}

/// What was found after an outage.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) taken: u32,
    pub(super) too_old: u32,
    /// Chats that could not be asked about.
    unasked: u32,
    more: bool,
}

impl Beat {
    /// Looks when it was written last, and opens a gap from there: the process that wrote it has ended since.
    pub(crate) async fn found(bridge: &Bridge, live: &LiveConnection) -> Self {
        let mut last: Option<Timestamp> = None;
        for route in bridge.connections().routes_of(live.id()).iter().take(BOTS) {
            let found = bridge.parts().store.find_link(
                route.bot,
                LinkScope::Connection(live.id()),
                MOMENT.to_owned(),
            );
            if let Ok(Some(link)) = found.await {
                last = last.max(Some(link.at));
            }
        }
        let now = bridge.parts().clock.now();
        // Without any moment its process ended before it could write one: then nothing is known but what is worth it.
        live.note_gap(last.map_or(now.minus(WORTH), |last| last.min(now).minus(SLACK)));
        Self { last: last.map(|_| now) }
    }

    /// Writes it down when it is time and nothing may have been missed.
    pub(crate) async fn go_on(&mut self, bridge: &Bridge, live: &LiveConnection) {
        let now = bridge.parts().clock.now();
        if live.gap().is_some() {
            // It began earlier, and ends when it was looked through: an outage in between is part of it.
            self.last = Some(now);
            return;
        }
        if let Some(last) = self.last.filter(|last| now.since(*last) > LATE) {
            live.note_gap(last.minus(SLACK));
            live.look_again();
            self.last = Some(now);
            return;
        }
        if self.last.is_some_and(|last| now.since(last) < EVERY) {
            return;
        }
        let routes = bridge.connections().routes_of(live.id());
        let Some(route) = routes.first() else { return };
        let Some(lease) = bridge.parts().ownership.lease(route.bot) else { return };
        let scope = LinkScope::Connection(live.id());
        let link = Link { scope, ours: MOMENT.to_owned(), theirs: String::new(), at: now };
        match bridge.parts().store.put_links(lease, route.bot, vec![link]).await {
            Ok(()) => self.last = Some(now),
            Err(error) => {
                tracing::debug!(%error, "it could not be written down that hooks can be taken: {error}");
                live.note_gap(self.last.unwrap_or(now).minus(SLACK));
            }
        }
    }
}

impl Bridge {
    /// Looks for what was missed, if anything may have been.
    pub(crate) async fn look_for_missed(&self, live: &LiveConnection, account: &dyn Account) {
        let Some(since) = live.gap() else { return };
        let name = live.name();
        let mut found = Found::default();
        match self.look_through(live, account, since, &mut found).await {
            Ok(()) => live.close_gap(since),
            Err(error) => {
                let reason = Chain(&error);
                tracing::warn!(
                    connection.name = name,
                    "what was missed at connection {name} is looked for again: {reason}"
                );
                return;
            }
        }
        let Found { taken, too_old, unasked, more } = found;
        if taken > 0 {
            tracing::warn!(
                connection.name = name,
                missed.taken = taken,
                "{taken} of what managers did through connection {name} had not come by itself: it is carried out now"
            );
        }
        if too_old > 0 {
            tracing::error!(
                connection.name = name,
                missed.too_old = too_old,
                "{too_old} of what managers wrote through connection {name} was missed and is older than 24 hours: nobody \
                 gets it; look into the account"
            );
        }
        if unasked > 0 || more {
            tracing::warn!(
                connection.name = name,
                missed.unasked = unasked,
                "not every chat of connection {name} could be looked at for what was missed ({unasked} failed, at most {CHATS} \
                 are looked at)"
            );
        }
    }

    async fn look_through(
        &self,
        live: &LiveConnection,
        account: &dyn Account,
        since: Timestamp,
        found: &mut Found,
    ) -> Result<(), TakeError> {
        if let Some(asked) = account.heard_since(since).await {
            match asked {
                Ok(news) => return self.take_found(live, news, found).await,
                Err(failure) => return Err(TakeError::Vendor(failure)),
            }
        }
        let mut left = CHATS;
        // Of the chats of companions there is no history to look into.
        let routes = self.connections().routes_of(live.id());
        for route in routes.into_iter().filter(|route| route.companion.is_none()) {
            let active = self.parts().clock.now().minus(ACTIVE).min(since);
            let (chats, more) =
                recent_chats(&*self.parts().store, route.bot, live.id(), active, left).await?;
            left -= chats.len();
            found.more |= more;
            for (name, ids) in chats {
                let Some(place) = Place::of(route.clone(), name) else { continue };
                let Some(heard) = self.ask_missed(account, &ids, since).await else {
                    found.unasked += 1;
                    continue;
                };
                for heard in heard {
                    self.take_missed(live, &route, &place, heard, found).await?;
                }
            }
        }
        Ok(())
    }

    /// `None` when it could not be asked.
    async fn ask_missed(
        &self,
        account: &dyn Account,
        ids: &tandem_vendor::ChatIds,
        since: Timestamp,
    ) -> Option<Vec<Heard>> {
        let clock = &self.parts().clock;
        for _ in 0..TRIES {
            clock.sleep_until(clock.now().plus(PACE)).await;
            match account.missed(ids, since).await {
                Ok(heard) => return Some(heard),
                Err(failure) => {
                    tracing::debug!(%failure, "a chat could not be looked at for what was missed: {failure}");
                    let after = match failure.kind {
                        FailureKind::Later { after, .. } => after.unwrap_or(AGAIN),
                        FailureKind::Lost { .. } => AGAIN,
                        FailureKind::Refused
                        | FailureKind::NoPhone
                        | FailureKind::Gone
                        | FailureKind::Stop(_) => return None,
                    };
                    clock.sleep_until(clock.now().plus(after)).await;
                }
            }
        }
        None
    }

    async fn take_missed(
        &self,
        live: &LiveConnection,
        route: &RouteOf,
        place: &Place,
        heard: Heard,
        found: &mut Found,
    ) -> Result<(), TakeError> {
        let end = if self.parts().clock.now().since(heard.at) > WORTH {
            let known = self.has_heard(route.bot, route.lane, heard.id.as_deref()).await?;
            if known { MissedEnd::Known } else { MissedEnd::TooOld }
        } else {
            match self.take_heard(live, heard, Some(place.clone())).await? {
                Taken::New => MissedEnd::Taken,
                Taken::Repeated => MissedEnd::Known,
                Taken::Stale => MissedEnd::TooOld,
                Taken::ForNobody => MissedEnd::ForNobody,
            }
        };
        self.hook_metrics().count_missed(end);
        match end {
            MissedEnd::Taken => found.taken += 1,
            MissedEnd::TooOld => found.too_old += 1,
            MissedEnd::Known | MissedEnd::ForNobody => {}
        }
        Ok(())
    }
}
