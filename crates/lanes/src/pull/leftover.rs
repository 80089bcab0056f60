//! What a push lane held when it became a pull lane.
//!
//! Its rows stand for events before the cursor that were not delivered, each for itself and for what comes after it
//! in its conversation. A pull lane reads them in their order with everything else. They stay rows until they are
//! confirmed, so that the lane can become a push lane again at any time.

use std::{collections::BTreeMap, sync::Arc};

use tandem_journal::{HeldStates, LanePage, Outline, Page, ReadError, Settlement, Store};
use tandem_model::{Held, HeldState, OrderKey, Seq, Timestamp};

use crate::LaneAddress;

/// How many rows are read at a time.
const ROWS: usize = 512;

/// Blocking rows by order key: the first of each.
#[derive(Debug, Default)]
pub(super) struct Leftover {
    rows: BTreeMap<OrderKey, Seq>,
    /// All rows, the further ones of a key too.
    all: Vec<Seq>,
}

impl Leftover {
    /// Reads it.
    pub(super) async fn read(store: &Arc<dyn Store>, lane: LaneAddress) -> Result<Self, ReadError> {
        let mut leftover = Self::default();
        let mut after = Seq::ZERO;
        loop {
            let page = store.list_held(lane.bot, lane.lane, HeldStates::BLOCKING, after, ROWS).await?;
            let full = page.len() == ROWS;
            for row in page {
                after = row.seq;
                leftover.all.push(row.seq);
                leftover.rows.entry(row.key()).or_insert(row.seq);
            }
            if !full {
                return Ok(leftover);
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Where reading has to begin so that nothing is left out.
    pub(super) fn begin(&self, acked: Seq) -> Seq {
        self.all.first().map_or(acked, |first| first.previous().min(acked))
    }

    /// Whether an event that the cursor has passed is still to be had.
    pub(super) fn has(&self, event: &Outline) -> bool {
        let whole = OrderKey { conversation: event.conversation.clone(), family: None };
        let apart = OrderKey { family: Some(event.family), ..whole.clone() };
        [whole, apart].iter().any(|key| self.rows.get(key).is_some_and(|row| *row <= event.seq))
    }

    /// Forgets all of it.
    pub(super) fn drop_all(&self, settlement: &mut Settlement) {
        settlement.drop.extend(&self.all);
    }

    /// Confirms what is before `position`, which the cursor has passed long ago: rows move on to the next event of
    /// their conversation.
    pub(super) async fn confirm_before(
        &self,
        store: &Arc<dyn Store>,
        lane: LaneAddress,
        (position, acked): (Seq, Seq),
        now: Timestamp,
        settlement: &mut Settlement,
    ) -> Result<(), ReadError> {
        settlement.drop.extend(self.all.iter().filter(|seq| **seq < position));
        for (key, _) in self.rows.iter().filter(|(_, row)| **row < position) {
            let mut after = position.previous();
            while after < acked {
                let page = Page { events: 1, bytes: 1 };
                let LanePage { events, scanned_to, .. } =
                    store.read_conversation(lane.bot, lane.lane, key.clone(), after, acked, page).await?;
                if let Some(next) = events.first() {
                    settlement.put.push(row(key, next.seq, now));
                    break;
                }
                if scanned_to <= after {
                    break;
                }
                after = scanned_to;
            }
        }
        let put: Vec<Seq> = settlement.put.iter().map(|row| row.seq).collect();
        settlement.drop.retain(|seq| !put.contains(seq));
        Ok(())
    }
}

fn row(key: &OrderKey, seq: Seq, now: Timestamp) -> Held {
    Held {
        seq,
        conversation: key.conversation.clone(),
        family: key.family,
        state: HeldState::Retrying,
        tries: 0,
        attempts: Vec::new(),
        next_at: now,
        reason: String::new(),
    }
}
