//! What amoCRM tells: a manager wrote to a client of a linked channel.

use axum::body::Bytes;
use axum::extract::{Path, State as Shared};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use serde_json::Value;

use super::Linkage;
use crate::amocrm::sign;
use crate::wahelp::Wahelp;
use crate::wahelp::client::digits;
use crate::wahelp::files::File;
use crate::wahelp::message::{NewMessage, Origin};
use crate::wahelp::record::Call;
use crate::wahelp::state::State;

const ENDPOINT: &str = "amocrm";

/// `POST /amocrm/{scope}`.
pub(crate) async fn hook(
    Shared(wahelp): Shared<Wahelp>,
    Path(scope): Path<String>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let now_ms = wahelp.clock().now_ms();
    let written = {
        let mut state = wahelp.lock();
        let linkage = state.projects.values().filter_map(|project| project.amocrm.as_ref());
        let linkage = linkage.into_iter().find(|linkage| linkage.scope == scope);
        let status = match linkage {
            None => StatusCode::NOT_FOUND,
            Some(linkage) if !is_signed(linkage, &headers, &body) => StatusCode::FORBIDDEN,
            Some(_) => StatusCode::OK,
        };
        let mut call = Call::new(ENDPOINT, now_ms, &method, &uri, &headers, body.clone());
        call.status = Some(status.as_u16());
        state.calls.add(call);
        if status != StatusCode::OK {
            return status;
        }
        Written::read(&body)
    };
    // Typing and reactions have no place in Wahelp.
    let Some(written) = written else { return StatusCode::OK };
    let file = match &written.media {
        None => None,
        Some(url) => wahelp.fetch(url, written.file_name.clone()).await,
    };
    let mut state = wahelp.lock();
    let state = &mut *state;
    let before = state.users.len();
    let Some(user) = written.user(state, &scope, now_ms) else { return StatusCode::OK };
    wahelp.announce_user(state, before, user);
    let kind = file.as_ref().map_or("text", File::message_type).to_owned();
    let file = file.map(|file| wahelp.keep_file(state, file));
    let new = NewMessage {
        user,
        origin: Origin::Amocrm(written.id),
        destination: state.switches.amocrm_destination.clone(),
        kind,
        text: written.text,
        file,
    };
    wahelp.add_message(state, new, now_ms);
    StatusCode::OK
}

/// The newline at the end of a hook is not signed.
fn is_signed(linkage: &Linkage, headers: &HeaderMap, body: &[u8]) -> bool {
    let signature = headers.get("x-signature").and_then(|value| value.to_str().ok());
    let body = body.strip_suffix(b"\n").unwrap_or(body);
    signature == Some(sign::of_body(&linkage.secret, body).as_str())
}

/// What a manager wrote.
struct Written {
    id: String,
    /// Our name of the chat: a user.
    chat: Option<i64>,
    amojo_chat: String,
    phone: String,
    /// The source that a first message is written through.
    source: Option<String>,
    text: String,
    media: Option<String>,
    file_name: String,
}

impl Written {
    fn read(body: &[u8]) -> Option<Self> {
        let body: Value = serde_json::from_slice(body).ok()?;
        let message = body.get("message")?;
        let text = |pointer: &str| message.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let given = |pointer: &str| Some(text(pointer).to_owned()).filter(|given| !given.is_empty());
        Some(Self {
            id: given("/message/id")?,
            chat: text("/conversation/client_id").parse().ok(),
            amojo_chat: text("/conversation/id").to_owned(),
            phone: digits(text("/receiver/phone")),
            source: given("/source/external_id"),
            text: text("/message/text").to_owned(),
            media: given("/message/media"),
            file_name: text("/message/file_name").to_owned(),
        })
    }

    /// To whom: the user the chat is named after, else whoever has the phone in the source's channel.
    fn user(&self, state: &mut State, scope: &str, now_ms: i64) -> Option<i64> {
        if let Some(user) = self.chat.filter(|user| state.users.contains_key(user)) {
            return Some(user);
        }
        if let Some(known) =
            state.users.values().find(|user| user.amojo_chat.as_deref() == Some(&self.amojo_chat))
        {
            return Some(known.id);
        }
        let project = state
            .projects
            .values()
            .find(|project| project.amocrm.as_ref().is_some_and(|linkage| linkage.scope == scope))?;
        let project = project.id;
        let channel = state.channels.values().find(|channel| {
            channel.project == project
                && channel.linked
                && self.source.as_ref().is_none_or(|source| *source == channel.uuid)
        })?;
        let user = state.reach_phone(channel.id, &self.phone, now_ms)?;
        if let Some(user) = state.users.get_mut(&user) {
            user.amojo_chat = Some(self.amojo_chat.clone());
        }
        Some(user)
    }
}

impl Wahelp {
    /// Fetches a manager's file; one that cannot be had is left out.
    async fn fetch(&self, url: &str, name: String) -> Option<File> {
        let answer = self.http().get(url).send().await.ok()?.error_for_status().ok()?;
        let content_type = answer.headers().get("content-type").and_then(|value| value.to_str().ok());
        let content_type = content_type.unwrap_or("application/octet-stream").to_owned();
        let bytes = answer.bytes().await.ok()?;
        Some(File { name, content_type, bytes })
    }
}
