//! Apps: who may speak to the gateway in a bot's name.

use tandem_gateway::{App, AppDocument, Owners, Question};
use tandem_journal::{App as AppRow, Document, SettingsChange, SettingsError};
use tandem_model::BotId;
use tandem_telegram::token::Token;

use super::{
    AppSettings, AppToken, AppView, BotRef, Confidential, Lag, Refusal, RefusalCode, Response, find::Found,
    libraries, trouble::unreadable,
};
use crate::Bridge;

/// Longest name of an app or a route.
const NAME_LENGTH: usize = 32;

/// An app as it is stored.
pub(crate) struct StoredApp {
    pub(crate) row: AppRow,
    pub(crate) document: AppDocument,
}

impl StoredApp {
    pub(crate) fn read(row: AppRow) -> Result<Self, Refusal> {
        let document = row.document.read();
        let document = document.map_err(|error| unreadable(&format!("app {}", row.name), &error))?;
        Ok(Self { row, document })
    }

    /// How it gets its updates, in a word.
    pub(crate) fn delivery(&self) -> &'static str {
        if self.document.webhook.is_some() { "webhook" } else { "polling" }
    }

    fn view(&self, owns: Vec<Question>, waiting: Option<Lag>) -> AppView {
        let AppDocument { drop_pending, backlog_secs, while_manager_talks, webhooks, .. } = self.document;
        let webhook = self.document.webhook.as_ref();
        AppView {
            bot: self.row.bot,
            name: self.row.name.clone(),
            delivery: self.delivery().to_owned(),
            // The address may hold a secret of the app's.
            webhook_host: webhook.map(|webhook| webhook.host.clone()),
            has_token: self.document.token_sha256.is_some(),
            drop_pending,
            backlog_secs,
            while_manager_talks,
            webhooks,
            kinds: self.document.shown_kinds().map(|names| names.into_iter().map(str::to_owned).collect()),
            claims: self.document.claims.iter().cloned().collect(),
            owns,
            sees: self.document.sees.iter().copied().collect(),
            limits: self.document.limits.clone(),
            waiting,
        }
    }
}

/// Makes a token and puts its hash into a document.
pub(crate) fn give_token(document: &mut AppDocument, bot: BotId, bridge: &Bridge) -> Confidential {
    let token = Token::generate(bot, &*bridge.parts().rng);
    document.token_sha256 = Some(hex::encode(token.hash().as_bytes()));
    Confidential::new(token.expose())
}

/// Whether a text can be the name of an app or a route.
pub(crate) fn check_name(name: &str) -> Result<(), Refusal> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
    if !name.is_empty() && name.len() <= NAME_LENGTH && name.bytes().all(fits) {
        return Ok(());
    }
    Err(Refusal::new(
        RefusalCode::BadRequest,
        format!("{name:?} cannot be a name."),
        format!("Use up to {NAME_LENGTH} of the characters a-z, 0-9, - and _."),
    ))
}

impl Bridge {
    pub(crate) async fn stored_apps(&self, bot: BotId) -> Result<Vec<StoredApp>, Refusal> {
        let rows = self.parts().store.list_apps(bot).await?;
        rows.into_iter().map(StoredApp::read).collect()
    }

    pub(super) async fn list_apps(&self, named: Option<&BotRef>) -> Result<Response, Refusal> {
        let bots = match named {
            Some(_) => vec![self.bot_meant(named).await?],
            None => self.stored_bots().await?,
        };
        let mut apps = Vec::new();
        for found in bots {
            apps.extend(self.app_views(&found).await?);
        }
        Ok(Response::Apps { apps })
    }

    /// A bot's apps by name, as they are now.
    pub(super) async fn app_views(&self, found: &Found) -> Result<Vec<AppView>, Refusal> {
        let apps = self.stored_apps(found.bot).await?;
        let mut views = Vec::new();
        for app in &apps {
            let lane = match app.row.lane {
                Some(lane) => self.parts().store.find_lane(found.bot, lane).await?,
                None => None,
            };
            let waiting = match lane {
                Some(lane) => Some(self.lag(&lane, app.document.backlog()).await?),
                None => None,
            };
            views.push(app.view(owned_by(&app.row.name, &apps, &found.document.owners), waiting));
        }
        Ok(views)
    }

    async fn app_view(&self, found: &Found, name: &str) -> Result<AppView, Refusal> {
        let view = self.app_views(found).await?.into_iter().find(|view| view.name == name);
        match view {
            Some(view) => Ok(view),
            None => Err(self.no_such_app(found, name).await?),
        }
    }

    pub(super) async fn add_app(
        &self,
        named: Option<&BotRef>,
        name: String,
        settings: &AppSettings,
    ) -> Result<Response, Refusal> {
        let found = self.bot_meant(named).await?;
        self.refuse_taken_claims(&found, &name, settings).await?;
        self.make_app(&found, name, settings).await.map(Response::AppToken)
    }

    /// Makes an app with a token of its own. Its lane begins with the next event.
    pub(crate) async fn make_app(
        &self,
        found: &Found,
        name: String,
        settings: &AppSettings,
    ) -> Result<AppToken, Refusal> {
        check_name(&name)?;
        refuse_released(found)?;
        let mut document = AppDocument::default();
        settings.put_into(&mut document);
        let token = give_token(&mut document, found.bot, self);
        loop {
            let revision = self.parts().store.revision().await?;
            let apps = self.parts().store.list_apps(found.bot).await?;
            if apps.iter().any(|app| app.name == name) {
                return Err(Refusal::new(
                    RefusalCode::NameTaken,
                    format!("{} has an app named {name} already.", found.shown()),
                    format!("Choose another name, or give it a new token: `tandem apps rotate {name}`."),
                ));
            }
            let stored = Document::of(&document).map_err(|error| unreadable("the new app", &error))?;
            let row = AppRow { bot: found.bot, name: name.clone(), lane: None, document: stored };
            let put = vec![SettingsChange::PutApp(row.clone())];
            match self.parts().store.change_settings(Some(revision), put).await {
                Ok(_) => {
                    self.sync(found.bot).await?;
                    return self.shown_with_token(found, &row.name, token).await;
                }
                Err(SettingsError::Stale { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn shown_with_token(
        &self,
        found: &Found,
        name: &str,
        token: Confidential,
    ) -> Result<AppToken, Refusal> {
        let libraries = libraries::lines(&self.parts().config.gateway_url);
        Ok(AppToken { app: self.app_view(found, name).await?, token, libraries })
    }

    pub(super) async fn set_app(
        &self,
        named: Option<&BotRef>,
        name: &str,
        settings: &AppSettings,
    ) -> Result<Response, Refusal> {
        let found = self.bot_meant(named).await?;
        self.refuse_taken_claims(&found, name, settings).await?;
        self.change_app(&found, name, |document| settings.put_into(document)).await?;
        self.app_view(&found, name).await.map(Response::App)
    }

    pub(super) async fn rotate_app(&self, named: Option<&BotRef>, name: &str) -> Result<Response, Refusal> {
        let found = self.bot_meant(named).await?;
        let mut fresh = AppDocument::default();
        let token = give_token(&mut fresh, found.bot, self);
        let hash = fresh.token_sha256;
        self.change_app(&found, name, |document| document.token_sha256.clone_from(&hash)).await?;
        self.shown_with_token(&found, name, token).await.map(Response::AppToken)
    }

    /// Changes what is stored of an app, whoever else changes it at the same time; the gateway follows.
    pub(crate) async fn change_app(
        &self,
        found: &Found,
        name: &str,
        change: impl Fn(&mut AppDocument) + Send + Sync,
    ) -> Result<(), Refusal> {
        loop {
            let revision = self.parts().store.revision().await?;
            let mut app = self.find_stored_app(found, name).await?;
            change(&mut app.document);
            let stored = Document::of(&app.document);
            app.row.document = stored.map_err(|error| unreadable(&format!("app {name}"), &error))?;
            let put = vec![SettingsChange::PutApp(app.row.clone())];
            match self.parts().store.change_settings(Some(revision), put).await {
                Ok(_) => {
                    self.sync(found.bot).await?;
                    return Ok(());
                }
                Err(SettingsError::Stale { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn find_stored_app(&self, found: &Found, name: &str) -> Result<StoredApp, Refusal> {
        let rows = self.parts().store.list_apps(found.bot).await?;
        match rows.into_iter().find(|row| row.name == name) {
            Some(row) => StoredApp::read(row),
            None => Err(self.no_such_app(found, name).await?),
        }
    }

    pub(super) async fn no_such_app(&self, found: &Found, name: &str) -> Result<Refusal, Refusal> {
        let rows = self.parts().store.list_apps(found.bot).await?;
        let known: Vec<String> = rows.into_iter().map(|row| row.name).collect();
        let what = if known.is_empty() {
            "Make one with `tandem apps add`.".to_owned()
        } else {
            format!("Name one of these: {}.", known.join(", "))
        };
        let sentence = format!("{} has no app named {name}.", found.shown());
        Ok(Refusal::new(RefusalCode::NoSuchApp, sentence, what))
    }

    pub(super) async fn revoke_app(&self, named: Option<&BotRef>, name: String) -> Result<Response, Refusal> {
        let found = self.bot_meant(named).await?;
        self.remove_app(&found, name.clone()).await?;
        Ok(Response::AppRevoked { bot: found.bot, name })
    }

    /// Removes an app with its token, its lane and its backlog.
    pub(crate) async fn remove_app(&self, found: &Found, name: String) -> Result<(), Refusal> {
        self.find_stored_app(found, &name).await?;
        if name == App::MAIN {
            return Err(Refusal::new(
                RefusalCode::BadRequest,
                "The app main is the bot itself: its real token means it, and it cannot be removed.",
                "Give it a new token with `tandem apps rotate main`, or give the whole bot back with `tandem release`.",
            ));
        }
        // What it answered is open again, and not for a later app of its name.
        let gone = [SettingsChange::RemoveApp(found.bot, name.clone())];
        self.change_bot(found.bot, &gone, |document| {
            document.owners.forget(&name);
        })
        .await?;
        self.sync(found.bot).await?;
        Ok(())
    }
}

/// What an app answers alone. With one app there is nothing to share.
fn owned_by(name: &str, apps: &[StoredApp], owners: &Owners) -> Vec<Question> {
    if apps.len() < 2 {
        return Vec::new();
    }
    let known: Vec<_> = apps.iter().map(|app| (app.row.name.as_str(), app.document.allowed)).collect();
    let answers = |question: &Question| question.answerer(owners, &known) == Some(name);
    Question::ALL.into_iter().filter(answers).collect()
}

/// Nothing is made for a bot that is not ours any more.
pub(crate) fn refuse_released(found: &Found) -> Result<(), Refusal> {
    if !found.is_released() {
        return Ok(());
    }
    Err(Refusal::new(
        RefusalCode::WrongState,
        format!("{} was given back.", found.shown()),
        "Take it over again with `tandem adopt`.",
    ))
}
