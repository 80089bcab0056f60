//! Answers to presses and inline queries.

use serde_json::{Map, Value, json};

use super::Request;
use crate::telegram::ApiError;
use crate::telegram::world::chat::CallbackAnswer;
use crate::telegram::world::queries::{Asked, Question};

const TOAST_LIMIT: usize = 200;

pub(super) fn callback(request: Request<'_>) -> Result<Value, ApiError> {
    let params = request.params();
    let id = params.text("callback_query_id").unwrap_or_default();
    let text = params.text("text");
    if text.is_some_and(|text| text.chars().count() > TOAST_LIMIT) {
        return Err(ApiError::bad_request("MESSAGE_TOO_LONG"));
    }
    let mut state = request.world();
    let now = state.clock.now_ms();
    let query = state.queries.take(request.bot, id, Asked::Callback, now)?;
    let mut answer = Map::new();
    if let Some(text) = text {
        answer.insert("text".into(), json!(text));
    }
    answer.insert("show_alert".into(), json!(params.bool("show_alert")));
    if let Some(url) = params.text("url") {
        answer.insert("url".into(), json!(url));
    }
    let answer = Value::Object(answer);
    if let Question::Callback { chat: Some(key), message_id, data } = query.question
        && let Some(chat) = state.chats.get_mut(&key)
    {
        chat.note_answer(CallbackAnswer { user: query.user, message_id, data, answer: answer.clone() });
    }
    // Nobody may be waiting.
    query.answer.send(answer).ok();
    Ok(json!(true))
}

pub(super) fn inline(request: Request<'_>) -> Result<Value, ApiError> {
    let params = request.params();
    let id = params.text("inline_query_id").unwrap_or_default();
    let results = params.json("results").filter(Value::is_array);
    let results =
        results.ok_or_else(|| ApiError::bad_request("can't parse inline query results JSON object"))?;
    let list = results.as_array().map(Vec::as_slice).unwrap_or_default();
    if list.len() > 50 {
        return Err(ApiError::bad_request("RESULTS_TOO_MUCH"));
    }
    let mut seen = std::collections::BTreeSet::new();
    for result in list {
        let id = result.get("id").and_then(Value::as_str).unwrap_or_default();
        if id.is_empty() || id.len() > 64 {
            return Err(ApiError::bad_request("RESULT_ID_INVALID"));
        }
        if !seen.insert(id) {
            return Err(ApiError::bad_request("RESULT_ID_DUPLICATE"));
        }
    }
    let mut state = request.world();
    let now = state.clock.now_ms();
    let query = state.queries.take(request.bot, id, Asked::Inline, now)?;
    let slot = state.inline_answers.entry((request.bot, query.user)).or_default();
    slot.1 = results.clone();
    let mut answer = json!({"results": results});
    if let Some(next) = params.text("next_offset") {
        answer["next_offset"] = json!(next);
    }
    if let Some(button) = params.json("button") {
        answer["button"] = button;
    }
    query.answer.send(answer).ok();
    Ok(json!(true))
}
