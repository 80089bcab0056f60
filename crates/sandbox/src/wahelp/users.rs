//! Users and contacts: a user is one client inside one channel, a contact is the person behind several.

use serde::Serialize;
use serde_json::{Value, json};

use super::channel::Channel;
use super::output::moscow;
use super::state::State;

/// A dialogue of one channel.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct User {
    pub(crate) id: i64,
    pub(crate) channel: i64,
    pub(crate) contact: i64,
    pub(crate) name: String,
    /// Digits; absent when the messenger does not show it.
    pub(crate) phone: Option<String>,
    pub(crate) uid: String,
    pub(crate) uid2: Option<String>,
    pub(crate) blocked: bool,
    pub(crate) created_at_ms: i64,
    pub(crate) reached: Reached,
    /// amojo's name of a chat that a manager began.
    pub(crate) amojo_chat: Option<String>,
}

/// Who it is in the messenger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Reached {
    /// A chat of the bot.
    Telegram(i64),
    /// A client of the account.
    Client(u64),
}

/// A person.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Contact {
    pub(crate) id: i64,
    pub(crate) project: i64,
    pub(crate) phone: Option<String>,
}

/// A user who is not there yet.
pub(crate) struct NewUser {
    pub(crate) name: String,
    pub(crate) phone: Option<String>,
    pub(crate) uid: String,
    pub(crate) uid2: Option<String>,
    pub(crate) reached: Reached,
}

impl State {
    pub(crate) fn find_reached(&self, channel: i64, reached: Reached) -> Option<i64> {
        let found = |user: &&User| user.channel == channel && user.reached == reached;
        self.users.values().find(found).map(|user| user.id)
    }

    pub(crate) fn find_phone(&self, channel: i64, phone: &str) -> Option<i64> {
        let found = |user: &&User| user.channel == channel && user.phone.as_deref() == Some(phone);
        self.users.values().find(found).map(|user| user.id)
    }

    /// The user of somebody in a messenger, made at his first word.
    pub(crate) fn user_of(&mut self, channel: i64, new: NewUser, now_ms: i64) -> i64 {
        if let Some(known) = self.find_reached(channel, new.reached) {
            return known;
        }
        let project = self.channels.get(&channel).map(|channel| channel.project).unwrap_or_default();
        let contact = self.contact_of(project, new.phone.clone());
        let id = self.next_user();
        let NewUser { name, phone, uid, uid2, reached } = new;
        self.users.insert(
            id,
            User {
                id,
                channel,
                contact,
                name,
                phone,
                uid,
                uid2,
                blocked: false,
                created_at_ms: now_ms,
                reached,
                amojo_chat: None,
            },
        );
        id
    }

    /// The user of a client of a messenger account.
    pub(crate) fn user_of_client(&mut self, channel: i64, client: u64, now_ms: i64) -> Option<i64> {
        let known = self.channels.get(&channel)?.clients.get(&client)?;
        let shown = known.phone.clone().filter(|_| known.shows_phone);
        let new = NewUser {
            name: known.name.clone(),
            uid: shown.clone().unwrap_or_else(|| format!("{}", 900_000_000 + client)),
            phone: shown,
            uid2: known.username.clone(),
            reached: Reached::Client(client),
        };
        Some(self.user_of(channel, new, now_ms))
    }

    /// Somebody's contact: that of his number, or a new one.
    fn contact_of(&mut self, project: i64, phone: Option<String>) -> i64 {
        let of_phone = |contact: &&Contact| contact.project == project && contact.phone == phone;
        let known = phone.is_some().then(|| self.contacts.values().find(of_phone)).flatten();
        if let Some(contact) = known {
            return contact.id;
        }
        let id = self.next_contact();
        self.contacts.insert(id, Contact { id, project, phone });
        id
    }

    /// The client object of answers and hooks.
    pub(crate) fn shown_user(&self, id: i64) -> Value {
        let Some(user) = self.users.get(&id) else { return Value::Null };
        let phone = user.phone.clone().filter(|_| !self.switches.missing_phone).unwrap_or_default();
        json!({
            "id": user.id,
            "name": user.name,
            "phone": phone,
            "contact_id": user.contact,
            "channel_id": user.channel,
            "blocked": user.blocked,
            "uid": user.uid,
            "uid2": user.uid2,
            "created_at": moscow(user.created_at_ms),
        })
    }

    /// The contact object, with its user in each channel.
    pub(crate) fn shown_contact(&self, id: i64) -> Value {
        let users = self.users.values().filter(|user| user.contact == id).map(|user| {
            let last = self.messages.values().rev().find(|message| message.user == user.id);
            json!({
                "id": user.id,
                "channel_id": user.channel,
                "uid": user.uid,
                "blocked": user.blocked,
                "last_message": last.map(|message| moscow(message.at_ms)),
            })
        });
        json!({"id": id, "users": users.collect::<Vec<_>>()})
    }

    /// The user of whoever has this number in a channel's messenger: known, or a client, or nobody.
    pub(crate) fn reach_phone(&mut self, channel: i64, phone: &str, now_ms: i64) -> Option<i64> {
        if let Some(known) = self.find_phone(channel, phone) {
            return Some(known);
        }
        let clients = self.channels.get(&channel).map(|channel: &Channel| &channel.clients)?;
        let client = clients.values().find(|client| client.phone.as_deref() == Some(phone))?.id;
        let user = self.user_of_client(channel, client, now_ms)?;
        // Whoever wrote to a number knows it, whatever the messenger shows.
        if let Some(user) = self.users.get_mut(&user) {
            user.phone = Some(phone.to_owned());
        }
        Some(user)
    }
}
