//! The difference between what a file says of a bot and what is there.

use std::collections::BTreeSet;

use tandem_gateway::{App, AppDocument, Owners, Question};
use tandem_journal::{Route as RouteRow, SecretOwner};
use tandem_model::BotId;
use tandem_telegram::{
    token::Token,
    upstream::Me,
    webhook::{WebhookAddress, WebhookPolicy},
};

use super::{DesiredApp, DesiredBot, DesiredRoute, connections::gone as no_such_connection};
use crate::{
    Bridge, GuardPolicy, Holder, HolderKind, RouteDocument,
    adopt::{read_token, route_kind},
    operations::{
        Others, Refusal, RefusalCode, StepAction, StepView,
        app_settings::refuse_double_claims,
        apps::{StoredApp, check_name},
        find::{Found, shown},
        trouble::unreadable,
    },
    rules::check,
    secrets,
};

/// A bot of a file, and how it stands.
pub(super) struct Known {
    pub(super) token: Token,
    /// As Telegram names it, where it was asked.
    pub(super) me: Option<Me>,
    pub(super) found: Option<Found>,
    /// Who holds it, when it has to be taken over first.
    pub(super) to_adopt: Option<Holder>,
}

/// One step, not done yet.
pub(super) struct Step {
    pub(super) id: BotId,
    /// For people.
    pub(super) bot: String,
    pub(super) change: Change,
    pub(super) sentence: String,
}

/// What a step does.
pub(super) enum Change {
    SetGuard(GuardPolicy),
    AddApp(DesiredApp),
    SetApp(DesiredApp),
    SetOwners(Owners),
    RemoveApp(String),
    AddRoute { route: DesiredRoute, url: Option<String> },
    SetRoute { route: DesiredRoute, url: Option<String> },
    RemoveRoute(String),
}

impl Known {
    pub(super) fn shown(&self) -> String {
        let asked = self.me.as_ref().and_then(|me| me.username.as_deref());
        let stored = self.found.as_ref().and_then(|found| found.document.username.as_deref());
        shown(self.token.bot(), asked.or(stored))
    }

    pub(super) fn view_of_adoption(&self, holder: &Holder) -> StepView {
        let who = match holder.kind {
            HolderKind::Nobody | HolderKind::Poller => "which has no webhook".to_owned(),
            HolderKind::Amocrm | HolderKind::Kommo | HolderKind::Wahelp | HolderKind::Other => {
                format!("from {} at {}, which is kept as a route", holder.kind.as_str(), holder.host)
            }
        };
        StepView {
            action: StepAction::Adopt,
            what: format!("bot {}", self.shown()),
            sentence: format!("Take over {}, {who}.", self.shown()),
            app_token: None,
            notes: Vec::new(),
        }
    }
}

impl Bridge {
    /// Looks at a bot; Telegram is asked only about one that is not ours or has another token.
    pub(super) async fn look_at(&self, bot: &DesiredBot) -> Result<Known, Refusal> {
        for name in bot.apps.iter().map(|app| &app.name).chain(bot.routes.iter().map(|route| &route.name)) {
            check_name(name)?;
        }
        for route in &bot.routes {
            refuse_wrong_rules(route)?;
        }
        let token = read_token(bot.token.expose())?;
        let found = self.stored_bot(token.bot()).await?;
        let is_ours = found.as_ref().is_some_and(|found| {
            matches!(found.document.phase, crate::BotPhase::Active)
                && bot.upstream.is_none_or(|upstream| found.document.upstream == upstream)
        });
        if is_ours && self.vault().token(token.bot()).await? == token {
            return Ok(Known { token, me: None, found, to_adopt: None });
        }
        let upstream = &self.parts().upstream;
        let me = upstream.get_me(&token).await;
        let me = me.map_err(|error| Refusal::telegram(&error, "asking whose token it is"))?;
        let info = upstream.get_webhook_info(&token).await;
        let info = info.map_err(|error| Refusal::telegram(&error, "asking who holds the bot"))?;
        Ok(Known { to_adopt: Some(self.holder_of(&info)), token, me: Some(me), found })
    }

    /// What is to be done besides taking it over.
    pub(super) async fn plan(
        &self,
        bot: &DesiredBot,
        known: &Known,
        coming: &[String],
        others: Others,
    ) -> Result<Vec<Step>, Refusal> {
        let id = known.token.bot();
        let mut changes = Vec::new();
        let found = self.stored_bot(id).await?;
        let policy = found.filter(|found| !found.is_released()).map(|found| found.document.guard.policy);
        if let Some((wanted, policy)) = bot.guard.zip(policy).filter(|(wanted, policy)| wanted != policy) {
            let sentence = format!("Set guard to {} instead of {}.", wanted.as_str(), policy.as_str());
            changes.push((Change::SetGuard(wanted), sentence));
        }
        self.plan_apps(id, bot, others, &mut changes).await?;
        self.plan_owners(id, bot, known, others, &mut changes).await?;
        self.refuse_missing_connections(bot, coming).await?;
        self.plan_routes(id, bot, known, others, &mut changes).await?;
        Ok(changes
            .into_iter()
            .map(|(change, sentence)| Step { id, bot: known.shown(), change, sentence })
            .collect())
    }

    async fn plan_apps(
        &self,
        id: BotId,
        bot: &DesiredBot,
        others: Others,
        changes: &mut Vec<(Change, String)>,
    ) -> Result<(), Refusal> {
        let apps = self.stored_apps(id).await?;
        refuse_double_claims(claims_wanted(bot, &apps, others))?;
        for app in &bot.apps {
            app.settings.check()?;
            let known = apps.iter().find(|known| known.row.name == app.name);
            match known.map(|known| &known.document) {
                Some(document) if app.settings.holds_in(document) => {}
                Some(document) => {
                    let sentence = format!("Change {}.", app.settings.differences(document).join(", "));
                    changes.push((Change::SetApp(app.clone()), sentence));
                }
                // The app `main` comes with its bot.
                None if app.name == App::MAIN => {
                    if !app.settings.holds_in(&AppDocument::default()) {
                        let differences = app.settings.differences(&AppDocument::default()).join(", ");
                        changes.push((Change::SetApp(app.clone()), format!("Set {differences}.")));
                    }
                }
                None => changes.push((
                    Change::AddApp(app.clone()),
                    "Make it, with a token of its own that is shown once.".to_owned(),
                )),
            }
        }
        for known in apps.into_iter().filter(|_| others == Others::Prune) {
            let name = known.row.name;
            if name != App::MAIN && !bot.apps.iter().any(|app| app.name == name) {
                let sentence =
                    "Remove it with its token and its backlog: the file does not name it.".to_owned();
                changes.push((Change::RemoveApp(name), sentence));
            }
        }
        Ok(())
    }

    async fn plan_owners(
        &self,
        id: BotId,
        bot: &DesiredBot,
        known: &Known,
        others: Others,
        changes: &mut Vec<(Change, String)>,
    ) -> Result<(), Refusal> {
        let stored = known.found.as_ref().map(|found| found.document.owners.clone()).unwrap_or_default();
        let apps = self.stored_apps(id).await?;
        let mut sentences = Vec::new();
        for question in Question::ALL {
            let Some(app) = bot.owners.chosen(question) else { continue };
            let stays = || others == Others::Keep && apps.iter().any(|known| known.row.name == app);
            if app != App::MAIN && !bot.apps.iter().any(|known| known.name == app) && !stays() {
                return Err(Refusal::new(
                    RefusalCode::NoSuchApp,
                    format!(
                        "{} has no app named {app}, which is to own {}.",
                        known.shown(),
                        question.as_str()
                    ),
                    "Name an app of the file, or one that is there.",
                ));
            }
            if stored.chosen(question) != Some(app) {
                sentences.push(format!("{} to {app}", question.as_str()));
            }
        }
        if !sentences.is_empty() {
            let sentence = format!("Give {}.", sentences.join(", "));
            changes.push((Change::SetOwners(bot.owners.clone()), sentence));
        }
        Ok(())
    }

    async fn plan_routes(
        &self,
        id: BotId,
        bot: &DesiredBot,
        known: &Known,
        others: Others,
        changes: &mut Vec<(Change, String)>,
    ) -> Result<(), Refusal> {
        let rows = self.parts().store.list_routes(id).await?;
        for route in &bot.routes {
            let row = rows.iter().find(|row| row.name == route.name);
            let kind = route.document.kind.as_str();
            let told = route.document.mode.filter(|mode| mode.tells());
            let (url, made) = if let (Some(mode), Some(connection)) = (told, &route.connection) {
                let made = format!(
                    "Make a route of {kind}, mode {}, through connection {connection}; it begins with the next event.",
                    mode.as_str()
                );
                (None, made)
            } else {
                let Some(url) = self.url_of(id, route, row, known).await? else {
                    // It comes with its bot.
                    continue;
                };
                let host = host_of(&url, &route.name)?;
                (Some(url), format!("Make a {kind} route to {host}; it begins with the next event."))
            };
            match row {
                None => changes.push((Change::AddRoute { route: route.clone(), url }, made)),
                Some(row) => {
                    if let Some(differences) = self.route_differences(id, route, row, url.as_deref()).await? {
                        let sentence = format!("Change {}.", differences.join(", "));
                        changes.push((Change::SetRoute { route: route.clone(), url }, sentence));
                    }
                }
            }
        }
        for row in rows.into_iter().filter(|_| others == Others::Prune) {
            if !bot.routes.iter().any(|route| route.name == row.name) {
                let sentence =
                    "Remove it with what it has not delivered: the file does not name it.".to_owned();
                changes.push((Change::RemoveRoute(row.name), sentence));
            }
        }
        Ok(())
    }

    async fn refuse_missing_connections(&self, bot: &DesiredBot, coming: &[String]) -> Result<(), Refusal> {
        for name in bot.routes.iter().filter_map(|route| route.connection.as_ref()) {
            let is_there = self.parts().store.find_connection(name.clone()).await?.is_some();
            if !is_there && !coming.contains(name) {
                return Err(no_such_connection(name));
            }
        }
        let is_companion = |route: &&DesiredRoute| route.document.companion.is_some();
        if self.parts().config.public_url.is_none()
            && let Some(route) = bot.routes.iter().find(is_companion)
        {
            return Err(Refusal::new(
                RefusalCode::NeedsPublicUrl,
                format!(
                    "Route {} has a connection, and what goes on in its account is posted to a public address.",
                    route.name
                ),
                "Set server.public_url to where this service is reached from the internet and start it again, or take \
                 the connection out of the route.",
            ));
        }
        Ok(())
    }

    /// Where a route goes: as the file says, as before, or to whoever held the bot. `None` when it will be made by
    /// taking the bot over.
    async fn url_of(
        &self,
        id: BotId,
        route: &DesiredRoute,
        row: Option<&RouteRow>,
        known: &Known,
    ) -> Result<Option<String>, Refusal> {
        if let Some(url) = &route.url {
            return Ok(Some(url.expose().to_owned()));
        }
        if row.is_some() {
            let owner = SecretOwner::Route(id, route.name.clone());
            if let Some(url) = self.vault().find_text(&owner, secrets::ROUTE_URL).await? {
                return Ok(Some(url));
            }
        }
        let fits =
            |holder: &Holder| route_kind(holder.kind).is_some_and(|(kind, _)| kind == route.document.kind);
        if known.to_adopt.as_ref().is_some_and(fits) {
            return Ok(None);
        }
        let former = known.found.as_ref().and_then(|found| found.document.taken_from.as_ref());
        if former.is_some_and(fits)
            && let Some(url) = self.vault().holder_url(id).await?
        {
            return Ok(Some(url));
        }
        Err(Refusal::new(
            RefusalCode::BadRequest,
            format!(
                "Route {} of {} has no url, and the bot was not held by {}.",
                route.name,
                known.shown(),
                route.document.kind.as_str()
            ),
            "Give the route a url_file with the address of its webhook.",
        ))
    }

    /// What is different about a route, in words; `None` when nothing is.
    async fn route_differences(
        &self,
        id: BotId,
        route: &DesiredRoute,
        row: &RouteRow,
        url: Option<&str>,
    ) -> Result<Option<Vec<&'static str>>, Refusal> {
        let stored: RouteDocument =
            row.document.read().map_err(|error| unreadable(&format!("route {}", row.name), &error))?;
        let wanted = wanted(route, Some(&stored));
        let owner = SecretOwner::Route(id, route.name.clone());
        let connection = match &route.connection {
            Some(name) => self.parts().store.find_connection(name.clone()).await?.map(|found| found.id),
            None => row.connection,
        };
        let mut differences = Vec::new();
        for (differs, what) in [
            (row.connection != connection, "its connection"),
            (wanted.channel != stored.channel, "how its channel goes"),
            (wanted.companion != stored.companion, "how its companion goes"),
            ((wanted.kind, wanted.mode) != (stored.kind, stored.mode), "its kind"),
            (wanted.kinds != stored.kinds, "the kinds of update it gets"),
            (wanted.max_connections != stored.max_connections, "its connections"),
            (wanted.ip_address != stored.ip_address, "its fixed address"),
            (route.rules.as_ref().is_some_and(|rules| rules != stored.rules.latest()), "its rules"),
        ] {
            if differs {
                differences.push(what);
            }
        }
        let secret = route.secret.as_ref().map(|secret| secret.expose().to_owned());
        for (wanted, name, what) in [
            (url.map(str::to_owned), secrets::ROUTE_URL, "where it goes"),
            (secret, secrets::ROUTE_SECRET, "the secret it shows"),
            (route.certificate.clone(), secrets::ROUTE_CERTIFICATE, "its certificate"),
        ] {
            if wanted.is_some() && self.vault().find_text(&owner, name).await? != wanted {
                differences.push(what);
            }
        }
        Ok((!differences.is_empty()).then_some(differences))
    }
}

/// What a file leaves out stays.
pub(super) fn put_owners(wanted: &Owners, owners: &mut Owners) {
    for question in Question::ALL {
        if let Some(app) = wanted.chosen(question) {
            owners.choose(question, Some(app.to_owned()));
        }
    }
}

/// What each app claims once everything is as the file says.
fn claims_wanted<'a>(
    bot: &'a DesiredBot,
    apps: &'a [StoredApp],
    others: Others,
) -> Vec<(&'a str, &'a BTreeSet<String>)> {
    let in_file = |name: &str| bot.apps.iter().find(|app| app.name == name);
    let stored = apps.iter().filter_map(|app| {
        let name = app.row.name.as_str();
        match in_file(name).map(|app| &app.settings.claims) {
            Some(Some(_)) => None,
            None if others == Others::Prune && name != App::MAIN => None,
            Some(None) | None => Some((name, &app.document.claims)),
        }
    });
    let wanted = bot.apps.iter().filter_map(|app| Some((app.name.as_str(), app.settings.claims.as_ref()?)));
    stored.chain(wanted).collect()
}

/// A route's document: what a file leaves out stays.
pub(super) fn wanted(route: &DesiredRoute, stored: Option<&RouteDocument>) -> RouteDocument {
    let RouteDocument { kind, mode, kinds, max_connections, ip_address, channel, companion, rules: _ } =
        route.document.clone();
    RouteDocument {
        kind,
        mode,
        kinds: kinds.or_else(|| stored?.kinds.clone()),
        max_connections: max_connections.or_else(|| stored?.max_connections),
        ip_address: ip_address.or_else(|| stored?.ip_address),
        channel,
        companion: companion.or_else(|| stored?.companion.clone()),
        // A version of their own is made of them when they are stored.
        rules: stored.map(|stored| stored.rules.clone()).unwrap_or_default(),
    }
}

fn refuse_wrong_rules(route: &DesiredRoute) -> Result<(), Refusal> {
    let rules = route.rules.as_deref().unwrap_or_default();
    check(rules, route.document.audience()).map_err(|problem| {
        let sentence = format!("The rules of route {} cannot be used: {problem}.", route.name);
        Refusal::new(RefusalCode::BadRequest, sentence, "Correct it and run this again.")
    })
}

fn host_of(url: &str, route: &str) -> Result<String, Refusal> {
    match WebhookAddress::parse(url, WebhookPolicy::Any) {
        Ok(address) => Ok(address.host().to_owned()),
        Err(error) => Err(Refusal::new(
            RefusalCode::BadRequest,
            format!("The url of route {route} cannot be used: {error}."),
            "Give the whole address of a webhook, with https:// at its beginning.",
        )),
    }
}
