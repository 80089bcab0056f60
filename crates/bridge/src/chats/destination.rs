//! The destination of a route's lane: takes a chat in hand, event by event.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tandem_journal::{Fact, Page, Store};
use tandem_lanes::{Delivered, Destination, Run};
use tandem_model::{
    Event, Flags, OrderKey, Timestamp, Verdict,
    message::{Act, ChatKey, Client, Content, OutcomeDocument, Told},
};

use super::{
    Shared,
    earlier::Moments,
    entrance::Entrance,
    known::{Care, Chat, Place, Recent, Standing},
    names::{Names, chat_of, person_of},
    reading::{Matter, Reading},
    talk::Talk,
    tending::{ends_hand_off, news_of},
    times::{LOOK_BACK, Times, beginning},
    verdict::{unread, verdict},
};
use crate::{WithoutRest, connections::chat_ids};

/// A route that speaks to a CRM message by message.
pub(super) struct ChatRoute {
    pub(super) shared: Arc<Shared>,
    /// Tells its chats apart from those of whatever stood here before.
    pub(super) number: u64,
    pub(super) names: Names,
    pub(super) reading: Reading,
    /// Its settings, as the vendor gets them.
    pub(super) document: serde_json::Value,
    pub(super) without_rest: WithoutRest,
    /// How long a client's card is taken to be as it was seen.
    pub(super) look_after: Duration,
    /// Whether nobody is to be notified of anything.
    pub(super) silent: bool,
    pub(super) moments: Moments,
    /// Where new clients come in.
    pub(super) entrance: Entrance,
}

#[async_trait]
impl Destination for ChatRoute {
    async fn deliver(&self, run: &Run) -> Delivered {
        let mut facts = Vec::new();
        for (taken, event) in run.events.iter().enumerate() {
            if let Err(verdict) = self.event(event, &mut facts).await {
                return Delivered { taken, verdict, facts };
            }
        }
        Delivered { facts, ..Delivered::all(run) }
    }
}

impl ChatRoute {
    async fn event(&self, event: &Event, facts: &mut Vec<Fact>) -> Result<(), Verdict> {
        let place = Place { destination: self.number, conversation: event.conversation.clone() };
        let matter = self.reading.matter(event);
        let news = news_of(event);
        let is_nothing = matter == Matter::Nothing && news.is_none();
        let Some(key) = chat_of(event.bot, &event.conversation).filter(|_| !is_nothing) else {
            if let Matter::Outcome(outcome) = &matter {
                self.report_of_nobody(outcome).await?;
            }
            // It takes its time all the same, so that times do not depend on what is told.
            self.shared.known.touch(&place, |chat| {
                chat.times.next(event);
                if ends_hand_off(event) {
                    chat.care.last = None;
                }
            });
            return Ok(());
        };
        let account = match self.shared.accounts.account(self.names.connection) {
            Ok(account) => account,
            // What is not told need not wait.
            Err(_) if matter == Matter::Nothing => {
                self.shared.known.touch(&place, |chat| {
                    chat.times.next(event);
                });
                return Ok(());
            }
            Err(verdict) => return Err(verdict),
        };
        let mut chat = match self.shared.known.take(&place) {
            Some(chat) => chat,
            None => self.load(key, event).await?,
        };
        let before = chat.times;
        let time = chat.times.next(event);
        let mut talk = Talk { route: self, account: &*account, chat: &mut chat, event, facts };
        talk.learn(news).await;
        let told = match matter {
            Matter::Told(told) => talk.tell_all(told, time).await,
            Matter::Outcome(outcome) => talk.report(&outcome).await,
            Matter::Nothing => Ok(()),
        };
        if told.is_err() {
            // It comes again, and is to have the same time.
            chat.times = before;
        }
        self.shared.known.put(place, chat);
        told
    }

    /// A manager wrote to somebody whom no bot knows: there is no chat of ours, and his message has a status.
    async fn report_of_nobody(&self, outcome: &OutcomeDocument) -> Result<(), Verdict> {
        let account = self.shared.accounts.account(self.names.connection)?;
        account.report(&outcome.origin, &outcome.result).await.map_err(verdict)
    }

    /// A chat that is not in memory.
    async fn load(&self, key: ChatKey, event: &Event) -> Result<Chat, Verdict> {
        let standing = self.look_up(&key).await?;
        let order = OrderKey { conversation: event.conversation.clone(), family: None };
        let (after, until) = (beginning(event.seq), event.seq.previous());
        let page = Page { events: LOOK_BACK, bytes: usize::MAX };
        let lane = self.names.lane;
        let earlier = self.store().read_conversation(lane.bot, lane.lane, order, after, until, page).await;
        let mut times = Times::default();
        for earlier in earlier.map_err(|error| unread(&error))?.events {
            times.next(&earlier);
        }
        let care = match &standing {
            Standing::Open { .. } => self.care_of(&key).await?,
            Standing::Unknown { .. } | Standing::Linked { .. } | Standing::Importing { .. } => {
                Care::default()
            }
        };
        let told = Recent::default();
        Ok(Chat { key, standing, client: None, noted_at: None, times, told, doubted: None, care })
    }

    /// How the client of an open chat was looked after.
    async fn care_of(&self, key: &ChatKey) -> Result<Care, Verdict> {
        let (store, bot, connection) = (self.store(), self.names.lane.bot, self.names.connection);
        let contact = match person_of(key) {
            Some(user) => store.find_contact(bot, user, connection).await.map_err(|error| unread(&error))?,
            None => None,
        };
        let last = self.names.tended(store, key).await.map_err(|error| unread(&error))?;
        Ok(Care { contact, last, tried_at: None })
    }

    /// How far the CRM knows of a chat.
    pub(super) async fn look_up(&self, key: &ChatKey) -> Result<Standing, Verdict> {
        let (store, bot, connection) = (self.store(), self.names.lane.bot, self.names.connection);
        let ids = chat_ids(store, bot, connection, key).await.map_err(|error| unread(&error))?;
        if let Some(ids) = ids {
            let opened = self.names.was_opened(store, key).await.map_err(|error| unread(&error))?;
            return Ok(if opened { Standing::Open { ids } } else { Standing::Linked { ids: Some(ids) } });
        }
        let contact = match person_of(key) {
            Some(user) => store.find_contact(bot, user, connection).await.map_err(|error| unread(&error))?,
            None => None,
        };
        Ok(match contact {
            Some(_) => Standing::Linked { ids: None },
            None => Standing::Unknown { looked_at: self.now() },
        })
    }

    pub(super) fn store(&self) -> &dyn Store {
        &*self.shared.store
    }

    pub(super) fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    /// Whether nobody is to be notified of this.
    pub(super) fn is_silent(&self, event: &Event) -> bool {
        self.silent || event.flags.intersects(Flags::SILENT)
    }

    /// A client of whom nothing but his chat is known.
    pub(super) fn nobody(&self, chat: i64) -> Client {
        self.reading.nobody(self.names.lane.bot, chat)
    }

    /// Gives the files of a message addresses where they can be fetched.
    pub(super) fn sign_links(&self, told: &mut Told) {
        let (Act::Said(body) | Act::Edited(body)) = &mut told.act else { return };
        if let Content::File(file) = &mut body.content
            && file.link.is_none()
        {
            file.link = self.shared.media.file(self.names.lane.bot, file);
        }
    }
}
