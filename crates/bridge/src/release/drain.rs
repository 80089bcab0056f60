//! Giving lanes time to deliver, and listing what they have not.

use std::time::Duration;

use crate::{
    Bridge,
    operations::{
        HeldCountsView, LaneStateView, LaneView, Refusal, RefusalCode, Release, Undelivered, UndeliveredView,
        find::Found,
    },
};

/// How often lanes are looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

impl Bridge {
    /// Waits for as long as the request allows, and lists what is left.
    pub(super) async fn drain(
        &self,
        found: &Found,
        asked: &Release,
    ) -> Result<Vec<UndeliveredView>, Refusal> {
        if self.current_run().is_none() {
            // No service delivers: it is done here, for as long as there is something that can be.
            self.parts().lanes.run_due().await;
        }
        let clock = &self.parts().clock;
        let until = clock.now().plus(Duration::from_secs(asked.wait_secs));
        loop {
            let left = self.undelivered(found).await?;
            let waiting = left.iter().any(|lane| lane.waiting > 0);
            if !waiting {
                return Ok(left);
            }
            let now = clock.now();
            if now >= until || self.current_run().is_none() {
                return match asked.undelivered {
                    Undelivered::Leave => Ok(left),
                    Undelivered::Refuse => Err(self.still_waiting(found, &left)),
                };
            }
            clock.sleep_until(now.plus(LOOK_AGAIN).min(until)).await;
        }
    }

    /// Lanes that have not delivered everything.
    async fn undelivered(&self, found: &Found) -> Result<Vec<UndeliveredView>, Refusal> {
        let lanes = self.lane_views(found.bot).await?;
        Ok(lanes.into_iter().filter_map(undelivered).collect())
    }

    fn still_waiting(&self, found: &Found, left: &[UndeliveredView]) -> Refusal {
        let now = self.parts().clock.now();
        let lanes: Vec<String> = left
            .iter()
            .filter(|lane| lane.waiting > 0)
            .map(|lane| {
                let age = lane.oldest.map_or(0, |oldest| now.since(oldest).as_secs());
                let reason = lane.reason.as_deref().map(|reason| format!("; {reason}")).unwrap_or_default();
                format!("{} has {} to come (the oldest {age} s old{reason})", lane.lane, lane.waiting)
            })
            .collect();
        Refusal::new(
            RefusalCode::Undelivered,
            format!("{} is not given back: {}.", found.shown(), lanes.join(", ")),
            "Mend what holds the lane up, have the app fetch its updates or wait longer; or give the bot back and \
             leave what is undelivered.",
        )
    }
}

fn undelivered(lane: LaneView) -> Option<UndeliveredView> {
    let HeldCountsView { sending, retrying, unknown, dead } = lane.held;
    let for_people = unknown + dead;
    if lane.lag.events == 0 && for_people == 0 {
        return None;
    }
    let paused = match lane.state {
        LaneStateView::Paused { detail, .. } => Some(detail),
        LaneStateView::Running => None,
    };
    Some(UndeliveredView {
        lane: lane.name,
        waiting: lane.lag.events,
        retrying: sending + retrying,
        for_people,
        oldest: lane.lag.oldest,
        reason: paused.or(lane.last_fault.map(|fault| fault.text)),
    })
}
