//! What one connection's task does: it connects, again and again while that fails, and looks for what was missed.
//!
//! There is one such task for each connection and one request of it at a time. It looks every [`LOOK`], and at once
//! when it is nudged. Failures that pass are tried again by a ladder of up to a minute, those that need somebody every
//! [`WITH_SOMEBODYS_HELP`]: it may have been helped at the vendor, where nobody tells us.

use std::{sync::Arc, time::Duration};

use tandem_journal::LaneState;
use tandem_lanes::LaneAddress;
use tandem_model::{PauseReason, Timestamp};
use tandem_vendor::{Account, Failure, FailureKind};
use tokio_util::sync::CancellationToken;

use super::{LiveConnection, RouteOf, live::Trouble};
use crate::{
    Bridge,
    companion::Listener,
    hooks::{Beat, Polling},
    intake::backoff,
};

/// How often it is looked whether it is still connected.
const LOOK: Duration = Duration::from_secs(10);
/// How often it is tried again where trying alone does not help.
const WITH_SOMEBODYS_HELP: Duration = Duration::from_mins(5);
/// How long before a failure hooks may have been missed: what cut us off has cut them off, too.
const BEFORE: Duration = Duration::from_mins(1);

/// Runs until `soft` is cancelled or the connection is changed.
pub(super) async fn run(bridge: Bridge, live: Arc<LiveConnection>, soft: CancellationToken) {
    let Some(account) = live.account().cloned() else { return };
    let clock = Arc::clone(&bridge.parts().clock);
    let working = async {
        let mut beat = Beat::found(&bridge, &live).await;
        let mut polling = Polling::default();
        let mut listener = Listener::default();
        loop {
            let wait = look(&bridge, &live, &*account).await;
            if live.is_usable() {
                listener.go_on(&bridge, &live, &*account).await;
                bridge.look_for_missed(&live, &*account).await;
                polling.go_on(&bridge, &live, &*account).await;
            }
            beat.go_on(&bridge, &live).await;
            tokio::select! {
                () = clock.sleep_until(clock.now().plus(wait)) => {}
                () = live.nudge.notified() => {}
            }
        }
    };
    tokio::select! {
        () = soft.cancelled() => {}
        () = live.stop.cancelled() => {}
        () = working => {}
    }
}

/// Connects if that is needed and due; how long it may wait until the next look.
async fn look(bridge: &Bridge, live: &LiveConnection, account: &dyn Account) -> Duration {
    if live.is_disabled() || !live.wants_connecting(account) {
        return LOOK;
    }
    let now = bridge.parts().clock.now();
    let before = live.trouble();
    match account.connect().await {
        Ok(()) => {
            live.set_connected();
            if let Some(trouble) = &before {
                live.note_gap(trouble.since.minus(BEFORE));
            }
            let name = live.name();
            if let Some(sentence) = live.state().sentence(name) {
                tracing::warn!(connection.name = name, "connection {name} is connected, but: {sentence}");
            } else {
                tracing::info!(connection.name = name, "connection {name} is connected");
            }
            bridge.let_routes_go_on(live).await;
            LOOK
        }
        Err(failure) => note_failure(bridge, live, before.as_ref(), &failure, now),
    }
}

/// Shows and says why it is not connected; how long to wait.
fn note_failure(
    bridge: &Bridge,
    live: &LiveConnection,
    before: Option<&Trouble>,
    failure: &Failure,
    now: Timestamp,
) -> Duration {
    let failures = before.map_or(1, |before| before.failures.saturating_add(1));
    let ladder = || backoff::wait(failures, &*bridge.parts().rng);
    let (wait, passes) = match &failure.kind {
        FailureKind::Later { after, .. } => (after.unwrap_or_else(ladder), true),
        FailureKind::Lost { .. } => (ladder(), true),
        FailureKind::Refused | FailureKind::NoPhone | FailureKind::Gone | FailureKind::Stop(_) => {
            (WITH_SOMEBODYS_HELP, false)
        }
    };
    let reason = failure.words.clone();
    let name = live.name();
    if before.is_none_or(|before| before.reason != reason) {
        if passes {
            tracing::warn!(
                connection.name = name,
                failures,
                "connection {name} could not be connected: {reason}; it is tried again by itself"
            );
        } else {
            tracing::error!(
                connection.name = name,
                "connection {name} is refused: {reason}; nothing goes through it until somebody acts, then \
                 `tandem connections connect {name}`"
            );
        }
    }
    let since = before.map_or(now, |before| before.since);
    live.set_trouble(Trouble { since, failures, reason, retry_at: now.plus(wait), passes });
    wait
}

impl Bridge {
    /// Has lanes go on that stood still because the connection could not be used.
    async fn let_routes_go_on(&self, live: &LiveConnection) {
        for route in self.connections().routes_of(live.id()) {
            self.let_route_go_on(&route).await;
        }
    }

    /// Has a lane go on that stood still because of what was wrong before.
    pub(crate) async fn let_route_go_on(&self, route: &RouteOf) {
        // A companion's relay goes its own way; its notes wait for the account.
        let lane = match route.companion {
            Some(companion) => companion.notes,
            None => Some(route.lane),
        };
        let Some(lane) = lane else { return };
        let address = LaneAddress { bot: route.bot, lane };
        let Ok(Some(lane)) = self.parts().store.find_lane(route.bot, lane).await else { return };
        let waits = match lane.state {
            LaneState::Running => false,
            LaneState::Paused { reason, .. } => match reason {
                PauseReason::Down | PauseReason::Refused => true,
                PauseReason::Operator | PauseReason::Crowded => false,
            },
        };
        if waits && let Err(error) = self.parts().lanes.resume(address).await {
            tracing::debug!(%error, "route {} of bot {} did not go on: {error}", route.name, route.bot);
        }
    }
}
