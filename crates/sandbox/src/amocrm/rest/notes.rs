//! Notes on contacts and leads (reference 4.10).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::problem::{ItemError, Problem};
use super::reading::request_id;
use super::{Answer, Reply, Request};
use crate::amocrm::fields::Entity;

/// One note.
#[derive(Debug, Clone)]
struct Note {
    id: u64,
    entity: Entity,
    entity_id: u64,
    kind: String,
    params: Value,
    created_by: u64,
    created_at: i64,
    updated_at: i64,
}

/// All notes of the account.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    by_id: BTreeMap<u64, Note>,
    last: u64,
}

impl Notes {
    /// Notes of a card that became part of another one.
    pub(crate) fn hand_over(&mut self, entity: Entity, from: u64, to: u64) {
        let own = self.by_id.values_mut().filter(|note| note.entity == entity && note.entity_id == from);
        for note in own {
            note.entity_id = to;
        }
    }
}

/// Each type with the parameters it needs.
const TYPES: [(&str, &[&str]); 10] = [
    ("common", &["text"]),
    ("service_message", &["service", "text"]),
    ("extended_service_message", &["service", "text"]),
    ("sms_in", &["text", "phone"]),
    ("sms_out", &["text", "phone"]),
    ("attachment", &["file_uuid", "file_name"]),
    ("geolocation", &["text", "address", "longitude", "latitude"]),
    ("call_in", &["uniq", "duration", "source", "link", "phone"]),
    ("call_out", &["uniq", "duration", "source", "link", "phone"]),
    ("message_cashier", &["status", "text"]),
];

pub(crate) fn list(request: &mut Request<'_>, entity: Entity, id: Option<u64>) -> Answer {
    let types = request.query.all("filter[note_type]");
    let ids = request.query.numbers("filter[entity_id]");
    let notes = request.state.notes.by_id.values().filter(|note| {
        note.entity == entity
            && id.is_none_or(|id| note.entity_id == id)
            && (ids.is_empty() || ids.contains(&note.entity_id))
            && (types.is_empty() || types.contains(&note.kind.as_str()))
    });
    let shown = notes.map(|note| shown(request, note)).collect();
    request.page("notes", shown)
}

pub(crate) fn show(request: &mut Request<'_>, entity: Entity, id: u64) -> Answer {
    match request.state.notes.by_id.get(&id).filter(|note| note.entity == entity) {
        None => Ok(Reply::none()),
        Some(note) => Ok(Reply::ok(shown(request, note))),
    }
}

pub(crate) fn add(request: &mut Request<'_>, entity: Entity, id: Option<u64>) -> Answer {
    let items = request.items()?;
    let owner = |item: &Value| id.or_else(|| item["entity_id"].as_u64()).unwrap_or_default();
    let mut errors = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let request_id = request_id(index, item);
        let mut wrong = |code, path: &str, detail: &str| {
            errors.push(ItemError::new(&request_id, code, path, detail));
        };
        if !exists(request, entity, owner(item)) {
            wrong("EntityNotFound", "entity_id", "Entity not found.");
        }
        let kind = item["note_type"].as_str();
        match TYPES.iter().find(|(name, _)| Some(*name) == kind) {
            None => wrong("NotSupportedChoice", "note_type", "The value you selected is not a valid choice."),
            Some((_, needed)) => {
                for name in needed.iter().filter(|name| item["params"][**name].is_null()) {
                    wrong("FieldMissing", &format!("params.{name}"), "This field is missing.");
                }
            }
        }
    }
    if !errors.is_empty() {
        return Err(Problem::invalid(errors));
    }
    let now = request.now_secs();
    let mut added = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let notes = &mut request.state.notes;
        notes.last += 1;
        let id = 76_610_000 + notes.last;
        let entity_id = owner(item);
        let note = Note {
            id,
            entity,
            entity_id,
            kind: item["note_type"].as_str().unwrap_or_default().to_owned(),
            params: item["params"].clone(),
            created_by: item["created_by"].as_u64().unwrap_or(request.user.id),
            created_at: item["created_at"].as_i64().unwrap_or(now),
            updated_at: now,
        };
        notes.by_id.insert(id, note);
        added.push(json!({"id": id, "entity_id": entity_id, "request_id": request_id(index, item),
            "_links": request.link(&format!("{}/{entity_id}/notes/{id}", entity.path()))}));
    }
    Ok(request.batch("notes", &added))
}

pub(crate) fn change(request: &mut Request<'_>, entity: Entity, id: Option<u64>) -> Answer {
    let now = request.now_secs();
    let mut changed = Vec::new();
    for (index, item) in request.changes(id)?.iter().enumerate() {
        let note_id = item["id"].as_u64().unwrap_or_default();
        let found = request.state.notes.by_id.get_mut(&note_id).filter(|note| note.entity == entity);
        let Some(note) = found else {
            let request_id = request_id(index, item);
            let error = ItemError::new(&request_id, "EntityNotFound", "id", "Entity not found.");
            return Err(Problem::invalid(vec![error]));
        };
        if item["params"].is_object() {
            note.params = item["params"].clone();
        }
        note.updated_at = now;
        changed.push(json!({"id": note_id, "entity_id": note.entity_id, "updated_at": now,
            "request_id": request_id(index, item)}));
    }
    Ok(request.batch("notes", &changed))
}

fn exists(request: &Request<'_>, entity: Entity, id: u64) -> bool {
    match entity {
        Entity::Contacts => request.state.account.contacts.contains_key(&id),
        Entity::Leads => request.state.account.leads.contains_key(&id),
    }
}

fn shown(request: &Request<'_>, note: &Note) -> Value {
    json!({
        "id": note.id,
        "entity_id": note.entity_id,
        "created_by": note.created_by,
        "updated_by": note.created_by,
        "created_at": note.created_at,
        "updated_at": note.updated_at,
        "responsible_user_id": note.created_by,
        "group_id": 0,
        "note_type": note.kind,
        "params": note.params,
        "account_id": request.state.account.id,
        "_links": request.link(&format!("{}/{}/notes/{}", note.entity.path(), note.entity_id, note.id)),
    })
}
