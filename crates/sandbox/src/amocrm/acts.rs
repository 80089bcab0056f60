//! What managers and programs do to cards, with what account hooks hear of it.

use super::cards::LeadStatus;
use super::fields::Entity;
use super::hooks::event::{self, HookEvent};
use super::leads::Move;
use super::{AmoCrm, State};

impl AmoCrm {
    /// Moves a lead; that an incoming one is none any longer, that the stage is another one, and that talks closed is
    /// told to the account's hooks.
    pub(crate) fn sort(&self, state: &mut State, lead_id: u64, to: Move, now_ms: i64) {
        let Some(before) = state.account.leads.get(&lead_id).cloned() else { return };
        let action = match to.status {
            LeadStatus::Unsorted => None,
            LeadStatus::Accepted | LeadStatus::Closed => Some("accept"),
            LeadStatus::Declined => Some("decline"),
        };
        let was_unsorted = before.status == LeadStatus::Unsorted;
        let sorted = action.filter(|_| was_unsorted).map(|action| {
            event::delete_unsorted(&event::Sorted { action, lead: &before, to: None }, now_ms / 1000)
        });
        let closed = state.account.move_lead(lead_id, to, now_ms);
        let moved = event::status_lead(&state.account, lead_id, &before);
        let talks = closed.into_iter().filter_map(|talk| event::update_talk(&state.account, talk));
        let told: Vec<HookEvent> = sorted.into_iter().chain(moved).chain(talks).collect();
        self.announce(state, told);
    }

    /// Whether it was open until now.
    pub(crate) fn close_talk(&self, state: &mut State, talk_id: u64, now_ms: i64) -> bool {
        let was_open = state.account.close_talk(talk_id, now_ms);
        if was_open {
            let told = event::update_talk(&state.account, talk_id);
            self.announce(state, told);
        }
        was_open
    }

    /// Joins two contacts: `from` is gone, all it had is `to`'s. Whether there were two to join.
    pub(crate) fn merge(&self, state: &mut State, from: u64, to: u64, now_ms: i64) -> bool {
        if !state.account.merge_contacts(from, to) {
            return false;
        }
        state.notes.hand_over(Entity::Contacts, from, to);
        if let Some(kept) = state.account.contacts.get_mut(&to) {
            kept.details.updated_at = now_ms / 1000;
        }
        let told = [event::contact(&state.account, "update_contact", to), Some(event::delete_contact(from))];
        self.announce(state, told.into_iter().flatten());
        true
    }

    /// Whether there was such a contact.
    pub(crate) fn remove_contact(&self, state: &mut State, id: u64) -> bool {
        let removed = state.account.remove_contact(id);
        if removed {
            self.announce(state, [event::delete_contact(id)]);
        }
        removed
    }
}
