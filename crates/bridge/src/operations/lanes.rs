//! Lanes: how far each is, and having one stand still or go on.

use std::time::Duration;

use tandem_journal::{Lane, LaneKind, LaneState};
use tandem_lanes::LaneAddress;
use tandem_model::{BotId, Seq};

use super::{
    BotRef, FaultView, HeldCountsView, LaneRef, LaneStateView, LaneView, Refusal, RefusalCode, Response,
    Serves, apps::StoredApp, find::LANES, trouble::unreadable,
};
use crate::{Bridge, RouteDocument};

/// Gaps of a lane that are read.
const LOST: usize = 1000;

/// What serves a bot's lanes, as stored.
pub(crate) struct Served {
    apps: Vec<StoredApp>,
    routes: Vec<(String, RouteDocument)>,
}

impl Served {
    fn backlog(&self, lane: &Lane) -> Duration {
        self.app(lane).map_or(Duration::ZERO, |app| app.document.backlog())
    }

    fn app(&self, lane: &Lane) -> Option<&StoredApp> {
        self.apps.iter().find(|app| app.row.lane == Some(lane.id))
    }

    fn delivery(&self, lane: &Lane) -> String {
        if let Some(app) = self.app(lane) {
            return app.delivery().to_owned();
        }
        let route = lane.name.split_once(':').map_or("", |(_, name)| name);
        match self.routes.iter().find(|(name, _)| name == route) {
            Some((_, RouteDocument { kind, mode, .. })) => match mode {
                Some(mode) => format!("{} {}", kind.as_str(), mode.as_str()),
                None => kind.as_str().to_owned(),
            },
            None => "nobody".to_owned(),
        }
    }
}

impl Bridge {
    pub(super) async fn list_lanes(&self, named: Option<&BotRef>) -> Result<Response, Refusal> {
        let bots = match named {
            Some(_) => vec![self.bot_meant(named).await?],
            None => self.stored_bots().await?,
        };
        let mut lanes = Vec::new();
        for found in bots {
            lanes.extend(self.lane_views(found.bot).await?);
        }
        Ok(Response::Lanes { lanes })
    }

    /// A bot's lanes by number.
    pub(crate) async fn lane_views(&self, bot: BotId) -> Result<Vec<LaneView>, Refusal> {
        let served = self.served(bot).await?;
        let mut views = Vec::new();
        for lane in self.parts().store.list_lanes(bot, None, LANES).await? {
            views.push(self.lane_view(lane, &served).await?);
        }
        Ok(views)
    }

    async fn served(&self, bot: BotId) -> Result<Served, Refusal> {
        let apps = self.stored_apps(bot).await?;
        let rows = self.parts().store.list_routes(bot).await?;
        let routes = rows.into_iter().map(|row| {
            let document = row.document.read();
            let document = document.map_err(|error| unreadable(&format!("route {}", row.name), &error))?;
            Ok((row.name, document))
        });
        Ok(Served { apps, routes: routes.collect::<Result<_, Refusal>>()? })
    }

    async fn lane_view(&self, lane: Lane, served: &Served) -> Result<LaneView, Refusal> {
        let store = &self.parts().store;
        let lag = self.lag(&lane, served.backlog(&lane)).await?;
        let held = store.count_held(lane.bot, lane.id).await?;
        let lost = store.list_lost(lane.bot, lane.id, Seq::ZERO, LOST).await?;
        Ok(LaneView {
            bot: lane.bot,
            lane: lane.id,
            serves: match lane.kind {
                LaneKind::App => Serves::App,
                LaneKind::Route => Serves::Route,
            },
            delivery: served.delivery(&lane),
            state: match lane.state {
                LaneState::Running => LaneStateView::Running,
                LaneState::Paused { reason, since, until, detail } => {
                    LaneStateView::Paused { reason, since, until, detail }
                }
            },
            acked: lane.acked,
            lag,
            held: HeldCountsView {
                sending: held.sending,
                retrying: held.retrying,
                unknown: held.unknown,
                dead: held.dead,
            },
            last_fault: lane.last_fault.map(|fault| FaultView { at: fault.at, text: fault.text }),
            skipped: lane.passed.skipped,
            expired: lane.passed.expired,
            lost: lost.iter().map(|gap| gap.count.get()).sum(),
            name: lane.name,
        })
    }

    pub(super) async fn pause_lane(&self, named: &LaneRef) -> Result<Response, Refusal> {
        let (_, lane) = self.lane_meant(named).await?;
        let address = LaneAddress { bot: lane.bot, lane: lane.id };
        let paused = self.parts().lanes.pause(address, "paused by an operator".to_owned());
        self.with_lanes_running(paused).await??;
        self.lane_as_it_is(lane).await
    }

    pub(super) async fn resume_lane(&self, named: &LaneRef) -> Result<Response, Refusal> {
        let (_, lane) = self.lane_meant(named).await?;
        let address = LaneAddress { bot: lane.bot, lane: lane.id };
        self.with_lanes_running(self.parts().lanes.resume(address)).await??;
        self.lane_as_it_is(lane).await
    }

    async fn lane_as_it_is(&self, lane: Lane) -> Result<Response, Refusal> {
        let served = self.served(lane.bot).await?;
        let now = self.parts().store.find_lane(lane.bot, lane.id).await?.unwrap_or(lane);
        self.lane_view(now, &served).await.map(Response::Lane)
    }

    /// A verb that a lane's worker carries out. Where no service runs, the lanes work for as long as there is
    /// something due, so that it is carried out here.
    pub(crate) async fn with_lanes_running<T>(
        &self,
        verb: impl Future<Output = T> + Send,
    ) -> Result<T, Refusal> {
        if self.current_run().is_some() {
            return Ok(verb.await);
        }
        let lanes = self.parts().lanes.clone();
        let quiet = lanes.run_due();
        tokio::pin!(verb, quiet);
        let mut answer = None;
        loop {
            tokio::select! {
                biased;
                answered = &mut verb, if answer.is_none() => answer = Some(answered),
                () = &mut quiet => break,
            }
        }
        if answer.is_none() {
            tokio::select! {
                biased;
                answered = &mut verb => answer = Some(answered),
                () = std::future::ready(()) => {}
            }
        }
        answer.ok_or_else(|| {
            Refusal::new(
                RefusalCode::NotRunning,
                "The lane did not get to it: it waits for something that takes time.",
                "Start `tandem serve` and run this again.",
            )
        })
    }
}
