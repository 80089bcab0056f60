//! Reading what is stored of a bot, and making the lanes that its apps and routes lack.

use std::{collections::BTreeMap, sync::Arc};

use tandem_gateway::{AppDocument, BotHandle};
use tandem_journal::{
    App as AppRow, Document, Lane, LaneKind, Lease, NewLane, Revision, Route as RouteRow, SecretOwner,
    SettingsChange, SettingsError, Start,
};
use tandem_lanes::LeaseSource;
use tandem_model::{BotId, Filter, LaneId};
use tandem_telegram::webhook::SecretToken;

use super::{LANES, SyncError};
use crate::{BotDocument, BotPhase, Bridge, RouteDocument, RouteSetting, companion::notes, replies};

/// A bot as it is stored, its secrets opened and all its lanes made.
pub(super) struct Stored {
    pub(super) document: BotDocument,
    pub(super) hook: Option<SecretToken>,
    pub(super) handle: Arc<BotHandle>,
    pub(super) lease: Lease,
    pub(super) apps: Vec<(String, LaneId, AppDocument)>,
    pub(super) routes: BTreeMap<String, (LaneId, RouteSetting)>,
    /// The lane of what managers want, where a route hears them.
    pub(super) replies: Option<LaneId>,
    /// The lanes of notes, by the route's name.
    pub(super) notes: BTreeMap<String, LaneId>,
}

/// A bot whose lanes are looked for.
struct Owner<'a> {
    bot: BotId,
    lease: Lease,
    /// Those it has.
    lanes: &'a [Lane],
}

impl Bridge {
    /// Reads a bot and makes the lanes it lacks. `None` when it is not ours (any more).
    pub(super) async fn read_stored(&self, bot: BotId) -> Result<Option<Stored>, SyncError> {
        let store = &self.parts().store;
        loop {
            let revision = store.revision().await?;
            let Some(row) = store.find_bot(bot).await? else { return Ok(None) };
            let document: BotDocument = read(&row.document, || format!("bot {bot}"))?;
            if let BotPhase::Released { .. } = document.phase {
                return Ok(None);
            }
            let lease = self.parts().ownership.lease(bot).ok_or(SyncError::NotOwned { bot })?;
            let handle = Arc::new(BotHandle::new(self.vault().token(bot).await?, document.source));
            let hook = self.vault().hook_secret(bot).await?;
            let lanes = store.list_lanes(bot, None, LANES).await?;
            let owner = Owner { bot, lease, lanes: &lanes };
            let Some((apps, revision)) = self.read_apps(&owner, revision).await? else { continue };
            let Some((routes, revision)) = self.read_routes(&owner, revision).await? else { continue };
            let replies = self.replies_lane(&owner, &routes).await?;
            let notes = self.notes_lanes(&owner, &routes).await?;
            if store.revision().await? == revision {
                return Ok(Some(Stored { document, hook, handle, lease, apps, routes, replies, notes }));
            }
        }
    }

    /// `None` when somebody else changed the settings meanwhile.
    async fn read_apps(
        &self,
        owner: &Owner<'_>,
        mut revision: Revision,
    ) -> Result<Option<(Vec<(String, LaneId, AppDocument)>, Revision)>, SyncError> {
        let bot = owner.bot;
        let mut apps = Vec::new();
        for row in self.parts().store.list_apps(bot).await? {
            let document: AppDocument = read(&row.document, || format!("app {} of bot {bot}", row.name))?;
            let name = row.name.clone();
            let lane_name = format!("app:{name}");
            let lane = self.lane(owner, row.lane, lane_name, LaneKind::App, document.filter()).await?;
            if row.lane != Some(lane) {
                let put = SettingsChange::PutApp(AppRow { lane: Some(lane), ..row });
                let Some(now) = self.put(revision, put).await? else { return Ok(None) };
                revision = now;
            }
            apps.push((name, lane, document));
        }
        Ok(Some((apps, revision)))
    }

    /// `None` when somebody else changed the settings meanwhile.
    async fn read_routes(
        &self,
        owner: &Owner<'_>,
        mut revision: Revision,
    ) -> Result<Option<(BTreeMap<String, (LaneId, RouteSetting)>, Revision)>, SyncError> {
        let bot = owner.bot;
        let mut routes = BTreeMap::new();
        for row in self.parts().store.list_routes(bot).await? {
            let document: RouteDocument = read(&row.document, || format!("route {} of bot {bot}", row.name))?;
            let (name, connection) = (row.name.clone(), row.connection);
            let lane_name = format!("route:{name}");
            let lane = self.lane(owner, row.lane, lane_name, LaneKind::Route, document.filter()).await?;
            if row.lane != Some(lane) {
                let put = SettingsChange::PutRoute(RouteRow { lane: Some(lane), ..row });
                let Some(now) = self.put(revision, put).await? else { return Ok(None) };
                revision = now;
            }
            let secrets = self.vault().list(&SecretOwner::Route(bot, name.clone())).await?;
            routes.insert(name.clone(), (lane, RouteSetting { bot, name, connection, document, secrets }));
        }
        Ok(Some((routes, revision)))
    }

    /// The lane of what managers want. What was said before a route heard them is nothing to be carried out.
    async fn replies_lane(
        &self,
        owner: &Owner<'_>,
        routes: &BTreeMap<String, (LaneId, RouteSetting)>,
    ) -> Result<Option<LaneId>, SyncError> {
        if !routes.values().any(|(_, route)| route.document.hears_managers()) {
            return Ok(None);
        }
        let lane = self.lane(owner, None, replies::LANE.to_owned(), LaneKind::Route, replies::FILTER);
        Ok(Some(lane.await?))
    }

    /// The lanes of notes. What was said before a route wrote any is on no card.
    async fn notes_lanes(
        &self,
        owner: &Owner<'_>,
        routes: &BTreeMap<String, (LaneId, RouteSetting)>,
    ) -> Result<BTreeMap<String, LaneId>, SyncError> {
        let mut lanes = BTreeMap::new();
        for (name, (_, route)) in routes {
            if route.companion().is_some_and(|companion| companion.notes) {
                let named = notes::lane_name(name);
                let lane = self.lane(owner, None, named, LaneKind::Route, notes::FILTER).await?;
                lanes.insert(name.clone(), lane);
            }
        }
        Ok(lanes)
    }

    async fn put(&self, revision: Revision, change: SettingsChange) -> Result<Option<Revision>, SyncError> {
        match self.parts().store.change_settings(Some(revision), vec![change]).await {
            Ok(revision) => Ok(Some(revision)),
            Err(SettingsError::Stale { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// A lane with this filter: the one that is known, the one of this name that a crash left unnoted, or a new one
    /// that begins with the next event.
    async fn lane(
        &self,
        owner: &Owner<'_>,
        known: Option<LaneId>,
        name: String,
        kind: LaneKind,
        filter: Filter,
    ) -> Result<LaneId, SyncError> {
        let (store, Owner { bot, lease, lanes }) = (&self.parts().store, owner);
        let found = lanes.iter().find(|lane| known.map_or(lane.name == name, |known| lane.id == known));
        let Some(lane) = found else {
            let new = NewLane { name, kind, start: Start::Now, filter };
            return Ok(store.create_lane(*lease, *bot, new).await?.id);
        };
        if lane.filter != filter {
            store.set_filter(*lease, *bot, lane.id, filter).await?;
        }
        Ok(lane.id)
    }
}

fn read<T: serde::de::DeserializeOwned>(
    document: &Document,
    what: impl FnOnce() -> String,
) -> Result<T, SyncError> {
    document.read().map_err(|source| SyncError::Document { what: what(), source })
}
