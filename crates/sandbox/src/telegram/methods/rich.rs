//! Rich messages and checklists.
//!
//! A rich message given as HTML or Markdown becomes one paragraph a line; blocks are shown as they were given.

use serde_json::{Value, json};

use super::Request;
use super::target::{self, Access, Envelope};
use crate::telegram::ApiError;
use crate::telegram::world::State;
use crate::telegram::world::entities;
use crate::telegram::world::message::Content;

/// The `RichMessage` of an `InputRichMessage`.
pub(super) fn content(input: &Value) -> Result<Content, ApiError> {
    let text = |name: &str| input.get(name).and_then(Value::as_str);
    let blocks = if let Some(blocks) = input.get("blocks").filter(|blocks| blocks.is_array()) {
        blocks.clone()
    } else {
        let formatted = match (text("html"), text("markdown")) {
            (Some(html), _) => entities::parse(html, Some("HTML"), None)?,
            (None, Some(markdown)) => entities::parse(markdown, Some("Markdown"), None)?,
            (None, None) => return Err(ApiError::bad_request("rich message is empty")),
        };
        let lines = formatted.text.lines().filter(|line| !line.trim().is_empty());
        lines.map(|line| json!({"type": "paragraph", "text": line})).collect()
    };
    if blocks.as_array().is_none_or(Vec::is_empty) {
        return Err(ApiError::bad_request("rich message is empty"));
    }
    let mut message = json!({"blocks": blocks});
    if let Some(rtl) = input.get("is_rtl") {
        message["is_rtl"] = rtl.clone();
    }
    Ok(Content::of("rich_message", message))
}

pub(super) fn send(request: Request<'_>) -> Result<Value, ApiError> {
    let mut state = request.world();
    let envelope = Envelope::read(&state, request)?;
    let input = request.params().json("rich_message");
    let input = input.ok_or_else(|| ApiError::bad_request("can't parse rich message JSON object"))?;
    let content = content(&input)?;
    Ok(envelope.post(&mut state, request, content))
}

/// The `Checklist` of an `InputChecklist`.
fn checklist(state: &State, request: Request<'_>) -> Result<Content, ApiError> {
    let input = request.params().json("checklist").filter(Value::is_object);
    let input = input.ok_or_else(|| ApiError::bad_request("can't parse checklist JSON object"))?;
    let tasks = input.get("tasks").and_then(Value::as_array).filter(|tasks| !tasks.is_empty());
    let tasks = tasks.ok_or_else(|| ApiError::bad_request("checklist must have at least one task"))?;
    let formatted = |value: &Value, name: &str| -> Result<serde_json::Map<String, Value>, ApiError> {
        let text = value.get(name).and_then(Value::as_str).unwrap_or_default();
        let mode = value.get("parse_mode").and_then(Value::as_str);
        let given = value.get(format!("{name}_entities"));
        let parsed = entities::parse(text, mode, given)?;
        let mut fields = serde_json::Map::new();
        fields.insert(name.to_owned(), json!(parsed.text));
        state.put_entities(&mut fields, &format!("{name}_entities"), &parsed);
        Ok(fields)
    };
    let mut shown = formatted(&input, "title")?;
    let tasks = tasks
        .iter()
        .map(|task| {
            let mut shown = formatted(task, "text")?;
            shown.insert("id".into(), task.get("id").cloned().unwrap_or(json!(1)));
            Ok(Value::Object(shown))
        })
        .collect::<Result<Vec<_>, ApiError>>()?;
    shown.insert("tasks".into(), json!(tasks));
    for name in ["others_can_add_tasks", "others_can_mark_tasks_as_done"] {
        if let Some(flag) = input.get(name) {
            shown.insert(name.into(), flag.clone());
        }
    }
    Ok(Content::of("checklist", Value::Object(shown)))
}

/// Checklists are sent for a business account only, through its connection.
fn connection(state: &State, request: Request<'_>) -> Result<String, ApiError> {
    let id = request.params().required("business_connection_id")?;
    let known = state.business.contains_key(&(request.bot, id.to_owned()));
    if known { Ok(id.to_owned()) } else { Err(ApiError::bad_request("business connection not found")) }
}

pub(super) fn send_checklist(request: Request<'_>) -> Result<Value, ApiError> {
    let mut state = request.world();
    connection(&state, request)?;
    let envelope = Envelope::read(&state, request)?;
    let content = checklist(&state, request)?;
    Ok(envelope.post(&mut state, request, content))
}

pub(super) fn edit_checklist(request: Request<'_>) -> Result<Value, ApiError> {
    let mut state = request.world();
    connection(&state, request)?;
    let key = target::chat(&state, request, "chat_id", Access::Write)?;
    let id = target::message_id(request)?;
    let content = checklist(&state, request)?;
    let message = state.chats.get(&key).and_then(|chat| chat.find_message(id));
    let message = message.ok_or_else(|| ApiError::bad_request("message to edit not found"))?;
    if message.content.kind != "checklist" || !message.is_from(request.bot) {
        return Err(ApiError::bad_request("message can't be edited"));
    }
    state.edit(key, id, content);
    Ok(state.message_json(key, id, request.bot).unwrap_or(Value::Null))
}
