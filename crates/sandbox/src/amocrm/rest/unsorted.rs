//! `/leads/unsorted`: incoming leads and what becomes of them (reference 4.7).

use serde_json::{Value, json};

use super::problem::{ItemError, Problem};
use super::{Answer, Reply, Request};
use crate::amocrm::cards::{Category, Lead, LeadStatus};
use crate::amocrm::fields::Entity;
use crate::amocrm::hooks::event;
use crate::amocrm::leads::Move;
use crate::amocrm::pipelines;

pub(crate) fn list(request: &mut Request<'_>) -> Answer {
    let categories = request.query.all("filter[category]");
    let pipelines = request.query.numbers("filter[pipeline_id]");
    let uids = request.query.all("filter[uid]");
    let mut found: Vec<&Lead> = waiting(request)
        .filter(|lead| categories.is_empty() || categories.contains(&lead.category.word()))
        .filter(|lead| pipelines.is_empty() || pipelines.contains(&lead.pipeline_id))
        .filter(|lead| uids.is_empty() || uids.contains(&lead.unsorted_uid.as_str()))
        .collect();
    if request.query.find("order[created_at]") == Some("desc") {
        found.reverse();
    }
    let shown = found.into_iter().map(|lead| shown(request, lead)).collect();
    request.page("unsorted", shown)
}

pub(crate) fn show(request: &mut Request<'_>, uid: &str) -> Answer {
    Ok(Reply::ok(shown(request, find(request, uid)?)))
}

pub(crate) fn summary(request: &mut Request<'_>) -> Answer {
    let leads = || request.state.account.leads.values().filter(|lead| !lead.unsorted_uid.is_empty());
    let count = |status: LeadStatus| leads().filter(|lead| lead.status == status).count();
    let waiting = |category| {
        let of = leads().filter(|lead| lead.category == category && lead.status == LeadStatus::Unsorted);
        json!({"total": of.count()})
    };
    Ok(Reply::ok(json!({
        "total": leads().count(),
        "accepted": count(LeadStatus::Accepted) + count(LeadStatus::Closed),
        "declined": count(LeadStatus::Declined),
        "average_sort_time": 0,
        "categories": {"chats": waiting(Category::Chats), "sip": waiting(Category::Sip),
            "forms": waiting(Category::Forms), "mail": {"total": 0}},
    })))
}

/// Into a stage of the pipeline, the first one unless named.
pub(crate) fn accept(request: &mut Request<'_>, uid: &str) -> Answer {
    let lead = find(request, uid)?.clone();
    let body = request.json().unwrap_or_default();
    let status_id = body["status_id"].as_u64();
    let pipeline = pipelines::find(lead.pipeline_id);
    if let (Some(pipeline), Some(status)) = (pipeline, status_id)
        && !pipeline.has(status)
    {
        let detail = "The value you selected is not a valid choice.";
        return Err(Problem::invalid(vec![ItemError::new("0", "NotSupportedChoice", "status_id", detail)]));
    }
    let answer = outcome(&lead);
    if let (Some(user), Some(lead)) =
        (body["user_id"].as_u64(), request.state.account.leads.get_mut(&lead.id))
    {
        lead.details.responsible_user_id = user;
    }
    let to = Move { stage: status_id, ..Move::to(LeadStatus::Accepted) };
    request.amocrm.sort(request.state, lead.id, to, request.now_ms);
    Ok(Reply::ok(answer))
}

pub(crate) fn decline(request: &mut Request<'_>, uid: &str) -> Answer {
    let lead = find(request, uid)?.clone();
    request.amocrm.sort(request.state, lead.id, Move::to(LeadStatus::Declined), request.now_ms);
    Ok(Reply::ok(outcome(&lead)))
}

/// The chat moves to a lead that exists, and its contact becomes that lead's.
pub(crate) fn link(request: &mut Request<'_>, uid: &str) -> Answer {
    let unsorted = find(request, uid)?.clone();
    if unsorted.category != Category::Chats {
        return Err(Problem::bad("Only unsorted of categories chats and mail can be linked"));
    }
    let body = request.json()?;
    let to = &body["link"];
    let account = &mut request.state.account;
    let target = to["entity_id"].as_u64().and_then(|id| account.leads.get(&id)).cloned();
    let target = target.filter(|target| to["entity_type"] == "leads" && target.id != unsorted.id);
    let Some(target) = target else {
        let error = ItemError::new("0", "EntityNotFound", "link.entity_id", "Entity not found.");
        return Err(Problem::invalid(vec![error]));
    };
    let contact = to["metadata"]["contact_id"].as_u64().or(target.contact_id).or(unsorted.contact_id);
    let gone = account.absorb(unsorted.id, target.id, contact);
    let result = event::Sorted { action: "link", lead: &unsorted, to: Some(target.id) };
    let told = event::delete_unsorted(&result, request.now_secs());
    if let (Some(gone), Some(contact)) = (gone, contact) {
        request.state.notes.hand_over(Entity::Contacts, gone, contact);
    }
    request.amocrm.announce(request.state, [told]);
    Ok(Reply::ok(json!({
        "uid": unsorted.unsorted_uid,
        "pipeline_id": target.pipeline_id,
        "category": unsorted.category.word(),
        "_embedded": {"leads": [{"id": target.id}], "contacts": [{"id": contact}], "companies": []},
    })))
}

fn waiting<'a>(request: &'a Request<'_>) -> impl Iterator<Item = &'a Lead> {
    request.state.account.leads.values().filter(|lead| lead.status == LeadStatus::Unsorted)
}

fn find<'a>(request: &'a Request<'_>, uid: &str) -> Result<&'a Lead, Problem> {
    let found = waiting(request).find(|lead| lead.unsorted_uid == uid);
    found.ok_or_else(|| Problem::not_found("Unsorted not found"))
}

fn outcome(lead: &Lead) -> Value {
    json!({
        "uid": lead.unsorted_uid,
        "pipeline_id": lead.pipeline_id,
        "category": lead.category.word(),
        "_embedded": {"leads": [{"id": lead.id}], "contacts": [{"id": lead.contact_id}], "companies": []},
    })
}

fn shown(request: &Request<'_>, lead: &Lead) -> Value {
    let account = &request.state.account;
    let at = lead.created_at_ms / 1000;
    let chat_id = lead.chat_id.as_deref().unwrap_or_default();
    let channel_chat = account.channel_chats.get(chat_id);
    let code = channel_chat.and_then(|chat| request.state.amojo.channel(&chat.channel)).map(|it| &it.code);
    let service = code.map_or("telegram", String::as_str);
    let channel_text = || channel_chat.and_then(|chat| chat.messages.back()).map(|line| line.text.clone());
    let own_text = || account.chats.get(chat_id)?.messages.back()?.text.clone();
    let name = lead.contact_id.and_then(|id| account.contacts.get(&id)).map(|contact| &contact.name);
    let mut metadata = json!({"from": name, "to": lead.source, "received_at": at, "service": service});
    match lead.category {
        Category::Chats => {
            metadata["client"] = json!({"name": name, "avatar": null});
            metadata["origin"] = json!({"chat_id": chat_id, "ref": null, "visitor_uid": null});
            metadata["last_message_text"] = json!(channel_text().or_else(own_text));
            metadata["source_name"] = json!(lead.source);
        }
        Category::Forms => metadata = json!({"form_name": lead.source, "form_sent_at": at}),
        Category::Sip => metadata = json!({"from": name, "called_at": at}),
    }
    json!({
        "uid": lead.unsorted_uid,
        "source_uid": format!("amojo:{service}:{chat_id}"),
        "source_name": lead.source,
        "category": lead.category.word(),
        "pipeline_id": lead.pipeline_id,
        "created_at": at,
        "metadata": metadata,
        "account_id": account.id,
        "_links": request.link(&format!("leads/unsorted/{}", lead.unsorted_uid)),
        "_embedded": {"contacts": [{"id": lead.contact_id}], "leads": [{"id": lead.id}], "companies": []},
    })
}
