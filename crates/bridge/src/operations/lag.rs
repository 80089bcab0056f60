//! How far a lane is behind: what waits for its turn, what is held, and since when.

use std::{collections::BTreeMap, time::Duration};

use tandem_journal::{HeldStates, Lane, LaneKind, Order, Outline, OutlinePage};
use tandem_model::{OrderKey, Seq, Timestamp};

use super::{Lag, Refusal};
use crate::Bridge;

/// Beyond this distance events are not counted.
const COUNTED: i64 = 10_000;
/// Beyond this many held conversations events are not counted.
const ROWS: usize = 512;

impl Bridge {
    /// What a lane has not delivered. `backlog`: how long an event is worth it, in an app's lane.
    pub(crate) async fn lag(&self, lane: &Lane, backlog: Duration) -> Result<Lag, Refusal> {
        let store = &self.parts().store;
        let head = store.head(lane.bot).await?.last;
        let rows = store.list_held(lane.bot, lane.id, HeldStates::BLOCKING, Seq::ZERO, ROWS).await?;
        let begin = rows.first().map_or(lane.acked, |row| row.seq.previous().min(lane.acked));
        let counted = head.get() - begin.get() <= COUNTED && rows.len() < ROWS;
        // What waits behind a held event is before the cursor too.
        let mut blocked: BTreeMap<OrderKey, Seq> = BTreeMap::new();
        for row in &rows {
            blocked.entry(row.key()).or_insert(row.seq);
        }
        let now = self.parts().clock.now();
        let waits = |event: &Outline| {
            let lives = match lane.kind {
                LaneKind::App => event.virtual_id.is_some() && event.lifetime.ends(event.at, backlog) > now,
                LaneKind::Route => true,
            };
            lives && (event.seq > lane.acked || is_behind(&blocked, event))
        };
        let (mut events, mut oldest, mut scanned) = (0, None::<Timestamp>, begin);
        while scanned < head && (counted || oldest.is_none()) {
            let stretch = (scanned, head);
            let OutlinePage { events: found, scanned_to, .. } =
                store.outline_lane(lane.bot, lane.id, stretch, Order::OldestFirst, 1000).await?;
            for event in found.iter().filter(|event| waits(event)) {
                events += 1;
                oldest.get_or_insert(event.appended_at);
            }
            if scanned_to <= scanned {
                break;
            }
            scanned = scanned_to;
        }
        if !counted {
            events = u64::try_from(head.get() - begin.get()).unwrap_or(0);
        }
        Ok(Lag { events, counted, oldest })
    }
}

fn is_behind(blocked: &BTreeMap<OrderKey, Seq>, event: &Outline) -> bool {
    let whole = OrderKey { conversation: event.conversation.clone(), family: None };
    let apart = OrderKey { family: Some(event.family), ..whole.clone() };
    [whole, apart].iter().any(|key| blocked.get(key).is_some_and(|first| *first <= event.seq))
}
