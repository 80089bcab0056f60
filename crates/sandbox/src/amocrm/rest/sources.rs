//! `/sources` (reference 4.8): administrators of integrations with an archive that lists `lead_sources`.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::problem::{ItemError, Problem};
use super::reading::request_id;
use super::{Answer, Reply, Request};
use crate::amocrm::pipelines;
use crate::amocrm::sources::{LIMIT, Source};

/// The sources page says 36 where the chat pages say 40.
const EXTERNAL_ID: usize = 36;
/// So many at once.
const BATCH: usize = 50;
const MISSING: &str = "This field is missing.";

pub(crate) fn serve(request: &mut Request<'_>, method: &Method, rest: &[&str]) -> Answer {
    request.must_not_be_external()?;
    request.must_be_admin()?;
    if !request.integration.lead_sources {
        return Err(Problem::forbidden());
    }
    let id = match rest {
        [] => None,
        [id] => Some(id.parse().map_err(|_no_id| Problem::not_found("Source not found"))?),
        _ => return Err(Problem::not_found("Not found")),
    };
    match (method.as_str(), id) {
        ("GET", None) => list(request),
        ("GET", Some(id)) => match request.state.account.sources.find(&request.integration.client_id, id) {
            None => Ok(Reply::none()),
            Some(source) => Ok(Reply::ok(shown(request, source, None))),
        },
        ("POST", None) => add(request),
        ("PATCH", id) => change(request, id),
        ("DELETE", id) => remove(request, id),
        _ => Err(Problem::no_method()),
    }
}

fn list(request: &mut Request<'_>) -> Answer {
    let wanted = request.query.all("filter[external_id]");
    let own = request.state.account.sources.of(&request.integration.client_id);
    let found: Vec<Value> = own
        .filter(|source| wanted.is_empty() || wanted.contains(&source.external_id.as_str()))
        .map(|source| shown(request, source, None))
        .collect();
    if found.is_empty() {
        return Ok(Reply::none());
    }
    Ok(Reply::ok(json!({
        "_total_items": found.len(),
        "_links": request.link("sources"),
        "_embedded": {"sources": found},
    })))
}

fn add(request: &mut Request<'_>) -> Answer {
    let items = request.items()?;
    if items.len() > BATCH {
        return Err(Problem::unprocessable(&format!("Limit {BATCH} per request")));
    }
    let client_id = request.integration.client_id.clone();
    let there = request.state.account.sources.of(&client_id).count();
    if there + items.len() > LIMIT {
        return Err(Problem::unprocessable(&format!("Limit {LIMIT} of sources is reached")));
    }
    let mut errors = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let request_id = request_id(index, item);
        let external_id = item["external_id"].as_str().unwrap_or_default();
        let twice = || items[..index].iter().any(|other| other["external_id"] == external_id);
        let known = request.state.account.sources.find_external(&client_id, external_id).is_some();
        let mut wrong = |code, path: &str, detail: &str| {
            errors.push(ItemError::new(&request_id, code, path, detail));
        };
        if item["name"].as_str().is_none_or(str::is_empty) {
            wrong("FieldMissing", "name", MISSING);
        }
        if external_id.is_empty() {
            wrong("FieldMissing", "external_id", MISSING);
        } else if external_id.len() > EXTERNAL_ID
            || !external_id.bytes().all(|byte| (b' '..=b'~').contains(&byte))
        {
            wrong("InvalidFormat", "external_id", "At most 36 printable ASCII characters.");
        } else if known || twice() {
            wrong("AlreadyExists", "external_id", "This external_id is used already.");
        }
        check_common(item, &mut wrong);
    }
    if !errors.is_empty() {
        return Err(Problem::invalid(errors));
    }
    let mut added = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let account = &mut request.state.account;
        let text = |name: &str| item[name].as_str().map(ToOwned::to_owned);
        let source = Source {
            id: 0,
            client_id: client_id.clone(),
            name: text("name").unwrap_or_default(),
            external_id: text("external_id").unwrap_or_default(),
            pipeline_id: item["pipeline_id"].as_u64().unwrap_or(account.pipeline_id),
            default: item["default"].as_bool().unwrap_or(false),
            origin_code: text("origin_code"),
            services: if item["services"].is_array() { item["services"].clone() } else { json!([]) },
        };
        let source = account.sources.add(source).clone();
        added.push(shown(request, &source, Some(request_id(index, item))));
    }
    Ok(Reply::ok(json!({"_total_items": added.len(), "_embedded": {"sources": added}})))
}

fn change(request: &mut Request<'_>, id: Option<u64>) -> Answer {
    let items = request.changes(id)?;
    if items.len() > BATCH {
        return Err(Problem::unprocessable(&format!("Limit {BATCH} per request")));
    }
    let client_id = request.integration.client_id.clone();
    let mut errors = Vec::new();
    let mut sources = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let request_id = request_id(index, item);
        let mut wrong = |code, path: &str, detail: &str| {
            errors.push(ItemError::new(&request_id, code, path, detail));
        };
        let known = item["id"].as_u64().and_then(|id| request.state.account.sources.find(&client_id, id));
        let Some(source) = known else {
            wrong("EntityNotFound", "id", "Entity not found.");
            continue;
        };
        if item["external_id"].as_str().is_some_and(|given| given != source.external_id) {
            wrong("NotSupportedChoice", "external_id", "The external_id of a source cannot be changed.");
        }
        check_common(item, &mut wrong);
        let mut source = source.clone();
        if let Some(name) = item["name"].as_str() {
            name.clone_into(&mut source.name);
        }
        source.pipeline_id = item["pipeline_id"].as_u64().unwrap_or(source.pipeline_id);
        source.default = item["default"].as_bool().unwrap_or(source.default);
        if let Some(code) = item["origin_code"].as_str() {
            source.origin_code = Some(code.to_owned());
        }
        if item["services"].is_array() {
            source.services = item["services"].clone();
        }
        sources.push((source, request_id.clone()));
    }
    if !errors.is_empty() {
        return Err(Problem::invalid(errors));
    }
    let mut changed = Vec::new();
    for (source, request_id) in sources {
        request.state.account.sources.replace(source.clone());
        changed.push(shown(request, &source, Some(request_id)));
    }
    match (id, changed.pop()) {
        (Some(_), Some(one)) => Ok(Reply::ok(one)),
        (_, last) => {
            changed.extend(last);
            Ok(Reply::ok(json!({"_total_items": changed.len(), "_embedded": {"sources": changed}})))
        }
    }
}

fn check_common(item: &Value, wrong: &mut impl FnMut(&'static str, &str, &str)) {
    let pipeline = &item["pipeline_id"];
    if !pipeline.is_null() && pipeline.as_u64().and_then(pipelines::find).is_none() {
        wrong("NotSupportedChoice", "pipeline_id", "The value you selected is not a valid choice.");
    }
    if !(item["default"].is_null() || item["default"].is_boolean()) {
        wrong("InvalidType", "default", "This value should be of type bool.");
    }
}

/// One by its id, or an array; its errors have a key of their own and no arrays inside.
fn remove(request: &mut Request<'_>, id: Option<u64>) -> Answer {
    let client_id = request.integration.client_id.clone();
    if let Some(id) = id {
        return match request.state.account.sources.remove(&client_id, id) {
            Some(_) => Ok(Reply::none()),
            None => Err(Problem::not_found("Source not found")),
        };
    }
    let items = request.items()?;
    let errors: Vec<Value> = items
        .iter()
        .enumerate()
        .filter(|(_, item)| {
            let known = item["id"].as_u64().and_then(|id| request.state.account.sources.find(&client_id, id));
            known.is_none()
        })
        .map(|(index, item)| {
            let error = json!({"code": "EntityNotFound", "path": "id", "detail": "Entity not found."});
            json!({"request_id": request_id(index, item), "errors": error})
        })
        .collect();
    if !errors.is_empty() {
        let body = json!({"errors": errors, "title": "Bad Request", "type": "https://httpstatus.es/400",
            "status": 400, "detail": "Request validation failed"});
        return Err(Problem::with(StatusCode::BAD_REQUEST, body));
    }
    for id in items.iter().filter_map(|item| item["id"].as_u64()) {
        request.state.account.sources.remove(&client_id, id);
    }
    Ok(Reply::none())
}

fn shown(request: &Request<'_>, source: &Source, request_id: Option<String>) -> Value {
    let mut shown = json!(source);
    shown["_links"] = request.link(&format!("sources/{}", source.id));
    if let Some(request_id) = request_id {
        shown["request_id"] = json!(request_id);
    }
    shown
}
