//! Leads of the account: where they come from, whom they belong to, where they stand.

use super::account::{Account, Origin, next};
use super::cards::{Category, Details, Lead, LeadStatus};
use super::pipelines;

/// What a contact is to a lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Main,
    Other,
}

/// Where a lead goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Move {
    pub(crate) status: LeadStatus,
    /// None: the usual one for this status.
    pub(crate) stage: Option<u64>,
    /// None: it stays in its pipeline.
    pub(crate) pipeline: Option<u64>,
}

impl Move {
    pub(crate) fn to(status: LeadStatus) -> Self {
        Self { status, stage: None, pipeline: None }
    }

    /// To a stage; won and lost close a lead.
    pub(crate) fn to_stage(stage: u64) -> Self {
        let ended = stage == pipelines::WON || stage == pipelines::LOST;
        let status = if ended { LeadStatus::Closed } else { LeadStatus::Accepted };
        Self { status, stage: Some(stage), pipeline: None }
    }
}

impl Account {
    /// An incoming lead; what came through a channel's source goes where that source leads.
    pub(crate) fn add_unsorted(&mut self, contact_id: u64, from: Origin<'_>, now_ms: i64) -> u64 {
        let unsorted_uid = format!("{}{}", self.uuid(), self.uuid()).replace('-', "");
        let stage = pipelines::find(from.pipeline_id).map_or(0, pipelines::Pipeline::unsorted);
        let id = self.add_lead(from.pipeline_id, stage, now_ms);
        if let Some(lead) = self.leads.get_mut(&id) {
            lead.status = LeadStatus::Unsorted;
            from.source.clone_into(&mut lead.source);
            lead.unsorted_uid = unsorted_uid;
            lead.chat_id = from.chat_id.map(ToOwned::to_owned);
        }
        self.link_lead(id, contact_id, Role::Main);
        id
    }

    /// A lead that did not come from a chat.
    pub(crate) fn add_lead(&mut self, pipeline_id: u64, status_id: u64, now_ms: i64) -> u64 {
        let id = next(&mut self.numbers.lead);
        let details = Details {
            responsible_user_id: self.manager_id,
            created_at: now_ms / 1000,
            updated_at: now_ms / 1000,
            made_ms: now_ms,
            ..Details::default()
        };
        let lead = Lead {
            id,
            contact_id: None,
            other_contact_ids: Vec::new(),
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
            category: Category::default(),
            details,
        };
        self.leads.insert(id, lead);
        id
    }

    /// Puts a contact on a lead. The first one is the main one, whatever it is put there as.
    pub(crate) fn link_lead(&mut self, lead_id: u64, contact_id: u64, role: Role) {
        let Some(lead) = self.leads.get_mut(&lead_id) else { return };
        let Some(contact) = self.contacts.get_mut(&contact_id) else { return };
        lead.other_contact_ids.retain(|id| *id != contact_id);
        match lead.contact_id {
            None => lead.contact_id = Some(contact_id),
            Some(main) if main == contact_id => {}
            Some(_) if role == Role::Other => lead.other_contact_ids.push(contact_id),
            Some(before) => {
                lead.contact_id = Some(contact_id);
                lead.other_contact_ids.push(before);
            }
        }
        if !contact.lead_ids.contains(&lead_id) {
            contact.lead_ids.push(lead_id);
            contact.lead_ids.sort_unstable();
        }
    }

    /// Takes a contact off a lead; if it was the main one, the next one is.
    pub(crate) fn unlink_lead(&mut self, lead_id: u64, contact_id: u64) {
        if let Some(contact) = self.contacts.get_mut(&contact_id) {
            contact.lead_ids.retain(|id| *id != lead_id);
        }
        let Some(lead) = self.leads.get_mut(&lead_id) else { return };
        lead.other_contact_ids.retain(|id| *id != contact_id);
        if lead.contact_id == Some(contact_id) {
            let next = (!lead.other_contact_ids.is_empty()).then(|| lead.other_contact_ids.remove(0));
            lead.contact_id = next;
        }
    }

    /// Moves a lead; what is no longer open closes its talks. Gives the talks that closed.
    pub(crate) fn move_lead(&mut self, lead_id: u64, to: Move, now_ms: i64) -> Vec<u64> {
        let Some(lead) = self.leads.get_mut(&lead_id) else { return Vec::new() };
        lead.pipeline_id = to.pipeline.unwrap_or(lead.pipeline_id);
        let stage = pipelines::find(lead.pipeline_id);
        lead.status = to.status;
        lead.status_id = to.stage.unwrap_or_else(|| match to.status {
            LeadStatus::Unsorted => stage.map_or(0, pipelines::Pipeline::unsorted),
            LeadStatus::Accepted => stage.map_or(0, pipelines::Pipeline::first_stage),
            LeadStatus::Declined | LeadStatus::Closed => pipelines::LOST,
        });
        lead.details.updated_at = now_ms / 1000;
        if to.status.is_open() {
            return Vec::new();
        }
        let talks = self.talks.values().filter(|talk| talk.lead_id == Some(lead_id) && talk.open);
        let closing: Vec<u64> = talks.map(|talk| talk.id).collect();
        for talk in &closing {
            self.close_talk(*talk, now_ms);
        }
        closing
    }

    /// Whether it was open until now.
    pub(crate) fn close_talk(&mut self, talk_id: u64, now_ms: i64) -> bool {
        let Some(talk) = self.talks.get_mut(&talk_id).filter(|talk| talk.open) else { return false };
        talk.open = false;
        talk.updated_at_ms = now_ms;
        true
    }

    /// The newest lead of a contact that is neither declined nor closed.
    pub(crate) fn find_open_lead(&self, contact_id: u64) -> Option<u64> {
        let leads = self.contacts.get(&contact_id)?.lead_ids.iter().rev();
        leads.copied().find(|id| self.leads.get(id).is_some_and(|lead| lead.status.is_open()))
    }

    /// An incoming lead becomes part of another one: its talks move, its contact becomes `contact`, it is gone.
    /// Gives the contact that is gone with it.
    pub(crate) fn absorb(&mut self, unsorted: u64, target: u64, contact: Option<u64>) -> Option<u64> {
        let gone = self.leads.remove(&unsorted)?;
        for talk in self.talks.values_mut().filter(|talk| talk.lead_id == Some(unsorted)) {
            talk.lead_id = Some(target);
        }
        for card in self.contacts.values_mut() {
            card.lead_ids.retain(|id| *id != unsorted);
        }
        let (from, to) = (gone.contact_id?, contact?);
        (from != to && self.merge_contacts(from, to)).then_some(from)
    }
}
