//! What a vendor says that the company said: a manager, or we, whose own messages come back from some vendors.
//!
//! Ours is known by its id once the vendor has told it to us. Before that, or where the answer was lost, by what was
//! noted before it was sent (`sending:<key>`, [`crate::chats`]). Where neither shows it and something is being told
//! to the same person, it is looked for once more a moment later: the hook may have overtaken the answer.

use std::time::Duration;

use tandem_gateway::RecordError;
use tandem_journal::{Append, Fact, Link, LinkScope, ReadError, Urgency};
use tandem_model::message::ReplyAct;
use tandem_vendor::{Arrived, Doubt, HeardAct, Spoken};

use super::{
    metrics::HookEnd,
    take::{TakeError, Taken},
};
use crate::{
    Bridge,
    chats::links::{SENDING, arrived},
    connections::{LiveConnection, RouteOf},
};

/// How long after something unknown came it is looked for again (wahelp.md 9.4).
const AGAIN: Duration = Duration::from_millis(1500);
/// How many of our messages with the same words to the same person are looked at.
const ALIKE: usize = 64;

impl Bridge {
    /// Takes what a manager said; `None` if it was ours.
    pub(super) async fn take_spoken(
        &self,
        live: &LiveConnection,
        spoken: Spoken,
    ) -> Result<Option<Taken>, TakeError> {
        if self.is_echo(live, &spoken).await? {
            return Ok(None);
        }
        if spoken.doubt == Doubt::LookAgain {
            let clock = &self.parts().clock;
            clock.sleep_until(clock.now().plus(AGAIN)).await;
            if self.is_echo(live, &spoken).await? {
                return Ok(None);
            }
        }
        let mut heard = spoken.heard;
        if let HeardAct::Reply(ReplyAct::Say { text, .. }) = &heard.act
            && self.is_said_past_us(live, &heard.chat).await?
        {
            heard.act = HeardAct::Said(text.clone());
        }
        self.take_heard(live, heard, None).await.map(Some)
    }

    /// Whether one of the connection's routes has told it. Its id is noted where it was not known.
    async fn is_echo(&self, live: &LiveConnection, spoken: &Spoken) -> Result<bool, TakeError> {
        let Some(id) = &spoken.heard.id else { return Ok(false) };
        let routes = self.connections().routes_of(live.id());
        for route in &routes {
            if self.told_as(route, id).await?.is_some() {
                return Ok(true);
            }
        }
        for route in &routes {
            let scope = LinkScope::Lane(route.lane);
            let store = &self.parts().store;
            let sent = store.list_links(route.bot, scope, spoken.fingerprint.clone(), ALIKE).await?;
            for key in sent.iter().filter_map(|link| link.ours.strip_prefix(SENDING)) {
                if store.find_link(route.bot, scope, key.to_owned()).await?.is_some() {
                    continue;
                }
                let at = self.parts().clock.now();
                self.note_link(route, Link { scope, ours: key.to_owned(), theirs: id.clone(), at }).await?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Our key of a message of this id, where this route has told it.
    async fn told_as(&self, route: &RouteOf, id: &str) -> Result<Option<String>, ReadError> {
        let scope = LinkScope::Lane(route.lane);
        let links = self.parts().store.list_links(route.bot, scope, id.to_owned(), ALIKE).await?;
        // Other links of a lane have a word in front.
        Ok(links.into_iter().map(|link| link.ours).find(|ours| ours.starts_with("tg:")))
    }

    /// Takes how far one of our messages has come. It only ever comes further.
    pub(super) async fn take_arrived(
        &self,
        live: &LiveConnection,
        message: &str,
        how: Arrived,
    ) -> Result<HookEnd, TakeError> {
        for route in self.connections().routes_of(live.id()) {
            let Some(key) = self.told_as(&route, message).await? else { continue };
            let scope = LinkScope::Lane(route.lane);
            let ours = arrived(&key);
            let before = self.parts().store.find_link(route.bot, scope, ours.clone()).await?;
            if before.and_then(|link| Arrived::read(&link.theirs)).is_some_and(|before| before >= how) {
                return Ok(HookEnd::Repeated);
            }
            let at = self.parts().clock.now();
            self.note_link(&route, Link { scope, ours, theirs: how.as_str().to_owned(), at }).await?;
            self.hook_metrics().count_arrived(how);
            if how == Arrived::Failed {
                tracing::warn!(
                    connection.name = live.name(),
                    "a message of route {} of bot {} ({key}) was taken by {} and could not be delivered",
                    route.name,
                    route.bot,
                    live.vendor()
                );
            }
            return Ok(HookEnd::Taken);
        }
        Ok(HookEnd::Ignored)
    }

    /// Notes a link of a route's lane. Of a bot that is another process's it is noted there, when it is told.
    async fn note_link(&self, route: &RouteOf, link: Link) -> Result<(), TakeError> {
        let append =
            Append { facts: vec![Fact::Link(link)], urgency: Urgency::MustKeep, ..Append::default() };
        match self.parts().recorder.record(route.bot, append).await {
            Ok(_) | Err(RecordError::NotOwned { .. }) => Ok(()),
            Err(error) => Err(TakeError::Record(error)),
        }
    }
}
