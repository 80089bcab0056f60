//! The emulated Telegram itself: its bots, its files, its world.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    bot::{Bot, Identity},
    files::Files,
    token,
    world::World,
};
use crate::{clock::Clock, random::Random};

/// Whose words malformed tokens and unknown methods get.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ErrorStyle {
    /// As api.telegram.org: 404 `Not Found` for both, and JSON for an oversize body.
    #[default]
    Cloud,
    /// As the open-source server without a proxy before it.
    Bare,
}

/// How this Telegram behaves where two kinds of it exist.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Settings {
    pub(crate) errors: ErrorStyle,
    /// Webhooks need https, one of four ports and a public address, as in the cloud.
    pub(crate) strict_webhooks: bool,
}

/// A Telegram with its bots. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Telegram(Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    settings: Settings,
    clock: Clock,
    random: Random,
    files: Files,
    world: World,
    bots: RwLock<BTreeMap<i64, Arc<Bot>>>,
    pub(crate) stop: CancellationToken,
    tasks: TaskTracker,
}

/// A bot to be created; what is absent is made up from the seed.
#[derive(Debug, Clone, Default)]
pub struct NewBot {
    /// `<id>:<secret>`; the id is the bot's.
    pub token: Option<String>,
    /// Without the at sign.
    pub username: Option<String>,
    /// Display name.
    pub first_name: Option<String>,
}

/// A bot that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CreateBotError {
    /// The token's shape is wrong.
    #[error(
        "expected a token like 123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0 (digits, a colon, at least 24 characters of A-Z a-z 0-9 _ -)"
    )]
    BadToken,
    /// There is one with this id.
    #[error("bot {0} exists already")]
    Exists(i64),
    /// The token belongs to another bot.
    #[error("expected a token that begins with {0}:")]
    OtherBot(i64),
}

impl Telegram {
    pub(crate) fn new(
        settings: Settings,
        clock: Clock,
        random: Random,
        stop: CancellationToken,
        tasks: TaskTracker,
    ) -> Self {
        let files = Files::new(random.clone());
        let world = World::new(clock.clone(), random.clone(), files.clone());
        let bots = RwLock::default();
        Self(Arc::new(Inner { settings, clock, random, files, world, bots, stop, tasks }))
    }

    /// Creates a bot.
    pub fn create_bot(&self, new: NewBot) -> Result<Arc<Bot>, CreateBotError> {
        let token = match new.token {
            Some(token) => token,
            None => self.new_token(self.0.random.range(1_000_000_000..9_000_000_000)),
        };
        let id = token::bot_id(&token).map_err(|_shape| CreateBotError::BadToken)?;
        let username = new.username.unwrap_or_else(|| format!("sandbox_{id}_bot"));
        let first_name = new.first_name.unwrap_or_else(|| username.clone());
        let identity = Identity { id, token, username, first_name };
        let inner = &self.0;
        let mut bots = inner.bots.write().unwrap_or_else(PoisonError::into_inner);
        if bots.contains_key(&id) {
            return Err(CreateBotError::Exists(id));
        }
        let bot = Bot::new(identity, inner.clock.clone(), inner.random.clone(), Arc::downgrade(inner));
        let bot = Arc::new(bot);
        bots.insert(id, Arc::clone(&bot));
        Ok(bot)
    }

    /// Gives a bot a new token; the old one answers 401 from now on. Without a token one is made up.
    pub fn rotate_token(&self, bot: &Bot, token: Option<String>) -> Result<String, CreateBotError> {
        let token = token.unwrap_or_else(|| self.new_token(bot.id()));
        match token::bot_id(&token) {
            Ok(id) if id == bot.id() => {}
            Ok(_) => return Err(CreateBotError::OtherBot(bot.id())),
            Err(_) => return Err(CreateBotError::BadToken),
        }
        bot.set_token(token.clone());
        Ok(token)
    }

    /// The bot of this id.
    pub fn bot(&self, id: i64) -> Option<Arc<Bot>> {
        self.0.bots.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    /// All bots by id.
    pub fn bots(&self) -> Vec<Arc<Bot>> {
        self.0.bots.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    pub(crate) fn from_inner(inner: Arc<Inner>) -> Self {
        Self(inner)
    }

    pub(crate) fn settings(&self) -> Settings {
        self.0.settings
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    pub(crate) fn files(&self) -> &Files {
        &self.0.files
    }

    pub(crate) fn world(&self) -> &World {
        &self.0.world
    }

    /// Cancelled when the sandbox stops.
    pub(crate) fn stop(&self) -> &CancellationToken {
        &self.0.stop
    }

    /// Where background work is spawned.
    pub(crate) fn tasks(&self) -> &TaskTracker {
        &self.0.tasks
    }

    fn new_token(&self, id: i64) -> String {
        format!("{id}:AA{}", self.0.random.word(33))
    }
}
