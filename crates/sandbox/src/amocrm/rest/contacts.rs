//! `/contacts` (reference 4.4).

use serde_json::{Value, json};

use super::filters::{self, Card, Filter};
use super::problem::{ItemError, Problem};
use super::reading::request_id;
use super::{Answer, Reply, Request, tags};
use crate::amocrm::account::Account;
use crate::amocrm::cards::{Contact, LeadStatus};
use crate::amocrm::fields::{Entity, values_of};
use crate::amocrm::hooks::event;
use crate::amocrm::inbound::digits;

/// What is not accepted yet is not in the section; `query` looks into names and all filled fields.
pub(crate) fn list(request: &mut Request<'_>) -> Answer {
    let filter = Filter::of(request)?;
    let wanted = request.query.find("query").filter(|query| !query.is_empty()).map(Wanted::of);
    let account = &request.state.account;
    let indexed_ms = request.now_ms - account.search_lag_ms;
    let mut found: Vec<&Contact> = account
        .contacts
        .values()
        .filter(|contact| !is_unsorted(account, contact))
        .filter(|contact| {
            let values = || values_of(contact, &account.fields);
            let (id, name, details) = (contact.id, contact.name.as_str(), &contact.details);
            filter.takes(&Card { id, name, details, values: &values })
        })
        .filter(|contact| {
            wanted
                .as_ref()
                .is_none_or(|wanted| contact.details.made_ms <= indexed_ms && wanted.is_in(contact))
        })
        .collect();
    filters::sort(&request.query, &mut found, |contact| (contact.id, &contact.details));
    let shown = found.into_iter().map(|contact| shown(request, contact)).collect();
    request.page("contacts", shown)
}

/// What `query` looks for: case-insensitive, any part; a number is compared by its digits alone.
enum Wanted {
    Digits(String),
    Text(String),
}

impl Wanted {
    fn of(query: &str) -> Self {
        let is_number = query.chars().all(|c| c.is_ascii_digit() || " +-()".contains(c));
        let number = digits(query);
        if is_number && !number.is_empty() { Self::Digits(number) } else { Self::Text(query.to_lowercase()) }
    }

    fn is_in(&self, contact: &Contact) -> bool {
        let values = contact.details.values.values().flatten().filter_map(|value| value["value"].as_str());
        let own = [Some(contact.name.as_str()), contact.phone.as_deref(), contact.email.as_deref()];
        let mut texts = values.chain(own.into_iter().flatten());
        texts.any(|text| match self {
            Self::Digits(wanted) => text.len() >= wanted.len() && digits(text).contains(wanted),
            Self::Text(wanted) => text.to_lowercase().contains(wanted),
        })
    }
}

/// All its leads are still incoming ones.
fn is_unsorted(account: &Account, contact: &Contact) -> bool {
    let mut leads = contact.lead_ids.iter().filter_map(|id| account.leads.get(id)).peekable();
    leads.peek().is_some() && leads.all(|lead| lead.status == LeadStatus::Unsorted)
}

pub(crate) fn show(request: &mut Request<'_>, id: u64) -> Answer {
    match request.state.account.contacts.get(&id) {
        None => Ok(Reply::none()),
        Some(contact) => Ok(Reply::ok(shown(request, contact))),
    }
}

pub(crate) fn add(request: &mut Request<'_>) -> Answer {
    let items = request.items()?;
    check(request, &items)?;
    let mut added = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let id = request.state.account.add_contact(String::new(), None, None, request.now_ms);
        let now = request.now_secs();
        let user = item["created_by"].as_u64().unwrap_or(request.user.id);
        if let Some(contact) = request.state.account.contacts.get_mut(&id) {
            contact.details.created_by = user;
            contact.details.created_at = item["created_at"].as_i64().unwrap_or(now);
            contact.details.responsible_user_id = request.user.id;
        }
        write(request, id, item);
        let told = event::contact(&request.state.account, "add_contact", id);
        request.amocrm.announce(request.state, told);
        let link = request.link(&format!("contacts/{id}"));
        added.push(json!({"id": id, "is_deleted": false, "is_unsorted": false,
            "request_id": request_id(index, item), "_links": link}));
    }
    Ok(request.batch("contacts", &added))
}

pub(crate) fn change(request: &mut Request<'_>, id: Option<u64>) -> Answer {
    let items = request.changes(id)?;
    check(request, &items)?;
    let mut errors = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let known = item["id"].as_u64().is_some_and(|id| request.state.account.contacts.contains_key(&id));
        if !known {
            let request_id = request_id(index, item);
            errors.push(ItemError::new(&request_id, "EntityNotFound", "id", "Entity not found."));
        }
    }
    if !errors.is_empty() {
        return Err(Problem::invalid(errors));
    }
    let mut changed = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let contact_id = item["id"].as_u64().unwrap_or_default();
        write(request, contact_id, item);
        let told = event::contact(&request.state.account, "update_contact", contact_id);
        request.amocrm.announce(request.state, told);
        let Some(contact) = request.state.account.contacts.get(&contact_id) else { continue };
        changed.push(json!({"id": contact_id, "name": contact.name, "updated_at": contact.details.updated_at,
            "request_id": request_id(index, item), "_links": request.link(&format!("contacts/{contact_id}"))}));
    }
    match (id, changed.pop()) {
        (Some(_), Some(one)) => Ok(Reply::ok(one)),
        (_, last) => {
            changed.extend(last);
            Ok(request.batch("contacts", &changed))
        }
    }
}

pub(crate) fn check(request: &Request<'_>, items: &[Value]) -> Result<(), Problem> {
    let mut errors = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let request_id = request_id(index, item);
        for name in ["name", "first_name", "last_name"] {
            if !(item[name].is_null() || item[name].is_string()) {
                let detail = "This value should be of type string.";
                errors.push(ItemError::new(&request_id, "InvalidType", name, detail));
            }
        }
        let fields = &request.state.account.fields;
        if let Err(bad) = fields.read(Entity::Contacts, &item["custom_fields_values"]) {
            errors.push(ItemError::new(&request_id, bad.code, bad.path, bad.detail));
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(Problem::invalid(errors)) }
}

/// Writes what an item gives; a field's values are replaced as a whole.
pub(crate) fn write(request: &mut Request<'_>, id: u64, item: &Value) {
    let (now, user) = (request.now_secs(), request.user.id);
    let account = &mut request.state.account;
    let given = account.fields.read(Entity::Contacts, &item["custom_fields_values"]).unwrap_or_default();
    let Some(contact) = account.contacts.get_mut(&id) else { return };
    let text = |name: &str| item[name].as_str();
    if let Some(first) = text("first_name") {
        first.clone_into(&mut contact.details.first_name);
    }
    if let Some(last) = text("last_name") {
        last.clone_into(&mut contact.details.last_name);
    }
    match text("name") {
        Some(name) => name.clone_into(&mut contact.name),
        None if text("first_name").or(text("last_name")).is_some() => {
            let both = format!("{} {}", contact.details.first_name, contact.details.last_name);
            both.trim().clone_into(&mut contact.name);
        }
        None => {}
    }
    if let Some(user) = item["responsible_user_id"].as_u64() {
        contact.details.responsible_user_id = user;
    }
    contact.write_values(given);
    tags::write(&mut contact.details.tags, item);
    contact.details.updated_at = now;
    contact.details.updated_by = user;
}

pub(crate) fn shown(request: &Request<'_>, contact: &Contact) -> Value {
    let account = &request.state.account;
    let details = &contact.details;
    let mut shown = json!({
        "id": contact.id,
        "name": contact.name,
        "first_name": details.first_name,
        "last_name": details.last_name,
        "responsible_user_id": details.responsible_user_id,
        "group_id": 0,
        "created_by": details.created_by,
        "updated_by": details.updated_by,
        "created_at": details.created_at,
        "updated_at": details.updated_at,
        "closest_task_at": null,
        "is_deleted": false,
        "is_unsorted": is_unsorted(account, contact),
        "custom_fields_values": account.fields.show(&values_of(contact, &account.fields)),
        "account_id": account.id,
        "_links": request.link(&format!("contacts/{}", contact.id)),
        "_embedded": {"tags": tags::shown(&details.tags), "companies": []},
    });
    if request.query.with("leads") {
        let leads: Vec<Value> = contact
            .lead_ids
            .iter()
            .map(|id| json!({"id": id, "_links": request.link(&format!("leads/{id}"))}))
            .collect();
        shown["_embedded"]["leads"] = json!(leads);
    }
    for name in ["customers", "catalog_elements"] {
        if request.query.with(name) {
            shown["_embedded"][name] = json!([]);
        }
    }
    shown
}
