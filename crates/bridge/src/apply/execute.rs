//! Carrying a plan out, step by step. Each step is committed whole; running the plan again does what is left.

use secrecy::SecretString;
use tandem_journal::{Document, Route as RouteRow, SecretOwner, SettingsChange};
use tandem_model::BotId;
use tokio::sync::MutexGuard;

use super::{
    DesiredBot, DesiredRoute,
    connections::gone as no_such_connection,
    plan::{Change, Known, Step, put_owners, wanted},
};
use crate::{
    Bridge, RouteDocument, RouteMode, SyncError,
    adopt::route_kind,
    operations::{
        Adopt, Confidential, KeepHolder, Refusal, RefusalCode, StepView, find::Found, trouble::unreadable,
    },
    secrets,
};

impl Bridge {
    /// Takes a bot over, with the names and secrets the file has for its holder.
    pub(super) async fn adopt_as_wished(&self, bot: &DesiredBot, known: &Known) -> Result<StepView, Refusal> {
        let (Some(me), Some(holder)) = (&known.me, &known.to_adopt) else {
            return Err(Refusal::new(
                RefusalCode::Conflict,
                format!("{} was taken over at the same time.", known.shown()),
                "Run this again.",
            ));
        };
        let kind = route_kind(holder.kind).map(|(kind, _)| kind);
        let is_his = |route: &&DesiredRoute| {
            let is_relay = !route.document.mode.is_some_and(RouteMode::tells);
            is_relay && route.url.is_none() && Some(route.document.kind) == kind
        };
        let route = bot.routes.iter().find(is_his);
        let asked = Adopt {
            token: bot.token.clone(),
            drop_pending: None,
            holder_secret: route.and_then(|route| route.secret.clone()),
            holder_certificate: route.and_then(|route| route.certificate.clone()),
            holder: KeepHolder::AsRoute,
            upstream: bot.upstream,
            another_poller: crate::operations::AnotherPoller::Refuse,
            guard: bot.guard,
        };
        let upstream = self.upstream_for(&asked)?;
        let name = route.map(|route| route.name.as_str());
        let told = self.adopt_known(&known.token, me, upstream, &asked, name).await?;
        Ok(StepView { app_token: told.app_token, notes: told.notes, ..known.view_of_adoption(holder) })
    }

    /// Does one step; the token of an app it made.
    pub(super) async fn execute(&self, step: &Step) -> Result<Option<Confidential>, Refusal> {
        let found = self.stored_bot(step.id).await?.ok_or_else(|| {
            let sentence = format!("{} was removed at the same time.", step.bot);
            Refusal::new(RefusalCode::Conflict, sentence, "Run this again.")
        })?;
        match &step.change {
            Change::SetGuard(policy) => {
                self.change_guard(&found, |guard| guard.set_policy(*policy)).await?;
            }
            Change::AddApp(app) => {
                let made = self.make_app(&found, app.name.clone(), &app.settings).await?;
                return Ok(Some(made.token));
            }
            Change::SetApp(app) => {
                self.change_app(&found, &app.name, |document| app.settings.put_into(document)).await?;
            }
            Change::SetOwners(owners) => {
                let change = |document: &mut crate::BotDocument| put_owners(owners, &mut document.owners);
                self.change_bot(found.bot, &[], change).await?;
                self.sync(found.bot).await?;
            }
            Change::RemoveApp(name) => self.remove_app(&found, name.clone()).await?,
            Change::AddRoute { route, url } | Change::SetRoute { route, url } => {
                self.put_route(&found, route, url.as_deref()).await?;
            }
            Change::RemoveRoute(name) => {
                let gone = vec![SettingsChange::RemoveRoute(found.bot, name.clone())];
                self.parts().store.change_settings(None, gone).await?;
                self.sync(found.bot).await?;
            }
        }
        Ok(None)
    }

    /// Makes a route or changes it, with its secrets.
    async fn put_route(&self, found: &Found, route: &DesiredRoute, url: Option<&str>) -> Result<(), Refusal> {
        let bot = found.bot;
        let rows = self.parts().store.list_routes(bot).await?;
        let row = rows.into_iter().find(|row| row.name == route.name);
        let unreadable = |error| unreadable(&format!("route {}", route.name), &error);
        let stored: Option<RouteDocument> =
            row.as_ref().map(|row| row.document.read()).transpose().map_err(unreadable)?;
        let mut document = wanted(route, stored.as_ref());
        let connection = match &route.connection {
            Some(name) => {
                let known = self.parts().store.find_connection(name.clone()).await?;
                Some(known.ok_or_else(|| no_such_connection(name))?.id)
            }
            None => row.as_ref().and_then(|row| row.connection),
        };
        let lane = row.and_then(|row| row.lane);
        let mut still = None;
        if let Some(rules) = route.rules.as_ref().filter(|rules| *rules != document.rules.latest()) {
            still = Some(self.stand_still(bot, &route.name).await?);
            let head = self.parts().store.head(bot).await?;
            document.rules.put(head.last.next(), rules.clone(), head.oldest);
        }
        let document = Document::of(&document).map_err(unreadable)?;
        let name = route.name.clone();
        let owner = SecretOwner::Route(bot, name.clone());
        let mut changes = vec![SettingsChange::PutRoute(RouteRow { bot, name, lane, connection, document })];
        let mut put = |name: &str, secret: &SecretString| {
            changes.push(self.vault().put(owner.clone(), name, secret));
        };
        if let Some(url) = url {
            put(secrets::ROUTE_URL, &url.to_owned().into());
        }
        if let Some(secret) = &route.secret {
            put(secrets::ROUTE_SECRET, secret.secret());
        }
        if let Some(certificate) = &route.certificate {
            put(secrets::ROUTE_CERTIFICATE, &certificate.clone().into());
        }
        let committed = self.parts().store.change_settings(None, changes).await;
        drop(still);
        // Also when nothing was changed: the route stood still for it.
        self.sync(bot).await?;
        committed?;
        // What it was refused for may be what was changed. Where nothing runs, it goes on once its connection is connected.
        if let Some(connection) = connection.filter(|_| self.current_run().is_some()) {
            let routes = self.connections().routes_of(connection);
            if let Some(changed) = routes.iter().find(|one| one.bot == bot && one.name == route.name) {
                self.let_route_go_on(changed).await;
            }
        }
        Ok(())
    }

    /// Has a route deliver nothing until what is returned is dropped and the bot is synced again, so that nothing is
    /// decided by rules that no longer hold for it.
    async fn stand_still(&self, bot: BotId, route: &str) -> Result<MutexGuard<'_, ()>, Refusal> {
        let syncing = self.syncing().await;
        let running = self.find_live(bot).and_then(|live| live.running().routes.remove(route));
        if let Some(running) = running {
            self.parts().lanes.detach(running.lane).await.map_err(SyncError::from)?;
        }
        Ok(syncing)
    }
}
