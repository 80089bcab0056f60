//! What amoCRM is told: messages, edits and how far they came, signed, one after the other.
//!
//! While amoCRM cannot be reached, or answers with an error of its own, everything waits; what it refuses is on the
//! project's record.

use std::time::Duration;

use axum::http::Method;
use jiff::{Timestamp, fmt::rfc2822};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{Linkage, ORIGIN};
use crate::amocrm::sign::{self, Signed};
use crate::wahelp::Wahelp;
use crate::wahelp::message::Message;
use crate::wahelp::state::State;

/// Between two attempts, by the sandbox's clock.
const RETRY: Duration = Duration::from_secs(5);
const CONTENT_TYPE: &str = "application/json";
/// amoCRM's number for "the reason is in the text".
const OTHER_ERROR: u16 = 905;

/// One request to the chat service.
pub(crate) struct Telling {
    project: i64,
    /// Below the channel's own paths: a scope and what follows it.
    path: String,
    secret: String,
    body: Value,
}

impl Wahelp {
    /// Tells a message that was not written in amoCRM.
    pub(crate) fn tell_message(&self, state: &mut State, id: i64) {
        let Some((linkage, message)) = state.linked(id) else { return };
        let Some(user) = state.users.get(&message.user) else { return };
        let Some(channel) = state.channels.get(&message.channel) else { return };
        let client = json!({
            "id": format!("U{}", user.id),
            "name": user.name,
            "profile": {"phone": user.phone.clone().unwrap_or_default()},
        });
        let mut payload = json!({
            "timestamp": message.at_ms / 1000,
            "msec_timestamp": message.at_ms,
            "msgid": msgid(id),
            "conversation_id": user.id.to_string(),
            "silent": false,
            "source": {"external_id": channel.uuid},
            "message": content(state, message),
        });
        if let Some(chat) = &user.amojo_chat {
            payload["conversation_ref_id"] = json!(chat);
        }
        if message.destination == "from" {
            payload["sender"] = client;
        } else {
            payload["sender"] = json!({"id": ORIGIN, "ref_id": linkage.technical, "name": super::TITLE});
            payload["receiver"] = client;
        }
        let body = json!({"event_type": "new_message", "payload": payload});
        self.tell(linkage, channel.project, linkage.scope.clone(), body);
    }

    /// Tells that a message reads differently now.
    pub(crate) fn tell_edit(&self, state: &mut State, id: i64) {
        let Some((linkage, message)) = state.linked(id) else { return };
        let Some(channel) = state.channels.get(&message.channel) else { return };
        let payload = json!({
            "timestamp": message.at_ms / 1000,
            "msec_timestamp": message.at_ms,
            "msgid": msgid(id),
            "conversation_id": message.user.to_string(),
            "message": {"type": "text", "text": message.text},
        });
        if message.amojo.is_none() {
            let body = json!({"event_type": "edit_message", "payload": payload});
            self.tell(linkage, channel.project, linkage.scope.clone(), body);
        }
    }

    /// Tells that what a manager wrote in amoCRM has reached the client.
    pub(crate) fn tell_delivered(&self, state: &mut State, id: i64) {
        self.tell_code(state, id, 1);
    }

    /// Tells how far it has come, by the word of the API.
    pub(crate) fn tell_status(&self, state: &mut State, id: i64, status: &str) {
        let words = &state.switches.status_words;
        let code = match status {
            read if read == words.read => 2,
            failed if failed == words.failed => -1,
            delivered if delivered == words.delivered => 1,
            _ => return,
        };
        self.tell_code(state, id, code);
    }

    fn tell_code(&self, state: &State, id: i64, code: i8) {
        let Some((linkage, message)) = state.linked(id) else { return };
        let (Some(amojo), Some(channel)) = (&message.amojo, state.channels.get(&message.channel)) else {
            return;
        };
        let mut body = json!({"msgid": amojo, "delivery_status": code, "status_code": code});
        if code < 0 {
            body["error_code"] = json!(OTHER_ERROR);
            body["error"] = json!(message.error.as_deref().unwrap_or("not delivered"));
        }
        let path = format!("{}/{amojo}/delivery_status", linkage.scope);
        self.tell(linkage, channel.project, path, body);
    }

    fn tell(&self, linkage: &Linkage, project: i64, path: String, body: Value) {
        let telling = Telling { project, path, secret: linkage.secret.clone(), body };
        // After the end nobody takes it, and nobody would see it.
        self.0.telling.send(telling).ok();
    }

    /// A request to the chat service, signed.
    pub(crate) fn signed(
        &self,
        method: &Method,
        path: &str,
        secret: &str,
        body: String,
    ) -> reqwest::RequestBuilder {
        let now = Timestamp::from_millisecond(self.clock().now_ms()).unwrap_or(Timestamp::MAX);
        let date = rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&now).unwrap_or_default();
        let path = format!("/v2/origin/custom/{path}");
        let content_md5 = sign::content_md5(body.as_bytes());
        let signed = Signed {
            method: method.as_str(),
            content_md5: &content_md5,
            content_type: CONTENT_TYPE,
            date: &date,
            path: &path,
        };
        self.http()
            .request(method.clone(), format!("{}{path}", self.0.parts.amocrm_url))
            .header("Date", &date)
            .header("Content-Type", CONTENT_TYPE)
            .header("Content-MD5", &content_md5)
            .header("X-Signature", signed.signature(secret))
            .body(body)
    }
}

/// Tells everything, in order, until the sandbox ends.
pub(crate) async fn worker(wahelp: Wahelp, mut to_tell: mpsc::UnboundedReceiver<Telling>) {
    while let Some(telling) = to_tell.recv().await {
        loop {
            let body = telling.body.to_string();
            let request = wahelp.signed(&Method::POST, &telling.path, &telling.secret, body);
            match request.send().await {
                Ok(answer) if answer.status().is_success() => break,
                Ok(answer) if answer.status().is_client_error() => {
                    let status = answer.status();
                    let why = answer.text().await.unwrap_or_default();
                    let mut state = wahelp.lock();
                    let project = state.projects.get_mut(&telling.project);
                    if let Some(linkage) = project.and_then(|project| project.amocrm.as_mut()) {
                        linkage.refused.push(format!("{status} {why}"));
                    }
                    break;
                }
                Ok(_) | Err(_) => wahelp.clock().sleep(RETRY).await,
            }
        }
    }
}

impl State {
    /// A message whose channel is linked, with the link.
    fn linked(&self, id: i64) -> Option<(&Linkage, &Message)> {
        let message = self.messages.get(&id)?;
        let channel = self.channels.get(&message.channel).filter(|channel| channel.linked)?;
        let linkage = self.projects.get(&channel.project)?.amocrm.as_ref()?;
        Some((linkage, message))
    }
}

/// Thirteen hexadecimal digits.
fn msgid(message: i64) -> String {
    format!("{message:013x}")
}

fn content(state: &State, message: &Message) -> Value {
    let Some(url) = &message.file else { return json!({"type": "text", "text": message.text}) };
    let file = state.files.at(url);
    let kind = match message.kind.as_str() {
        "image" => "picture",
        "audio" => "voice",
        "video" => "video",
        _ => "file",
    };
    json!({
        "type": kind,
        "text": message.text,
        "media": url,
        "file_name": file.map_or("file", |file| file.name.as_str()),
        "file_size": file.map_or(0, |file| file.bytes.len()),
    })
}
