//! Verbs about events.

use async_trait::async_trait;
use bytes::Bytes;
use tandem_model::{BotId, Event, LaneId, OrderKey, Seq, Upstream, VirtualId};

use super::{SqliteStore, append, event_rows, journals, read};
use crate::{
    Append, Appended, Events, Head, JournalPage, LanePage, Lease, Page, ReadError, WriteError,
    sqlite::queue::Weight,
};

#[async_trait]
impl Events for SqliteStore {
    async fn append(&self, lease: Lease, bot: BotId, append: Append) -> Result<Vec<Appended>, WriteError> {
        let weight = Weight { bot: Some(bot), bytes: Some(append::check_sizes(&append)?) };
        self.write(weight, append.urgency, move |writing| append::append(writing, lease, bot, &append)).await
    }

    async fn find_duplicate(
        &self,
        bot: BotId,
        upstream: Upstream,
        body: Bytes,
    ) -> Result<Option<Seq>, ReadError> {
        let since = append::duplicates_since(self.clock.now());
        self.read(move |connection| {
            let Some(journal) = journals::find(connection, bot)? else { return Ok(None) };
            event_rows::find_duplicate(connection, journal.number, upstream, &body, since)?
                .map(journals::seq)
                .transpose()
        })
        .await
    }

    async fn read_lane(
        &self,
        bot: BotId,
        lane: LaneId,
        after: Seq,
        page: Page,
    ) -> Result<LanePage, ReadError> {
        self.read(move |connection| read::read_lane(connection, bot, lane, after, page)).await
    }

    async fn read_conversation(
        &self,
        bot: BotId,
        lane: LaneId,
        key: OrderKey,
        after: Seq,
        until: Seq,
        page: Page,
    ) -> Result<LanePage, ReadError> {
        self.read(move |connection| {
            read::read_conversation(connection, bot, lane, &key, (after, until), page)
        })
        .await
    }

    async fn read_journal(&self, bot: BotId, after: Seq, page: Page) -> Result<JournalPage, ReadError> {
        self.read(move |connection| read::read_journal(connection, bot, after, page)).await
    }

    async fn find_event(&self, bot: BotId, seq: Seq) -> Result<Option<Event>, ReadError> {
        self.read(move |connection| read::find_event(connection, bot, seq)).await
    }

    async fn head(&self, bot: BotId) -> Result<Head, ReadError> {
        self.read(move |connection| read::head(connection, bot)).await
    }

    async fn find_position(&self, bot: BotId, id: VirtualId) -> Result<Seq, ReadError> {
        self.read(move |connection| read::find_position(connection, bot, id)).await
    }
}
