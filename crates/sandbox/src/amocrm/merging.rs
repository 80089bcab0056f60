//! Two contacts that are one person become one, and contacts that are deleted: what belonged to them.

use super::account::Account;
use super::fields::{EMAIL, PHONE, values_of};

impl Account {
    /// Moves everything of `from` to `to` and removes `from`: leads, talks, chats, and the values that `to` has not.
    /// Phones and e-mails of both stay. Whether there were two to join.
    pub(crate) fn merge_contacts(&mut self, from: u64, to: u64) -> bool {
        if from == to || !self.contacts.contains_key(&to) {
            return false;
        }
        let Some(gone) = self.contacts.remove(&from) else { return false };
        let brought = values_of(&gone, &self.fields);
        for lead_id in &gone.lead_ids {
            let Some(lead) = self.leads.get_mut(lead_id) else { continue };
            let was_main = lead.contact_id == Some(from);
            lead.other_contact_ids.retain(|id| *id != from && (*id != to || !was_main));
            if was_main {
                lead.contact_id = Some(to);
            } else if lead.contact_id != Some(to) && !lead.other_contact_ids.contains(&to) {
                lead.other_contact_ids.push(to);
            }
        }
        if let Some(kept) = self.contacts.get_mut(&to) {
            kept.telegram_id = kept.telegram_id.or(gone.telegram_id);
            kept.phone = kept.phone.take().or(gone.phone);
            kept.email = kept.email.take().or(gone.email);
            kept.lead_ids.extend(gone.lead_ids);
            kept.lead_ids.sort_unstable();
            kept.lead_ids.dedup();
            for tag in gone.details.tags {
                if !kept.details.tags.contains(&tag) {
                    kept.details.tags.push(tag);
                }
            }
            for (field, values) in brought {
                let own = kept.details.values.entry(field).or_default();
                let adds = own.is_empty() || field == PHONE || field == EMAIL;
                for value in values.into_iter().filter(|_| adds) {
                    if !own.iter().any(|known| known["value"] == value["value"]) {
                        own.push(value);
                    }
                }
            }
        }
        if let Some(person) = gone.telegram_id {
            self.by_person.insert(person, to);
        }
        self.hand_chats(from, Some(to));
        true
    }

    /// Removes a contact from the account: its leads and chats stay, with nobody on them.
    pub(crate) fn remove_contact(&mut self, id: u64) -> bool {
        let Some(gone) = self.contacts.get(&id) else { return false };
        for lead in gone.lead_ids.clone() {
            self.unlink_lead(lead, id);
        }
        self.contacts.remove(&id);
        self.by_person.retain(|_, contact| *contact != id);
        self.hand_chats(id, None);
        true
    }

    fn hand_chats(&mut self, from: u64, to: Option<u64>) {
        for talk in self.talks.values_mut().filter(|talk| talk.contact_id == Some(from)) {
            talk.contact_id = to;
        }
        for chat in self.chats.values_mut().filter(|chat| chat.contact_id == Some(from)) {
            chat.contact_id = to;
        }
        for chat in self.channel_chats.values_mut().filter(|chat| chat.contact_id == Some(from)) {
            chat.contact_id = to;
            if to.is_none() {
                self.chat_links.remove(&chat.id);
            }
        }
    }
}
