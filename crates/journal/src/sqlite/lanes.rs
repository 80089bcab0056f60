//! The verbs about lanes that write.

use tandem_model::{BotId, Filter, LaneId, Seq};

use super::{
    facts,
    fault::{Abort, Fault},
    filters, held,
    journals::{self, Journal},
    lane_rows,
    writing::Writing,
};
use crate::{Lane, LaneError, LaneState, Lease, NewLane, Passed, Settlement, Start, tail::Change};

fn find(
    writing: &mut Writing<'_>,
    lease: Lease,
    bot: BotId,
    lane: LaneId,
) -> Result<(Journal, Lane), Abort<LaneError>> {
    writing.admit(lease, bot)?;
    let found = match writing.find_journal(bot)? {
        None => None,
        Some(journal) => {
            lane_rows::find(writing.connection, bot, journal.number, lane)?.map(|lane| (journal, lane))
        }
    };
    found.ok_or(Abort::Refuse(LaneError::Missing { lane }))
}

pub(super) fn create(
    writing: &mut Writing<'_>,
    lease: Lease,
    bot: BotId,
    new: &NewLane,
) -> Result<Lane, Abort<LaneError>> {
    writing.admit(lease, bot)?;
    let mut journal = writing.journal(bot)?;
    if lane_rows::name_taken(writing.connection, journal.number, &new.name)? {
        return Err(Abort::Refuse(LaneError::NameTaken { name: new.name.clone() }));
    }
    let acked = match new.start {
        Start::Beginning => journal.swept.seq,
        Start::Now => journal.end.seq,
        Start::After(seq) => seq.get().clamp(journal.swept.seq, journal.end.seq),
    };
    let lane = Lane {
        bot,
        id: LaneId::new(journal.next_lane).map_err(|error| Fault::corrupt(error.to_string()))?,
        name: new.name.clone(),
        kind: new.kind,
        acked: journals::seq(acked)?,
        filter: new.filter,
        state: LaneState::Running,
        last_fault: None,
        passed: Passed::default(),
        created_at: writing.now,
    };
    journal.next_lane += 1;
    journals::update(writing.connection, bot, &journal)?;
    lane_rows::put(writing.connection, journal.number, &lane)?;
    filters::put(writing.connection, journal.number, lane.id.get(), 0, &lane.filter)?;
    writing.keep_journal(bot, journal);
    writing.note(Change::Lane(bot, lane.id));
    Ok(lane)
}

pub(super) fn set_filter(
    writing: &mut Writing<'_>,
    lease: Lease,
    bot: BotId,
    lane: LaneId,
    filter: &Filter,
) -> Result<Seq, Abort<LaneError>> {
    let (journal, lane) = find(writing, lease, bot, lane)?;
    let connection = writing.connection;
    let from = journal.end.seq + 1;
    if lane.filter == *filter {
        // An app says its `allowed_updates` with every call: what it already has holds from where it began.
        let current = filters::in_force(connection, journal.number, lane.id.get(), i64::MAX)?;
        return Ok(journals::seq(current.map_or(from, |version| version.from_seq))?);
    }
    filters::put(connection, journal.number, lane.id.get(), from, filter)?;
    writing.note(Change::Lane(bot, lane.id));
    Ok(journals::seq(from)?)
}

pub(super) fn settle(
    writing: &mut Writing<'_>,
    lease: Lease,
    bot: BotId,
    lane: LaneId,
    settlement: &Settlement,
) -> Result<(), Abort<LaneError>> {
    let (journal, mut lane) = find(writing, lease, bot, lane)?;
    let connection = writing.connection;
    let before = lane.clone();
    if let Some(acked) = settlement.acked {
        lane.acked = lane.acked.max(acked.min(journals::seq(journal.end.seq)?));
    }
    lane.passed.skipped = lane.passed.skipped.saturating_add(settlement.passed.skipped);
    lane.passed.expired = lane.passed.expired.saturating_add(settlement.passed.expired);
    if let Some(state) = &settlement.state {
        lane.state = state.clone();
    }
    if let Some(fault) = &settlement.fault {
        lane.last_fault = Some(fault.clone());
    }
    if lane != before {
        lane_rows::put(connection, journal.number, &lane)?;
    }
    for seq in &settlement.drop {
        held::remove(connection, journal.number, lane.id, seq.get())?;
    }
    for row in &settlement.put {
        held::put(connection, journal.number, lane.id, row)?;
    }
    Ok(facts::put(writing, &journal, &settlement.facts)?)
}

pub(super) fn move_cursor(
    writing: &mut Writing<'_>,
    lease: Lease,
    bot: BotId,
    lane: LaneId,
    to: Seq,
) -> Result<(), Abort<LaneError>> {
    let (journal, mut lane) = find(writing, lease, bot, lane)?;
    lane.acked = journals::seq(to.get().clamp(journal.swept.seq, journal.end.seq))?;
    Ok(lane_rows::put(writing.connection, journal.number, &lane)?)
}

pub(super) fn remove(
    writing: &mut Writing<'_>,
    lease: Lease,
    bot: BotId,
    lane: LaneId,
) -> Result<(), Abort<LaneError>> {
    let (journal, lane) = find(writing, lease, bot, lane)?;
    if lane_rows::remove(writing.connection, journal.number, lane.id)? {
        writing.note(Change::Lane(bot, lane.id));
        Ok(())
    } else {
        Err(Abort::Refuse(LaneError::Missing { lane: lane.id }))
    }
}
