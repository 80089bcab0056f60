//! `/talks` (reference 4.11).

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::problem::Problem;
use super::{Answer, Reply, Request};
use crate::amocrm::cards::Talk;

/// The list of Kommo's add-on; whether amocrm.ru has it is not known.
pub(crate) fn list(request: &mut Request<'_>) -> Answer {
    let contacts = request.query.numbers("filter[contact_id]");
    let only_open = request.query.find("filter[only_in_work]") == Some("1");
    let talks = request.state.account.talks.values().filter(|talk| {
        (contacts.is_empty() || talk.contact_id.is_some_and(|id| contacts.contains(&id)))
            && (talk.open || !only_open)
    });
    let shown = talks.map(|talk| shown(request, talk)).collect();
    request.page("talks", shown)
}

pub(crate) fn show(request: &mut Request<'_>, id: u64) -> Answer {
    let talk = request.state.account.talks.get(&id).ok_or_else(|| Problem::not_found("Talk not found"))?;
    Ok(Reply::ok(shown(request, talk)))
}

/// 202; a talk that is closed already is 422.
pub(crate) fn close(request: &mut Request<'_>, id: u64) -> Answer {
    let now_ms = request.now_ms;
    if !request.state.account.talks.contains_key(&id) {
        return Err(Problem::not_found("Talk not found"));
    }
    if !request.amocrm.close_talk(request.state, id, now_ms) {
        return Err(Problem::unprocessable("Talk is closed"));
    }
    Ok(Reply { status: StatusCode::ACCEPTED, body: None })
}

fn shown(request: &Request<'_>, talk: &Talk) -> Value {
    let (_, entity_type, entity_id) = talk.entity();
    let ids = |id: Option<u64>| -> Vec<Value> { id.map(|id| json!({"id": id})).into_iter().collect() };
    json!({
        "talk_id": talk.id,
        "created_at": talk.created_at_ms / 1000,
        "updated_at": talk.updated_at_ms / 1000,
        "rate": 0,
        "contact_id": talk.contact_id,
        "chat_id": talk.chat_id,
        "entity_id": entity_id,
        "entity_type": entity_type,
        "is_in_work": talk.open,
        "is_read": !talk.open,
        "origin": talk.origin,
        "missed_at": null,
        "account_id": request.state.account.id,
        "_links": request.link(&format!("talks/{}", talk.id)),
        "_embedded": {"contacts": ids(talk.contact_id), "leads": ids(talk.lead_id), "customers": []},
    })
}
