//! The look at bots whose updates are posted: a theft says nothing there, so Telegram is asked.
//!
//! One task for all of them. It goes round: each bot every [`EVERY`], or as often as the pace of all guard checks
//! allows, spread evenly; and once a second it looks at those that are oddly quiet. What it finds it tells the bot's
//! intake, which does what is to be done. Bots that are polled need no look: a theft shows as a 409.

use std::{collections::VecDeque, pin::Pin, sync::Arc, time::Duration};

use tandem_model::{BotId, Timestamp};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::whose::Whose;
use crate::{Bridge, IntakeState, UpstreamMode, bots::LiveBot, intake::backoff};

/// How often a bot is looked at, when there are not too many.
const EVERY: Duration = Duration::from_secs(10);
/// The share of all guard checks that goes to looking round: the rest is for what is urgent.
const A_SECOND: u32 = 10;
/// Between two looks for bots that are quiet.
const TICK: Duration = Duration::from_secs(1);
/// So many of them at a time.
const QUIET_A_TICK: usize = 4;
/// Calls under way at a time: one that is not answered holds up no other.
const UNDER_WAY: usize = 32;

/// Runs until `soft` is cancelled.
pub(crate) async fn run(bridge: Bridge, soft: CancellationToken) {
    let mut round: VecDeque<BotId> = VecDeque::new();
    let mut looks: JoinSet<()> = JoinSet::new();
    let clock = Arc::clone(&bridge.parts().clock);
    let mut next_look = clock.now();
    while !soft.is_cancelled() {
        while looks.try_join_next().is_some() {}
        let now = clock.now();
        let watched: Vec<Arc<LiveBot>> =
            bridge.live_bots().into_iter().filter(|live| is_watched(live)).collect();
        let quiet = watched.iter().filter(|live| live.guard.is_oddly_quiet(now)).take(QUIET_A_TICK);
        let mut due: Vec<Arc<LiveBot>> = quiet.cloned().collect();
        if next_look.since(now) > EVERY {
            // The clock was set back.
            next_look = now;
        }
        while next_look <= now && due.len() < UNDER_WAY {
            if round.is_empty() {
                round.extend(watched.iter().map(|live| live.id()));
            }
            let Some(bot) = round.pop_front() else {
                next_look = now.plus(EVERY);
                break;
            };
            let apart = apart(watched.len());
            next_look = next_look
                .max(now.minus(TICK))
                .plus(backoff::jittered(apart, &*bridge.parts().rng) + apart / 4);
            due.extend(bridge.find_live(bot).filter(|live| is_watched(live)));
        }
        for live in due {
            if looks.len() >= UNDER_WAY {
                break;
            }
            let bridge = bridge.clone();
            looks.spawn(async move { bridge.check(&live).await });
        }
        let soon = if watched.is_empty() { EVERY } else { TICK };
        let wake = next_look.min(now.plus(soon)).max(now.plus(Duration::from_millis(50)));
        let sleeping: Pin<Box<dyn Future<Output = ()> + Send>> = clock.sleep_until(wake);
        if soft.run_until_cancelled(sleeping).await.is_none() {
            break;
        }
    }
    looks.shutdown().await;
}

/// Between two looks when there are so many bots. The jitter is symmetric around it.
fn apart(bots: usize) -> Duration {
    let bots = u32::try_from(bots.max(1)).unwrap_or(u32::MAX);
    (EVERY / bots).max(Duration::from_secs(1) / A_SECOND)
}

/// Whether a bot's updates are posted, and come as far as is known.
fn is_watched(live: &LiveBot) -> bool {
    live.document().upstream == UpstreamMode::Webhook
        && matches!(live.intake.borrow().state, IntakeState::Running { .. })
}

impl Bridge {
    /// Looks at one bot. Trouble with the call is nobody's business here: the intake's own calls tell of it.
    async fn check(&self, live: &LiveBot) {
        let asked_at: Timestamp = self.parts().clock.now();
        let Ok(info) = self.look_who_has_it(live).await else { return };
        match self.whose(&info, live) {
            Whose::Ours => self.settle_holes(live, &info, asked_at).await,
            Whose::Nobodys | Whose::Tandems | Whose::Foreign => live.guard.nudge.notify_one(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bot_is_looked_at_every_ten_seconds_until_there_are_too_many() {
        let per_second = |bots| 1.0 / apart(bots).as_secs_f64();
        assert_eq!(apart(0), EVERY);
        assert_eq!(apart(1), EVERY);
        assert_eq!(apart(10), Duration::from_secs(1));
        for bots in [1000, 100_000, usize::MAX] {
            assert!((9.9..=10.1).contains(&per_second(bots)), "{bots}");
        }
    }
}
