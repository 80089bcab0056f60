//! Everything that changes, and who is who in it.

use std::collections::{BTreeMap, VecDeque};

use super::channel::Channel;
use super::fault::{Fault, Faults};
use super::files::Files;
use super::hooks::SentHooks;
use super::message::Message;
use super::project::Project;
use super::record::Calls;
use super::switches::Switches;
use super::users::{Contact, User};
use crate::amocrm::ids::uuid;
use crate::random::Random;

/// A bearer token that the API has handed out.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) word: String,
    pub(crate) until_ms: i64,
}

/// The one account with all that is in it.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) random: Random,
    pub(crate) login: String,
    pub(crate) password: String,
    pub(crate) tokens: Vec<Token>,
    pub(crate) projects: BTreeMap<i64, Project>,
    pub(crate) channels: BTreeMap<i64, Channel>,
    pub(crate) users: BTreeMap<i64, User>,
    pub(crate) contacts: BTreeMap<i64, Contact>,
    pub(crate) messages: BTreeMap<i64, Message>,
    pub(crate) files: Files,
    pub(crate) switches: Switches,
    pub(crate) faults: Faults,
    pub(crate) calls: Calls,
    pub(crate) hooks: SentHooks,
    /// What waits to be sent by a bot, for each user whose messages are being sent.
    pub(crate) sending: BTreeMap<i64, VecDeque<i64>>,
}

impl State {
    /// An account with one project and nothing in it.
    pub(crate) fn new(random: Random) -> Self {
        let mut state = Self {
            login: "owner@example.com".to_owned(),
            password: random.word(20),
            random,
            tokens: Vec::new(),
            projects: BTreeMap::new(),
            channels: BTreeMap::new(),
            users: BTreeMap::new(),
            contacts: BTreeMap::new(),
            messages: BTreeMap::new(),
            files: Files::default(),
            switches: Switches::default(),
            faults: Faults::default(),
            calls: Calls::default(),
            hooks: SentHooks::default(),
            sending: BTreeMap::new(),
        };
        state.add_project("Sandbox".to_owned());
        state
    }

    pub(crate) fn add_project(&mut self, name: String) -> i64 {
        let id = next(&self.projects, 48_213);
        self.projects.insert(id, Project::new(id, name));
        id
    }

    /// The project that is meant when nobody says which.
    pub(crate) fn first_project(&self) -> i64 {
        self.projects.keys().next().copied().unwrap_or_default()
    }

    /// By number or uuid.
    pub(crate) fn channel(&self, name: &str) -> Option<&Channel> {
        self.channels.get(&self.channel_id(name)?)
    }

    pub(crate) fn channel_id(&self, name: &str) -> Option<i64> {
        let number: Option<i64> = name.parse().ok();
        self.channels
            .values()
            .find(|channel| Some(channel.id) == number || channel.uuid == name)
            .map(|channel| channel.id)
    }

    pub(crate) fn next_channel(&self) -> (i64, String) {
        (next(&self.channels, 31_001), uuid(&self.random))
    }

    pub(crate) fn next_user(&self) -> i64 {
        next(&self.users, 5_550_001)
    }

    pub(crate) fn next_contact(&self) -> i64 {
        next(&self.contacts, 7_770_001)
    }

    pub(crate) fn next_message(&self) -> i64 {
        next(&self.messages, 9_000_001)
    }

    pub(crate) fn project_of_channel(&self, channel: i64) -> Option<&Project> {
        self.projects.get(&self.channels.get(&channel)?.project)
    }

    /// The planned fault for a call, a file or a hook, counted down.
    pub(crate) fn next_fault(&mut self, endpoint: &str, now_ms: i64) -> Option<Fault> {
        self.faults.next(endpoint, now_ms)
    }
}

fn next<T>(taken: &BTreeMap<i64, T>, first: i64) -> i64 {
    taken.last_key_value().map_or(first, |(last, _)| last + 1)
}
