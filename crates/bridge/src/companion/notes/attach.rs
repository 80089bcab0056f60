//! The lanes of notes of a bot: there while a route of its writes them.

use std::{collections::BTreeMap, sync::Arc};

use tandem_lanes::LaneAddress;
use tandem_model::LaneId;

use crate::{Bridge, RouteSetting, SyncError, bots::LiveBot};

/// A lane that is delivered.
#[derive(Debug)]
pub(crate) struct RunningNotes {
    lane: LaneAddress,
    setting: RouteSetting,
}

impl Bridge {
    /// Attaches and detaches them; `wanted` by the route's name.
    pub(crate) async fn follow_notes(
        &self,
        live: &LiveBot,
        wanted: BTreeMap<String, (LaneId, RouteSetting)>,
    ) -> Result<(), SyncError> {
        let changed: Vec<(String, LaneAddress)> = live
            .running()
            .notes
            .iter()
            .filter(|(name, running)| {
                wanted.get(*name).is_none_or(|(lane, setting)| {
                    running.lane.lane != *lane || !running.setting.is_same(setting)
                })
            })
            .map(|(name, running)| (name.clone(), running.lane))
            .collect();
        for (name, lane) in changed {
            self.parts().lanes.detach(lane).await?;
            live.running().notes.remove(&name);
        }
        for (name, (lane, setting)) in wanted {
            if live.running().notes.contains_key(&name) {
                continue;
            }
            let lane = LaneAddress { bot: live.id(), lane };
            let Some(taker) = self.notes().taker(lane, &setting) else { continue };
            self.parts().lanes.attach(lane, super::spec(), Arc::new(taker))?;
            live.running().notes.insert(name, RunningNotes { lane, setting });
        }
        Ok(())
    }
}
