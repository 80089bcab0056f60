//! Taking updates in: committed before they are confirmed to Telegram, or before its webhook is answered.
//!
//! Each bot that is ours has one task. It asks for updates ([`polling`]), or sees to it that Telegram posts them to
//! our public address ([`posting`]; what is posted comes through [`hooks`]). It ends when it is told to, or
//! when Telegram refuses the bot's token. One bot's trouble is in no other bot's task.

pub(crate) mod backoff;
mod hooks;
mod people;
mod polling;
mod posting;
mod revoked;
mod taking;

pub(crate) use people::known_by;

use std::sync::Arc;

use tandem_gateway::BotState;
use tandem_model::BotId;
use tandem_telegram::upstream::CallError;
use tokio_util::sync::CancellationToken;

use crate::{
    Bridge, ChangeError, IntakeState, UpstreamMode,
    bots::{LiveBot, RunningIntake},
    secrets::SecretError,
};

/// Why a bot's stream could not be taken or let go.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// Telegram did not do it.
    #[error("Telegram did not do it")]
    Call(#[from] CallError),
    /// There is no address Telegram could post to.
    #[error("no public address is set: set server.public_url, or use polling")]
    NoPublicUrl,
    /// A secret is not at hand, or could not be kept.
    #[error("the secret of the webhook is not at hand")]
    Secret(#[from] SecretError),
    /// The secret could not be stored.
    #[error("the secret of the webhook could not be stored")]
    Change(#[from] ChangeError),
}

/// What ended a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// It was told to end, or has nothing more to do.
    Quietly,
    /// Telegram refuses the token.
    Revoked,
}

impl Bridge {
    /// Starts taking a bot's updates in, if the bridge runs and it does not happen yet.
    pub(crate) fn start_intake(&self, live: &Arc<LiveBot>) {
        let Some(run) = self.current_run() else { return };
        let mut running = live.running();
        if running.intake.as_ref().is_some_and(RunningIntake::goes_on) {
            return;
        }
        let before = running.intake.take().map(|intake| intake.ended);
        let intake = RunningIntake { stop: run.soft.child_token(), ended: CancellationToken::new() };
        running.intake = Some(intake.clone());
        drop(running);
        let (bridge, live) = (self.clone(), Arc::clone(live));
        self.tasks().spawn(async move {
            let _ended = intake.ended.drop_guard();
            if let Some(before) = before {
                before.cancelled().await;
            }
            let token = live.handle.token();
            let taking = run.hard.run_until_cancelled(bridge.take_in(&live, &intake.stop));
            if taking.await == Some(Ended::Revoked) {
                bridge.note_revoked(&live, &token).await;
            } else {
                live.set_intake(IntakeState::Stopped);
            }
        });
    }

    /// Tells a bot's task to end. What it is committing is committed.
    pub(crate) fn end_intake(live: &LiveBot) -> Option<CancellationToken> {
        let running = live.running();
        let intake = running.intake.as_ref()?;
        intake.stop.cancel();
        Some(intake.ended.clone())
    }

    /// Stops taking a bot's updates in and waits until that has ended. It starts again by [`Bridge::sync`] if the
    /// bot's phase says so.
    pub async fn stop_intake(&self, bot: BotId) {
        let ended = self.find_live(bot).and_then(|live| Self::end_intake(&live));
        if let Some(ended) = ended {
            ended.cancelled().await;
        }
    }

    async fn take_in(&self, live: &LiveBot, stop: &CancellationToken) -> Ended {
        live.set_intake(IntakeState::Starting);
        let mut state = live.handle.watch_state();
        let revoked = state.wait_for(|state| *state == BotState::Revoked);
        let taking = async {
            match live.document().upstream {
                UpstreamMode::Polling => polling::run(self, live, stop).await,
                UpstreamMode::Webhook => posting::run(self, live, stop).await,
            }
        };
        // The gateway may be the first to hear that the token is refused.
        tokio::select! {
            ended = taking => ended,
            _ = revoked => Ended::Revoked,
        }
    }
}
