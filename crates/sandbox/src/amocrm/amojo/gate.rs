//! The way in: which method is meant, whether the signature is right, what is answered, and the record of it all.
//!
//! Checked in this order (reference 8.1): the channel, the signature over the headers as sent, the date, the
//! checksum of the body, the content type, the scope.

use std::time::Duration;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use jiff::fmt::rfc2822;
use serde_json::Value;

use super::answer::{Answer, Refusal, envelope};
use super::fields::{Fields, Invalid};
use super::sign::{self, Signed};
use crate::amocrm::calls::{Call, Part};
use crate::amocrm::door::Kill;
use crate::amocrm::group_fault::{GroupFault, Occasion};
use crate::amocrm::{AmoCrm, State};

/// A signature is good for so long.
const DATE_WINDOW_MS: i64 = 15 * 60 * 1000;

/// One method of the API with the ids in its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Endpoint<'a> {
    Connect,
    Disconnect,
    CreateChat,
    /// `new_message` and `edit_message`.
    Message,
    DeliveryStatus(&'a str),
    History(&'a str),
    Typing,
    React,
}

impl Endpoint<'_> {
    fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Disconnect => "disconnect",
            Self::CreateChat => "chats",
            Self::Message => "message",
            Self::DeliveryStatus(_) => "delivery_status",
            Self::History(_) => "history",
            Self::Typing => "typing",
            Self::React => "react",
        }
    }
}

/// What a path names: the method, the channel, and the scope where there is one.
struct Target<'a> {
    endpoint: Endpoint<'a>,
    channel: &'a str,
    scope: Option<&'a str>,
}

impl<'a> Target<'a> {
    fn of(method: &Method, path: &'a str) -> Option<Self> {
        let mut parts = path.strip_prefix("/v2/origin/custom/")?.split('/');
        let first = parts.next()?;
        let rest: Vec<&str> = parts.collect();
        let post = *method == Method::POST;
        let endpoint = match rest[..] {
            ["connect"] if post => Endpoint::Connect,
            ["disconnect"] if *method == Method::DELETE => Endpoint::Disconnect,
            [] if post => Endpoint::Message,
            ["chats"] if post => Endpoint::CreateChat,
            ["typing"] if post => Endpoint::Typing,
            ["react"] if post => Endpoint::React,
            [message, "delivery_status"] if post => Endpoint::DeliveryStatus(message),
            ["chats", chat, "history"] if *method == Method::GET => Endpoint::History(chat),
            _ => return None,
        };
        Some(match endpoint {
            Endpoint::Connect | Endpoint::Disconnect => Self { endpoint, channel: first, scope: None },
            _ => Self { endpoint, channel: first.split('_').next()?, scope: Some(first) },
        })
    }
}

/// Everything below `/v2/origin/custom/`.
pub(crate) async fn serve(
    Shared(amocrm): Shared<AmoCrm>,
    Extension(kill): Extension<Kill>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let now_ms = amocrm.clock().now_ms();
    let (answer, fault) = {
        let mut state = amocrm.lock();
        let target = Target::of(&method, uri.path());
        let name = match &target {
            Some(Target { endpoint: Endpoint::Message, .. }) => message_name(&body),
            Some(target) => target.endpoint.name(),
            None => "unknown",
        };
        let channel = target.as_ref().map(|target| target.channel);
        let occasion = Occasion { on: Part::Amojo, endpoint: name, channel, now_ms };
        let fault = state.next_fault(occasion);
        let mut call = Call::new(Part::Amojo, name, now_ms, &method, &uri, &headers, body.clone());
        call.channel = channel.map(ToOwned::to_owned);
        let answer = if fault.as_ref().is_none_or(GroupFault::is_taken) {
            let carried_out = target
                .ok_or(Refusal::WrongPath)
                .and_then(|target| {
                    admit(&state, &target, &method, &uri, &headers, &body, now_ms).map(|()| target)
                })
                .and_then(|target| carry_out(&amocrm, &mut state, &target, &uri, &body, now_ms));
            carried_out.unwrap_or_else(|refusal| {
                call.refused = Some(refusal.why());
                refusal.answer()
            })
        } else {
            // Overwritten below: such a fault answers in its own way.
            Answer::bare(StatusCode::OK)
        };
        call.status = match &fault {
            None | Some(GroupFault::Slow { .. }) => Some(answer.status.as_u16()),
            Some(fault) => fault.status().map(|status| status.as_u16()),
        };
        call.fault.clone_from(&fault);
        state.calls.add(call);
        (answer, fault)
    };
    match fault {
        None => answer.into_response(),
        Some(GroupFault::Slow { ms }) => {
            amocrm.clock().sleep(Duration::from_millis(ms)).await;
            answer.into_response()
        }
        Some(GroupFault::Silence { .. }) => std::future::pending().await,
        Some(GroupFault::Reset { .. }) => match kill.now().await {},
        Some(fault) => bad_answer(fault),
    }
}

/// The answer of a fault that has one.
fn bad_answer(fault: GroupFault) -> Response {
    match fault {
        GroupFault::Status { code, body: Some(body), retry_after, .. } => {
            crate::amocrm::with_retry_after((status(code), body).into_response(), retry_after)
        }
        GroupFault::Status { code, body: None, retry_after, .. } => {
            let answer = match code {
                400 => Refusal::Invalid(Invalid::planned()).answer(),
                403 => Refusal::Signature("planned").answer(),
                404 => Refusal::NotRegistered("planned").answer(),
                429 => envelope(status(code), "TOO_MANY_REQUESTS", "too many requests"),
                500.. => envelope(status(code), "INTERNAL_ERROR", "internal error"),
                _ => Answer::bare(status(code)),
            };
            crate::amocrm::with_retry_after(answer.into_response(), retry_after)
        }
        GroupFault::DuplicateMsgid => Refusal::Invalid(Invalid::duplicate()).answer().into_response(),
        GroupFault::StaleDate
        | GroupFault::Ban
        | GroupFault::Lost
        | GroupFault::Late { .. }
        | GroupFault::Silence { .. }
        | GroupFault::Reset { .. }
        | GroupFault::Slow { .. } => Refusal::Signature("planned").answer().into_response(),
    }
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// For faults and the record: which of the two events a message call is.
fn message_name(body: &[u8]) -> &'static str {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    if body["event_type"] == "edit_message" { "edit_message" } else { "new_message" }
}

/// Whether whoever calls may.
fn admit(
    state: &State,
    target: &Target<'_>,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
    now_ms: i64,
) -> Result<(), Refusal> {
    let channel =
        state.amojo.channel(target.channel).ok_or(Refusal::NotRegistered("there is no such channel"))?;
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let signed = Signed {
        method: method.as_str(),
        content_md5: header("content-md5"),
        content_type: header("content-type"),
        date: header("date"),
        path: uri.path(),
    };
    if header("x-signature") != signed.signature(&channel.secret) {
        return Err(Refusal::Signature("the signature is not this request's"));
    }
    let date =
        rfc2822::parse(signed.date).map_err(|_unreadable| Refusal::Signature("the date cannot be read"));
    if (date?.timestamp().as_millisecond() - now_ms).abs() > DATE_WINDOW_MS {
        return Err(Refusal::Signature("the date is more than 15 minutes away"));
    }
    if signed.content_md5 != sign::content_md5(body) {
        return Err(Refusal::Signature("Content-MD5 is not this body's"));
    }
    if signed.content_type.split(';').next().map(str::trim) != Some("application/json") {
        return Err(Invalid::of("Content-Type", "must be application/json").into());
    }
    match target.scope {
        None => Ok(()),
        Some(scope) if channel.scope_id().as_deref() == Some(scope) => Ok(()),
        Some(_) => Err(Refusal::NotRegistered("the channel is not connected with this scope")),
    }
}

fn carry_out(
    amocrm: &AmoCrm,
    state: &mut State,
    target: &Target<'_>,
    uri: &Uri,
    body: &[u8],
    now_ms: i64,
) -> Result<Answer, Refusal> {
    let channel = target.channel;
    if let Endpoint::History(chat) = target.endpoint {
        return super::history::answer(state, channel, chat, uri.query());
    }
    let body: Value = serde_json::from_slice(body).map_err(|error| Invalid::body(&error))?;
    let fields = Fields::of(&body)?;
    match target.endpoint {
        Endpoint::Connect => super::connect::connect(state, channel, &fields, now_ms),
        Endpoint::Disconnect => super::connect::disconnect(state, channel, &fields),
        Endpoint::CreateChat => super::chats::create(amocrm, state, channel, &fields, now_ms),
        Endpoint::Message => match fields.text("event_type")?.as_str() {
            "new_message" => super::accept::new_message(amocrm, state, channel, &fields, now_ms),
            "edit_message" => super::edit::edit_message(amocrm, state, channel, &fields),
            _ => Err(fields.invalid("event_type", "must be new_message or edit_message").into()),
        },
        Endpoint::DeliveryStatus(message) => super::status::set(state, channel, message, &fields, now_ms),
        Endpoint::Typing => super::signals::typing(state, channel, &fields, now_ms),
        Endpoint::React => super::signals::react(state, channel, &fields),
        Endpoint::History(_) => Err(Refusal::WrongPath),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_methods_and_nothing_else_does() {
        let of = |method: Method, path: &str| {
            let path = format!("/v2/origin/custom/{path}");
            Target::of(&method, &path).map(|target| {
                (target.endpoint.name(), target.channel.to_owned(), target.scope.map(ToOwned::to_owned))
            })
        };
        let scope = Some("c_a".to_owned());
        let expected = |name, scope: &Option<String>| Some((name, "c".to_owned(), scope.clone()));
        assert_eq!(of(Method::POST, "c/connect"), expected("connect", &None));
        assert_eq!(of(Method::DELETE, "c/disconnect"), expected("disconnect", &None));
        assert_eq!(of(Method::POST, "c_a"), expected("message", &scope));
        assert_eq!(of(Method::POST, "c_a/m/delivery_status"), expected("delivery_status", &scope));
        assert_eq!(of(Method::GET, "c_a/chats/x/history"), expected("history", &scope));
        for (method, path) in
            [(Method::GET, "c/connect"), (Method::POST, "c_a/m/react"), (Method::POST, "c_a/chats/x/history")]
        {
            assert_eq!(of(method, path), None, "{path}");
        }
    }
}
