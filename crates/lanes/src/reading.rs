//! Reading for a lane: what its [`Core`] asks for, and the lane itself.

use std::sync::Arc;

use tandem_journal::{HeldStates, LanePage, ReadError, Store};
use tandem_model::{Event, HeldState, LaneId, Seq};

use crate::{
    LaneAddress, PushSpec,
    core::{Core, Found, Read, Rows},
    shared::Shared,
};

/// How many rows are read at a time when a lane is loaded.
const ROWS: usize = 512;

/// Reads what a lane's state asks for.
pub(crate) async fn find(store: Arc<dyn Store>, lane: LaneAddress, read: Read) -> Result<Found, ReadError> {
    let LaneAddress { bot, lane } = lane;
    Ok(match read {
        Read::Lane { after, page, purpose } => {
            let LanePage { events, scanned_to, head } = store.read_lane(bot, lane, after, page).await?;
            Found::Lane { events, scanned_to, head, purpose }
        }
        Read::Key { key, after, until, page, aside_to } => {
            let LanePage { events, scanned_to, .. } =
                store.read_conversation(bot, lane, key.clone(), after, until, page).await?;
            let events = without_aside(&*store, lane, events, aside_to).await?;
            Found::Key { key, events, scanned_to, until }
        }
        Read::Row { key, seq, until, page, aside_to } => {
            let held = store.find_held(bot, lane, seq).await?;
            let LanePage { events, scanned_to, .. } =
                store.read_conversation(bot, lane, key.clone(), seq.previous(), until, page).await?;
            let events = without_aside(&*store, lane, events, aside_to).await?;
            Found::Row { key, seq, held, events, scanned_to }
        }
        Read::Single { seq } => {
            let held = store.find_held(bot, lane, seq).await?;
            let event = store.find_event(bot, seq).await?;
            Found::Single { seq, held, event }
        }
    })
}

/// Leaves out what is set aside for people. It can stand behind a row only when a crash came between it and the note
/// of what was delivered before it.
async fn without_aside(
    store: &dyn Store,
    lane: LaneId,
    events: Vec<Event>,
    aside_to: Seq,
) -> Result<Vec<Event>, ReadError> {
    let mut left = Vec::with_capacity(events.len());
    for event in events {
        let looked_at = event.seq <= aside_to;
        let row = if looked_at { store.find_held(event.bot, lane, event.seq).await? } else { None };
        if row.is_none_or(|row| row.state.blocks()) {
            left.push(event);
        }
    }
    Ok(left)
}

/// Reads a lane with what it holds; `None` when there is no such lane.
pub(crate) async fn load(
    shared: &Shared,
    at: LaneAddress,
    spec: &Arc<PushSpec>,
) -> Result<Option<Core>, ReadError> {
    let LaneAddress { bot, lane } = at;
    let Some(found) = shared.store.find_lane(bot, lane).await? else { return Ok(None) };
    let mut rows = Rows::default();
    let mut after = Seq::ZERO;
    loop {
        let page = shared.store.list_held(bot, lane, HeldStates::BLOCKING, after, ROWS).await?;
        let Some(last) = page.last() else { break };
        after = last.seq;
        let full = page.len() == ROWS;
        for row in page {
            rows.add_blocking(row, spec.repeats);
        }
        if !full {
            break;
        }
    }
    after = found.acked;
    let aside = HeldStates::only(HeldState::Unknown).and(HeldState::Dead);
    loop {
        let page = shared.store.list_held(bot, lane, aside, after, ROWS).await?;
        let Some(last) = page.last() else { break };
        after = last.seq;
        for row in &page {
            rows.add_aside(row.seq);
        }
        if page.len() < ROWS {
            break;
        }
    }
    Ok(Some(Core::load(&found, rows, Arc::clone(spec), Arc::clone(&shared.env), shared.clock.now())))
}
