//! Who may speak to the gateway: bots and their apps, found by token.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, PoisonError, RwLock},
};

use tandem_model::{BotId, LaneId, SourceId};
use tandem_telegram::token::{Token, TokenHash};
use tokio::sync::watch;

use crate::{AppDocument, Owners};

/// What can be done with a bot now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BotState {
    /// Everything.
    Active,
    /// Telegram refuses its token: apps are told so, and nothing is sent.
    Revoked,
    /// It was given back: apps are told that their token is wrong.
    Released,
}

/// A bot as the gateway uses it. Shared with whoever takes its updates in.
#[derive(Debug)]
pub struct BotHandle {
    id: BotId,
    source: SourceId,
    token: RwLock<Token>,
    owners: RwLock<Arc<Owners>>,
    state: watch::Sender<BotState>,
}

impl BotHandle {
    /// A bot that is active.
    pub fn new(token: Token, source: SourceId) -> Self {
        Self {
            id: token.bot(),
            source,
            token: RwLock::new(token),
            owners: RwLock::default(),
            state: watch::Sender::new(BotState::Active),
        }
    }

    /// Its id.
    pub const fn id(&self) -> BotId {
        self.id
    }

    /// Where its updates come from.
    pub const fn source(&self) -> SourceId {
        self.source
    }

    /// Its token at Telegram.
    pub fn token(&self) -> Token {
        self.token.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Gives it another token: it was rotated. Active again.
    pub fn set_token(&self, token: Token) {
        let mut current = self.token.write().unwrap_or_else(PoisonError::into_inner);
        *current = token;
        self.set_state(BotState::Active);
    }

    /// Which apps its owner has chosen for what only one can answer.
    pub fn owners(&self) -> Arc<Owners> {
        Arc::clone(&self.owners.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces them, once they have been stored.
    pub fn set_owners(&self, owners: Owners) {
        *self.owners.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(owners);
    }

    /// Telegram refused this token: the bot is revoked, unless it is not active or has another token by now. Whether it
    /// was done.
    pub fn revoke(&self, refused: &Token) -> bool {
        let current = self.token.read().unwrap_or_else(PoisonError::into_inner);
        let revoking = *current == *refused && self.state() == BotState::Active;
        if revoking {
            self.set_state(BotState::Revoked);
        }
        revoking
    }

    /// What can be done with it.
    pub fn state(&self) -> BotState {
        *self.state.borrow()
    }

    /// Says what can be done with it from now on.
    pub fn set_state(&self, state: BotState) {
        self.state.send_if_modified(|current| std::mem::replace(current, state) != state);
    }

    /// Follows its state.
    pub fn watch_state(&self) -> watch::Receiver<BotState> {
        self.state.subscribe()
    }
}

/// An app as the gateway uses it.
#[derive(Debug)]
pub struct App {
    bot: Arc<BotHandle>,
    name: String,
    lane: LaneId,
    document: RwLock<Arc<AppDocument>>,
}

impl App {
    /// The name of the app that the bot's own token means.
    pub const MAIN: &'static str = "main";

    /// An app with its lane.
    pub fn new(bot: Arc<BotHandle>, name: String, lane: LaneId, document: AppDocument) -> Self {
        Self { bot, name, lane, document: RwLock::new(Arc::new(document)) }
    }

    /// Its bot.
    pub const fn bot(&self) -> &Arc<BotHandle> {
        &self.bot
    }

    /// Its name, unique within the bot.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its lane.
    pub const fn lane(&self) -> LaneId {
        self.lane
    }

    /// What is stored of it.
    pub fn document(&self) -> Arc<AppDocument> {
        Arc::clone(&self.document.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces what is known of it, once that has been stored.
    pub fn set_document(&self, document: AppDocument) {
        *self.document.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(document);
    }
}

/// Bots and their apps.
#[derive(Debug, Default)]
pub struct Directory {
    bots: RwLock<HashMap<BotId, Entry>>,
}

#[derive(Debug)]
struct Entry {
    bot: Arc<BotHandle>,
    apps: BTreeMap<String, Arc<App>>,
}

impl Directory {
    /// With nobody in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a bot without apps; one that is there already is replaced together with its apps.
    pub fn insert_bot(&self, bot: Arc<BotHandle>) {
        let entry = Entry { apps: BTreeMap::new(), bot };
        self.write().insert(entry.bot.id(), entry);
    }

    /// Removes a bot with its apps.
    pub fn remove_bot(&self, bot: BotId) -> Option<Arc<BotHandle>> {
        self.write().remove(&bot).map(|entry| entry.bot)
    }

    /// The bot with this id.
    pub fn find_bot(&self, bot: BotId) -> Option<Arc<BotHandle>> {
        self.read().get(&bot).map(|entry| Arc::clone(&entry.bot))
    }

    /// Adds an app, or replaces the one of its name. Nothing happens when its bot is not there.
    pub fn insert_app(&self, app: Arc<App>) {
        if let Some(entry) = self.write().get_mut(&app.bot().id()) {
            entry.apps.insert(app.name().to_owned(), app);
        }
    }

    /// Removes an app.
    pub fn remove_app(&self, bot: BotId, name: &str) -> Option<Arc<App>> {
        self.write().get_mut(&bot)?.apps.remove(name)
    }

    /// The app of this name.
    pub fn find_app(&self, bot: BotId, name: &str) -> Option<Arc<App>> {
        self.read().get(&bot)?.apps.get(name).cloned()
    }

    /// A bot's apps by name.
    pub fn list_apps(&self, bot: BotId) -> Vec<Arc<App>> {
        self.read().get(&bot).map(|entry| entry.apps.values().cloned().collect()).unwrap_or_default()
    }

    /// Who presents this token. The bot is found by the number in it, which is no secret; the token is compared
    /// with each app's in constant time. The bot's own token means its app [`App::MAIN`].
    pub fn find_by_token(&self, token: &Token) -> Option<Arc<App>> {
        let bots = self.read();
        let entry = bots.get(&token.bot())?;
        let presented: TokenHash = token.hash();
        let own =
            entry.apps.values().find(|app| app.document().token_hash().is_some_and(|hash| hash == presented));
        match own {
            Some(app) => Some(Arc::clone(app)),
            None if entry.bot.token() == *token => entry.apps.get(App::MAIN).cloned(),
            None => None,
        }
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, HashMap<BotId, Entry>> {
        self.bots.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, HashMap<BotId, Entry>> {
        self.bots.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use tandem_model::SeededRng;

    use super::*;

    const REAL: &str = "42:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0";

    fn directory() -> (Directory, Token) {
        let directory = Directory::new();
        let bot = Arc::new(BotHandle::new(Token::parse(REAL).unwrap(), SourceId::new(1).unwrap()));
        directory.insert_bot(Arc::clone(&bot));
        let lane = |id| LaneId::new(id).unwrap();
        directory.insert_app(Arc::new(App::new(
            Arc::clone(&bot),
            "main".to_owned(),
            lane(1),
            AppDocument::default(),
        )));
        let token = Token::generate(bot.id(), &SeededRng::from_seed(1));
        let document = AppDocument {
            token_sha256: Some(hex::encode(token.hash().as_bytes())),
            ..AppDocument::default()
        };
        directory.insert_app(Arc::new(App::new(bot, "orders".to_owned(), lane(2), document)));
        (directory, token)
    }

    #[test]
    fn an_app_is_found_by_its_token_and_main_by_the_bots_own() {
        let (directory, token) = directory();
        assert_eq!(directory.find_by_token(&token).unwrap().name(), "orders");
        let real = Token::parse(REAL).unwrap();
        assert_eq!(directory.find_by_token(&real).unwrap().name(), "main");
        let wrong = Token::generate(real.bot(), &SeededRng::from_seed(2));
        assert!(directory.find_by_token(&wrong).is_none());
        let other = Token::parse("43:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0").unwrap();
        assert!(directory.find_by_token(&other).is_none());
    }

    #[test]
    fn a_rotated_token_stops_working_and_the_new_one_works() {
        let (directory, _) = directory();
        let old = Token::parse(REAL).unwrap();
        let new = Token::parse("42:BBHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0").unwrap();
        let bot = directory.find_bot(old.bot()).unwrap();
        assert!(bot.revoke(&old));
        bot.set_token(new.clone());
        assert!(!bot.revoke(&old), "an answer to a call with the old one may come late");
        assert_eq!(bot.state(), BotState::Active);
        assert!(directory.find_by_token(&old).is_none());
        assert_eq!(directory.find_by_token(&new).unwrap().name(), "main");
    }

    #[test]
    fn a_removed_app_is_known_no_longer() {
        let (directory, token) = directory();
        directory.remove_app(token.bot(), "orders");
        assert!(directory.find_by_token(&token).is_none());
    }
}
