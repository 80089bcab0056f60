//! What there is on the other side of the Bot API: people, chats, messages.
//!
//! One world per emulated Telegram, behind one lock that is never held across an await. Posting renders the
//! message for each bot that may see it and puts the update into its queue under that lock, so updates of a
//! chat come in the order of what happened. Histories are bounded (see [`chat`]); older messages are gone as
//! if they had never been.

pub(crate) mod acts;
pub(crate) mod chat;
pub(crate) mod entities;
pub(crate) mod image;
pub(crate) mod keyboard;
pub(crate) mod learn;
pub(crate) mod media;
pub(crate) mod members;
pub(crate) mod message;
pub(crate) mod origin;
pub(crate) mod poll;
pub(crate) mod posting;
pub(crate) mod queries;
pub(crate) mod render;
pub(crate) mod settings;
pub(crate) mod user;
pub(crate) mod view;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value};

use self::chat::{Chat, ChatKey, ChatKind};
use self::media::Shelf;
use self::poll::Poll;
use self::queries::Queries;
use self::settings::Settings;
use self::user::User;
use super::bot::Bot;
use super::files::Files;
use crate::clock::Clock;
use crate::random::Random;

/// The world behind one emulated Telegram.
#[derive(Debug)]
pub(crate) struct World {
    state: Mutex<State>,
}

impl World {
    /// An empty world.
    pub(crate) fn new(clock: Clock, random: Random, files: Files) -> Self {
        let state = State {
            clock,
            random,
            shelf: Shelf::new(files),
            users: BTreeMap::new(),
            bots: HashMap::new(),
            chats: HashMap::new(),
            names: HashMap::new(),
            private_counters: HashMap::new(),
            polls: HashMap::new(),
            queries: Queries::default(),
            inline_answers: HashMap::new(),
            inline_messages: HashMap::new(),
            topics: BTreeMap::new(),
            business: HashMap::new(),
            settings: HashMap::new(),
        };
        Self { state: Mutex::new(state) }
    }

    /// The state, for as long as one thing happens.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Everything in the world.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    pub(crate) shelf: Shelf,
    /// People and bots by id.
    pub(crate) users: BTreeMap<i64, User>,
    pub(crate) bots: HashMap<i64, Arc<Bot>>,
    pub(crate) chats: HashMap<ChatKey, Chat>,
    /// Groups and channels by username in lower case.
    pub(crate) names: HashMap<String, i64>,
    /// The last message id of each bot's private chats: they share one sequence, as an account's do.
    pub(crate) private_counters: HashMap<i64, i64>,
    pub(crate) polls: HashMap<String, Poll>,
    pub(crate) queries: Queries,
    /// The results a bot last offered a user in inline mode, by query.
    pub(crate) inline_answers: HashMap<(i64, i64), (String, Value)>,
    /// Messages sent through inline mode, by `inline_message_id`.
    pub(crate) inline_messages: HashMap<String, (ChatKey, i64)>,
    /// Forum topics by chat and thread.
    pub(crate) topics: BTreeMap<(i64, i64), Map<String, Value>>,
    /// `BusinessConnection` objects that were pushed, by bot and id.
    pub(crate) business: HashMap<(i64, String), Value>,
    /// What bots stored by `setMy…` and similar methods.
    pub(crate) settings: HashMap<i64, Settings>,
}

impl State {
    /// Makes a bot known; cheap when it already is.
    pub(crate) fn introduce(&mut self, bot: &Arc<Bot>) {
        if self.bots.contains_key(&bot.id()) {
            return;
        }
        let mut user = User::new(bot.id(), true, bot.first_name());
        user.username = Some(bot.username());
        self.users.insert(bot.id(), user);
        self.bots.insert(bot.id(), Arc::clone(bot));
    }

    /// The `User` object; an id nobody has is shown as a nameless account.
    pub(crate) fn user_json(&self, id: i64) -> Value {
        self.users.get(&id).map_or_else(|| User::new(id, false, "").to_json(), User::to_json)
    }

    /// The `Chat` object as bots see it.
    pub(crate) fn chat_json(&self, key: ChatKey) -> Value {
        match key {
            ChatKey::Private { user, .. } => {
                self.users.get(&user).map_or_else(|| User::new(user, false, "").to_chat(), User::to_chat)
            }
            ChatKey::Group(_) => self.chats.get(&key).map_or(Value::Null, Chat::to_json),
        }
    }

    /// A new person.
    pub(crate) fn add_user(&mut self, mut user: User) -> i64 {
        // Ids have more than 32 bits, as those of newer accounts do.
        while user.id == 0 || self.users.contains_key(&user.id) {
            user.id = self.random.range(5_000_000_000..7_999_999_999);
        }
        let id = user.id;
        self.users.insert(id, user);
        id
    }

    /// The private chat of a person with a bot, opened if need be.
    pub(crate) fn open_private(&mut self, bot: i64, user: i64) -> ChatKey {
        let key = ChatKey::Private { bot, user };
        if !self.chats.contains_key(&key) {
            let instance = self.random.range(i64::MIN..i64::MAX).to_string();
            self.chats.insert(key, Chat::new(key, ChatKind::Private, String::new(), instance));
        }
        key
    }

    /// A new group or channel without members.
    pub(crate) fn add_group(&mut self, kind: ChatKind, title: String) -> ChatKey {
        loop {
            let internal = self.random.range(1_000_000_000..3_999_999_999);
            let id = if kind == ChatKind::Group { -internal } else { -1_000_000_000_000 - internal };
            let key = ChatKey::Group(id);
            if !self.chats.contains_key(&key) {
                let instance = self.random.range(i64::MIN..i64::MAX).to_string();
                self.chats.insert(key, Chat::new(key, kind, title, instance));
                return key;
            }
        }
    }

    /// The next `message_id` of a chat.
    pub(crate) fn next_message_id(&mut self, key: ChatKey) -> i64 {
        match key {
            ChatKey::Private { bot, .. } => {
                let counter = self.private_counters.entry(bot).or_default();
                *counter += 1;
                *counter
            }
            ChatKey::Group(_) => {
                let last = self.chats.get(&key).map_or(0, |chat| chat.last_message_id);
                if let Some(chat) = self.chats.get_mut(&key) {
                    chat.last_message_id = last + 1;
                }
                last + 1
            }
        }
    }

    /// A 64-bit id as text, as queries and polls have it.
    pub(crate) fn new_id(&self) -> String {
        self.random.range(1_000_000_000_000_000_000..i64::MAX).to_string()
    }
}
