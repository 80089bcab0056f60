//! The REST API: which operation is meant, whether the caller may, what is answered, and the record of it all.
//!
//! Only what the reference knows of is here; any other path is answered as one that does not exist.

mod account;
mod answer;
mod channels;
mod linking;
mod messages;
mod path;
mod users;
mod webhooks;

use std::time::Duration;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

pub(crate) use self::answer::bad_answer;
use self::answer::{Answer, Done, Refusal};
use self::path::{Endpoint, spelled_otherwise};
use super::Wahelp;
use super::fault::Fault;
use super::given::Given;
use super::output::ids_as_strings;
use super::record::Call;
use crate::amocrm::door::Kill;

/// One request, read as far as all operations need it.
struct Asked<'a> {
    uri: &'a Uri,
    headers: &'a HeaderMap,
    given: Given,
    now_ms: i64,
}

impl Asked<'_> {
    /// The bearer token.
    fn token(&self) -> Option<&str> {
        self.headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
    }

    /// A number of the query.
    fn number(&self, name: &str) -> Option<usize> {
        let mut pairs = form_urlencoded::parse(self.uri.query().unwrap_or_default().as_bytes());
        pairs.find(|(given, _)| given == name)?.1.parse().ok()
    }
}

/// Everything below `/api/app/`.
pub(crate) async fn serve(
    Shared(wahelp): Shared<Wahelp>,
    Extension(kill): Extension<Kill>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let now_ms = wahelp.clock().now_ms();
    let path = uri.path().strip_prefix("/api/app").unwrap_or_default();
    let endpoint = Endpoint::of(&method, path);
    let name = endpoint.as_ref().map_or("unknown", Endpoint::name);
    let (fault, n, redirect) = {
        let mut state = wahelp.lock();
        let fault = state.next_fault(name, now_ms);
        let other = endpoint.as_ref().and_then(|it| spelled_otherwise(it, path, state.switches.slashes));
        let redirect = other.map(|other| (state.switches.redirect_status, other));
        let mut call = Call::new(name, now_ms, &method, &uri, &headers, body.clone());
        call.fault.clone_from(&fault);
        (fault, state.calls.add(call), redirect)
    };
    if fault.is_none()
        && let Some((status, path)) = redirect
    {
        return redirected(&wahelp, n, status, &path, uri.query());
    }
    let answer = if fault.as_ref().is_none_or(Fault::is_taken) {
        let answer = match (endpoint, Given::read(&headers, &body).await) {
            (None, _) => Err(Refusal::NotFound("no operation of the API has this path")),
            (Some(_), Err(error)) => Err(Refusal::Invalid(crate::amocrm::in_words(&error))),
            (Some(endpoint), Ok(given)) => {
                let asked = Asked { uri: &uri, headers: &headers, given, now_ms };
                carry_out(&wahelp, &endpoint, &asked).await
            }
        };
        Some(finished(&wahelp, n, answer).await)
    } else {
        None
    };
    let status = match &fault {
        None | Some(Fault::Slow { .. }) => answer.as_ref().map(|answer| answer.status.as_u16()),
        Some(Fault::Status { code, .. } | Fault::Unsuccessful { code, .. }) => Some(*code),
        Some(_) => None,
    };
    if let Some(call) = wahelp.lock().calls.find(n) {
        call.status = status;
    }
    match (fault, answer) {
        (None, Some(answer)) => answer.into_response(),
        (Some(Fault::Slow { ms }), Some(answer)) => {
            wahelp.clock().sleep(Duration::from_millis(ms)).await;
            answer.into_response()
        }
        (Some(fault), _) => bad_answer(fault, kill).await,
        (None, None) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// The answer with its ids as the switch says, once the hooks that come first have come to their end.
async fn finished(wahelp: &Wahelp, n: u64, answer: Result<Done, Refusal>) -> Answer {
    let (mut answer, hooks) = {
        let mut state = wahelp.lock();
        match answer {
            Ok(Done { body, hooks }) => {
                let hooks = if state.switches.hook_before_answer { hooks } else { Vec::new() };
                (Answer { status: StatusCode::OK, body }, hooks)
            }
            Err(refusal) => {
                if let Some(call) = state.calls.find(n) {
                    call.refused = Some(refusal.why());
                }
                (refusal.answer(&state.switches), Vec::new())
            }
        }
    };
    wahelp.hooks_ended(&hooks).await;
    if wahelp.lock().switches.ids_as_strings {
        ids_as_strings(&mut answer.body);
    }
    answer
}

fn redirected(wahelp: &Wahelp, n: u64, status: u16, path: &str, query: Option<&str>) -> Response {
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    let location = format!("{}/api/app{path}{query}", wahelp.url());
    if let Some(call) = wahelp.lock().calls.find(n) {
        call.status = Some(status);
    }
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::MOVED_PERMANENTLY);
    (status, [(header::LOCATION, location)]).into_response()
}

async fn carry_out(wahelp: &Wahelp, endpoint: &Endpoint, asked: &Asked<'_>) -> Result<Done, Refusal> {
    match endpoint {
        Endpoint::Login => return account::login(&mut wahelp.lock(), asked),
        Endpoint::Refresh => return account::refresh(&mut wahelp.lock(), asked),
        _ => account::admit(&wahelp.lock(), asked)?,
    }
    // The account's other projects are as good as none (reference 3).
    if let Some(project) = endpoint.project()
        && !wahelp.lock().projects.contains_key(&project)
    {
        return Err(Refusal::NotFound("there is no such project"));
    }
    match endpoint {
        Endpoint::Login | Endpoint::Refresh | Endpoint::Account => Ok(account::show(&wahelp.lock())),
        Endpoint::Projects => Ok(account::projects(&wahelp.lock())),
        Endpoint::Project(project) => account::project(&wahelp.lock(), *project),
        Endpoint::Channels(project) => Ok(channels::list(&wahelp.lock(), *project)),
        Endpoint::Channel(project, channel) => channels::show(&wahelp.lock(), *project, channel),
        Endpoint::ChannelStatus(project, channel) => channels::status(&wahelp.lock(), *project, channel),
        Endpoint::Users(project, channel) => users::list(&wahelp.lock(), *project, channel, asked),
        Endpoint::AddUser(project, channel) => users::add(wahelp, *project, channel, asked),
        Endpoint::User(project, channel, user) => users::show(&wahelp.lock(), *project, channel, *user),
        Endpoint::ContactByPhone(project) => users::by_phone(wahelp, *project, asked),
        Endpoint::SendMessage(project, channel, user) => {
            messages::send(wahelp, *project, channel, *user, asked)
        }
        Endpoint::Messages(project, channel) => messages::list(&wahelp.lock(), *project, channel, asked),
        Endpoint::Message(project, channel, message) => {
            messages::show(&wahelp.lock(), *project, channel, *message)
        }
        Endpoint::Webhooks(project) => Ok(webhooks::list(&wahelp.lock(), *project)),
        Endpoint::AddWebhook(project) => webhooks::add(&mut wahelp.lock(), *project, asked),
        Endpoint::ChangeWebhook(project, webhook) => {
            webhooks::change(&mut wahelp.lock(), *project, webhook, asked)
        }
        Endpoint::RemoveWebhook(project, webhook) => webhooks::remove(&mut wahelp.lock(), *project, webhook),
        Endpoint::AmoConfig(project) => Ok(linking::config(&wahelp.lock(), *project)),
        Endpoint::AmoChannels(project) => Ok(linking::channels(&wahelp.lock(), *project)),
        Endpoint::AmoConnect(project, channel) => linking::connect(wahelp, *project, channel).await,
        Endpoint::AmoDisconnect(project, channel) => linking::disconnect(wahelp, *project, channel),
    }
}
