//! `/leads` (reference 4.6).

use serde_json::{Value, json};

use super::problem::{ItemError, Problem};
use super::reading::request_id;
use super::{Answer, Reply, Request};
use crate::amocrm::cards::{Lead, LeadStatus};
use crate::amocrm::fields::Entity;
use crate::amocrm::pipelines::{self, LOST, WON};

pub(crate) fn list(request: &mut Request<'_>) -> Answer {
    let ids = request.query.numbers("filter[id]");
    let wanted = request.query.find("query").map(str::to_lowercase);
    let leads = request.state.account.leads.values().filter(|lead| {
        // Incoming leads are a section of their own.
        lead.status != LeadStatus::Unsorted
            && (ids.is_empty() || ids.contains(&lead.id))
            && wanted.as_ref().is_none_or(|wanted| lead.name.to_lowercase().contains(wanted))
    });
    let shown = leads.map(|lead| shown(request, lead)).collect();
    request.page("leads", shown)
}

pub(crate) fn show(request: &mut Request<'_>, id: u64) -> Answer {
    match request.state.account.leads.get(&id) {
        None => Ok(Reply::none()),
        Some(lead) => Ok(Reply::ok(shown(request, lead))),
    }
}

pub(crate) fn add(request: &mut Request<'_>) -> Answer {
    let items = request.items()?;
    check(request, &items)?;
    let mut added = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let id = make(request, item);
        if let Some(contact) = item["_embedded"]["contacts"][0]["id"].as_u64() {
            request.state.account.link_lead(id, contact);
        }
        let link = request.link(&format!("leads/{id}"));
        added.push(json!({"id": id, "request_id": request_id(index, item), "_links": link}));
    }
    Ok(request.batch("leads", &added))
}

/// A lead with its contact at once; the answer is a bare array.
pub(crate) fn add_complex(request: &mut Request<'_>) -> Answer {
    let items = request.items()?;
    if items.len() > 50 {
        return Err(Problem::unprocessable("Limit 50 per request"));
    }
    check(request, &items)?;
    let mut added = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let given = &item["_embedded"]["contacts"][0];
        let contact = match given["id"].as_u64() {
            Some(id) => Some(id),
            None if given.is_object() => {
                let name = given["name"].as_str().or(given["first_name"].as_str()).unwrap_or_default();
                let id = request.state.account.add_contact(name.to_owned(), None, None, request.now_ms);
                let values =
                    request.state.account.fields.read(Entity::Contacts, &given["custom_fields_values"]);
                if let (Ok(values), Some(contact)) = (values, request.state.account.contacts.get_mut(&id)) {
                    contact.details.values = values;
                }
                Some(id)
            }
            None => None,
        };
        let id = make(request, item);
        if let Some(contact) = contact {
            request.state.account.link_lead(id, contact);
        }
        added.push(json!({"id": id, "contact_id": contact, "company_id": null,
            "request_id": [request_id(index, item)], "merged": false}));
    }
    Ok(Reply::ok(json!(added)))
}

pub(crate) fn change(request: &mut Request<'_>, id: Option<u64>) -> Answer {
    let items = request.changes(id)?;
    check(request, &items)?;
    let mut errors = Vec::new();
    for (index, item) in items.iter().enumerate() {
        if !item["id"].as_u64().is_some_and(|id| request.state.account.leads.contains_key(&id)) {
            let request_id = request_id(index, item);
            errors.push(ItemError::new(&request_id, "EntityNotFound", "id", "Entity not found."));
        }
    }
    if !errors.is_empty() {
        return Err(Problem::invalid(errors));
    }
    let mut changed = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let lead_id = item["id"].as_u64().unwrap_or_default();
        write(request, lead_id, item);
        changed.push(json!({"id": lead_id, "updated_at": request.now_secs(),
            "request_id": request_id(index, item), "_links": request.link(&format!("leads/{lead_id}"))}));
    }
    match (id, changed.pop()) {
        (Some(_), Some(one)) => Ok(Reply::ok(one)),
        (_, last) => {
            changed.extend(last);
            Ok(request.batch("leads", &changed))
        }
    }
}

fn check(request: &Request<'_>, items: &[Value]) -> Result<(), Problem> {
    let account = &request.state.account;
    let mut errors = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let request_id = request_id(index, item);
        let mut wrong = |code, path: &str, detail: &str| {
            errors.push(ItemError::new(&request_id, code, path, detail));
        };
        if !(item["name"].is_null() || item["name"].is_string()) {
            wrong("InvalidType", "name", "This value should be of type string.");
        }
        if !(item["price"].is_null() || item["price"].is_i64()) {
            wrong("InvalidType", "price", "This value should be of type int.");
        }
        let known = item["id"].as_u64().and_then(|id| account.leads.get(&id)).map(|lead| lead.pipeline_id);
        let pipeline = item["pipeline_id"].as_u64().or(known).unwrap_or(account.pipeline_id);
        let pipeline = pipelines::find(pipeline);
        if pipeline.is_none() {
            wrong("NotSupportedChoice", "pipeline_id", "The value you selected is not a valid choice.");
        }
        let status = item["status_id"].as_u64();
        if let (Some(pipeline), Some(status)) = (pipeline, status)
            && !pipeline.has(status)
        {
            wrong("NotSupportedChoice", "status_id", "The value you selected is not a valid choice.");
        }
        if let Err(bad) = account.fields.read(Entity::Leads, &item["custom_fields_values"]) {
            wrong(bad.code, &bad.path, bad.detail);
        }
        let contact = item["_embedded"]["contacts"][0]["id"].as_u64();
        if contact.is_some_and(|id| !account.contacts.contains_key(&id)) {
            wrong("EntityNotFound", "_embedded.contacts.0.id", "Entity not found.");
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(Problem::invalid(errors)) }
}

/// Makes a checked lead: in the pipeline that is named, else the one of its source, else the main one.
fn make(request: &mut Request<'_>, item: &Value) -> u64 {
    let account = &mut request.state.account;
    let client_id = &request.integration.client_id;
    let source = item["_embedded"]["source"]["external_id"]
        .as_str()
        .and_then(|external_id| account.sources.find_external(client_id, external_id));
    let by_source = source.map(|source| source.pipeline_id);
    let pipeline = item["pipeline_id"].as_u64().or(by_source).unwrap_or(account.pipeline_id);
    let stage = pipelines::find(pipeline).map_or(0, pipelines::Pipeline::first_stage);
    let id = account.add_lead(pipeline, stage, request.now_ms);
    if let Some(lead) = account.leads.get_mut(&id) {
        lead.details.created_by = item["created_by"].as_u64().unwrap_or(request.user.id);
        lead.details.responsible_user_id = request.user.id;
    }
    write(request, id, item);
    id
}

fn write(request: &mut Request<'_>, id: u64, item: &Value) {
    let now = request.now_secs();
    let account = &mut request.state.account;
    let given = account.fields.read(Entity::Leads, &item["custom_fields_values"]).unwrap_or_default();
    let Some(lead) = account.leads.get_mut(&id) else { return };
    if let Some(name) = item["name"].as_str() {
        name.clone_into(&mut lead.name);
    }
    if let Some(price) = item["price"].as_i64() {
        lead.price = price;
    }
    if let Some(user) = item["responsible_user_id"].as_u64() {
        lead.details.responsible_user_id = user;
    }
    if let Some(pipeline) = item["pipeline_id"].as_u64().and_then(pipelines::find)
        && pipeline.id != lead.pipeline_id
    {
        lead.pipeline_id = pipeline.id;
        lead.status_id = pipeline.first_stage();
    }
    lead.details.values.extend(given);
    write_tags(&mut lead.details.tags, item);
    lead.details.updated_at = now;
    if let Some(status_id) = item["status_id"].as_u64() {
        let ended = status_id == WON || status_id == LOST;
        let status = if ended { LeadStatus::Closed } else { LeadStatus::Accepted };
        account.move_lead(id, status, Some(status_id));
    }
}

/// `tags_to_add`, `tags_to_delete`, or all of them in `_embedded.tags`.
pub(crate) fn write_tags(tags: &mut Vec<String>, item: &Value) {
    let names = |list: &Value| -> Vec<String> {
        let items = list.as_array().into_iter().flatten();
        items.filter_map(|tag| tag["name"].as_str().map(ToOwned::to_owned)).collect()
    };
    if item["_embedded"]["tags"].is_array() {
        *tags = names(&item["_embedded"]["tags"]);
    }
    let gone = names(&item["tags_to_delete"]);
    tags.retain(|tag| !gone.contains(tag));
    for name in names(&item["tags_to_add"]) {
        if !tags.contains(&name) {
            tags.push(name);
        }
    }
}

/// A tag; its number is its name's, the same in every run.
pub(crate) fn tag(name: &str) -> Value {
    let number = name.bytes().fold(7_u64, |sum, byte| (sum * 31 + u64::from(byte)) % 1_000_000);
    json!({"id": 90_000 + number, "name": name, "color": null})
}

/// `GET /leads/{id}/links`.
pub(crate) fn links(request: &mut Request<'_>, id: u64) -> Answer {
    let Some(lead) = request.state.account.leads.get(&id) else { return Ok(Reply::none()) };
    let links: Vec<Value> = lead
        .contact_id
        .iter()
        .map(|contact| {
            json!({"to_entity_id": contact, "to_entity_type": "contacts", "metadata": {"main_contact": true}})
        })
        .collect();
    if links.is_empty() {
        return Ok(Reply::none());
    }
    Ok(Reply::ok(json!({"_total_items": links.len(), "_embedded": {"links": links}})))
}

/// `POST /leads/{id}/link`: one contact, which is the main one from then on.
pub(crate) fn link(request: &mut Request<'_>, id: u64) -> Answer {
    let items = request.items()?;
    let mut links = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let request_id = request_id(index, item);
        let to = item["to_entity_id"].as_u64().unwrap_or_default();
        let account = &mut request.state.account;
        if item["to_entity_type"] != "contacts" {
            let detail = "The value you selected is not a valid choice.";
            let error = ItemError::new(&request_id, "NotSupportedChoice", "to_entity_type", detail);
            return Err(Problem::invalid(vec![error]));
        }
        if !account.contacts.contains_key(&to) || !account.leads.contains_key(&id) {
            let error = ItemError::new(&request_id, "EntityNotFound", "to_entity_id", "Entity not found.");
            return Err(Problem::invalid(vec![error]));
        }
        account.link_lead(id, to);
        links.push(json!({"entity_id": id, "entity_type": "leads", "to_entity_id": to,
            "to_entity_type": "contacts", "metadata": {"main_contact": true}}));
    }
    Ok(Reply::ok(json!({"_total_items": links.len(), "_embedded": {"links": links}})))
}

/// `POST /leads/{id}/unlink`.
pub(crate) fn unlink(request: &mut Request<'_>, id: u64) -> Answer {
    for item in request.items()? {
        let account = &mut request.state.account;
        let contact = item["to_entity_id"].as_u64();
        if let Some(lead) = account.leads.get_mut(&id)
            && lead.contact_id.is_some()
            && lead.contact_id == contact
        {
            lead.contact_id = None;
        }
        if let Some(contact) = contact.and_then(|contact| account.contacts.get_mut(&contact)) {
            contact.lead_ids.retain(|lead| *lead != id);
        }
    }
    Ok(Reply::none())
}

pub(crate) fn shown(request: &Request<'_>, lead: &Lead) -> Value {
    let account = &request.state.account;
    let details = &lead.details;
    let tags: Vec<Value> = details.tags.iter().map(|name| tag(name)).collect();
    let closed = !lead.status.is_open();
    let mut shown = json!({
        "id": lead.id,
        "name": lead.name,
        "price": lead.price,
        "responsible_user_id": details.responsible_user_id,
        "group_id": 0,
        "status_id": lead.status_id,
        "pipeline_id": lead.pipeline_id,
        "loss_reason_id": null,
        "created_by": details.created_by,
        "updated_by": details.created_by,
        "created_at": details.created_at,
        "updated_at": details.updated_at,
        "closed_at": closed.then_some(details.updated_at),
        "closest_task_at": null,
        "is_deleted": false,
        "custom_fields_values": account.fields.show(&details.values),
        "score": null,
        "account_id": account.id,
        "labor_cost": null,
        "_links": request.link(&format!("leads/{}", lead.id)),
        "_embedded": {"tags": tags, "companies": []},
    });
    if request.query.with("contacts") {
        let contacts: Vec<Value> = lead
            .contact_id
            .iter()
            .map(|id| json!({"id": id, "is_main": true, "_links": request.link(&format!("contacts/{id}"))}))
            .collect();
        shown["_embedded"]["contacts"] = json!(contacts);
    }
    shown
}
