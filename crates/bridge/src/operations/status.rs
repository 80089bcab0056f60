//! How everything is: bots, their intake, the store. And copying the database.

use std::path::PathBuf;

use tandem_journal::{Health, Route};

use super::{
    BotView, HealthView, Refusal, RefusalCode, Response, Status, StoreView, Summary, Trouble, find::Found,
};
use crate::{BotPhase, Bridge, IntakeState, UpstreamMode, connections::Unusable};

impl Bridge {
    pub(super) async fn show_status(&self) -> Result<Response, Refusal> {
        Ok(Response::Status(Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            store: self.store_view().await?,
            bots: self.bot_views().await?,
        }))
    }

    pub(super) async fn show_summary(&self) -> Result<Response, Refusal> {
        Ok(Response::Summary(Summary {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            store: self.store_view().await?,
            bots: self.live_bots().len(),
            tasks: tokio::runtime::Handle::current().metrics().num_alive_tasks(),
        }))
    }

    pub(crate) async fn store_view(&self) -> Result<StoreView, Refusal> {
        let store = &self.parts().store;
        let stats = store.stats().await?;
        let health = match store.health().borrow().clone() {
            Health::Good => HealthView::Good,
            Health::LowDisk => HealthView::LowDisk,
            Health::Full => HealthView::Full,
            Health::Failed { reason } => HealthView::Failed { reason },
        };
        Ok(StoreView { health, bytes: stats.bytes, disk_free_bytes: stats.disk_free_bytes })
    }

    pub(super) async fn list_bots(&self) -> Result<Response, Refusal> {
        Ok(Response::Bots { bots: self.bot_views().await? })
    }

    pub(crate) async fn bot_views(&self) -> Result<Vec<BotView>, Refusal> {
        let mut views = Vec::new();
        for found in self.stored_bots().await? {
            views.push(self.bot_view(&found).await?);
        }
        Ok(views)
    }

    pub(crate) async fn bot_view(&self, found: &Found) -> Result<BotView, Refusal> {
        let store = &self.parts().store;
        let head = store.head(found.bot).await?;
        let apps = store.list_apps(found.bot).await?;
        let routes = store.list_routes(found.bot).await?;
        Ok(BotView {
            bot: found.bot,
            username: found.document.username.clone(),
            name: found.document.name.clone(),
            state: phase_word(found.document.phase).to_owned(),
            upstream: found.document.upstream,
            trouble: self.trouble(found),
            guard: self.guard_view(found),
            last_seq: head.last,
            bytes: head.bytes,
            apps: apps.into_iter().map(|app| app.name).collect(),
            route_troubles: routes.iter().filter_map(|route| self.route_trouble(route)).collect(),
            routes: routes.into_iter().map(|route| route.name).collect(),
        })
    }

    /// What is wrong with the connection of a route, if it has one and anything is.
    fn route_trouble(&self, route: &Route) -> Option<String> {
        let connection = route.connection?;
        let Some(live) = self.connections().find(connection) else {
            return Some(format!("route {}: {}", route.name, Unusable::Missing));
        };
        let sentence = live.state().sentence(live.name())?;
        Some(format!("route {}: its connection {}: {sentence}", route.name, live.name()))
    }

    /// What is wrong with a bot's intake, if anything.
    fn trouble(&self, found: &Found) -> Option<Trouble> {
        let trouble = |sentence: String, what_to_do: &str| {
            Some(Trouble { sentence, what_to_do: what_to_do.to_owned() })
        };
        match found.document.phase {
            BotPhase::Adopting { .. } => {
                return trouble(
                    "It is being taken over; that was interrupted or is under way.".to_owned(),
                    "Run `tandem adopt` again if it stays so.",
                );
            }
            BotPhase::Releasing => {
                return trouble(
                    "It is being given back; that was interrupted or is under way.".to_owned(),
                    "Run `tandem release` again to finish, or `tandem adopt` to keep it.",
                );
            }
            BotPhase::Active | BotPhase::Revoked { .. } | BotPhase::Released { .. } => {}
        }
        let intake = self.status(found.bot)?.intake.state;
        match intake {
            IntakeState::Stopped | IntakeState::Starting | IntakeState::Running { .. } => None,
            IntakeState::Conflict { host: Some(host), advice, .. } => {
                trouble(format!("Its updates go to a webhook at {host}."), &advice)
            }
            IntakeState::Conflict { host: None, advice, .. } => {
                let sentence = match found.document.upstream {
                    UpstreamMode::Polling => "Another program polls it.",
                    UpstreamMode::Webhook => "Another program has taken its webhook away.",
                };
                trouble(sentence.to_owned(), &advice)
            }
            IntakeState::Trouble { reason, failures, .. } => trouble(
                format!("Telegram could not be asked for updates {failures} times in a row: {reason}."),
                "See that this machine reaches telegram.api_base, or set telegram.proxy; it is tried again by itself.",
            ),
            IntakeState::StoreRefuses { reason, .. } => trouble(
                format!("The database does not take its updates: {reason}."),
                "Free some space on the disk; Telegram keeps what comes for 24 hours.",
            ),
            IntakeState::Revoked { advice, .. } => trouble("Telegram refuses its token.".to_owned(), &advice),
        }
    }

    pub(super) async fn back_up(&self, to: String) -> Result<Response, Refusal> {
        let path = PathBuf::from(&to);
        if !path.is_absolute() {
            return Err(Refusal::new(
                RefusalCode::BadRequest,
                format!("{to:?} is not a whole path."),
                "Give a path that begins with /: the service writes the file, wherever it was started.",
            ));
        }
        if path.exists() {
            return Err(Refusal::new(
                RefusalCode::NameTaken,
                format!("{to} exists already."),
                "Name a file that does not exist: nothing is overwritten.",
            ));
        }
        self.parts().store.backup(path).await.map_err(|error| Refusal {
            sentence: format!("The database could not be copied to {to}."),
            ..Refusal::store(&error)
        })?;
        Ok(Response::BackedUp { to })
    }
}

fn phase_word(phase: BotPhase) -> &'static str {
    match phase {
        BotPhase::Adopting { .. } => "adopting",
        BotPhase::Active => "active",
        BotPhase::Revoked { .. } => "revoked",
        BotPhase::Releasing => "releasing",
        BotPhase::Released { .. } => "released",
    }
}
