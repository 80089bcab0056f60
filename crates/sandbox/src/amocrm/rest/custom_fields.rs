//! `/contacts/custom_fields`, `/leads/custom_fields` (reference 4.4).

use serde_json::{Value, json};

use super::problem::{ItemError, Problem};
use super::reading::request_id;
use super::{Answer, Reply, Request};
use crate::amocrm::fields::{Entity, Field, is_type};

pub(crate) fn list(request: &mut Request<'_>, entity: Entity) -> Answer {
    let fields = request.state.account.fields.of(entity).map(|field| shown(request, field)).collect();
    request.page("custom_fields", fields)
}

pub(crate) fn show(request: &mut Request<'_>, entity: Entity, id: u64) -> Answer {
    let field = request.state.account.fields.find(id).filter(|field| field.entity_type == entity);
    let field = field.ok_or_else(|| Problem::not_found("Custom field not found"))?;
    Ok(Reply::ok(shown(request, field)))
}

/// New fields; an administrator makes them.
pub(crate) fn add(request: &mut Request<'_>, entity: Entity) -> Answer {
    request.must_be_admin()?;
    let items = request.items()?;
    let mut errors = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let id = request_id(index, item);
        if item["name"].as_str().is_none_or(str::is_empty) {
            errors.push(ItemError::new(&id, "FieldMissing", "name", "This field is missing."));
        }
        if !item["type"].as_str().is_some_and(is_type) {
            let detail = "The value you selected is not a valid choice.";
            errors.push(ItemError::new(&id, "NotSupportedChoice", "type", detail));
        }
        let code = item["code"].as_str();
        if code.is_some() && request.state.account.fields.of(entity).any(|it| it.code.as_deref() == code) {
            errors.push(ItemError::new(&id, "AlreadyExists", "code", "This code is used already."));
        }
    }
    if !errors.is_empty() {
        return Err(Problem::invalid(errors));
    }
    let mut added = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let text = |name: &str| item[name].as_str().map(ToOwned::to_owned);
        let field = Field {
            id: 0,
            name: text("name").unwrap_or_default(),
            kind: text("type").unwrap_or_default(),
            code: text("code"),
            sort: item["sort"].as_u64().unwrap_or(500),
            is_api_only: item["is_api_only"].as_bool().unwrap_or(false),
            enums: item["enums"].as_array().cloned(),
            entity_type: entity,
        };
        let field = request.state.account.fields.add(field).clone();
        let mut one = shown(request, &field);
        one["request_id"] = json!(request_id(index, item));
        added.push(one);
    }
    Ok(Reply::created(json!({
        "_total_items": added.len(),
        "_embedded": {"custom_fields": added},
    })))
}

fn shown(request: &Request<'_>, field: &Field) -> Value {
    let mut shown = json!(field);
    shown["account_id"] = json!(request.state.account.id);
    shown["is_predefined"] = json!(field.id < 702_100);
    shown["is_deletable"] = json!(field.id > 702_100);
    shown["is_visible"] = json!(true);
    shown["is_required"] = json!(false);
    shown["required_statuses"] = json!([]);
    shown["group_id"] = Value::Null;
    shown["settings"] = Value::Null;
    shown["remind"] = Value::Null;
    shown["currency"] = Value::Null;
    shown["_links"] = request.link(&format!("{}/custom_fields/{}", field.entity_type.path(), field.id));
    shown
}
