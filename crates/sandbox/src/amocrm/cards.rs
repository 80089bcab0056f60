//! What a manager sees: contacts, leads, talks, chats and their messages.
//!
//! Data only, and how it looks as JSON on the control API.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;
use serde_json::Value;

/// Messages kept per chat. Older ones are counted, not kept.
const MESSAGES_PER_CHAT: usize = 10_000;

/// A person in the CRM.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Contact {
    pub(crate) id: u64,
    pub(crate) name: String,
    /// Digits only.
    pub(crate) phone: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) telegram_id: Option<i64>,
    /// The person's id in the chat service.
    #[serde(skip)]
    pub(crate) person_id: String,
    /// Oldest first.
    pub(crate) lead_ids: Vec<u64>,
    #[serde(skip)]
    pub(crate) details: Details,
}

/// What REST knows of a card beyond the few things a test looks at.
#[derive(Debug, Clone, Default)]
pub(crate) struct Details {
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    /// 0 is the robot.
    pub(crate) created_by: u64,
    pub(crate) updated_by: u64,
    pub(crate) responsible_user_id: u64,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
    /// When it really was made, whatever `created_at` says.
    pub(crate) made_ms: i64,
    /// Field → its values as REST shows them.
    pub(crate) values: BTreeMap<u64, Vec<Value>>,
    pub(crate) tags: Vec<String>,
    /// Why a lead was lost.
    pub(crate) loss_reason_id: Option<u64>,
}

/// A deal; an unknown client's first message makes an unsorted one.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Lead {
    pub(crate) id: u64,
    /// Its main contact; a lead made over REST may have none.
    pub(crate) contact_id: Option<u64>,
    pub(crate) other_contact_ids: Vec<u64>,
    pub(crate) pipeline_id: u64,
    pub(crate) status: LeadStatus,
    /// The stage of the pipeline.
    pub(crate) status_id: u64,
    pub(crate) name: String,
    pub(crate) price: i64,
    /// The bot through which the client came.
    pub(crate) source: String,
    pub(crate) start_payload: Option<String>,
    pub(crate) created_at_ms: i64,
    /// The incoming lead's own id, as the hook gives it.
    pub(crate) unsorted_uid: String,
    /// The chat it came from; absent for what did not come from one.
    pub(crate) chat_id: Option<String>,
    /// What kind of incoming lead it was.
    #[serde(skip)]
    pub(crate) category: Category,
    #[serde(skip)]
    pub(crate) details: Details,
}

impl Lead {
    /// When it was won, lost or declined.
    pub(crate) fn closed_at(&self) -> Option<i64> {
        (!self.status.is_open()).then_some(self.details.updated_at)
    }

    /// The main one first.
    pub(crate) fn contact_ids(&self) -> impl Iterator<Item = u64> {
        self.contact_id.into_iter().chain(self.other_contact_ids.iter().copied())
    }
}

/// What brought an incoming lead.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Category {
    #[default]
    Chats,
    Forms,
    Sip,
}

impl Category {
    /// The word hooks and REST have for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Chats => "chats",
            Self::Forms => "forms",
            Self::Sip => "sip",
        }
    }
}

/// Where a lead stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LeadStatus {
    Unsorted,
    Accepted,
    Declined,
    Closed,
}

impl LeadStatus {
    pub(crate) fn is_open(self) -> bool {
        match self {
            Self::Unsorted | Self::Accepted => true,
            Self::Declined | Self::Closed => false,
        }
    }
}

/// A bounded piece of a chat that belongs to a lead.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Talk {
    pub(crate) id: u64,
    pub(crate) chat_id: String,
    pub(crate) contact_id: Option<u64>,
    /// None for a chat that was linked to a contact without leads.
    pub(crate) lead_id: Option<u64>,
    pub(crate) open: bool,
    /// `telegram`, or the code of a channel.
    pub(crate) origin: String,
    pub(crate) created_at_ms: i64,
    pub(crate) updated_at_ms: i64,
}

impl Talk {
    /// What it belongs to: `element_type`, `entity_type`, `entity_id` of hooks and REST.
    pub(crate) fn entity(&self) -> (u8, &'static str, u64) {
        match (self.lead_id, self.contact_id) {
            (Some(lead), _) => (2, "lead", lead),
            (None, contact) => (1, "contact", contact.unwrap_or_default()),
        }
    }
}

/// One Telegram chat of one bot.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Chat {
    pub(crate) id: String,
    pub(crate) bot_id: i64,
    pub(crate) telegram_chat_id: i64,
    pub(crate) title: String,
    /// None for groups: whose card they would belong to is not known.
    pub(crate) contact_id: Option<u64>,
    /// Oldest first; only the last one can be open.
    pub(crate) talk_ids: Vec<u64>,
    /// What `my_chat_member` said last: `member`, `kicked`.
    pub(crate) membership: Option<String>,
    pub(crate) start_payloads: Vec<String>,
    /// How many of the messages are repeats of one delivery.
    pub(crate) repeats: u64,
    pub(crate) messages: VecDeque<Message>,
    /// Messages no longer kept because the chat grew past its bound.
    pub(crate) messages_forgotten: u64,
}

/// Who wrote a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Author {
    Client,
    Manager,
    Salesbot,
}

/// One line of a chat.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) at_ms: i64,
    pub(crate) author: Author,
    pub(crate) author_name: String,
    /// A word a person can tell apart: `text`, `photo`, `press`, `unknown` …
    pub(crate) kind: String,
    pub(crate) text: Option<String>,
    pub(crate) attachment: Option<Attachment>,
    pub(crate) telegram_message_id: Option<i64>,
    pub(crate) update_id: Option<i64>,
    /// The same update had been shown before: what the real amoCRM does then is not known, so both views exist.
    pub(crate) repeat: bool,
    pub(crate) edited: bool,
    /// The texts before each edit, oldest first.
    pub(crate) earlier_texts: Vec<Option<String>>,
    pub(crate) reply_to: Option<i64>,
    pub(crate) media_group_id: Option<String>,
    pub(crate) reactions: Vec<String>,
    /// For what the company wrote: whether Telegram took it.
    pub(crate) delivery: Option<Delivery>,
}

/// A file of a message.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Attachment {
    pub(crate) id: String,
    pub(crate) file_name: String,
    pub(crate) link: String,
    pub(crate) size_bytes: Option<u64>,
    pub(crate) sha256: Option<String>,
    /// Why the file could not be fetched from Telegram.
    pub(crate) error: Option<String>,
}

/// Whether Telegram took a message of the company.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub(crate) enum Delivery {
    Sending,
    Sent,
    Failed { code: Option<u16>, error: String },
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
