//! `/leads` (reference 4.6).

use serde_json::{Value, json};

use super::filters::{self, Card, Filter};
use super::problem::{ItemError, Problem};
use super::reading::request_id;
use super::{Answer, Reply, Request, tags};
use crate::amocrm::cards::{Lead, LeadStatus};
use crate::amocrm::fields::Entity;
use crate::amocrm::hooks::event;
use crate::amocrm::leads::{Move, Role};
use crate::amocrm::pipelines;

pub(crate) fn list(request: &mut Request<'_>) -> Answer {
    if request.query.with("only_deleted") {
        return Ok(Reply::none());
    }
    let filter = Filter::of(request)?;
    let wanted = request.query.find("query").map(str::to_lowercase);
    let account = &request.state.account;
    let mut found: Vec<&Lead> = account
        .leads
        .values()
        // Incoming leads are a section of their own.
        .filter(|lead| lead.status != LeadStatus::Unsorted)
        .filter(|lead| {
            let values = || lead.details.values.clone();
            let (id, name, details) = (lead.id, lead.name.as_str(), &lead.details);
            filter.takes(&Card { id, name, details, values: &values })
                && filter.stage(lead.pipeline_id, lead.status_id)
                && filter.time("closed_at", lead.closed_at())
        })
        .filter(|lead| wanted.as_ref().is_none_or(|wanted| lead.name.to_lowercase().contains(wanted)))
        .collect();
    filters::sort(&request.query, &mut found, |lead| (lead.id, &lead.details));
    let shown = found.into_iter().map(|lead| shown(request, lead)).collect();
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
        for contact in item["_embedded"]["contacts"].as_array().into_iter().flatten() {
            let role = if contact["is_main"] == true { Role::Main } else { Role::Other };
            if let Some(contact) = contact["id"].as_u64() {
                request.state.account.link_lead(id, contact, role);
            }
        }
        announce(request, "add_lead", id);
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
            request.state.account.link_lead(id, contact, Role::Main);
        }
        announce(request, "add_lead", id);
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
        announce(request, "update_lead", lead_id);
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

pub(crate) fn check(request: &Request<'_>, items: &[Value]) -> Result<(), Problem> {
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
        for (place, contact) in item["_embedded"]["contacts"].as_array().into_iter().flatten().enumerate() {
            if contact["id"].as_u64().is_some_and(|id| !account.contacts.contains_key(&id)) {
                wrong("EntityNotFound", &format!("_embedded.contacts.{place}.id"), "Entity not found.");
            }
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

pub(crate) fn write(request: &mut Request<'_>, id: u64, item: &Value) {
    let (now, user) = (request.now_secs(), request.user.id);
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
    if let Some(reason) = item["loss_reason_id"].as_u64() {
        lead.details.loss_reason_id = Some(reason);
    }
    lead.details.values.extend(given);
    tags::write(&mut lead.details.tags, item);
    lead.details.updated_at = now;
    lead.details.updated_by = user;
    let pipeline = item["pipeline_id"].as_u64().filter(|pipeline| *pipeline != lead.pipeline_id);
    let to = match item["status_id"].as_u64() {
        Some(stage) => Move { pipeline, ..Move::to_stage(stage) },
        None if pipeline.is_some() => Move { pipeline, ..Move::to(LeadStatus::Accepted) },
        None => return,
    };
    request.amocrm.sort(request.state, id, to, request.now_ms);
}

fn announce(request: &mut Request<'_>, code: &'static str, id: u64) {
    let told = event::lead(&request.state.account, code, id);
    request.amocrm.announce(request.state, told);
}

pub(crate) fn shown(request: &Request<'_>, lead: &Lead) -> Value {
    let account = &request.state.account;
    let details = &lead.details;
    let mut shown = json!({
        "id": lead.id,
        "name": lead.name,
        "price": lead.price,
        "responsible_user_id": details.responsible_user_id,
        "group_id": 0,
        "status_id": lead.status_id,
        "pipeline_id": lead.pipeline_id,
        "loss_reason_id": details.loss_reason_id,
        "created_by": details.created_by,
        "updated_by": details.updated_by,
        "created_at": details.created_at,
        "updated_at": details.updated_at,
        "closed_at": lead.closed_at(),
        "closest_task_at": null,
        "is_deleted": false,
        "custom_fields_values": account.fields.show(&details.values),
        "score": null,
        "account_id": account.id,
        "labor_cost": null,
        "_links": request.link(&format!("leads/{}", lead.id)),
        "_embedded": {"tags": tags::shown(&details.tags), "companies": []},
    });
    if request.query.with("contacts") {
        let contacts: Vec<Value> = lead
            .contact_ids()
            .map(|id| json!({"id": id, "is_main": lead.contact_id == Some(id), "_links": request.link(&format!("contacts/{id}"))}))
            .collect();
        shown["_embedded"]["contacts"] = json!(contacts);
    }
    if request.query.with("source_id") {
        shown["source_id"] = Value::Null;
    }
    if request.query.with("is_price_modified_by_robot") {
        shown["is_price_modified_by_robot"] = json!(false);
    }
    for name in ["catalog_elements", "loss_reason", "source"] {
        if request.query.with(name) {
            shown["_embedded"][name] = json!([]);
        }
    }
    shown
}
