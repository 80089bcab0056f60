//! `sendPoll` and `stopPoll`.

use serde_json::{Map, Value, json};

use super::Request;
use super::target::{self, Access, Envelope};
use crate::telegram::ApiError;
use crate::telegram::world::State;
use crate::telegram::world::entities;
use crate::telegram::world::keyboard::Markup;
use crate::telegram::world::message::Content;
use crate::telegram::world::poll::Poll;

const QUESTION_LIMIT: usize = 300;
const OPTION_LIMIT: usize = 100;
const OPTIONS_LIMIT: usize = 12;

/// A text of a poll with its entities, put into `fields`.
fn put_text(
    state: &State,
    fields: &mut Map<String, Value>,
    name: &str,
    text: &str,
    mode: Option<&str>,
    given: Option<&Value>,
) -> Result<usize, ApiError> {
    let formatted = entities::parse(text, mode, given)?;
    fields.insert(name.to_owned(), json!(formatted.text));
    // Plain words stay plain in polls: only what the bot formatted counts.
    if mode.is_some() || given.is_some() {
        state.put_entities(fields, &format!("{name}_entities"), &formatted);
    }
    Ok(entities::utf16_len(&formatted.text))
}

fn options(request: Request<'_>, state: &State) -> Result<Vec<Map<String, Value>>, ApiError> {
    let list = request.params().json("options");
    let list = list
        .as_ref()
        .and_then(Value::as_array)
        .ok_or_else(|| ApiError::bad_request("can't parse options JSON object"))?;
    if list.is_empty() {
        return Err(ApiError::bad_request("poll must have at least 1 option"));
    }
    if list.len() > OPTIONS_LIMIT {
        return Err(ApiError::bad_request(format!("poll can't have more than {OPTIONS_LIMIT} options")));
    }
    list.iter()
        .map(|option| {
            let text = option.as_str().or_else(|| option.get("text")?.as_str());
            let text = text.ok_or_else(|| ApiError::bad_request("can't parse poll option"))?;
            let mut fields = Map::new();
            let mode = option.get("text_parse_mode").and_then(Value::as_str);
            let length = put_text(state, &mut fields, "text", text, mode, option.get("text_entities"))?;
            if length == 0 {
                return Err(ApiError::bad_request("poll options must be non-empty"));
            }
            if length > OPTION_LIMIT {
                return Err(ApiError::bad_request(format!(
                    "poll options length must not exceed {OPTION_LIMIT}"
                )));
            }
            Ok(fields)
        })
        .collect()
}

pub(super) fn send(request: Request<'_>) -> Result<Value, ApiError> {
    let mut state = request.world();
    let envelope = Envelope::read(&state, request)?;
    let params = request.params();
    let mut fields = Map::new();
    let question = params.text("question").unwrap_or_default();
    let mode = params.text("question_parse_mode");
    let given = params.json("question_entities");
    let length = put_text(&state, &mut fields, "question", question, mode, given.as_ref())?;
    if length == 0 {
        return Err(ApiError::bad_request("poll question must be non-empty"));
    }
    if length > QUESTION_LIMIT {
        return Err(ApiError::bad_request(format!("poll question length must not exceed {QUESTION_LIMIT}")));
    }
    let options = options(request, &state)?;
    let quiz = params.text("type").is_some_and(|kind| kind == "quiz");
    let multiple = params.bool("allows_multiple_answers");
    fields.insert("type".into(), json!(if quiz { "quiz" } else { "regular" }));
    fields.insert("allows_revoting".into(), json!(!quiz));
    fields.insert("members_only".into(), json!(params.bool("members_only")));
    if quiz {
        let correct = correct_options(request, options.len())?;
        fields.insert("correct_option_ids".into(), json!(correct));
        fields.insert("correct_option_id".into(), json!(correct[0]));
        if let Some(explanation) = params.text("explanation") {
            let (mode, given) = (params.text("explanation_parse_mode"), params.json("explanation_entities"));
            put_text(&state, &mut fields, "explanation", explanation, mode, given.as_ref())?;
        }
    }
    if let Some(description) = params.text("description") {
        let (mode, given) = (params.text("description_parse_mode"), params.json("description_entities"));
        put_text(&state, &mut fields, "description", description, mode, given.as_ref())?;
    }
    let now = state.clock.now_ms();
    let mut closes_at_ms = None;
    if let Some(period) = params.int("open_period").filter(|period| *period > 0) {
        fields.insert("open_period".into(), json!(period));
        closes_at_ms = Some(now + period * 1000);
    }
    if let Some(date) = params.int("close_date").filter(|date| *date > 0) {
        fields.insert("close_date".into(), json!(date));
        closes_at_ms = Some(date * 1000);
    }
    let id = state.new_id();
    let poll = Poll {
        id: id.clone(),
        chat: envelope.key,
        message_id: 0,
        owner: request.bot,
        fields,
        options,
        is_anonymous: params.text("is_anonymous").is_none() || params.bool("is_anonymous"),
        allows_multiple_answers: multiple,
        is_closed: params.bool("is_closed"),
        closes_at_ms,
        votes: std::collections::BTreeMap::new(),
    };
    state.polls.insert(id.clone(), poll);
    let content = Content { kind: "poll".into(), poll: Some(id), ..Content::default() };
    Ok(envelope.post(&mut state, request, content))
}

/// `correct_option_ids`, or the older single `correct_option_id`.
fn correct_options(request: Request<'_>, count: usize) -> Result<Vec<usize>, ApiError> {
    let params = request.params();
    let list = match params.json("correct_option_ids") {
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_i64).collect(),
        _ => params.int("correct_option_id").into_iter().collect::<Vec<_>>(),
    };
    let correct: Vec<usize> = list.into_iter().filter_map(|id| usize::try_from(id).ok()).collect();
    if correct.is_empty() || correct.iter().any(|id| *id >= count) {
        return Err(ApiError::bad_request("wrong correct option ID specified"));
    }
    Ok(correct)
}

pub(super) fn stop(request: Request<'_>) -> Result<Value, ApiError> {
    let mut state = request.world();
    let key = target::chat(&state, request, "chat_id", Access::Write)?;
    let id = target::message_id(request)?;
    let keyboard = Markup::inline_only(Markup::read(request.params().text("reply_markup"))?)?;
    let message = state.chats.get(&key).and_then(|chat| chat.find_message(id));
    let message = message.ok_or_else(|| ApiError::bad_request("message with poll to stop not found"))?;
    let poll = message.content.poll.clone();
    let poll = poll.ok_or_else(|| ApiError::bad_request("message is not a poll"))?;
    if !message.is_from(request.bot) {
        return Err(ApiError::bad_request("poll can't be stopped"));
    }
    let now = state.clock.now_ms();
    let shown = match state.polls.get_mut(&poll) {
        Some(poll) if poll.closed_at(now) => {
            return Err(ApiError::bad_request("poll has already been closed"));
        }
        Some(poll) => {
            poll.is_closed = true;
            poll.to_json(now)
        }
        None => return Err(ApiError::bad_request("message is not a poll")),
    };
    if let Some(message) = state.chats.get_mut(&key).and_then(|chat| chat.find_message_mut(id)) {
        message.inline_keyboard = keyboard;
    }
    state.push(request.bot, "poll", &shown);
    Ok(shown)
}
