//! REST v4, as far as an integration with a channel needs it (reference 4): who asks is checked here, then each
//! area has a file of its own.
//!
//! Empty lists and missing cards are 204; every answer is hal+json, every error problem+json.

#![expect(
    clippy::unnecessary_wraps,
    reason = "methods answer alike, whether or not one of them can be refused"
)]

mod account;
mod contact_chats;
mod contacts;
mod custom_fields;
mod events;
mod filters;
mod leads;
mod limit;
mod links;
mod notes;
mod pipelines;
pub(crate) mod problem;
mod reading;
mod sources;
mod tags;
mod talks;
mod unsorted;
mod unsorted_add;
mod users;
mod webhooks;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

pub(crate) use self::limit::Limits;
pub(crate) use self::notes::Notes;
use self::problem::Problem;
use self::reading::Query;
use crate::amocrm::calls::{Call, Part};
use crate::amocrm::cards::Category;
use crate::amocrm::door::Kill;
use crate::amocrm::fields::Entity;
use crate::amocrm::group_fault::{GroupFault, Occasion};
use crate::amocrm::integrations::{Integration, IntegrationKind};
use crate::amocrm::users::User;
use crate::amocrm::{AmoCrm, State, oauth};

/// One request with everything a method needs.
pub(crate) struct Request<'a> {
    pub(crate) amocrm: &'a AmoCrm,
    pub(crate) state: &'a mut State,
    pub(crate) user: User,
    pub(crate) integration: Integration,
    pub(crate) query: Query,
    body: &'a [u8],
    /// A session's cookies beside the token: some methods refuse that.
    pub(crate) has_cookies: bool,
    /// `https://<account>` as the caller knows it.
    pub(crate) base: String,
    /// Path and query, for links.
    pub(crate) target: String,
    pub(crate) now_ms: i64,
}

/// An answer that is not an error.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) body: Option<Value>,
}

type Answer = Result<Reply, Problem>;

impl Reply {
    pub(crate) fn ok(body: Value) -> Self {
        Self { status: StatusCode::OK, body: Some(body) }
    }

    pub(crate) fn created(body: Value) -> Self {
        Self { status: StatusCode::CREATED, body: Some(body) }
    }

    /// Nothing there, or nothing to say.
    pub(crate) fn none() -> Self {
        Self { status: StatusCode::NO_CONTENT, body: None }
    }
}

impl Request<'_> {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Result<Value, Problem> {
        serde_json::from_slice(self.body).map_err(|_bad| Problem::bad("Request body is not valid"))
    }

    /// The body as a batch: an array, which must not be empty.
    pub(crate) fn items(&self) -> Result<Vec<Value>, Problem> {
        match self.json()? {
            Value::Array(items) if items.len() > 250 => Err(Problem::unprocessable("Limit 250 per request")),
            Value::Array(items) if !items.is_empty() => Ok(items),
            Value::Array(_) => Err(Problem::bad("Request data can not be empty")),
            _ => Err(Problem::bad("Request body must be an array")),
        }
    }

    /// The items of a PATCH: an array of objects with ids, or one object whose id is in the path.
    pub(crate) fn changes(&self, id: Option<u64>) -> Result<Vec<Value>, Problem> {
        let Some(id) = id else { return self.items() };
        match self.json()? {
            Value::Object(mut item) => {
                item.insert("id".to_owned(), id.into());
                Ok(vec![Value::Object(item)])
            }
            _ => Err(Problem::bad("Request body must be an object")),
        }
    }

    pub(crate) fn now_secs(&self) -> i64 {
        self.now_ms.div_euclid(1000)
    }

    /// The address of an entity.
    pub(crate) fn link(&self, path: &str) -> Value {
        serde_json::json!({"self": {"href": format!("{}/api/v4/{path}", self.base)}})
    }

    fn must_be_admin(&self) -> Result<(), Problem> {
        if self.user.is_admin { Ok(()) } else { Err(Problem::forbidden()) }
    }

    /// External integrations have neither users nor sources (reference 6.1).
    fn must_not_be_external(&self) -> Result<(), Problem> {
        if self.integration.kind == IntegrationKind::External { Err(Problem::forbidden()) } else { Ok(()) }
    }
}

/// Everything below `/api/v4/`.
pub(crate) async fn serve(
    Shared(amocrm): Shared<AmoCrm>,
    Extension(kill): Extension<Kill>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let now_ms = amocrm.clock().now_ms();
    let path = uri.path().trim_start_matches("/api/v4/").to_owned();
    let endpoint = path.split('/').next().unwrap_or_default();
    let (answer, fault) = {
        let mut state = amocrm.lock();
        let fault = state.next_fault(Occasion { on: Part::Rest, endpoint, channel: None, now_ms });
        let mut call = Call::new(Part::Rest, endpoint, now_ms, &method, &uri, &headers, body.clone());
        let answer = if fault.as_ref().is_none_or(GroupFault::is_taken) {
            let done = admit(&mut state, &headers, now_ms).and_then(|(user, integration)| {
                let host = oauth::host_of(&headers);
                // The real hosts are reached through TLS; an address of this machine is not.
                let scheme =
                    if host.contains("amocrm.") || host.contains("kommo.") { "https" } else { "http" };
                let mut request = Request {
                    amocrm: &amocrm,
                    state: &mut state,
                    user,
                    integration,
                    query: Query::of(uri.query()),
                    body: &body,
                    has_cookies: headers.contains_key(header::COOKIE),
                    base: format!("{scheme}://{host}"),
                    target: uri.to_string(),
                    now_ms,
                };
                dispatch(&mut request, &method, &path)
            });
            match done {
                Ok(reply) => reply.into_response(),
                Err(problem) => {
                    call.refused = Some(problem.detail());
                    problem.into_response()
                }
            }
        } else {
            StatusCode::OK.into_response()
        };
        call.status = match &fault {
            None | Some(GroupFault::Slow { .. }) => Some(answer.status().as_u16()),
            Some(fault) => fault.status().map(|status| status.as_u16()),
        };
        call.fault.clone_from(&fault);
        state.calls.add(call);
        (answer, fault)
    };
    let mut answer = oauth::misbehave(&amocrm, kill, fault, answer).await;
    if let Ok(id) = header::HeaderValue::from_str(&amocrm.lock().account.uuid()) {
        answer.headers_mut().insert("x-request-id", id);
    }
    answer
}

/// Who asks: the bearer's user, or the one he acts for; and whether he is not asking too often.
fn admit(state: &mut State, headers: &HeaderMap, now_ms: i64) -> Result<(User, Integration), Problem> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let token = header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    let access = token.and_then(|token| state.tokens.find(token, now_ms)).cloned();
    let access = access.ok_or_else(Problem::unauthorized)?;
    let account = &state.account;
    let integration = account.integrations.get(&access.client_id).filter(|it| it.enabled);
    let integration = integration.cloned().ok_or_else(Problem::unauthorized)?;
    let find = |id: u64| account.users.iter().find(|user| user.id == id);
    let granted_by = find(access.user_id).ok_or_else(Problem::unauthorized)?;
    let user = match header("x-context-user-id") {
        None => granted_by,
        Some(id) if granted_by.is_admin => {
            id.parse().ok().and_then(find).filter(|user| user.is_active).ok_or_else(Problem::unauthorized)?
        }
        Some(_) => return Err(Problem::unauthorized()),
    };
    let user = user.clone();
    if !state.limits.take(&access.client_id, now_ms) {
        return Err(Problem::too_many(1));
    }
    if !state.account.paid {
        return Err(Problem::payment());
    }
    Ok((user, integration))
}

fn dispatch(request: &mut Request<'_>, method: &Method, path: &str) -> Answer {
    let parts: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    let number = |text: &str| text.parse::<u64>().map_err(|_no_id| Problem::not_found("Not found"));
    match (method.as_str(), &parts[..]) {
        ("GET", ["account"]) => account::show(request),
        ("GET", ["users"]) => users::list(request),
        ("GET", ["users", id]) => users::show(request, number(id)?),
        ("GET", ["contacts", "chats"]) => contact_chats::list(request),
        ("POST", ["contacts", "chats"]) => contact_chats::add(request),
        (_, [entity @ ("contacts" | "leads"), rest @ ..])
            if rest.iter().take(2).any(|part| OF_BOTH.contains(part)) =>
        {
            let entity = if *entity == "contacts" { Entity::Contacts } else { Entity::Leads };
            of_entity(request, method, entity, rest)
        }
        ("GET", ["contacts"]) => contacts::list(request),
        ("POST", ["contacts"]) => contacts::add(request),
        ("PATCH", ["contacts"]) => contacts::change(request, None),
        ("GET", ["contacts", id]) => contacts::show(request, number(id)?),
        ("PATCH", ["contacts", id]) => contacts::change(request, Some(number(id)?)),
        (_, ["leads", "pipelines" | "unsorted", ..]) => of_leads(request, method, &parts[1..]),
        ("GET", ["leads"]) => leads::list(request),
        ("POST", ["leads"]) => leads::add(request),
        ("POST", ["leads", "complex"]) => leads::add_complex(request),
        ("PATCH", ["leads"]) => leads::change(request, None),
        ("GET", ["leads", id]) => leads::show(request, number(id)?),
        ("PATCH", ["leads", id]) => leads::change(request, Some(number(id)?)),
        (_, ["sources", rest @ ..]) => sources::serve(request, method, rest),
        ("GET", ["talks"]) => talks::list(request),
        ("GET", ["talks", id]) => talks::show(request, number(id)?),
        ("POST", ["talks", id, "close"]) => talks::close(request, number(id)?),
        ("GET", ["events"]) => events::list(request),
        ("GET", ["webhooks"]) => webhooks::list(request),
        ("POST", ["webhooks"]) => webhooks::subscribe(request),
        ("DELETE", ["webhooks"]) => webhooks::unsubscribe(request),
        (_, ["account" | "events" | "users" | "contacts" | "leads" | "talks" | "webhooks", ..]) => {
            Err(Problem::no_method())
        }
        _ => Err(Problem::not_found("Not found")),
    }
}

/// What contacts and leads have alike.
const OF_BOTH: [&str; 5] = ["custom_fields", "notes", "links", "link", "unlink"];

fn of_entity(request: &mut Request<'_>, method: &Method, entity: Entity, rest: &[&str]) -> Answer {
    let number = |text: &str| text.parse::<u64>().map_err(|_no_id| Problem::not_found("Not found"));
    match (method.as_str(), rest) {
        ("GET", ["custom_fields"]) => custom_fields::list(request, entity),
        ("POST", ["custom_fields"]) => custom_fields::add(request, entity),
        ("GET", ["custom_fields", id]) => custom_fields::show(request, entity, number(id)?),
        ("GET", ["notes"]) => notes::list(request, entity, None),
        ("POST", ["notes"]) => notes::add(request, entity, None),
        ("PATCH", ["notes"] | [_, "notes"]) => notes::change(request, entity, None),
        ("GET", ["links"]) => links::list(request, entity, None),
        ("GET", [id, "links"]) => links::list(request, entity, Some(number(id)?)),
        ("POST", ["link"]) => links::link(request, entity, None),
        ("POST", [id, "link"]) => links::link(request, entity, Some(number(id)?)),
        ("POST", ["unlink"]) => links::unlink(request, entity, None),
        ("POST", [id, "unlink"]) => links::unlink(request, entity, Some(number(id)?)),
        ("GET", ["notes", id] | [_, "notes", id]) => notes::show(request, entity, number(id)?),
        ("PATCH", ["notes", id] | [_, "notes", id]) => notes::change(request, entity, Some(number(id)?)),
        ("GET", [id, "notes"]) => notes::list(request, entity, Some(number(id)?)),
        ("POST", [id, "notes"]) => notes::add(request, entity, Some(number(id)?)),
        _ => Err(Problem::no_method()),
    }
}

fn of_leads(request: &mut Request<'_>, method: &Method, rest: &[&str]) -> Answer {
    let number = |text: &str| text.parse::<u64>().map_err(|_no_id| Problem::not_found("Not found"));
    match (method.as_str(), rest) {
        ("GET", ["pipelines"]) => pipelines::list(request),
        ("GET", ["pipelines", id]) => pipelines::show(request, number(id)?),
        ("GET", ["pipelines", id, "statuses"]) => pipelines::statuses(request, number(id)?),
        ("GET", ["unsorted"]) => unsorted::list(request),
        ("GET", ["unsorted", "summary"]) => unsorted::summary(request),
        ("GET", ["unsorted", uid]) => unsorted::show(request, uid),
        ("POST", ["unsorted", "forms"]) => unsorted_add::add(request, Category::Forms),
        ("POST", ["unsorted", "sip"]) => unsorted_add::add(request, Category::Sip),
        ("POST", ["unsorted", uid, "accept"]) => unsorted::accept(request, uid),
        ("DELETE", ["unsorted", uid, "decline"]) => unsorted::decline(request, uid),
        ("POST", ["unsorted", uid, "link"]) => unsorted::link(request, uid),
        _ => Err(Problem::no_method()),
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        match self.body {
            None => self.status.into_response(),
            Some(body) => (self.status, [(header::CONTENT_TYPE, "application/hal+json")], body.to_string())
                .into_response(),
        }
    }
}
