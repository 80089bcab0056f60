//! Deleting messages.

use serde_json::{Value, json};

use super::Request;
use super::target::{self, Access};
use crate::telegram::ApiError;
use crate::telegram::world::State;
use crate::telegram::world::chat::{ChatKey, ChatKind};
use crate::telegram::world::message::Message;

/// How long a message can be deleted for everybody.
const LIFE_SECS: i64 = 48 * 60 * 60;

pub(super) fn one(request: Request<'_>) -> Result<Value, ApiError> {
    let mut state = request.world();
    let key = target::chat(&state, request, "chat_id", Access::Look)?;
    let id = target::message_id(request)?;
    let message = state.chats.get(&key).and_then(|chat| chat.find_message(id));
    let message = message.ok_or_else(|| ApiError::bad_request("message to delete not found"))?;
    may_delete(&state, request.bot, key, message)?;
    state.delete(key, id);
    Ok(json!(true))
}

/// Missing messages are skipped; one that may not be deleted refuses the whole call.
pub(super) fn many(request: Request<'_>) -> Result<Value, ApiError> {
    let mut state = request.world();
    let key = target::chat(&state, request, "chat_id", Access::Look)?;
    let ids = target::message_ids(request)?;
    for id in &ids {
        if let Some(message) = state.chats.get(&key).and_then(|chat| chat.find_message(*id)) {
            may_delete(&state, request.bot, key, message)?;
        }
    }
    for id in ids {
        state.delete(key, id);
    }
    Ok(json!(true))
}

fn may_delete(state: &State, bot: i64, key: ChatKey, message: &Message) -> Result<(), ApiError> {
    let chat = state.chats.get(&key);
    let admin = chat.is_some_and(|chat| chat.has_right(bot, "can_delete_messages"));
    let private = chat.is_some_and(|chat| chat.kind == ChatKind::Private);
    if admin {
        return Ok(());
    }
    if state.clock.now_secs() - message.date > LIFE_SECS {
        return Err(ApiError::bad_request("message can't be deleted for everyone"));
    }
    if private || message.is_from(bot) {
        Ok(())
    } else {
        Err(ApiError::bad_request("message can't be deleted"))
    }
}
