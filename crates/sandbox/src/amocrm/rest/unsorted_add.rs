//! Incoming leads that programs make: forms and calls (reference 4.7). Chats and mail come from amoCRM's own
//! machinery.

use serde_json::{Value, json};

use super::problem::{ItemError, Problem};
use super::reading::request_id;
use super::{Answer, Reply, Request, contacts, leads};
use crate::amocrm::account::Origin;
use crate::amocrm::cards::Category;
use crate::amocrm::pipelines;

/// `POST /leads/unsorted/forms`, `.../sip`.
pub(crate) fn add(request: &mut Request<'_>, category: Category) -> Answer {
    let items = request.items()?;
    check(request, &items)?;
    let mut added = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let (given_contact, given_lead) = (&item["_embedded"]["contacts"][0], &item["_embedded"]["leads"][0]);
        let now_ms = request.now_ms;
        let contact = request.state.account.add_contact(String::new(), None, None, now_ms);
        contacts::write(request, contact, given_contact);
        let from = Origin {
            source: item["source_name"].as_str().unwrap_or_default(),
            pipeline_id: item["pipeline_id"].as_u64().unwrap_or(request.state.account.pipeline_id),
            chat_id: None,
        };
        let lead = request.state.account.add_unsorted(contact, from, now_ms);
        let mut uid = String::new();
        if let Some(card) = request.state.account.leads.get_mut(&lead) {
            card.category = category;
            uid.clone_from(&card.unsorted_uid);
        }
        leads::write(request, lead, given_lead);
        added.push(json!({
            "uid": uid,
            "account_id": request.state.account.id,
            "request_id": request_id(index, item),
            "_links": request.link(&format!("leads/unsorted/{uid}")),
            "_embedded": {"contacts": [{"id": contact}], "leads": [{"id": lead}], "companies": []},
        }));
    }
    Ok(Reply::ok(json!({"_total_items": added.len(), "_links": request.link("leads/unsorted"),
        "_embedded": {"unsorted": added}})))
}

fn check(request: &Request<'_>, items: &[Value]) -> Result<(), Problem> {
    let mut errors = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let request_id = request_id(index, item);
        for name in ["source_uid", "source_name"] {
            if item[name].as_str().is_none_or(str::is_empty) {
                errors.push(ItemError::new(&request_id, "FieldMissing", name, "This field is missing."));
            }
        }
        if !item["metadata"].is_object() {
            errors.push(ItemError::new(&request_id, "FieldMissing", "metadata", "This field is missing."));
        }
        let pipeline = &item["pipeline_id"];
        if !pipeline.is_null() && pipeline.as_u64().and_then(pipelines::find).is_none() {
            let detail = "The value you selected is not a valid choice.";
            errors.push(ItemError::new(&request_id, "NotSupportedChoice", "pipeline_id", detail));
        }
    }
    if !errors.is_empty() {
        return Err(Problem::invalid(errors));
    }
    let embedded = |name: &str| -> Vec<Value> {
        items.iter().map(|item| item["_embedded"][name][0].clone()).filter(Value::is_object).collect()
    };
    contacts::check(request, &embedded("contacts"))?;
    leads::check(request, &embedded("leads"))
}
