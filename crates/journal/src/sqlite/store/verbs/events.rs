//! Verbs about events.

use async_trait::async_trait;
use bytes::Bytes;
use rusqlite::Connection;
use tandem_model::{BotId, Event, LaneId, OrderKey, Seq, Upstream, VirtualId};

use super::{SqliteStore, append, event_rows, journals, outline, read};
use crate::{
    Append, Appended, Events, Haste, Head, JournalPage, LanePage, Lease, Order, OutlinePage, Page, ReadError,
    WriteError, sqlite::queue::Weight,
};

#[async_trait]
impl Events for SqliteStore {
    async fn append(&self, lease: Lease, bot: BotId, append: Append) -> Result<Vec<Appended>, WriteError> {
        let bytes = Some(append::check_sizes(&append)?);
        let weight = Weight { bot: Some(bot), bytes, haste: Haste::AtOnce };
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
        let in_memory = self.shared.tail.read(bot, lane, after, page);
        self.shared.counters.add_lane_read(in_memory.is_ok());
        let missed = match in_memory {
            Ok(found) => return Ok(found),
            Err(missed) => missed,
        };
        let read = move |connection: &Connection| read::read_lane(connection, bot, lane, after, page);
        let (found, latest) = self.read(read).await?;
        if let Some(latest) = latest {
            self.shared.tail.learn(missed, bot, lane, latest);
        }
        Ok(found)
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

    async fn outline_lane(
        &self,
        bot: BotId,
        lane: LaneId,
        stretch: (Seq, Seq),
        order: Order,
        limit: usize,
    ) -> Result<OutlinePage, ReadError> {
        self.read(move |connection| outline::outline_lane(connection, bot, lane, stretch, order, limit)).await
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
