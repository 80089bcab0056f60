//! Delivering again what a lane has had.

use tandem_journal::{LaneKind, Page};
use tandem_lanes::{LaneAddress, ReplayMode as LaneReplayMode};
use tandem_model::{BotId, Seq, Timestamp};

use super::{Point, Refusal, RefusalCode, Replay, ReplayMode, Replayed, Response};
use crate::Bridge;

impl Bridge {
    pub(super) async fn replay(&self, asked: &Replay) -> Result<Response, Refusal> {
        let (found, lane) = self.lane_meant(&asked.lane).await?;
        let address = LaneAddress { bot: lane.bot, lane: lane.id };
        if lane.kind == LaneKind::App && !self.parts().lanes.is_attached(address) {
            return Err(Refusal::new(
                RefusalCode::BadRequest,
                format!(
                    "The app of lane {} fetches its updates itself: what it has confirmed never comes back.",
                    lane.name
                ),
                "Replay a route, or an app that has set a webhook.",
            ));
        }
        let head = self.parts().store.head(found.bot).await?;
        let from = self.position(found.bot, asked.from).await?.max(head.oldest);
        let to = match asked.to {
            Some(Point::Seq(seq)) => seq.min(head.last),
            // Up to and including what was stored at that time.
            Some(Point::Time(time)) => {
                let after = Timestamp::from_millis(time.as_millis().saturating_add(1));
                self.position(found.bot, Point::Time(after)).await?.previous()
            }
            None => head.last,
        };
        let nothing = Replayed { from, to, events: 0, delivered: 0, failed: 0, to_come: 0 };
        if from > to {
            return match asked.mode {
                ReplayMode::DryRun => Ok(Response::Replayed(nothing)),
                ReplayMode::Deliver => Err(Refusal::new(
                    RefusalCode::BadRequest,
                    format!("There is nothing from event {from} to event {to}."),
                    format!("The journal of {} goes from {} to {}.", found.shown(), head.oldest, head.last),
                )),
            };
        }
        let mode = match asked.mode {
            ReplayMode::DryRun => LaneReplayMode::DryRun,
            ReplayMode::Deliver => LaneReplayMode::Deliver,
        };
        let verb = self.parts().lanes.replay(address, from..=to, mode);
        let tandem_lanes::Replayed { events, delivered, failed, to_come } =
            self.with_lanes_running(verb).await??;
        Ok(Response::Replayed(Replayed { events, delivered, failed, to_come, ..nothing }))
    }

    /// The first event at or after a place; one past the end when there is none. Events are stored in the order of
    /// time, as far as the clock went forwards.
    pub(super) async fn position(&self, bot: BotId, point: Point) -> Result<Seq, Refusal> {
        let time = match point {
            Point::Seq(seq) => return Ok(seq.max(Seq::ZERO.next())),
            Point::Time(time) => time,
        };
        let store = &self.parts().store;
        let head = store.head(bot).await?;
        let (mut low, mut high) = (head.oldest.get(), head.last.get() + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            let page = Page { events: 1, bytes: 1 };
            let found = store.read_journal(bot, seq(middle).previous(), page).await?;
            match found.events.first() {
                Some(event) if event.appended_at < time => low = event.seq.get() + 1,
                Some(_) | None => high = middle,
            }
        }
        Ok(seq(low))
    }
}

fn seq(number: i64) -> Seq {
    Seq::new(number).unwrap_or(Seq::ZERO)
}
