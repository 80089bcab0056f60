//! Forum topics: their names and the service messages about them.

use serde_json::{Value, json};

use super::Request;
use super::chats::managed;
use super::target::{self, Access};
use crate::telegram::ApiError;
use crate::telegram::world::State;
use crate::telegram::world::chat::ChatKey;
use crate::telegram::world::message::{Author, Content, Draft};

/// A service message inside a topic; the bot gets it too.
fn tell(
    state: &mut State,
    request: Request<'_>,
    key: ChatKey,
    thread: Option<i64>,
    kind: &str,
    value: Value,
) -> i64 {
    let mut draft = Draft::new(request.bot, Author::Account(request.bot), Content::of(kind, value));
    if let Some(thread) = thread {
        draft.context.insert("message_thread_id".into(), json!(thread));
        draft.context.insert("is_topic_message".into(), json!(true));
    }
    let id = state.post_quietly(key, draft);
    state.announce_to_all(key, id, "message");
    id
}

pub(super) fn create(request: Request<'_>) -> Result<Value, ApiError> {
    let mut state = request.world();
    let key = target::chat(&state, request, "chat_id", Access::Write)?;
    if matches!(key, ChatKey::Group(_)) {
        managed(&state, request, "can_manage_topics")?;
    }
    let params = request.params();
    let name = params.text("name").filter(|name| name.chars().count() <= 128);
    let name = name.ok_or_else(|| ApiError::bad_request("TOPIC_TITLE_EMPTY"))?;
    let mut topic = json!({"name": name, "icon_color": params.int("icon_color").unwrap_or(7_322_096)});
    if let Some(emoji) = params.text("icon_custom_emoji_id") {
        topic["icon_custom_emoji_id"] = json!(emoji);
    }
    let thread = tell(&mut state, request, key, None, "forum_topic_created", topic.clone());
    topic["message_thread_id"] = json!(thread);
    if let Value::Object(topic) = &topic {
        state.topics.insert((key.id(), thread), topic.clone());
    }
    Ok(topic)
}

/// The topic that `message_thread_id` names.
fn thread(state: &State, request: Request<'_>, key: ChatKey) -> Result<i64, ApiError> {
    let thread = request.params().int("message_thread_id").unwrap_or_default();
    if state.topics.contains_key(&(key.id(), thread)) {
        Ok(thread)
    } else {
        Err(ApiError::bad_request("message thread not found"))
    }
}

pub(super) fn edit(request: Request<'_>) -> Result<Value, ApiError> {
    let mut state = request.world();
    let key = managed(&state, request, "can_manage_topics")?;
    let thread = thread(&state, request, key)?;
    let mut change = json!({});
    for name in ["name", "icon_custom_emoji_id"] {
        if let Some(text) = request.params().text(name) {
            change[name] = json!(text);
        }
    }
    if change.as_object().is_none_or(serde_json::Map::is_empty) {
        return Err(ApiError::bad_request("TOPIC_NOT_MODIFIED"));
    }
    tell(&mut state, request, key, Some(thread), "forum_topic_edited", change);
    Ok(json!(true))
}

pub(super) fn change(request: Request<'_>) -> Result<Value, ApiError> {
    let mut state = request.world();
    let key = managed(&state, request, "can_manage_topics")?;
    let thread = thread(&state, request, key)?;
    match request.call.method.as_str() {
        "closeforumtopic" => {
            tell(&mut state, request, key, Some(thread), "forum_topic_closed", json!({}));
        }
        "reopenforumtopic" => {
            tell(&mut state, request, key, Some(thread), "forum_topic_reopened", json!({}));
        }
        _ => {
            state.topics.remove(&(key.id(), thread));
        }
    }
    Ok(json!(true))
}

pub(super) fn general(request: Request<'_>) -> Result<Value, ApiError> {
    let mut state = request.world();
    let key = managed(&state, request, "can_manage_topics")?;
    let (kind, value) = match request.call.method.as_str() {
        "closegeneralforumtopic" => ("forum_topic_closed", json!({})),
        "reopengeneralforumtopic" => ("forum_topic_reopened", json!({})),
        "hidegeneralforumtopic" => ("general_forum_topic_hidden", json!({})),
        "unhidegeneralforumtopic" => ("general_forum_topic_unhidden", json!({})),
        _ => ("forum_topic_edited", json!({"name": request.params().required("name")?})),
    };
    tell(&mut state, request, key, None, kind, value);
    Ok(json!(true))
}
