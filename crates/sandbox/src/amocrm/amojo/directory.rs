//! Which id of an integration is which of amojo's, per channel: chats, people, messages.
//!
//! Ids are given out when a request is accepted, before what it brings is shown.

use std::collections::BTreeMap;

type Ours = (String, String);

/// The look-ups of all channels.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    chats: BTreeMap<Ours, String>,
    persons: BTreeMap<Ours, String>,
    messages: BTreeMap<Ours, String>,
    /// Message → chat, by amojo's ids.
    chat_of: BTreeMap<String, String>,
}

fn key(channel: &str, id: &str) -> Ours {
    (channel.to_owned(), id.to_owned())
}

impl Directory {
    pub(crate) fn chat(&self, channel: &str, client_id: &str) -> Option<&String> {
        self.chats.get(&key(channel, client_id))
    }

    /// The first chat that took an id keeps it.
    pub(crate) fn name_chat(&mut self, channel: &str, client_id: &str, chat: &str) {
        self.chats.entry(key(channel, client_id)).or_insert_with(|| chat.to_owned());
    }

    pub(crate) fn person(&self, channel: &str, client_id: &str) -> Option<&String> {
        self.persons.get(&key(channel, client_id))
    }

    /// The first person that took an id keeps it.
    pub(crate) fn name_person(&mut self, channel: &str, client_id: &str, person: &str) {
        self.persons.entry(key(channel, client_id)).or_insert_with(|| person.to_owned());
    }

    pub(crate) fn message(&self, channel: &str, msgid: &str) -> Option<&String> {
        self.messages.get(&key(channel, msgid))
    }

    pub(crate) fn name_message(&mut self, channel: &str, msgid: &str, message: &str) {
        self.messages.insert(key(channel, msgid), message.to_owned());
    }

    pub(crate) fn chat_of(&self, message: &str) -> Option<&String> {
        self.chat_of.get(message)
    }

    pub(crate) fn place(&mut self, message: &str, chat: &str) {
        self.chat_of.insert(message.to_owned(), chat.to_owned());
    }

    pub(crate) fn forget_message(&mut self, channel: &str, message: &str, msgid: Option<&str>) {
        self.chat_of.remove(message);
        if let Some(msgid) = msgid {
            self.messages.remove(&key(channel, msgid));
        }
    }
}
