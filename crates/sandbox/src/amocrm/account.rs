//! The account: its cards and the look-ups on them.
//!
//! All ids come from here. Numbers count up from where the reference's examples begin, UUIDs come from the
//! sandbox's seed, so that two runs with one seed have the same cards.

use std::collections::{BTreeMap, VecDeque};

use super::amojo::chat::{ChannelChat, Person};
use super::cards::{Author, Chat, Contact, Details, Lead, LeadStatus, Message, Talk};
use super::fields::{self, CustomFields};
use super::ids::uuid;
use super::inbound::SeenChat;
use super::integrations::Integration;
use super::pipelines;
use super::sources::Sources;
use super::users::{self, User};
use crate::random::Random;

/// Messages kept per chat. Older ones are counted, not kept.
const MESSAGES_PER_CHAT: usize = 10_000;

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
    /// (bot, Telegram chat) → chat.
    by_telegram: BTreeMap<(i64, i64), String>,
    /// Telegram user → contact.
    by_person: BTreeMap<i64, u64>,
    numbers: Numbers,
    random: Random,
}

/// Where an incoming lead comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin<'a> {
    /// What the lead shows: the bot, the source, the integration.
    pub(crate) source: &'a str,
    pub(crate) pipeline_id: u64,
    pub(crate) chat_id: &'a str,
}

/// The last number given to each kind of card. Numbers of removed cards do not come back.
#[derive(Debug)]
struct Numbers {
    contact: u64,
    lead: u64,
    talk: u64,
    link: u64,
}

fn next(number: &mut u64) -> u64 {
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

    /// An incoming lead; what came through a channel's source goes where that source leads.
    pub(crate) fn add_unsorted(&mut self, contact_id: u64, from: Origin<'_>, now_ms: i64) -> u64 {
        let id = next(&mut self.numbers.lead);
        let unsorted_uid = format!("{}{}", self.uuid(), self.uuid()).replace('-', "");
        let stage = pipelines::find(from.pipeline_id).map_or(0, pipelines::Pipeline::unsorted);
        let lead = Lead {
            id,
            contact_id: Some(contact_id),
            pipeline_id: from.pipeline_id,
            status: LeadStatus::Unsorted,
            status_id: stage,
            name: format!("Сделка #{id}"),
            price: 0,
            source: from.source.to_owned(),
            start_payload: None,
            created_at_ms: now_ms,
            unsorted_uid,
            chat_id: Some(from.chat_id.to_owned()),
            details: Details {
                responsible_user_id: self.manager_id,
                created_at: now_ms / 1000,
                updated_at: now_ms / 1000,
                ..Details::default()
            },
        };
        self.leads.insert(id, lead);
        if let Some(contact) = self.contacts.get_mut(&contact_id) {
            contact.lead_ids.push(id);
        }
        id
    }

    /// A lead that did not come from a chat.
    pub(crate) fn add_lead(&mut self, pipeline_id: u64, status_id: u64, now_ms: i64) -> u64 {
        let id = next(&mut self.numbers.lead);
        let details = Details {
            responsible_user_id: self.manager_id,
            created_at: now_ms / 1000,
            updated_at: now_ms / 1000,
            ..Details::default()
        };
        let lead = Lead {
            id,
            contact_id: None,
            pipeline_id,
            status: LeadStatus::Accepted,
            status_id,
            name: format!("Сделка #{id}"),
            price: 0,
            source: String::new(),
            start_payload: None,
            created_at_ms: now_ms,
            unsorted_uid: String::new(),
            chat_id: None,
            details,
        };
        self.leads.insert(id, lead);
        id
    }

    /// Makes a contact the main one of a lead.
    pub(crate) fn link_lead(&mut self, lead_id: u64, contact_id: u64) {
        let Some(lead) = self.leads.get_mut(&lead_id) else { return };
        let before = lead.contact_id.replace(contact_id);
        if let Some(contact) = before.and_then(|before| self.contacts.get_mut(&before)) {
            contact.lead_ids.retain(|id| *id != lead_id);
        }
        if let Some(contact) = self.contacts.get_mut(&contact_id)
            && !contact.lead_ids.contains(&lead_id)
        {
            contact.lead_ids.push(lead_id);
        }
    }

    /// Moves a lead; what is no longer open closes its talks.
    pub(crate) fn move_lead(&mut self, lead_id: u64, status: LeadStatus, status_id: Option<u64>) {
        let Some(lead) = self.leads.get_mut(&lead_id) else { return };
        let stage = pipelines::find(lead.pipeline_id);
        lead.status = status;
        lead.status_id = status_id.unwrap_or_else(|| match status {
            LeadStatus::Unsorted => stage.map_or(0, pipelines::Pipeline::unsorted),
            LeadStatus::Accepted => stage.map_or(0, pipelines::Pipeline::first_stage),
            LeadStatus::Declined | LeadStatus::Closed => pipelines::LOST,
        });
        if !status.is_open() {
            for talk in self.talks.values_mut().filter(|talk| talk.lead_id == Some(lead_id)) {
                talk.open = false;
            }
        }
    }

    /// The newest lead of a contact that is neither declined nor closed.
    pub(crate) fn find_open_lead(&self, contact_id: u64) -> Option<u64> {
        let leads = self.contacts.get(&contact_id)?.lead_ids.iter().rev();
        leads.copied().find(|id| self.leads.get(id).is_some_and(|lead| lead.status.is_open()))
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

    /// An incoming lead becomes part of another one: its talks move, its contact becomes `contact`, it is gone.
    pub(crate) fn absorb(&mut self, unsorted: u64, target: u64, contact: Option<u64>) {
        let Some(gone) = self.leads.remove(&unsorted) else { return };
        for talk in self.talks.values_mut().filter(|talk| talk.lead_id == Some(unsorted)) {
            talk.lead_id = Some(target);
        }
        if let Some(from) = gone.contact_id
            && let Some(card) = self.contacts.get_mut(&from)
        {
            card.lead_ids.retain(|id| *id != unsorted);
        }
        if let (Some(from), Some(to)) = (gone.contact_id, contact)
            && from != to
        {
            self.merge_contacts(from, to);
        }
    }

    /// Moves everything of `from` to `to` and removes `from`: a phone showed that both are one person.
    pub(crate) fn merge_contacts(&mut self, from: u64, to: u64) {
        let Some(gone) = self.contacts.remove(&from) else { return };
        if let Some(kept) = self.contacts.get_mut(&to) {
            kept.telegram_id = kept.telegram_id.or(gone.telegram_id);
            kept.lead_ids.extend(gone.lead_ids);
            kept.lead_ids.sort_unstable();
        }
        if let Some(person) = gone.telegram_id {
            self.by_person.insert(person, to);
        }
        for lead in self.leads.values_mut().filter(|lead| lead.contact_id == Some(from)) {
            lead.contact_id = Some(to);
        }
        for talk in self.talks.values_mut().filter(|talk| talk.contact_id == Some(from)) {
            talk.contact_id = Some(to);
        }
        for chat in self.chats.values_mut().filter(|chat| chat.contact_id == Some(from)) {
            chat.contact_id = Some(to);
        }
        for chat in self.channel_chats.values_mut().filter(|chat| chat.contact_id == Some(from)) {
            chat.contact_id = Some(to);
        }
    }
}

impl Chat {
    pub(crate) fn push(&mut self, message: Message) {
        if self.messages.len() == MESSAGES_PER_CHAT {
            self.messages.pop_front();
            self.messages_forgotten += 1;
        }
        self.repeats += u64::from(message.repeat);
        self.messages.push_back(message);
    }

    pub(crate) fn find_message_mut(&mut self, id: &str) -> Option<&mut Message> {
        self.messages.iter_mut().rev().find(|message| message.id == id)
    }

    pub(crate) fn find_by_telegram_mut(&mut self, message_id: i64) -> Option<&mut Message> {
        self.messages.iter_mut().rev().find(|message| message.telegram_message_id == Some(message_id))
    }
}

impl Message {
    /// A line with nothing but its words; callers add what they know.
    pub(crate) fn new(id: String, at_ms: i64, author: Author, author_name: &str, kind: &str) -> Self {
        Self {
            id,
            at_ms,
            author,
            author_name: author_name.to_owned(),
            kind: kind.to_owned(),
            text: None,
            attachment: None,
            telegram_message_id: None,
            update_id: None,
            repeat: false,
            edited: false,
            earlier_texts: Vec::new(),
            reply_to: None,
            media_group_id: None,
            reactions: Vec::new(),
            delivery: None,
        }
    }
}
