//! The account: its cards and the look-ups on them.
//!
//! All ids come from here. Numbers count up from where the reference's examples begin, UUIDs come from the
//! sandbox's seed, so that two runs with one seed have the same cards.

use std::collections::{BTreeMap, VecDeque};

use super::amojo::chat::{ChannelChat, Person};
use super::cards::{Chat, Contact, Details, Lead, Talk};
use super::fields::{self, CustomFields};
use super::ids::uuid;
use super::inbound::SeenChat;
use super::integrations::Integration;
use super::pipelines;
use super::sources::Sources;
use super::users::{self, User};
use crate::random::Random;

/// One amoCRM account.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) id: u64,
    pub(crate) subdomain: String,
    /// The account's id in the chat service.
    pub(crate) amojo_id: String,
    pub(crate) pipeline_id: u64,
    /// The manager who answers.
    pub(crate) manager_id: u64,
    pub(crate) access_token: String,
    pub(crate) contacts: BTreeMap<u64, Contact>,
    pub(crate) leads: BTreeMap<u64, Lead>,
    pub(crate) talks: BTreeMap<u64, Talk>,
    pub(crate) chats: BTreeMap<String, Chat>,
    /// Chats of channels, by amojo's id.
    pub(crate) channel_chats: BTreeMap<String, ChannelChat>,
    /// People of channels, by amojo's id.
    pub(crate) persons: BTreeMap<String, Person>,
    pub(crate) users: Vec<User>,
    /// Chats that REST has linked to a contact → the number of the link.
    pub(crate) chat_links: BTreeMap<String, u64>,
    /// By client id.
    pub(crate) integrations: BTreeMap<String, Integration>,
    pub(crate) sources: Sources,
    pub(crate) fields: CustomFields,
    /// `query` does not find contacts that are younger.
    pub(crate) search_lag_ms: i64,
    /// Whether the paid filters are there.
    pub(crate) api_filter: bool,
    /// Whether the account is paid for.
    pub(crate) paid: bool,
    /// (bot, Telegram chat) → chat.
    by_telegram: BTreeMap<(i64, i64), String>,
    /// Telegram user → contact.
    pub(super) by_person: BTreeMap<i64, u64>,
    pub(super) numbers: Numbers,
    random: Random,
}

/// Where an incoming lead comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin<'a> {
    /// What the lead shows: the bot, the source, the integration.
    pub(crate) source: &'a str,
    pub(crate) pipeline_id: u64,
    /// None for what did not come from a chat.
    pub(crate) chat_id: Option<&'a str>,
}

/// The last number given to each kind of card. Numbers of removed cards do not come back.
#[derive(Debug)]
pub(super) struct Numbers {
    contact: u64,
    pub(super) lead: u64,
    talk: u64,
    link: u64,
}

pub(super) fn next(number: &mut u64) -> u64 {
    *number += 1;
    *number
}

impl Account {
    pub(crate) fn new(random: Random) -> Self {
        let amojo_id = uuid(&random);
        let access_token = format!("sandbox-{}", uuid(&random));
        // Fixtures have a sequence of their own: what is added to them moves no other id.
        let fixtures = Random::seeded(u64::from_str_radix(&amojo_id[..8], 16).unwrap_or_default());
        let users = users::first(&fixtures);
        let integration = Integration::first(&fixtures);
        Self {
            id: 31_000_001,
            subdomain: "sandbox".to_owned(),
            amojo_id,
            pipeline_id: pipelines::MAIN,
            manager_id: users::MANAGER,
            access_token,
            contacts: BTreeMap::new(),
            leads: BTreeMap::new(),
            talks: BTreeMap::new(),
            chats: BTreeMap::new(),
            channel_chats: BTreeMap::new(),
            persons: BTreeMap::new(),
            chat_links: BTreeMap::new(),
            users,
            integrations: BTreeMap::from([(integration.client_id.clone(), integration)]),
            sources: Sources::default(),
            fields: CustomFields::default(),
            search_lag_ms: 0,
            api_filter: false,
            paid: true,
            by_telegram: BTreeMap::new(),
            by_person: BTreeMap::new(),
            numbers: Numbers { contact: 40_100_000, lead: 50_100_000, talk: 116, link: 26_218 },
            random,
        }
    }

    pub(crate) fn uuid(&self) -> String {
        uuid(&self.random)
    }

    pub(crate) fn random(&self) -> &Random {
        &self.random
    }

    /// The integration that every account of the sandbox has from the start.
    pub(crate) fn first_integration(&self) -> String {
        let first = self.integrations.values().min_by_key(|integration| integration.number);
        first.map(|integration| integration.client_id.clone()).unwrap_or_default()
    }

    /// Whether something that happens in so many percent of all cases happens now.
    pub(crate) fn happens(&self, percent: u8) -> bool {
        self.random.range(0..100) < i64::from(percent)
    }

    pub(crate) fn add_contact(
        &mut self,
        name: String,
        phone: Option<String>,
        telegram_id: Option<i64>,
        now_ms: i64,
    ) -> u64 {
        let id = next(&mut self.numbers.contact);
        let person_id = self.uuid();
        let details = Details {
            responsible_user_id: self.manager_id,
            created_at: now_ms / 1000,
            updated_at: now_ms / 1000,
            made_ms: now_ms,
            ..Details::default()
        };
        self.contacts.insert(
            id,
            Contact { id, name, phone, email: None, telegram_id, person_id, lead_ids: Vec::new(), details },
        );
        if let Some(person) = telegram_id {
            self.by_person.insert(person, id);
        }
        id
    }

    pub(crate) fn set_email(&mut self, contact_id: u64, email: String) {
        if let Some(contact) = self.contacts.get_mut(&contact_id) {
            contact.email = Some(email);
        }
    }

    /// Gives a contact that was known by something else its Telegram person.
    pub(crate) fn link_person(&mut self, contact_id: u64, telegram_id: i64) {
        if let Some(contact) = self.contacts.get_mut(&contact_id) {
            contact.telegram_id = Some(telegram_id);
            self.by_person.insert(telegram_id, contact_id);
        }
    }

    pub(crate) fn find_contact_by_telegram(&self, telegram_id: i64) -> Option<u64> {
        self.by_person.get(&telegram_id).copied()
    }

    pub(crate) fn find_contact_by_phone(&self, digits: &str) -> Option<u64> {
        self.contacts
            .values()
            .find(|contact| contact.phone.as_deref() == Some(digits) || fields::has_phone(contact, digits))
            .map(|contact| contact.id)
    }

    pub(crate) fn find_chat(&self, bot_id: i64, telegram_chat_id: i64) -> Option<&Chat> {
        self.by_telegram.get(&(bot_id, telegram_chat_id)).and_then(|id| self.chats.get(id))
    }

    pub(crate) fn chats_of(&self, bot_id: i64) -> impl Iterator<Item = &Chat> {
        self.by_telegram
            .range((bot_id, i64::MIN)..=(bot_id, i64::MAX))
            .filter_map(|(_, id)| self.chats.get(id))
    }

    pub(crate) fn add_chat(&mut self, bot_id: i64, seen: &SeenChat, contact_id: Option<u64>) -> String {
        let id = self.uuid();
        let chat = Chat {
            id: id.clone(),
            bot_id,
            telegram_chat_id: seen.id,
            title: seen.title.clone(),
            contact_id,
            talk_ids: Vec::new(),
            membership: None,
            start_payloads: Vec::new(),
            repeats: 0,
            messages: VecDeque::new(),
            messages_forgotten: 0,
        };
        self.chats.insert(id.clone(), chat);
        self.by_telegram.insert((bot_id, seen.id), id.clone());
        id
    }

    pub(crate) fn find_open_talk(&self, chat_id: &str) -> Option<&Talk> {
        let of_channel = || self.channel_chats.get(chat_id).map(|chat| &chat.talk_ids);
        let talk_ids = self.chats.get(chat_id).map(|chat| &chat.talk_ids).or_else(of_channel)?;
        let talk = talk_ids.last().and_then(|id| self.talks.get(id))?;
        talk.open.then_some(talk)
    }

    /// Opens a talk; `origin` is the word hooks and REST have for its messenger.
    pub(crate) fn add_talk(
        &mut self,
        chat_id: &str,
        origin: &str,
        (contact_id, lead_id): (Option<u64>, Option<u64>),
        now_ms: i64,
    ) -> u64 {
        let id = next(&mut self.numbers.talk);
        let talk = Talk {
            id,
            chat_id: chat_id.to_owned(),
            contact_id,
            lead_id,
            open: true,
            origin: origin.to_owned(),
            created_at_ms: now_ms,
            updated_at_ms: now_ms,
        };
        self.talks.insert(id, talk);
        if let Some(chat) = self.chats.get_mut(chat_id) {
            chat.talk_ids.push(id);
        } else if let Some(chat) = self.channel_chats.get_mut(chat_id) {
            chat.talk_ids.push(id);
        }
        id
    }

    /// Puts a channel's chat on a contact's card; the answer is the link's number, a new one each time.
    pub(crate) fn link_chat(&mut self, chat_id: &str, contact_id: u64) -> u64 {
        let id = next(&mut self.numbers.link);
        self.chat_links.insert(chat_id.to_owned(), id);
        if let Some(chat) = self.channel_chats.get_mut(chat_id) {
            chat.contact_id = Some(contact_id);
        }
        id
    }
}
