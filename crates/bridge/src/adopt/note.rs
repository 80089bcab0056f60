//! The commit that comes before any change at Telegram: the bot, who held it, his route, the app `main`.

use secrecy::SecretString;
use tandem_gateway::{App, AppDocument};
use tandem_journal::{
    App as AppRow, Bot, Document, Route as RouteRow, SecretOwner, SettingsChange, SettingsError,
};
use tandem_model::{BotId, SourceId};
use tandem_telegram::{allowed::AllowedUpdates, token::Token, upstream::Me, webhook::SecretToken};

use super::holder::Held;
use crate::{
    AdoptStep, BotDocument, BotPhase, Bridge, GuardDocument, GuardPolicy, HolderKind, RouteDocument,
    RouteKind, RouteMode, UpstreamMode,
    operations::{
        Adopt, Confidential, KeepHolder, Refusal, RefusalCode,
        apps::{StoredApp, give_token},
        find::Found,
        trouble::unreadable,
    },
    secrets,
};

/// What was noted and is to be said.
pub(super) struct Noted {
    /// The token of the app `main`, where nobody has one yet.
    pub(super) app_token: Option<Confidential>,
}

impl Bridge {
    /// Commits everything that is known. Made again when somebody else was faster.
    #[expect(clippy::too_many_arguments, reason = "everything that was looked at goes into one commit")]
    pub(super) async fn note(
        &self,
        token: &Token,
        me: &Me,
        upstream: UpstreamMode,
        asked: &Adopt,
        before: Option<&Found>,
        held: &Held,
        route: Option<&str>,
    ) -> Result<Noted, Refusal> {
        let bot = token.bot();
        check_holder_secret(asked)?;
        loop {
            let revision = self.parts().store.revision().await?;
            let document = BotDocument {
                username: me.username.clone(),
                name: me.first_name.clone(),
                phase: BotPhase::Adopting { step: AdoptStep::Noted },
                upstream,
                source: before.map_or(first_source(), |found| found.document.source),
                taken_from: Some(held.holder.clone()),
                owners: before.map(|found| found.document.owners.clone()).unwrap_or_default(),
                guard: self.guard_of(before, asked),
            };
            let stored = Document::of(&document).map_err(|error| unreadable("the bot", &error))?;
            let mut changes =
                vec![SettingsChange::PutBot(Bot { bot, document: stored }), self.put_bot_token(token)];
            if let Some(url) = &held.url {
                changes.push(self.put_bot_secret(bot, secrets::HOLDER_URL, &url.clone().into()));
            }
            let (app, app_token) = self.main_app(bot, asked, before, held).await?;
            changes.push(app);
            if asked.holder == KeepHolder::AsRoute {
                changes.extend(self.holder_route(bot, asked, held, route).await?);
            }
            match self.parts().store.change_settings(Some(revision), changes).await {
                Ok(_) => return Ok(Noted { app_token }),
                Err(SettingsError::Stale { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The guard's past is forgotten: somebody has decided that the stream is ours. What went past stays counted while
    /// the bot has been ours without a break.
    fn guard_of(&self, before: Option<&Found>, asked: &Adopt) -> GuardDocument {
        let now = self.parts().clock.now();
        let mut guard = match before {
            Some(found) if !found.is_released() => found.document.guard.clone(),
            before => GuardDocument {
                policy: before.map_or_else(GuardPolicy::default, |found| found.document.guard.policy),
                ours_since: Some(now),
                ..GuardDocument::default()
            },
        };
        guard.policy = asked.guard.unwrap_or(guard.policy);
        guard.order();
        guard.end(now);
        guard
    }

    /// The app `main`, with a fresh token unless somebody uses the one it has: what an interrupted attempt made was
    /// never shown.
    async fn main_app(
        &self,
        bot: BotId,
        asked: &Adopt,
        before: Option<&Found>,
        held: &Held,
    ) -> Result<(SettingsChange, Option<Confidential>), Refusal> {
        let rows = self.parts().store.list_apps(bot).await?;
        let (lane, mut document) = match rows.into_iter().find(|row| row.name == App::MAIN) {
            Some(row) => {
                let app = StoredApp::read(row)?;
                (app.row.lane, app.document)
            }
            None => (None, first_document(held)),
        };
        if let Some(drop_pending) = asked.drop_pending {
            document.drop_pending = drop_pending;
        }
        let in_use = before.is_some_and(|found| match found.document.phase {
            BotPhase::Active | BotPhase::Revoked { .. } | BotPhase::Releasing => true,
            BotPhase::Adopting { .. } | BotPhase::Released { .. } => false,
        });
        let app_token = (!in_use).then(|| give_token(&mut document, bot, self));
        let document = Document::of(&document).map_err(|error| unreadable("the app main", &error))?;
        let row = AppRow { bot, name: App::MAIN.to_owned(), lane, document };
        Ok((SettingsChange::PutApp(row), app_token))
    }

    /// The holder as a route. One that was made for his former address gets the new one.
    async fn holder_route(
        &self,
        bot: BotId,
        asked: &Adopt,
        held: &Held,
        wished: Option<&str>,
    ) -> Result<Vec<SettingsChange>, Refusal> {
        let Some((url, (kind, mode))) = held.url.as_ref().zip(route_kind(held.holder.kind)) else {
            return Ok(Vec::new());
        };
        let former = self.vault().holder_url(bot).await?;
        let known = match &former {
            Some(former) => self.route_to(bot, former).await?,
            None => None,
        };
        let (name, lane) = match known {
            Some(row) => (row.name, row.lane),
            None => {
                (self.free_route_name(bot, wished.unwrap_or(default_name(held.holder.kind))).await?, None)
            }
        };
        let document = RouteDocument {
            kind,
            mode,
            kinds: held.holder.allowed_updates.clone(),
            max_connections: held.holder.max_connections,
            // What Telegram shows is what the name resolved to, not what was asked for.
            ip_address: None,
            channel: None,
            companion: None,
            rules: crate::rules::RuleHistory::default(),
        };
        let stored = Document::of(&document).map_err(|error| unreadable("the new route", &error))?;
        let owner = SecretOwner::Route(bot, name.clone());
        let mut changes = vec![
            SettingsChange::PutRoute(RouteRow { bot, name, lane, connection: None, document: stored }),
            self.vault().put(owner.clone(), secrets::ROUTE_URL, &url.clone().into()),
        ];
        if let Some(secret) = &asked.holder_secret {
            changes.push(self.vault().put(owner.clone(), secrets::ROUTE_SECRET, secret.secret()));
        }
        if let Some(certificate) = &asked.holder_certificate {
            changes.push(self.vault().put(owner, secrets::ROUTE_CERTIFICATE, &certificate.clone().into()));
        }
        Ok(changes)
    }

    /// The route that goes to this address.
    pub(crate) async fn route_to(&self, bot: BotId, url: &str) -> Result<Option<RouteRow>, Refusal> {
        for row in self.parts().store.list_routes(bot).await? {
            let owner = SecretOwner::Route(bot, row.name.clone());
            if self.vault().find_text(&owner, secrets::ROUTE_URL).await?.as_deref() == Some(url) {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }

    async fn free_route_name(&self, bot: BotId, wished: &str) -> Result<String, Refusal> {
        let rows = self.parts().store.list_routes(bot).await?;
        let mut name = wished.to_owned();
        let mut number = 1;
        while rows.iter().any(|row| row.name == name) {
            number += 1;
            name = format!("{wished}-{number}");
        }
        Ok(name)
    }

    pub(super) fn put_bot_token(&self, token: &Token) -> SettingsChange {
        self.put_bot_secret(token.bot(), secrets::TOKEN, &token.expose().to_owned().into())
    }

    fn put_bot_secret(&self, bot: BotId, name: &str, secret: &SecretString) -> SettingsChange {
        self.vault().put(SecretOwner::Bot(bot), name, secret)
    }
}

/// What the app `main` starts with: the kinds the bot asked for last, where no webhook's owner asked in between.
fn first_document(held: &Held) -> AppDocument {
    let mut document = AppDocument::default();
    if let (None, Some(kinds)) = (&held.url, &held.holder.allowed_updates) {
        let asked = serde_json::to_string(kinds).ok();
        document.allowed = AllowedUpdates::of(asked.as_deref()).over(document.allowed);
    }
    document
}

fn check_holder_secret(asked: &Adopt) -> Result<(), Refusal> {
    let Some(secret) = &asked.holder_secret else { return Ok(()) };
    let parsed = SecretToken::parse(secret.expose()).map(drop);
    parsed.map_err(|error| {
        Refusal::new(
            RefusalCode::BadRequest,
            format!("The holder's secret cannot be one of a webhook: {error}."),
            "Give the secret_token that its receiver checks: 1 to 256 of A-Z, a-z, 0-9, _ and -.",
        )
    })
}

/// The one source there is as long as a bot stays at its server.
fn first_source() -> SourceId {
    SourceId::MIN
}

/// The kind of route that serves a holder; `None` for one without a webhook.
pub(crate) const fn route_kind(holder: HolderKind) -> Option<(RouteKind, Option<RouteMode>)> {
    match holder {
        HolderKind::Amocrm | HolderKind::Kommo => Some((RouteKind::Amocrm, Some(RouteMode::Native))),
        HolderKind::Wahelp => Some((RouteKind::Wahelp, Some(RouteMode::Native))),
        HolderKind::Other => Some((RouteKind::Relay, None)),
        HolderKind::Poller | HolderKind::Nobody => None,
    }
}

pub(crate) const fn default_name(holder: HolderKind) -> &'static str {
    match holder {
        HolderKind::Amocrm => "amocrm",
        HolderKind::Kommo => "kommo",
        HolderKind::Wahelp => "wahelp",
        HolderKind::Other | HolderKind::Poller | HolderKind::Nobody => "relay",
    }
}
