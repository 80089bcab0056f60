//! Verbs about lanes.

use async_trait::async_trait;
use tandem_model::{BotId, Conversation, Filter, Held, LaneId, OrderKey, Seq};

use super::{SqliteStore, held, lane_rows, lane_verbs, sql_limit, survey, sweep};
use crate::{
    HeldCounts, HeldStates, Lane, LaneError, Lanes, Lease, Lost, NewLane, ReadError, Settlement, Survey,
    Urgency, sqlite::queue::Weight,
};

#[async_trait]
impl Lanes for SqliteStore {
    async fn create_lane(&self, lease: Lease, bot: BotId, lane: NewLane) -> Result<Lane, LaneError> {
        self.write_for(bot, move |writing| lane_verbs::create(writing, lease, bot, &lane)).await
    }

    async fn find_lane(&self, bot: BotId, lane: LaneId) -> Result<Option<Lane>, ReadError> {
        self.read_of(bot, move |connection, journal| lane_rows::find(connection, bot, journal, lane)).await
    }

    async fn list_lanes(
        &self,
        bot: BotId,
        after: Option<LaneId>,
        limit: usize,
    ) -> Result<Vec<Lane>, ReadError> {
        let after = after.map_or(0, LaneId::get);
        self.read_of(bot, move |connection, journal| {
            lane_rows::list(connection, bot, journal, after, sql_limit(limit))
        })
        .await
    }

    async fn set_filter(
        &self,
        lease: Lease,
        bot: BotId,
        lane: LaneId,
        filter: Filter,
    ) -> Result<Seq, LaneError> {
        self.write_for(bot, move |writing| lane_verbs::set_filter(writing, lease, bot, lane, &filter)).await
    }

    async fn settle(
        &self,
        lease: Lease,
        bot: BotId,
        lane: LaneId,
        settlement: Settlement,
    ) -> Result<(), LaneError> {
        let weight = Weight { bot: Some(bot), bytes: None, haste: settlement.haste };
        self.write(weight, Urgency::MustKeep, move |writing| {
            lane_verbs::settle(writing, lease, bot, lane, &settlement)
        })
        .await
    }

    async fn move_cursor(&self, lease: Lease, bot: BotId, lane: LaneId, to: Seq) -> Result<(), LaneError> {
        self.write_for(bot, move |writing| lane_verbs::move_cursor(writing, lease, bot, lane, to)).await
    }

    async fn remove_lane(&self, lease: Lease, bot: BotId, lane: LaneId) -> Result<(), LaneError> {
        self.write_for(bot, move |writing| lane_verbs::remove(writing, lease, bot, lane)).await
    }

    async fn list_held(
        &self,
        bot: BotId,
        lane: LaneId,
        states: HeldStates,
        after: Seq,
        limit: usize,
    ) -> Result<Vec<Held>, ReadError> {
        self.read_of(bot, move |connection, journal| {
            held::list(connection, journal, lane, states, after.get(), limit)
        })
        .await
    }

    async fn find_held(&self, bot: BotId, lane: LaneId, seq: Seq) -> Result<Option<Held>, ReadError> {
        self.read_of(bot, move |connection, journal| held::find(connection, journal, lane, seq.get())).await
    }

    async fn find_blocking(
        &self,
        bot: BotId,
        lane: LaneId,
        key: OrderKey,
    ) -> Result<Option<Held>, ReadError> {
        self.read_of(bot, move |connection, journal| held::find_blocking(connection, journal, lane, &key))
            .await
    }

    async fn list_blocked(
        &self,
        bot: BotId,
        lane: LaneId,
        after: Option<Conversation>,
        limit: usize,
    ) -> Result<Vec<OrderKey>, ReadError> {
        self.read_of(bot, move |connection, journal| {
            held::list_blocked(connection, journal, lane, after.as_ref(), sql_limit(limit))
        })
        .await
    }

    async fn count_held(&self, bot: BotId, lane: LaneId) -> Result<HeldCounts, ReadError> {
        self.read_of(bot, move |connection, journal| held::count(connection, journal, lane)).await
    }

    async fn survey(&self, limit: usize) -> Result<Survey, ReadError> {
        self.read(move |connection| survey::survey(connection, sql_limit(limit))).await
    }

    async fn list_lost(
        &self,
        bot: BotId,
        lane: LaneId,
        after: Seq,
        limit: usize,
    ) -> Result<Vec<Lost>, ReadError> {
        self.read_of(bot, move |connection, journal| {
            sweep::list_lost(connection, journal, lane, after.get(), sql_limit(limit))
        })
        .await
    }
}
