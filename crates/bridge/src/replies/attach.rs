//! The lane `telegram` of a bot: there while one of its routes hears managers.

use std::sync::Arc;

use tandem_gateway::{BotHandle, BotState};
use tandem_journal::{HeldStates, LaneState, Lease, Settlement};
use tandem_lanes::{LaneAddress, PushSpec, Repeats};
use tandem_model::{HeldState, LaneId, PauseReason};
use tandem_telegram::token::Token;

use super::destination::Replies;
use crate::{Bridge, SyncError, bots::LiveBot};

/// A lane that is delivered.
#[derive(Debug, Clone)]
pub(crate) struct RunningReplies {
    lane: LaneAddress,
    bot: Arc<BotHandle>,
    /// With which token: another one is a reason to begin anew.
    token: Token,
}

impl Bridge {
    /// Attaches or detaches the lane that carries out what managers want. `wanted` is the lane, where there is to be one.
    pub(crate) async fn follow_replies(
        &self,
        live: &LiveBot,
        wanted: Option<(LaneId, Lease)>,
    ) -> Result<(), SyncError> {
        let running = live.running().replies.clone();
        let stays = |running: &RunningReplies| {
            wanted.is_some_and(|(lane, _)| lane == running.lane.lane)
                && Arc::ptr_eq(&running.bot, &live.handle)
                && running.token == live.handle.token()
        };
        if let Some(running) = &running {
            if stays(running) {
                return Ok(());
            }
            self.parts().lanes.detach(running.lane).await?;
            live.running().replies = None;
        }
        let Some((id, lease)) = wanted else { return Ok(()) };
        let lane = LaneAddress { bot: live.id(), lane: id };
        self.set_going(live, lane, lease).await?;
        let bot = Arc::clone(&live.handle);
        let token = bot.token();
        let replies = Replies::new(Arc::clone(self.replies()), Arc::clone(&bot), lane);
        // Nothing is under way yet: whatever stands as such was interrupted.
        let interrupted = HeldStates::only(HeldState::Sending).and(HeldState::Unknown);
        replies.tell_unknown(interrupted).await;
        self.parts().lanes.attach(lane, spec(), Arc::new(replies))?;
        live.running().replies = Some(RunningReplies { lane, bot, token });
        Ok(())
    }

    /// A lane that stands still because Telegram refused a token goes on with another one.
    async fn set_going(&self, live: &LiveBot, lane: LaneAddress, lease: Lease) -> Result<(), SyncError> {
        let store = &self.parts().store;
        let Some(known) = store.find_lane(lane.bot, lane.lane).await? else { return Ok(()) };
        let refused = matches!(known.state, LaneState::Paused { reason: PauseReason::Refused, .. });
        if refused && live.handle.state() == BotState::Active {
            let settlement = Settlement { state: Some(LaneState::Running), ..Settlement::default() };
            store.settle(lease, lane.bot, lane.lane, settlement).await?;
        }
        Ok(())
    }
}

/// One reply at a time in each conversation. Telegram recognises no repeat.
fn spec() -> PushSpec {
    PushSpec { repeats: Repeats::Unrecognised, ..PushSpec::route() }
}
