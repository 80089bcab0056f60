//! What account hooks hear of a channel's chats: the same keys as for the built-in integration, with the channel's
//! code as origin (reference 5.4, 5.5).

use serde_json::{Value, json};

use super::channel::Channel;
use super::chat::{ChannelChat, Line, Speaker};
use crate::amocrm::State;
use crate::amocrm::account::Account;
use crate::amocrm::cards::Contact;
use crate::amocrm::hooks::event::HookEvent;

/// A chat with its contact and its channel.
pub(crate) struct Scene<'a> {
    account: &'a Account,
    channel: &'a Channel,
    chat: &'a ChannelChat,
    contact: &'a Contact,
}

impl<'a> Scene<'a> {
    /// `None` for a chat that is on no card yet.
    pub(crate) fn new(state: &'a State, channel: &str, chat_id: &str) -> Option<Self> {
        let account = &state.account;
        let chat = account.channel_chats.get(chat_id)?;
        let contact = account.contacts.get(&chat.contact_id?)?;
        Some(Self { account, channel: state.amojo.channel(channel)?, chat, contact })
    }

    /// `add_message` or `add_outgoing_message`.
    pub(crate) fn message(&self, line: &Line) -> Option<HookEvent> {
        let talk = self.account.find_open_talk(&self.chat.id)?;
        let (element_type, entity_type, entity_id) = talk.entity();
        let mut item = json!({
            "id": line.id,
            "chat_id": self.chat.id,
            "talk_id": talk.id,
            "contact_id": talk.contact_id,
            "text": line.text,
            "created_at": line.at.timestamp,
            "element_type": element_type,
            "entity_type": entity_type,
            "element_id": entity_id,
            "entity_id": entity_id,
            "origin": self.channel.code,
        });
        if let Some(media) = &line.media {
            item["message_type"] = json!(line.kind);
            item["attachment"] = json!({"type": line.kind, "link": media.link, "file_name": media.file_name});
        }
        Some(match line.speaker {
            Speaker::Client => {
                item["type"] = json!("incoming");
                item["author"] = json!({"id": line.sender_id, "type": "external", "name": line.sender_name});
                HookEvent { code: "add_message", entity: "message", item }
            }
            Speaker::Manager | Speaker::Bot => {
                item["type"] = json!("outgoing");
                item["author"] = self.author(line);
                item["recipient"] =
                    json!({"id": self.chat.person_id, "type": "external", "name": self.contact.name});
                HookEvent { code: "add_outgoing_message", entity: "outgoing_message", item }
            }
        })
    }

    fn author(&self, line: &Line) -> Value {
        let user = self.account.users.iter().find(|user| user.amojo_id == line.sender_id);
        match user {
            Some(user) => {
                json!({"id": user.amojo_id, "type": "internal", "name": user.name, "user_id": user.id})
            }
            None => json!({"id": line.sender_id, "type": "bot", "name": line.sender_name}),
        }
    }

    pub(crate) fn add_unsorted(&self, lead_id: u64, line: &Line) -> Option<HookEvent> {
        let lead = self.account.leads.get(&lead_id)?;
        let at = line.at.timestamp;
        let item = json!({
            "uid": lead.unsorted_uid,
            "source": format!("{}:{}", self.channel.code, self.channel.id),
            "source_uid": format!("amojo:{}:{}", self.channel.code, self.chat.id),
            "category": "chats",
            "source_data": {
                "from": self.contact.name,
                "name": self.contact.name,
                "to": lead.source,
                "date": at,
                "service": self.channel.code,
                "client": {"name": self.contact.name, "id": self.chat.client_id},
                "origin": {"provider": self.channel.code, "chat_id": self.chat.id},
                "data": [{"id": line.id, "text": line.text, "manager": 0, "date": at}],
                "source_name": lead.source,
            },
            "date_create": at,
            "data": {"contacts": [{"id": self.contact.id}]},
            "pipeline_id": lead.pipeline_id,
            "account_id": self.account.id,
            "lead_id": lead.id,
            "created_at": at,
        });
        Some(HookEvent { code: "add_unsorted", entity: "unsorted", item })
    }
}
