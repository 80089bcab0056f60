//! Making what runs for a bot agree with what is stored of it.
//!
//! [`Bridge::sync`] takes no instructions: it reads the settings and does what is missing, the same each time. So
//! whoever changes settings commits them and calls it, and a crash between the two is mended by the next start.

mod stored;

use std::{collections::BTreeMap, sync::Arc};

use tandem_gateway::{App, AppDocument, AttachAppError, BotState};
use tandem_journal::{LaneError, Lease, ReadError, SettingsError};
use tandem_lanes::{AttachError, DetachError, LaneAddress};
use tandem_model::{BotId, ConnectionId, LaneId};

use self::stored::Stored;
use crate::{
    BotPhase, Bridge, ChannelDocument, CompanionDocument, ConnectError, Connected, IntakeState, RouteSetting,
    bots::{LiveBot, Running, RunningRoute},
    connections::{CompanionOf, RouteOf},
    secrets::SecretError,
};

/// More lanes than a bot can reasonably have.
const LANES: usize = 10_000;

/// Why the settings of a bot could not be followed.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// Another process owns the bot.
    #[error("this process does not own bot {bot}")]
    NotOwned {
        /// Which bot.
        bot: BotId,
    },
    /// A document is of another version.
    #[error("what is stored of {what} cannot be read by this version")]
    Document {
        /// Of what.
        what: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A secret is not at hand.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// An app cannot be served.
    #[error("app {name} cannot be served")]
    App {
        /// Which app.
        name: String,
        /// Why.
        #[source]
        source: AttachAppError,
    },
    /// A route cannot be served.
    #[error("route {name} cannot be served")]
    Route {
        /// Which route.
        name: String,
        /// Why.
        #[source]
        source: ConnectError,
    },
    /// A lane could not be made or changed.
    #[error("a lane could not be made or changed")]
    Lane(#[from] LaneError),
    /// A lane has a destination of somebody else's.
    #[error(transparent)]
    Attach(#[from] AttachError),
    /// What a lane did last could not be noted.
    #[error(transparent)]
    Detach(#[from] DetachError),
    /// The settings could not be read.
    #[error("the settings could not be read")]
    Read(#[from] ReadError),
    /// The settings could not be stored.
    #[error("the settings could not be stored")]
    Settings(#[from] SettingsError),
}

impl Bridge {
    /// Makes what runs for a bot agree with what is stored of it: its entry at the gateway, its apps, its routes and
    /// their lanes, and whether its updates are taken in. Does nothing where they agree.
    pub async fn sync(&self, bot: BotId) -> Result<(), SyncError> {
        let _one_at_a_time = self.syncing().await;
        let Some(stored) = self.read_stored(bot).await? else {
            return self.forget(bot).await;
        };
        let live = self.live_for(&stored);
        let with_connections = routes_with_connections(&stored);
        let heard: Vec<ConnectionId> = with_connections.iter().map(|route| route.connection).collect();
        self.connections().set_routes(bot, with_connections);
        // What a route wants heard is not waited for until the next look.
        let heard = heard.into_iter().filter_map(|connection| self.connections().find(connection));
        for live in heard.filter(|live| live.is_usable()) {
            live.look_again();
        }
        let lanes = stored.apps.iter().map(|(_, lane, _)| *lane);
        let lanes = lanes.chain(stored.routes.values().map(|(lane, _)| *lane)).chain(stored.replies);
        let lanes = lanes.chain(stored.notes.values().copied());
        let lanes: Vec<LaneId> = lanes.collect();
        live.handle.set_owners(stored.document.owners.clone());
        live.set_known(stored.document, stored.hook);
        let apps = self.follow_apps(&live, stored.apps).await;
        let notes = stored.notes.iter().filter_map(|(name, lane)| {
            let (_, setting) = stored.routes.get(name)?;
            Some((name.clone(), (*lane, setting.clone())))
        });
        let notes = self.follow_notes(&live, notes.collect()).await;
        let routes = self.follow_routes(&live, stored.routes).await;
        let replies = self.follow_replies(&live, stored.replies.map(|lane| (lane, stored.lease))).await;
        let orphans = self.remove_orphans(bot, stored.lease, &lanes).await;
        self.follow_phase(&live);
        apps.and(routes).and(replies).and(notes).and(orphans)
    }

    /// Starts or stops taking updates in, as the bot's phase says.
    pub(crate) fn follow_phase(&self, live: &Arc<LiveBot>) {
        match live.document().phase {
            BotPhase::Active => {
                live.handle.set_state(BotState::Active);
                self.start_intake(live);
            }
            BotPhase::Revoked { since } => {
                live.handle.set_state(BotState::Revoked);
                Self::end_intake(live);
                live.set_intake(IntakeState::revoked(since));
            }
            BotPhase::Adopting { .. } | BotPhase::Releasing | BotPhase::Released { .. } => {
                Self::end_intake(live);
            }
        }
    }

    /// Removes lanes that belong to nobody any more: deletion would wait for them.
    async fn remove_orphans(&self, bot: BotId, lease: Lease, wanted: &[LaneId]) -> Result<(), SyncError> {
        let store = &self.parts().store;
        for lane in store.list_lanes(bot, None, LANES).await? {
            if !wanted.contains(&lane.id) {
                self.parts().lanes.detach(LaneAddress { bot, lane: lane.id }).await?;
                store.remove_lane(lease, bot, lane.id).await?;
                tracing::info!(bot.id = %bot, lane.name = lane.name, "lane {} of bot {bot} was removed", lane.name);
            }
        }
        Ok(())
    }

    /// The bot in memory, known to the gateway.
    fn live_for(&self, stored: &Stored) -> Arc<LiveBot> {
        let bot = stored.handle.id();
        if let Some(live) = self.find_live(bot).filter(|live| live.handle.source() == stored.handle.source())
        {
            if live.handle.token() != stored.handle.token() {
                Self::end_intake(&live);
                live.handle.set_token(stored.handle.token());
            }
            return live;
        }
        let live =
            Arc::new(LiveBot::new(Arc::clone(&stored.handle), stored.document.clone(), stored.hook.clone()));
        if let Some(old) = self.remove_live(bot) {
            Self::end_intake(&old);
            let Running { routes, replies, notes, .. } = std::mem::take(&mut *old.running());
            live.running().routes = routes;
            live.running().notes = notes;
            live.running().replies = replies;
        }
        self.parts().directory.insert_bot(Arc::clone(&live.handle));
        self.insert_live(Arc::clone(&live));
        live
    }

    /// Lets the gateway know of apps that are new, changed or gone. One that cannot be served keeps no other from being
    /// served; the first such error is returned.
    async fn follow_apps(
        &self,
        live: &LiveBot,
        apps: Vec<(String, LaneId, AppDocument)>,
    ) -> Result<(), SyncError> {
        let (directory, gateway, bot) = (&self.parts().directory, &self.parts().gateway, live.id());
        for app in directory.list_apps(bot) {
            if !apps.iter().any(|(name, lane, _)| name == app.name() && *lane == app.lane()) {
                directory.remove_app(bot, app.name());
                gateway.detach_app(&app).await;
            }
        }
        let mut first_error = None;
        for (name, lane, document) in apps {
            let app = match directory.find_app(bot, &name) {
                Some(app) if *app.document() == document => continue,
                Some(app) => {
                    app.set_document(document);
                    app
                }
                None => {
                    let app = Arc::new(App::new(Arc::clone(&live.handle), name.clone(), lane, document));
                    directory.insert_app(Arc::clone(&app));
                    app
                }
            };
            if let Err(source) = gateway.attach_app(&app).await {
                first_error.get_or_insert(SyncError::App { name, source });
            }
        }
        first_error.map_or(Ok(()), Err)
    }

    /// Attaches and detaches. One route that cannot be served keeps no other from being served; the first such
    /// error is returned.
    async fn follow_routes(
        &self,
        live: &LiveBot,
        routes: BTreeMap<String, (LaneId, RouteSetting)>,
    ) -> Result<(), SyncError> {
        let bot = live.id();
        let changed: Vec<(String, LaneAddress)> = live
            .running()
            .routes
            .iter()
            .filter(|(name, running)| {
                routes.get(*name).is_none_or(|(lane, setting)| {
                    running.lane.lane != *lane || !running.setting.is_same(setting)
                })
            })
            .map(|(name, running)| (name.clone(), running.lane))
            .collect();
        for (name, lane) in changed {
            self.parts().lanes.detach(lane).await?;
            live.running().routes.remove(&name);
        }
        let mut first_error = None;
        for (name, (lane, setting)) in routes {
            if live.running().routes.contains_key(&name) {
                continue;
            }
            let lane = LaneAddress { bot, lane };
            match self.connect(lane, &setting) {
                Ok(Connected { spec, destination, .. }) => {
                    self.parts().lanes.attach(lane, spec, destination)?;
                    live.running().routes.insert(name, RunningRoute { lane, setting });
                }
                Err(source) => {
                    first_error.get_or_insert(SyncError::Route { name, source });
                }
            }
        }
        first_error.map_or(Ok(()), Err)
    }

    fn connect(&self, lane: LaneAddress, setting: &RouteSetting) -> Result<Connected, ConnectError> {
        let kind = setting.document.kind.as_str();
        self.connector_for(&setting.document)
            .ok_or(ConnectError::UnknownKind { kind })?
            .connect(lane, setting)
    }

    /// Ends everything that runs for a bot that is not ours any more.
    async fn forget(&self, bot: BotId) -> Result<(), SyncError> {
        if let Some(handle) = self.parts().directory.remove_bot(bot) {
            handle.set_state(BotState::Released);
        }
        self.connections().set_routes(bot, Vec::new());
        let Some(live) = self.find_live(bot) else { return Ok(()) };
        Self::end_intake(&live);
        self.follow_routes(&live, BTreeMap::new()).await?;
        self.follow_replies(&live, None).await?;
        self.follow_notes(&live, BTreeMap::new()).await?;
        self.remove_live(bot);
        Ok(())
    }
}

/// The routes that use connections.
fn routes_with_connections(stored: &Stored) -> Vec<RouteOf> {
    let uses = |(name, (lane, setting)): (&String, &(LaneId, RouteSetting))| {
        let companion = setting.companion();
        let channel = match (&companion, &setting.document.channel) {
            (Some(CompanionDocument { talk_minutes, language, .. }), _) => Box::new(ChannelDocument {
                talk_minutes: *talk_minutes,
                language: *language,
                ..ChannelDocument::default()
            }),
            (None, channel) => channel.clone()?,
        };
        let notes = stored.notes.get(name).copied();
        Some(RouteOf {
            bot: setting.bot,
            name: name.clone(),
            lane: *lane,
            connection: setting.connection?,
            channel,
            companion: companion.map(|_| CompanionOf { notes }),
        })
    };
    stored.routes.iter().filter_map(uses).collect()
}
