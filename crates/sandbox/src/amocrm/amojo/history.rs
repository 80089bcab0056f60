//! The messages of a chat, newest first (reference 1.9).

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::answer::{Answer, Refusal};
use super::chat::Line;
use super::fields::Invalid;
use crate::amocrm::State;

/// The most that one page has, and as many as it has unless a number is asked for.
const LIMIT: usize = 50;

/// `GET …/{scope}/chats/{chat}/history`. An unknown chat and an empty one are both 204.
pub(crate) fn answer(
    state: &State,
    channel: &str,
    chat_id: &str,
    query: Option<&str>,
) -> Result<Answer, Refusal> {
    let (mut offset, mut limit) = (0, LIMIT);
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        let number = || value.parse::<usize>().map_err(|_no_number| Invalid::of(&name, "must be a number"));
        match name.as_ref() {
            "offset" => offset = number()?,
            "limit" => limit = number()?,
            _ => {}
        }
    }
    if limit > LIMIT || limit == 0 {
        return Err(Invalid::of("limit", "must be from 1 to 50").into());
    }
    let chat = state.account.channel_chats.get(chat_id).filter(|chat| chat.channel == channel);
    let mut lines: Vec<&Line> = chat.iter().flat_map(|chat| chat.messages.iter().rev()).collect();
    lines.sort_by_key(|line| std::cmp::Reverse(line.at.msec_timestamp));
    let page: Vec<Value> =
        lines.into_iter().skip(offset).take(limit).map(|line| state.history_item(line)).collect();
    if page.is_empty() {
        return Ok(Answer::bare(StatusCode::NO_CONTENT));
    }
    Ok(Answer::json(json!({"messages": page})))
}

impl State {
    fn history_item(&self, line: &Line) -> Value {
        let media = line.media.as_ref();
        let mut message = json!({
            "id": line.id,
            "type": line.kind,
            "text": line.text,
            "media": media.map_or("", |media| media.link.as_str()),
            "thumbnail": media.map_or("", |media| media.thumbnail.as_str()),
            "file_name": media.map_or("", |media| media.file_name.as_str()),
            "file_size": media.map_or(0, |media| media.file_size),
        });
        if let Some(msgid) = &line.msgid {
            message["client_id"] = json!(msgid);
        }
        if let Some(group) = &line.media_group_id {
            message["media_group_id"] = json!(group);
        }
        for name in ["location", "contact"] {
            if let Some(value) = line.extra.get(name) {
                message[name] = value.clone();
            }
        }
        let mut item = json!({
            "timestamp": line.at.timestamp,
            "msec_timestamp": line.at.msec_timestamp,
            "sender": self.history_person(&line.sender_id),
            "message": message,
        });
        if let Some(receiver) = &line.receiver_id {
            item["receiver"] = self.history_person(receiver);
        }
        item
    }

    fn history_person(&self, id: &str) -> Value {
        let mut shown = self.embedded_person(id);
        if let Some(person) = self.account.persons.get(id) {
            shown["phone"] = json!(person.phone.as_deref().unwrap_or_default());
            shown["email"] = json!(person.email.as_deref().unwrap_or_default());
            shown["avatar"] = json!(person.avatar.as_ref().map_or("", |avatar| avatar.url.as_str()));
        }
        shown
    }
}
