//! What a manager does in the chats of a channel: writes, quotes, reacts, types, writes first.
//!
//! Each act changes the chat and goes out as a hook; what the integration reports comes back as delivery status.

use serde_json::{Value, json};

use super::chat::{ChannelChat, Line, LineMedia, Person, Quote, Speaker};
use super::event;
use super::given::{DeliveryStatus, Kind, Stamps};
use super::hook;
use crate::amocrm::account::Origin;
use crate::amocrm::attachments::{Stored, link};
use crate::amocrm::inbound::digits;
use crate::amocrm::{AmoCrm, State};

/// What is said, as one message or as an album.
#[derive(Debug, Default)]
pub(crate) struct Saying {
    /// A user of the account; the first one unless named.
    pub(crate) manager: Option<u64>,
    /// The Salesbot says it: in the name of the channel's bot.
    pub(crate) by_bot: bool,
    pub(crate) text: String,
    pub(crate) media: Vec<SentMedia>,
    pub(crate) buttons: Vec<Vec<Button>>,
    /// amojo's id or the integration's of a message of the chat.
    pub(crate) quote: Option<String>,
    /// The same for a message of any chat.
    pub(crate) forward: Option<String>,
    pub(crate) template: Option<Value>,
}

/// A file that a manager sends.
#[derive(Debug)]
pub(crate) struct SentMedia {
    pub(crate) kind: Kind,
    pub(crate) file_name: String,
    pub(crate) from: MediaFrom,
}

/// Where it is.
#[derive(Debug)]
pub(crate) enum MediaFrom {
    Stored(Stored),
    /// Somewhere else: the hook has this very address.
    Address(String),
}

/// A button; with an address it is a link.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Button {
    pub(crate) text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
}

/// Why a manager cannot do it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ManagerError {
    #[error("there is no such chat in this channel")]
    NoChat,
    #[error("there is no such channel")]
    NoChannel,
    #[error("there is no such message")]
    NoMessage,
    #[error("the account has no user {0}")]
    NoUser(u64),
    #[error("{0} was not switched on for this channel")]
    SwitchedOff(&'static str),
    #[error("nothing to say")]
    Nothing,
    #[error("buttons of one keyboard are all links or none is")]
    MixedButtons,
    #[error("a phone number has digits")]
    Phone,
}

impl Saying {
    fn check(&self) -> Result<(), ManagerError> {
        if self.text.is_empty() && self.media.is_empty() {
            return Err(ManagerError::Nothing);
        }
        let buttons = || self.buttons.iter().flatten();
        if buttons().any(|button| button.url.is_some()) && buttons().any(|button| button.url.is_none()) {
            return Err(ManagerError::MixedButtons);
        }
        Ok(())
    }
}

impl AmoCrm {
    /// Says it; the answer is amojo's ids of the messages, one for each file of an album.
    pub(crate) fn manager_says(&self, chat_id: &str, saying: Saying) -> Result<Vec<String>, ManagerError> {
        saying.check()?;
        let now_ms = self.clock().now_ms();
        let mut state = self.lock();
        let state = &mut *state;
        let chat = state.account.channel_chats.get(chat_id).ok_or(ManagerError::NoChat)?;
        let (channel_id, person_id) = (chat.channel.clone(), chat.person_id.clone());
        let channel = state.amojo.channel(&channel_id).ok_or(ManagerError::NoChannel)?;
        if !channel.settings.quoting && (saying.quote.is_some() || saying.forward.is_some()) {
            return Err(ManagerError::SwitchedOff("quoting"));
        }
        let speaker = if saying.by_bot { Speaker::Bot } else { Speaker::Manager };
        let (sender_id, sender_name) = if saying.by_bot {
            (channel.bot.id.clone(), channel.bot.name.clone())
        } else {
            state.manager(saying.manager)?
        };
        let quote = |id: &Option<String>| {
            let found =
                id.as_ref().map(|id| state.find_quoted(&channel_id, id).ok_or(ManagerError::NoMessage));
            found.transpose()
        };
        let (reply_to, forwards) = (quote(&saying.quote)?, quote(&saying.forward)?);
        let group = (saying.media.len() > 1).then(|| state.account.uuid());
        let markup =
            (!saying.buttons.is_empty()).then(|| json!({"mode": "inline", "buttons": saying.buttons}));
        let base = Line {
            id: String::new(),
            msgid: None,
            speaker,
            written_here: true,
            sender_id,
            sender_name,
            receiver_id: Some(person_id),
            kind: Kind::Text,
            text: saying.text,
            media: None,
            extra: json!({}),
            silent: false,
            at: Stamps { timestamp: now_ms.div_euclid(1000), msec_timestamp: now_ms },
            shown_at_ms: now_ms,
            edited: false,
            earlier_texts: Vec::new(),
            reply_to,
            forwards,
            reactions: Vec::new(),
            media_group_id: group,
            markup,
            template: saying.template,
            delivery_status: Some(DeliveryStatus::Sent),
            error: None,
            statuses: Vec::new(),
        };
        let mut lines = Vec::new();
        for media in saying.media {
            let mut line = base.clone();
            line.kind = media.kind;
            line.media = Some(self.put_in(state, media));
            if !lines.is_empty() {
                // An album's words, buttons and quote belong to its first file.
                (line.text, line.markup, line.reply_to, line.forwards) = (String::new(), None, None, None);
            }
            lines.push(line);
        }
        if lines.is_empty() {
            lines.push(base);
        }
        let mut ids = Vec::new();
        for mut line in lines {
            line.id = state.account.uuid();
            ids.push(line.id.clone());
            let told = event::Scene::new(state, &channel_id, chat_id).and_then(|scene| scene.message(&line));
            let id = line.id.clone();
            state.keep(&channel_id, chat_id, line);
            hook::message(self, state, chat_id, &id, now_ms);
            self.announce(state, told);
        }
        Ok(ids)
    }

    /// Keeps a file and gives it its addresses.
    fn put_in(&self, state: &mut State, media: SentMedia) -> LineMedia {
        let (address, file_size, thumbnail) = match media.from {
            MediaFrom::Address(address) => (address, 0, String::new()),
            MediaFrom::Stored(stored) => {
                let id = state.account.uuid();
                let size_bytes = stored.size_bytes();
                let (stem, extension) = media.file_name.rsplit_once('.').unwrap_or((&media.file_name, "jpg"));
                let thumbnail = match media.kind {
                    Kind::Picture | Kind::Video => {
                        link(self.url(), &id, &format!("{stem}_320x200.{extension}"))
                    }
                    _ => String::new(),
                };
                let address = link(self.url(), &id, &media.file_name);
                state.attachments.keep(id, stored);
                (address, size_bytes, thumbnail)
            }
        };
        LineMedia {
            link: address,
            thumbnail,
            file_name: media.file_name,
            file_size,
            duration: None,
            fetched: None,
        }
    }

    /// Tells that a manager types.
    pub(crate) fn manager_types(&self, chat_id: &str, manager: Option<u64>) -> Result<(), ManagerError> {
        let now_ms = self.clock().now_ms();
        let mut state = self.lock();
        let channel = state.channel_of(chat_id)?;
        if !channel.settings.typing {
            return Err(ManagerError::SwitchedOff("typing"));
        }
        let (user, _) = state.manager(manager)?;
        hook::typing(self, &mut state, chat_id, &user, now_ms);
        Ok(())
    }

    /// Reacts to a message, or takes the reaction back.
    pub(crate) fn manager_reacts(
        &self,
        chat_id: &str,
        manager: Option<u64>,
        message: &str,
        emoji: Option<&str>,
    ) -> Result<(), ManagerError> {
        let now_ms = self.clock().now_ms();
        let mut state = self.lock();
        let state = &mut *state;
        let channel = state.channel_of(chat_id)?;
        if !channel.settings.reactions {
            return Err(ManagerError::SwitchedOff("reacting"));
        }
        let channel_id = channel.id.clone();
        let (user, _) = state.manager(manager)?;
        let id = state.find_id(&channel_id, message);
        let chat = state.account.channel_chats.get_mut(chat_id).ok_or(ManagerError::NoChat)?;
        let line = chat.find_mut(&id).ok_or(ManagerError::NoMessage)?;
        line.react(&user, emoji.map(ToOwned::to_owned));
        hook::reaction(self, state, chat_id, &id, &user, emoji, now_ms);
        Ok(())
    }

    /// Begins a chat with a phone number (reference 2.9); the answer is the chat and its messages.
    pub(crate) fn write_first(
        &self,
        channel: &str,
        phone: &str,
        source: Option<String>,
        saying: Saying,
    ) -> Result<(String, Vec<String>), ManagerError> {
        saying.check()?;
        let chat_id = self.lock().begin_chat(channel, phone, source, self.clock().now_ms())?;
        let messages = self.manager_says(&chat_id, saying)?;
        Ok((chat_id, messages))
    }
}

impl State {
    fn channel_of(&self, chat_id: &str) -> Result<&super::Channel, ManagerError> {
        let chat = self.account.channel_chats.get(chat_id).ok_or(ManagerError::NoChat)?;
        self.amojo.channel(&chat.channel).ok_or(ManagerError::NoChannel)
    }

    /// amojo's id and the name of a user.
    fn manager(&self, id: Option<u64>) -> Result<(String, String), ManagerError> {
        let id = id.unwrap_or(self.account.manager_id);
        let user = self.account.users.iter().find(|user| user.id == id).ok_or(ManagerError::NoUser(id))?;
        Ok((user.amojo_id.clone(), user.name.clone()))
    }

    /// amojo's id of a message named by either id.
    fn find_id(&self, channel: &str, id: &str) -> String {
        self.amojo.directory.message(channel, id).map_or_else(|| id.to_owned(), ToOwned::to_owned)
    }

    /// A message of the channel named by either id, with its chat.
    pub(crate) fn find_message(&self, channel: &str, id: &str) -> Option<(&ChannelChat, &Line)> {
        let id = self.find_id(channel, id);
        let chat = self.account.channel_chats.get(self.amojo.directory.chat_of(&id)?)?;
        Some((chat, chat.find(&id)?)).filter(|_| chat.channel == channel)
    }

    fn find_quoted(&self, channel: &str, id: &str) -> Option<Quote> {
        let id = self.find_id(channel, id);
        self.amojo.directory.chat_of(&id)?;
        Some(Quote { given: json!({"id": id}), id: Some(id) })
    }

    /// The chat that belongs to a phone number and to no conversation of the integration yet, or a new one on the
    /// card of the contact with this number.
    fn begin_chat(
        &mut self,
        channel_id: &str,
        phone: &str,
        source: Option<String>,
        now_ms: i64,
    ) -> Result<String, ManagerError> {
        let channel = self.amojo.channel(channel_id).ok_or(ManagerError::NoChannel)?;
        if !channel.settings.write_first {
            return Err(ManagerError::SwitchedOff("\"Write first\""));
        }
        let code = channel.code.clone();
        let digits = digits(phone);
        if digits.is_empty() {
            return Err(ManagerError::Phone);
        }
        let account = &mut self.account;
        let begun = account.channel_chats.values().find(|chat| {
            let person = account.persons.get(&chat.person_id);
            chat.channel == channel_id
                && chat.client_id.is_none()
                && person.is_some_and(|person| person.phone.as_deref() == Some(&digits))
        });
        if let Some(chat) = begun {
            return Ok(chat.id.clone());
        }
        let known = account.find_contact_by_phone(&digits);
        let contact_id = known
            .unwrap_or_else(|| account.add_contact(format!("+{digits}"), Some(digits.clone()), None, now_ms));
        let person_id = account.uuid();
        let mut person = Person::new(&person_id, channel_id);
        person.name = account.contacts.get(&contact_id).map(|it| it.name.clone()).unwrap_or_default();
        person.phone = Some(digits);
        account.persons.insert(person_id.clone(), person);
        let chat_id = account.uuid();
        let mut chat = ChannelChat::new(chat_id.clone(), channel_id, None, &person_id);
        chat.contact_id = Some(contact_id);
        chat.source = source;
        account.channel_chats.insert(chat_id.clone(), chat);
        let lead_id = account.find_open_lead(contact_id).unwrap_or_else(|| {
            let from = Origin { source: &code, pipeline_id: account.pipeline_id, chat_id: Some(&chat_id) };
            account.add_unsorted(contact_id, from, now_ms)
        });
        account.add_talk(&chat_id, &code, (Some(contact_id), Some(lead_id)), now_ms);
        Ok(chat_id)
    }
}
