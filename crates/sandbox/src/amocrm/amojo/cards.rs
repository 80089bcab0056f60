//! Which cards a client's message makes (reference 1.7.7): an unknown client's an incoming lead with contact and
//! talk, a linked chat's a talk on the contact's newest open lead.

use super::chat::{Line, Speaker};
use crate::amocrm::State;
use crate::amocrm::account::Origin;
use crate::amocrm::inbound::digits;

/// Cards that a message made.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Opening {
    pub(crate) new_lead: Option<u64>,
    pub(crate) new_talk: Option<u64>,
}

/// Where leads of a chat go, and what they show.
struct Entry {
    name: String,
    pipeline_id: u64,
}

impl State {
    /// Makes the cards; `None` for messages that make none: silent ones and the company's own.
    pub(crate) fn open_cards(
        &mut self,
        channel: &str,
        chat_id: &str,
        source: Option<&str>,
        line: &Line,
        now_ms: i64,
    ) -> Option<Opening> {
        self.label(channel, chat_id, source, line, now_ms);
        if line.silent || line.speaker != Speaker::Client {
            return None;
        }
        let mut opening = Opening::default();
        let linked = self.account.channel_chats.get(chat_id)?.contact_id;
        let contact_id = linked.or_else(|| self.contact_of(chat_id, now_ms))?;
        self.account.channel_chats.get_mut(chat_id)?.contact_id = Some(contact_id);
        if self.account.find_open_talk(chat_id).is_some() {
            return Some(opening);
        }
        let lead_id = match self.account.find_open_lead(contact_id) {
            Some(lead_id) => Some(lead_id),
            // A chat that was linked before goes to the card as it is.
            None if self.account.chat_links.contains_key(chat_id) => None,
            None => {
                let entry = self.entry(channel, chat_id);
                let from =
                    Origin { source: &entry.name, pipeline_id: entry.pipeline_id, chat_id: Some(chat_id) };
                opening.new_lead = Some(self.account.add_unsorted(contact_id, from, now_ms));
                opening.new_lead
            }
        };
        let code = self.amojo.channel(channel)?.code.clone();
        let of = (Some(contact_id), lead_id);
        opening.new_talk = Some(self.account.add_talk(chat_id, &code, of, now_ms));
        Some(opening)
    }

    /// The contact of a chat that has none: the one with the phone that came along, or a new one.
    fn contact_of(&mut self, chat_id: &str, now_ms: i64) -> Option<u64> {
        let person = self.account.persons.get(&self.account.channel_chats.get(chat_id)?.person_id)?;
        let phone = person.phone.as_deref().map(digits).filter(|digits| !digits.is_empty());
        let known = phone.as_deref().and_then(|phone| self.account.find_contact_by_phone(phone));
        let (name, email) = (person.name.clone(), person.email.clone());
        let contact_id = known.unwrap_or_else(|| self.account.add_contact(name, phone, None, now_ms));
        if let (None, Some(email)) = (known, email) {
            self.account.set_email(contact_id, email);
        }
        Some(contact_id)
    }

    /// A source in a message labels the chat for good, if the source exists and is this channel's.
    fn label(&mut self, channel: &str, chat_id: &str, source: Option<&str>, line: &Line, now_ms: i64) {
        let Some(external_id) = source else { return };
        let Some(channel) = self.amojo.channels.get(channel) else { return };
        let found = self.account.sources.find_external(&channel.client_id, external_id);
        let (code, text) = match found {
            None => ("source_unknown", format!("there is no source `{external_id}` of this integration")),
            Some(source) if source.origin_code.as_ref().is_some_and(|code| *code != channel.code) => {
                ("source_foreign", format!("the source `{external_id}` has another channel's origin_code"))
            }
            Some(_) => {
                if let Some(chat) = self.account.channel_chats.get_mut(chat_id) {
                    chat.source = Some(external_id.to_owned());
                }
                return;
            }
        };
        self.amojo.complaints.add(now_ms, &channel.id, Some(&line.id), code, text);
    }

    /// The external id that hooks of a chat carry: its own, else the default source's.
    pub(crate) fn source_of(&self, chat_id: &str) -> Option<String> {
        let chat = self.account.channel_chats.get(chat_id)?;
        let client_id = &self.amojo.channel(&chat.channel)?.client_id;
        let default = || self.account.sources.find_default(client_id);
        chat.source.clone().or_else(|| default().map(|source| source.external_id.clone()))
    }

    fn entry(&self, channel: &str, chat_id: &str) -> Entry {
        let main = self.account.pipeline_id;
        let Some(channel) = self.amojo.channel(channel) else {
            return Entry { name: String::new(), pipeline_id: main };
        };
        let source = self.source_of(chat_id);
        let source = source
            .and_then(|external_id| self.account.sources.find_external(&channel.client_id, &external_id));
        if let Some(source) = source {
            Entry { name: source.name.clone(), pipeline_id: source.pipeline_id }
        } else {
            let integration = self.account.integrations.get(&channel.client_id);
            let name = integration.map_or(&channel.name, |integration| &integration.name);
            Entry { name: name.clone(), pipeline_id: main }
        }
    }
}
