//! Taking what was heard: once each, committed when it returns.

use std::time::Duration;

use tandem_gateway::RecordError;
use tandem_journal::{InboxId, NewInboxEntry, ReadError, WriteError};
use tandem_model::{BotId, LaneId};
use tandem_vendor::{Failure, Heard, HeardAct, HeardChat, Strangers};

use super::{
    address::{Address, Place},
    arrival::{Arrival, mark, nobody_words},
    inbox,
};
use crate::{Bridge, connections::LiveConnection};

/// What is older is no hook that was late but one that is sent again: the links that would show it may be gone.
pub(super) const OLDEST: Duration = Duration::from_hours(48);

/// What became of something that was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    New,
    Repeated,
    /// Nobody could be written to; that is reported.
    ForNobody,
    Stale,
}

/// Why something was not kept.
#[derive(Debug, thiserror::Error)]
pub(super) enum TakeError {
    #[error("it could not be looked up for whom it is")]
    Read(#[from] ReadError),
    #[error("it could not be committed")]
    Record(#[source] RecordError),
    #[error("the vendor could not be asked")]
    Vendor(#[source] Failure),
    #[error("it could not be put into the inbox")]
    Inbox(#[source] WriteError),
}

impl Bridge {
    /// Takes it; `place` where it is known already for whom it is.
    pub(super) async fn take_heard(
        &self,
        live: &LiveConnection,
        heard: Heard,
        place: Option<Place>,
    ) -> Result<Taken, TakeError> {
        let now = self.parts().clock.now();
        if now.since(heard.at) > OLDEST {
            return Ok(match heard.act {
                HeardAct::Reply(_) => Taken::Stale,
                // Hooks of accounts come again when they are refused, and refusals count against us.
                HeardAct::Said(_) => Taken::Repeated,
            });
        }
        // Two of the same at a time: the second sees what the first has committed.
        let turns = self.hearing();
        let _turn = match &heard.id {
            Some(id) => Some(turns.take((live.id(), id.clone())).await),
            None => None,
        };
        let address = match (place, &heard.act) {
            (Some(place), _) => Address::Chat(Box::new(place)),
            (None, HeardAct::Reply(_)) => self.address_of(live, &heard.chat).await?,
            (None, HeardAct::Said(_)) => match self.said_past_us_to(live, &heard.chat).await? {
                Some(place) => Address::Chat(Box::new(place)),
                None => return Ok(Taken::ForNobody),
            },
        };
        match address {
            Address::Chat(place) => {
                let apps = self.parts().directory.list_apps(place.route.bot);
                let shown = apps.iter().any(|app| app.document().sees_sent());
                self.keep_once(&Arrival::in_chat(&place, heard, shown), Taken::New).await
            }
            Address::Nobody(_) if !reports_strangers(live) => Ok(Taken::ForNobody),
            Address::Nobody(route) => {
                let bot = self.find_live(route.bot);
                let username = bot.and_then(|bot| bot.read(|document| document.username.clone()));
                let words = nobody_words(route.channel.language, username.as_deref());
                match Arrival::for_nobody(&route, &heard, words) {
                    Some(arrival) => self.keep_once(&arrival, Taken::ForNobody).await,
                    None => Ok(Taken::ForNobody),
                }
            }
            Address::NoRoute => {
                let name = live.name();
                tracing::warn!(
                    connection.name = name,
                    "a manager wrote through connection {name}, which no route uses: give it a route, or remove it"
                );
                Ok(Taken::ForNobody)
            }
        }
    }

    /// For whom a manager said something that the client has already: of a companion's chat, or of any other that is known.
    async fn said_past_us_to(
        &self,
        live: &LiveConnection,
        chat: &HeardChat,
    ) -> Result<Option<Place>, ReadError> {
        let routes = self.connections().routes_of(live.id());
        if routes.iter().any(|route| route.companion.is_some()) {
            return self.native_place(live, chat).await;
        }
        match self.address_of(live, chat).await? {
            Address::Chat(place) => Ok(Some(*place)),
            Address::Nobody(_) | Address::NoRoute => Ok(None),
        }
    }

    pub(super) async fn keep_once(&self, arrival: &Arrival, new: Taken) -> Result<Taken, TakeError> {
        if self.is_known(arrival).await? {
            return Ok(Taken::Repeated);
        }
        match self.commit(arrival, Vec::new()).await {
            Ok(()) => Ok(new),
            Err(RecordError::NotOwned { .. }) => {
                let body = serde_json::to_vec(arrival).expect("texts and numbers always serialise").into();
                let entry = NewInboxEntry { bot: arrival.bot, source: inbox::SOURCE.to_owned(), body };
                self.parts().store.put_inbox(vec![entry]).await.map_err(TakeError::Inbox)?;
                Ok(new)
            }
            Err(error) => Err(TakeError::Record(error)),
        }
    }

    /// Whether it has come before.
    pub(super) async fn is_known(&self, arrival: &Arrival) -> Result<bool, ReadError> {
        self.has_heard(arrival.bot, arrival.lane, arrival.mark_id()).await
    }

    /// Whether this of the vendor's ids has come before.
    pub(super) async fn has_heard(
        &self,
        bot: BotId,
        lane: LaneId,
        id: Option<&str>,
    ) -> Result<bool, ReadError> {
        let Some(id) = id else { return Ok(false) };
        let (scope, ours) = mark(lane, id);
        Ok(self.parts().store.find_link(bot, scope, ours).await?.is_some())
    }

    pub(super) async fn commit(&self, arrival: &Arrival, inbox: Vec<InboxId>) -> Result<(), RecordError> {
        let mut append = arrival.append(inbox, self.parts().clock.now());
        self.parts().gateway.hand_offs_begin(arrival.bot, arrival.lane, &mut append).await;
        // Only then: no hand-off ends by what makes one begin.
        if let Some((conversation, closed_at, lasts)) = arrival.ends() {
            let gateway = &self.parts().gateway;
            let over = gateway.hand_off_is_over(arrival.bot, &conversation, closed_at, lasts).await;
            // What cannot be looked up ends by its time.
            if let Ok(Some((mark, fact))) = over {
                append.events.push(mark);
                append.facts.push(fact);
            }
        }
        self.parts().recorder.record(arrival.bot, append).await.map(|_| ())
    }
}

/// Whether a manager is told that nobody got what he wrote.
fn reports_strangers(live: &LiveConnection) -> bool {
    live.account().is_none_or(|account| account.abilities().strangers == Strangers::Reported)
}
