//! What an update does to the account: which cards appear, which line is added to which chat.
//!
//! Runs under the account's lock and does no I/O. What must follow (hooks, a download, the Salesbot) is
//! returned as [`Taken`] and carried out by the caller, after Telegram has its answer.

use super::account::{Account, Origin};
use super::cards::{Attachment, Author, Message};
use super::connection::Connection;
use super::hooks::event::{self, HookEvent};
use super::inbound::{Content, Phone, Seen, SeenChat, SeenFile, SeenMessage};

/// Where and when an update is taken.
pub(crate) struct Scene<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) base_url: &'a str,
    pub(crate) now_ms: i64,
    /// The same bytes had been delivered before.
    pub(crate) repeat: bool,
}

/// What must follow an update.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    pub(crate) chat_id: Option<String>,
    pub(crate) message_id: Option<String>,
    /// The client wrote to this bot for the first time.
    pub(crate) first_contact: bool,
    /// Cards that this update made.
    new_lead: Option<u64>,
    new_talk: Option<u64>,
    pub(crate) hooks: Vec<HookEvent>,
    pub(crate) download: Option<SeenFile>,
}

impl Account {
    /// Applies one update.
    pub(crate) fn take(&mut self, scene: &Scene<'_>, seen: &Seen) -> Taken {
        let Some(chat) = &seen.chat else { return Taken::default() };
        match &seen.content {
            Content::Message(message) => self.take_message(scene, seen, chat, message),
            Content::Edit(message) => self.take_edit(scene, seen, chat, message),
            Content::Press { data, .. } => {
                let mut taken = self.open(scene, seen, chat, None);
                self.add_line(scene, seen, &mut taken, "press", Some(data.clone()));
                taken
            }
            Content::Reaction { message_id, reactions } => {
                self.take_reaction(scene, seen, chat, *message_id, reactions)
            }
            Content::Membership { status } => {
                if let Some(chat) =
                    self.find_chat(scene.connection.bot_id, chat.id).map(|chat| chat.id.clone())
                    && let Some(chat) = self.chats.get_mut(&chat)
                {
                    chat.membership = Some(status.clone());
                }
                self.take_aside(scene, seen, chat, "membership", status.clone())
            }
            Content::Other => self.take_aside(scene, seen, chat, "unknown", seen.update_kind.clone()),
        }
    }

    fn take_message(
        &mut self,
        scene: &Scene<'_>,
        seen: &Seen,
        chat: &SeenChat,
        message: &SeenMessage,
    ) -> Taken {
        let mut taken = self.open(scene, seen, chat, message.phone.as_ref());
        let Some(mut line) = self.line(scene, seen, message.kind) else { return taken };
        line.text.clone_from(&message.text);
        line.telegram_message_id = Some(message.message_id);
        line.reply_to = message.reply_to;
        line.media_group_id.clone_from(&message.media_group_id);
        if let Some(file) = &message.file {
            line.attachment = Some(self.attachment(scene.base_url, file));
            taken.download = Some(file.clone());
        }
        self.note_start(&taken, message);
        self.finish(scene, &mut taken, line, Announce::Yes);
        taken
    }

    fn take_edit(&mut self, scene: &Scene<'_>, seen: &Seen, chat: &SeenChat, message: &SeenMessage) -> Taken {
        let known = self.find_chat(scene.connection.bot_id, chat.id).map(|chat| chat.id.clone());
        if let Some(chat_id) = known
            && let Some(line) =
                self.chats.get_mut(&chat_id).and_then(|chat| chat.find_by_telegram_mut(message.message_id))
        {
            if !scene.repeat {
                let before = std::mem::replace(&mut line.text, message.text.clone());
                line.earlier_texts.push(before);
                line.edited = true;
            }
            return Taken { message_id: Some(line.id.clone()), chat_id: Some(chat_id), ..Taken::default() };
        }
        // An edit of a message that went past us: shown as what it is now.
        let taken = self.take_message(scene, seen, chat, message);
        if let (Some(chat), Some(id)) = (&taken.chat_id, &taken.message_id)
            && let Some(line) = self.chats.get_mut(chat).and_then(|chat| chat.find_message_mut(id))
        {
            line.edited = true;
        }
        taken
    }

    fn take_reaction(
        &mut self,
        scene: &Scene<'_>,
        seen: &Seen,
        chat: &SeenChat,
        message_id: i64,
        reactions: &[String],
    ) -> Taken {
        let known = self.find_chat(scene.connection.bot_id, chat.id).map(|chat| chat.id.clone());
        if let Some(chat_id) = known
            && let Some(line) =
                self.chats.get_mut(&chat_id).and_then(|chat| chat.find_by_telegram_mut(message_id))
        {
            line.reactions = reactions.to_vec();
            return Taken { message_id: Some(line.id.clone()), chat_id: Some(chat_id), ..Taken::default() };
        }
        self.take_aside(scene, seen, chat, "reaction", reactions.join(" "))
    }

    /// A line for something that opens no chat of its own.
    fn take_aside(
        &mut self,
        scene: &Scene<'_>,
        seen: &Seen,
        chat: &SeenChat,
        kind: &str,
        text: String,
    ) -> Taken {
        let chat_id = self.find_chat(scene.connection.bot_id, chat.id).map(|chat| chat.id.clone());
        let mut taken = Taken { chat_id, ..Taken::default() };
        self.add_line(scene, seen, &mut taken, kind, Some(text));
        taken
    }

    fn add_line(
        &mut self,
        scene: &Scene<'_>,
        seen: &Seen,
        taken: &mut Taken,
        kind: &str,
        text: Option<String>,
    ) {
        if taken.chat_id.is_some()
            && let Some(mut line) = self.line(scene, seen, kind)
        {
            line.text = text;
            self.finish(scene, taken, line, Announce::No);
        }
    }

    /// Finds or opens the chat, with contact, lead and talk if the chat is a person's.
    fn open(&mut self, scene: &Scene<'_>, seen: &Seen, chat: &SeenChat, phone: Option<&Phone>) -> Taken {
        let bot_id = scene.connection.bot_id;
        let known = self.find_chat(bot_id, chat.id).map(|chat| chat.id.clone());
        let first_contact = known.is_none();
        let contact_id =
            if chat.private { Some(self.contact_for(chat, seen, phone, scene.now_ms)) } else { None };
        let chat_id = known.unwrap_or_else(|| self.add_chat(bot_id, chat, contact_id));
        let mut taken = Taken { chat_id: Some(chat_id.clone()), first_contact, ..Taken::default() };
        let Some(contact_id) = contact_id else { return taken };
        if let Some(chat) = self.chats.get_mut(&chat_id) {
            chat.contact_id = Some(contact_id);
        }
        if self.find_open_talk(&chat_id).is_none() {
            let lead_id = self.find_open_lead(contact_id).unwrap_or_else(|| {
                let from = Origin {
                    source: &scene.connection.username,
                    pipeline_id: self.pipeline_id,
                    chat_id: Some(&chat_id),
                };
                let lead_id = self.add_unsorted(contact_id, from, scene.now_ms);
                taken.new_lead = Some(lead_id);
                lead_id
            });
            let of = (Some(contact_id), Some(lead_id));
            taken.new_talk = Some(self.add_talk(&chat_id, "telegram", of, scene.now_ms));
        }
        taken
    }

    /// The person's contact: by Telegram id, else by his own phone, else a new one. A phone that belongs to
    /// another contact joins the two: the one with the phone stays.
    fn contact_for(&mut self, chat: &SeenChat, seen: &Seen, phone: Option<&Phone>, now_ms: i64) -> u64 {
        let own_phone = phone.filter(|phone| phone.own).map(|phone| phone.digits.clone());
        let by_phone = own_phone.as_deref().and_then(|digits| self.find_contact_by_phone(digits));
        let by_person = self.find_contact_by_telegram(chat.id);
        match (by_person, by_phone) {
            (Some(known), Some(with_phone)) => {
                if known != with_phone {
                    self.merge_contacts(known, with_phone);
                }
                with_phone
            }
            (None, Some(with_phone)) => {
                self.link_person(with_phone, chat.id);
                with_phone
            }
            (Some(known), None) => {
                if let (Some(contact), Some(_)) = (self.contacts.get_mut(&known), &own_phone) {
                    contact.phone = own_phone;
                }
                known
            }
            (None, None) => {
                let name =
                    seen.from.as_ref().map_or_else(|| chat.title.clone(), |person| person.name.clone());
                self.add_contact(name, own_phone, Some(chat.id), now_ms)
            }
        }
    }

    fn note_start(&mut self, taken: &Taken, message: &SeenMessage) {
        let Some(payload) = &message.start_payload else { return };
        let Some(chat_id) = &taken.chat_id else { return };
        if let Some(lead) = self.find_open_talk(chat_id).and_then(|talk| talk.lead_id)
            && let Some(lead) = self.leads.get_mut(&lead)
        {
            lead.start_payload.get_or_insert_with(|| payload.clone());
        }
        if let Some(chat) = self.chats.get_mut(chat_id) {
            chat.start_payloads.push(payload.clone());
        }
    }

    fn line(&self, scene: &Scene<'_>, seen: &Seen, kind: &str) -> Option<Message> {
        let name = seen.from.as_ref().map(|person| person.name.as_str());
        let name = name.or(seen.chat.as_ref().map(|chat| chat.title.as_str()))?;
        let mut line = Message::new(self.uuid(), scene.now_ms, Author::Client, name, kind);
        line.update_id = Some(seen.update_id);
        line.repeat = scene.repeat;
        Some(line)
    }

    fn attachment(&self, base_url: &str, file: &SeenFile) -> Attachment {
        let id = self.uuid();
        Attachment {
            link: super::attachments::link(base_url, &id, &file.file_name),
            id,
            file_name: file.file_name.clone(),
            size_bytes: file.size_bytes,
            sha256: None,
            error: None,
        }
    }

    /// Adds the line to its chat and says what the account's hooks are to hear.
    fn finish(&mut self, scene: &Scene<'_>, taken: &mut Taken, line: Message, announce: Announce) {
        let Some(chat_id) = &taken.chat_id else { return };
        taken.message_id = Some(line.id.clone());
        if !scene.repeat {
            let unsorted = taken
                .new_lead
                .and_then(|lead| event::add_unsorted(self, scene.connection, lead, chat_id, &line));
            let talk = taken.new_talk.and_then(|talk| event::add_talk(self, talk));
            let message = match announce {
                Announce::Yes => event::add_message(self, chat_id, &line),
                Announce::No => None,
            };
            taken.hooks.extend([unsorted, talk, message].into_iter().flatten());
        }
        if let Some(chat) = self.chats.get_mut(chat_id) {
            chat.push(line);
        }
    }
}

/// Whether a line is told to `add_message` hooks.
#[derive(Clone, Copy)]
enum Announce {
    Yes,
    No,
}
