//! What an account's own hooks show of the built-in integration's chats: whose they are, and that a talk is over.
//!
//! Whose a chat is, is committed before the hook is answered. A chat that nobody was met in is recognised by what it shows
//! if exactly one client wrote just that a moment ago and has no other chat ([`crate::companion`]); otherwise it is listed
//! as unknown, and what managers say in it is nobody's until it is known.

use tandem_journal::ReadError;
use tandem_model::{BotId, Conversation, UserId, message::ChatKey};
use tandem_vendor::{HeardChat, Notice, Noticed};

use super::{
    address::Place,
    arrival::Arrival,
    take::{OLDEST, TakeError, Taken},
};
use crate::{
    Bridge,
    companion::{Doer, NativeChat, chat_with, whose},
    connections::{ChatName, LiveConnection, RouteOf, where_is},
};

impl Bridge {
    /// Takes it, once.
    pub(super) async fn take_noticed(
        &self,
        live: &LiveConnection,
        noticed: Noticed,
    ) -> Result<Taken, TakeError> {
        let now = self.parts().clock.now();
        if now.since(noticed.at) > OLDEST {
            // Not refused: refusals count against us, and amoCRM would send it again.
            return Ok(Taken::Repeated);
        }
        if matches!(noticed.notice, Notice::Met { .. } | Notice::Shown { .. })
            && self.companions(live).next().is_none()
        {
            // Whose chats these are matters to nobody.
            return Ok(Taken::ForNobody);
        }
        let turns = self.hearing();
        let _turn = turns.take((live.id(), noticed.id.clone())).await;
        match &noticed.notice {
            Notice::Met { user, bot } => {
                let Some(route) = self.companion_of(live, bot.as_deref()) else {
                    live.unknown().note(&noticed.chat.theirs, noticed.contact.as_deref(), Doer::Client, now);
                    return Ok(Taken::ForNobody);
                };
                self.learn(live, &route, *user, &noticed).await
            }
            Notice::Shown { text, .. } => self.take_shown(live, &noticed, text).await,
            Notice::TalkClosed => match self.talk_of(live, &noticed.chat).await? {
                Some((route, conversation)) => {
                    let arrival = Arrival::talk_closed(&route, &noticed, &conversation);
                    self.keep_once(&arrival, Taken::New).await
                }
                None => Ok(Taken::ForNobody),
            },
        }
    }

    async fn take_shown(
        &self,
        live: &LiveConnection,
        noticed: &Noticed,
        text: &str,
    ) -> Result<Taken, TakeError> {
        let (chat, now) = (&noticed.chat.theirs, self.parts().clock.now());
        if let Some((route, known)) = self.native_chat(live, chat).await? {
            let store = &self.parts().store;
            let contact = store.find_contact(known.bot, known.user, live.id()).await?;
            let moved = noticed.contact.is_some() && noticed.contact != contact;
            if moved || known.is_old(now) {
                return self.learn(live, &route, known.user, noticed).await;
            }
            return Ok(Taken::Repeated);
        }
        if let Some((route, user)) = self.writer_of(live, text).await? {
            let name = live.name();
            tracing::debug!(
                connection.name = name,
                "a chat of connection {name} was recognised by what its client wrote a moment ago"
            );
            self.learn(live, &route, user, noticed).await
        } else {
            live.unknown().note(chat, noticed.contact.as_deref(), Doer::Client, now);
            Ok(Taken::ForNobody)
        }
    }

    /// Commits whose a chat is.
    async fn learn(
        &self,
        live: &LiveConnection,
        route: &RouteOf,
        user: UserId,
        noticed: &Noticed,
    ) -> Result<Taken, TakeError> {
        let taken = self.keep_once(&Arrival::met(route, user, noticed), Taken::New).await?;
        live.unknown().forget(&noticed.chat.theirs);
        Ok(taken)
    }

    /// The only one who wrote this a moment ago and has no chat yet.
    async fn writer_of(
        &self,
        live: &LiveConnection,
        text: &str,
    ) -> Result<Option<(RouteOf, UserId)>, ReadError> {
        let mut found = None;
        for (bot, user) in self.relayed().writers(live.id(), text) {
            if chat_with(&*self.parts().store, bot, live.id(), user).await?.is_some() {
                continue;
            }
            let Some(route) = self.companions(live).find(|route| route.bot == bot) else { continue };
            if found.replace((route, user)).is_some() {
                return Ok(None);
            }
        }
        Ok(found)
    }

    /// For whom a manager said something past us; `None` where nobody knows, which is listed.
    pub(super) async fn native_place(
        &self,
        live: &LiveConnection,
        chat: &HeardChat,
    ) -> Result<Option<Place>, ReadError> {
        if let Some((route, known)) = self.native_chat(live, &chat.theirs).await? {
            let key = ChatKey::of(known.bot, None, known.user.get());
            return Ok(Place::of(route, ChatName { key, number: 1 }));
        }
        live.unknown().note(&chat.theirs, None, Doer::Manager, self.parts().clock.now());
        Ok(None)
    }

    /// In which conversation a talk was: of a built-in integration's chat, or of a channel's.
    async fn talk_of(
        &self,
        live: &LiveConnection,
        chat: &HeardChat,
    ) -> Result<Option<(RouteOf, Conversation)>, ReadError> {
        if let Some((route, known)) = self.native_chat(live, &chat.theirs).await? {
            return Ok(Some((route, Conversation::chat(known.user.get()))));
        }
        for route in self.connections().routes_of(live.id()) {
            let name = where_is(&*self.parts().store, route.bot, live.id(), &chat.theirs).await?;
            let Some(place) = name.and_then(|name| Place::of(route, name)) else { continue };
            let conversation = match &place.business {
                Some(business) => Conversation::business(business, place.chat),
                None => Conversation::chat(place.chat),
            };
            return Ok(Some((place.route, conversation)));
        }
        Ok(None)
    }

    /// Whether what a manager said there the client has already, from the built-in integration.
    pub(super) async fn is_said_past_us(
        &self,
        live: &LiveConnection,
        chat: &HeardChat,
    ) -> Result<bool, ReadError> {
        let routes = self.connections().routes_of(live.id());
        let companions = routes.iter().filter(|route| route.companion.is_some()).count();
        Ok(companions > 0
            && (companions == routes.len() || self.native_chat(live, &chat.theirs).await?.is_some()))
    }

    async fn native_chat(
        &self,
        live: &LiveConnection,
        theirs: &str,
    ) -> Result<Option<(RouteOf, NativeChat)>, ReadError> {
        for route in self.companions(live) {
            if let Some(known) = whose(&*self.parts().store, route.bot, live.id(), theirs).await? {
                return Ok(Some((route, known)));
            }
        }
        Ok(None)
    }

    /// The companion's route of the bot of this name; where none is named, of the only bot there is.
    fn companion_of(&self, live: &LiveConnection, bot: Option<&str>) -> Option<RouteOf> {
        let mut routes: Vec<RouteOf> = self.companions(live).collect();
        match bot {
            Some(name) => routes.into_iter().find(|route| self.is_called(route.bot, name)),
            None if routes.len() == 1 => routes.pop(),
            None => None,
        }
    }

    fn is_called(&self, bot: BotId, name: &str) -> bool {
        let known = self.find_live(bot).and_then(|live| live.read(|document| document.username.clone()));
        known.is_some_and(|known| known.eq_ignore_ascii_case(name))
    }

    /// The companions' routes of a connection, one of each bot.
    fn companions(&self, live: &LiveConnection) -> impl Iterator<Item = RouteOf> + use<> {
        let mut routes = self.connections().routes_of(live.id());
        routes.retain(|route| route.companion.is_some());
        routes.dedup_by_key(|route| route.bot);
        routes.into_iter()
    }
}
