//! What lanes have set aside: looking at it, delivering it now, letting go of it.

use tandem_journal::{HeldStates, Lane};
use tandem_lanes::{Answer, LaneAddress};
use tandem_model::{Held, Seq, Timestamp};

use super::{HeldAnswer, HeldQuery, HeldView, LaneRef, Refusal, RefusalCode, Response, find::LANES};
use crate::Bridge;

/// Rows of a lane that are shown where nothing else is asked for.
const ROWS: usize = 100;
/// Most rows of a lane that are shown at a time.
const MOST_ROWS: usize = 1000;

impl Bridge {
    pub(super) async fn list_held(&self, query: &HeldQuery) -> Result<Response, Refusal> {
        let lanes = self.lanes_meant(query).await?;
        let limit = query.limit.unwrap_or(ROWS).clamp(1, MOST_ROWS);
        let states = query.states.iter().map(|state| HeldStates::only(*state)).reduce(|all, one| all | one);
        let states = states.unwrap_or(HeldStates::ALL);
        let after = query.after.unwrap_or(Seq::ZERO);
        let (mut held, mut more) = (Vec::new(), false);
        for lane in lanes {
            let mut rows = self.parts().store.list_held(lane.bot, lane.id, states, after, limit + 1).await?;
            more |= rows.len() > limit;
            rows.truncate(limit);
            for row in rows {
                held.push(self.held_view(&lane, row).await?);
            }
        }
        Ok(Response::Held { held, more })
    }

    async fn lanes_meant(&self, query: &HeldQuery) -> Result<Vec<Lane>, Refusal> {
        if let Some(lane) = &query.lane {
            let named = LaneRef { bot: query.bot.clone(), lane: lane.clone() };
            return Ok(vec![self.lane_meant(&named).await?.1]);
        }
        let bots = match &query.bot {
            Some(_) => vec![self.bot_meant(query.bot.as_ref()).await?],
            None => self.stored_bots().await?,
        };
        let mut lanes = Vec::new();
        for found in bots {
            lanes.extend(self.parts().store.list_lanes(found.bot, None, LANES).await?);
        }
        Ok(lanes)
    }

    async fn held_view(&self, lane: &Lane, row: Held) -> Result<HeldView, Refusal> {
        let event = self.parts().store.find_event(lane.bot, row.seq).await?;
        Ok(HeldView {
            bot: lane.bot,
            lane: lane.name.clone(),
            seq: row.seq,
            kind: event.map(|event| event.kind),
            conversation: row.conversation.as_str().to_owned(),
            state: row.state,
            tries: row.tries,
            attempts: row.attempts,
            next_at: Some(row.next_at)
                .filter(|at| row.state == tandem_model::HeldState::Retrying && *at > Timestamp::EPOCH),
            reason: row.reason,
        })
    }

    pub(super) async fn retry_held(&self, named: &LaneRef, seq: Seq) -> Result<Response, Refusal> {
        let (_, lane) = self.lane_meant(named).await?;
        let address = LaneAddress { bot: lane.bot, lane: lane.id };
        let answer = self.with_lanes_running(self.parts().lanes.retry(address, seq)).await??;
        told(&lane, seq, answer)
    }

    pub(super) async fn skip_held(&self, named: &LaneRef, seq: Seq) -> Result<Response, Refusal> {
        let (_, lane) = self.lane_meant(named).await?;
        let address = LaneAddress { bot: lane.bot, lane: lane.id };
        let answer = self.with_lanes_running(self.parts().lanes.skip(address, seq)).await??;
        told(&lane, seq, answer)
    }
}

fn told(lane: &Lane, seq: Seq, answer: Answer) -> Result<Response, Refusal> {
    Ok(Response::HeldAnswer(match answer {
        Answer::Delivered => HeldAnswer::Delivered,
        Answer::Scheduled => HeldAnswer::Scheduled,
        Answer::Skipped => HeldAnswer::Skipped,
        Answer::Failed { reason } => HeldAnswer::Failed { reason },
        Answer::Busy => HeldAnswer::Busy,
        Answer::Gone => HeldAnswer::Gone,
        Answer::Missing => {
            return Err(Refusal::new(
                RefusalCode::NoSuchEvent,
                format!("Lane {} holds no event {seq}.", lane.name),
                "See with `tandem held list` what it holds.",
            ));
        }
    }))
}
