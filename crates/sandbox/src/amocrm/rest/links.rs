//! Which contacts belong to which leads: `links`, `link` and `unlink` of either, one by one and in batches
//! (reference 4.6).

use serde_json::{Value, json};

use super::problem::{ItemError, Problem};
use super::reading::request_id;
use super::{Answer, Reply, Request};
use crate::amocrm::fields::Entity;
use crate::amocrm::leads::Role;

/// Many at once.
const BATCH: usize = 40;

/// A contact on a lead.
#[derive(Clone, Copy)]
struct Pair {
    lead: u64,
    contact: u64,
}

/// `GET /leads/{id}/links`; in a batch, `?filter[entity_id][]=…`.
pub(crate) fn list(request: &mut Request<'_>, entity: Entity, id: Option<u64>) -> Answer {
    let ids = match id {
        Some(id) => vec![id],
        None => request.query.numbers("filter[entity_id]"),
    };
    if ids.is_empty() {
        return Err(Problem::bad("filter[entity_id] is required"));
    }
    let account = &request.state.account;
    let mut links = Vec::new();
    for id in ids {
        let pairs: Vec<Pair> = match entity {
            Entity::Leads => {
                let Some(lead) = account.leads.get(&id) else { continue };
                lead.contact_ids().map(|contact| Pair { lead: id, contact }).collect()
            }
            Entity::Contacts => {
                let Some(contact) = account.contacts.get(&id) else { continue };
                contact.lead_ids.iter().map(|lead| Pair { lead: *lead, contact: id }).collect()
            }
        };
        links.extend(pairs.into_iter().map(|pair| shown(request, entity, pair)));
    }
    if links.is_empty() {
        return Ok(Reply::none());
    }
    Ok(Reply::ok(json!({"_total_items": links.len(), "_links": request.link(entity.path()),
        "_embedded": {"links": links}})))
}

/// `POST /leads/{id}/link`; in a batch each item has its `entity_id`.
pub(crate) fn link(request: &mut Request<'_>, entity: Entity, id: Option<u64>) -> Answer {
    let pairs = pairs(request, entity, id, Exists::Cards)?;
    for (pair, item) in &pairs {
        let main = &item["metadata"]["is_main"];
        let is_main = main.as_bool().or(item["metadata"]["main_contact"].as_bool()).unwrap_or(false);
        let role = if is_main { Role::Main } else { Role::Other };
        request.state.account.link_lead(pair.lead, pair.contact, role);
    }
    let links: Vec<Value> = pairs.iter().map(|(pair, _)| shown(request, entity, *pair)).collect();
    Ok(Reply::ok(json!({"_total_items": links.len(), "_links": request.link(entity.path()),
        "_embedded": {"links": links}})))
}

/// `POST /leads/{id}/unlink`.
pub(crate) fn unlink(request: &mut Request<'_>, entity: Entity, id: Option<u64>) -> Answer {
    for (pair, _) in pairs(request, entity, id, Exists::Whatever)? {
        request.state.account.unlink_lead(pair.lead, pair.contact);
    }
    Ok(Reply::none())
}

/// Whether both cards must be there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Exists {
    Cards,
    Whatever,
}

fn pairs(
    request: &Request<'_>,
    entity: Entity,
    id: Option<u64>,
    exists: Exists,
) -> Result<Vec<(Pair, Value)>, Problem> {
    let items = request.items()?;
    if items.len() > BATCH {
        return Err(Problem::unprocessable(&format!("Limit {BATCH} per request")));
    }
    let account = &request.state.account;
    let mut errors = Vec::new();
    let mut pairs = Vec::new();
    for (index, item) in items.into_iter().enumerate() {
        let request_id = request_id(index, &item);
        let mut wrong = |code, path: &str, detail: &str| {
            errors.push(ItemError::new(&request_id, code, path, detail));
        };
        let own = id.or_else(|| item["entity_id"].as_u64()).unwrap_or_default();
        let to = item["to_entity_id"].as_u64().unwrap_or_default();
        let other = match entity {
            Entity::Leads => Entity::Contacts,
            Entity::Contacts => Entity::Leads,
        };
        if item["to_entity_type"] != other.path() {
            wrong("NotSupportedChoice", "to_entity_type", "The value you selected is not a valid choice.");
            continue;
        }
        let pair = match entity {
            Entity::Leads => Pair { lead: own, contact: to },
            Entity::Contacts => Pair { lead: to, contact: own },
        };
        let known = [(own, entity, "entity_id"), (to, other, "to_entity_id")];
        for (id, entity, path) in known.into_iter().filter(|_| exists == Exists::Cards) {
            let is_there = match entity {
                Entity::Leads => account.leads.contains_key(&id),
                Entity::Contacts => account.contacts.contains_key(&id),
            };
            if !is_there {
                wrong("EntityNotFound", path, "Entity not found.");
            }
        }
        pairs.push((pair, item));
    }
    if errors.is_empty() { Ok(pairs) } else { Err(Problem::invalid(errors)) }
}

fn shown(request: &Request<'_>, entity: Entity, pair: Pair) -> Value {
    let lead = request.state.account.leads.get(&pair.lead);
    let is_main = lead.is_some_and(|lead| lead.contact_id == Some(pair.contact));
    match entity {
        Entity::Leads => json!({"entity_id": pair.lead, "entity_type": "leads", "to_entity_id": pair.contact,
            "to_entity_type": "contacts", "metadata": {"main_contact": is_main}}),
        Entity::Contacts => {
            json!({"entity_id": pair.contact, "entity_type": "contacts", "to_entity_id": pair.lead,
            "to_entity_type": "leads", "metadata": {"main_contact": is_main}})
        }
    }
}
