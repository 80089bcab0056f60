//! What a manager does to contacts: adds, edits, joins and deletes them.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::amocrm::AmoCrm;
use crate::amocrm::fields::{EMAIL, Entity, PHONE};
use crate::amocrm::hooks::event;
use crate::amocrm::inbound::digits;
use crate::control::error::{Body, Named, Refusal};

/// `GET /amocrm/contacts`.
pub(crate) async fn list(State(amocrm): State<AmoCrm>) -> Json<Value> {
    let state = amocrm.lock();
    Json(json!({"contacts": state.account.contacts.values().collect::<Vec<_>>()}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewContact {
    name: String,
    phone: Option<String>,
    telegram_id: Option<i64>,
}

/// `POST /amocrm/contacts`: somebody the company knew before he wrote.
pub(crate) async fn add(
    State(amocrm): State<AmoCrm>,
    Body(new): Body<NewContact>,
) -> Result<Json<Value>, Refusal> {
    let phone = new.phone.as_deref().map(digits);
    let now_ms = amocrm.clock().now_ms();
    let mut state = amocrm.lock();
    let account = &mut state.account;
    let known = phone
        .as_deref()
        .and_then(|phone| account.find_contact_by_phone(phone))
        .or_else(|| new.telegram_id.and_then(|id| account.find_contact_by_telegram(id)));
    if let Some(known) = known {
        let expected = "a phone and a Telegram id that no other contact has";
        return Err(Refusal::bad(format!("contact {known} has them"), expected));
    }
    let id = account.add_contact(new.name, phone, new.telegram_id, now_ms);
    Ok(Json(json!(account.contacts.get(&id))))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    name: Option<String>,
    phone: Option<String>,
    email: Option<String>,
    /// As REST has them.
    custom_fields_values: Option<Value>,
}

/// `POST /amocrm/contacts/{contact}`: a manager edits the card.
pub(crate) async fn change(
    State(amocrm): State<AmoCrm>,
    Named(id): Named<u64>,
    Body(change): Body<Change>,
) -> Result<Json<Value>, Refusal> {
    let now_ms = amocrm.clock().now_ms();
    let mut state = amocrm.lock();
    let account = &mut state.account;
    let mut values = account
        .fields
        .read(Entity::Contacts, &change.custom_fields_values.unwrap_or_default())
        .map_err(|bad| Refusal::bad(format!("{}: {}", bad.path, bad.detail), "fields of the account"))?;
    for (field, value) in [(PHONE, &change.phone), (EMAIL, &change.email)] {
        let Some(value) = value else { continue };
        let one = json!([{"field_id": field, "values": [{"value": value}]}]);
        values.extend(account.fields.read(Entity::Contacts, &one).unwrap_or_default());
    }
    let manager_id = account.manager_id;
    let contact = account.contacts.get_mut(&id).ok_or_else(|| missing(id))?;
    if let Some(name) = change.name {
        contact.name = name;
    }
    contact.write_values(values);
    contact.details.updated_at = now_ms / 1000;
    contact.details.updated_by = manager_id;
    let told = event::contact(&state.account, "update_contact", id);
    amocrm.announce(&mut state, told);
    Ok(Json(json!(state.account.contacts.get(&id))))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Merge {
    into: u64,
}

/// `POST /amocrm/contacts/{contact}/merge`: two cards were one person's. This one is gone afterwards.
pub(crate) async fn merge(
    State(amocrm): State<AmoCrm>,
    Named(id): Named<u64>,
    Body(merge): Body<Merge>,
) -> Result<Json<Value>, Refusal> {
    let now_ms = amocrm.clock().now_ms();
    let mut state = amocrm.lock();
    if !amocrm.merge(&mut state, id, merge.into, now_ms) {
        return Err(missing(id));
    }
    Ok(Json(json!(state.account.contacts.get(&merge.into))))
}

/// `DELETE /amocrm/contacts/{contact}`.
pub(crate) async fn remove(
    State(amocrm): State<AmoCrm>,
    Named(id): Named<u64>,
) -> Result<StatusCode, Refusal> {
    if amocrm.remove_contact(&mut amocrm.lock(), id) { Ok(StatusCode::NO_CONTENT) } else { Err(missing(id)) }
}

fn missing(id: u64) -> Refusal {
    Refusal::not_found(format!("no contact {id}, or none to join it with"), "ids of GET /amocrm/contacts")
}
