//! Reactions that a bot sets or removes.

use serde_json::{Value, json};

use super::Request;
use super::target::{self, Access};
use crate::telegram::ApiError;
use crate::telegram::world::State;

/// What a free account may react with.
const EMOJI: &str = "❤ 👍 👎 🔥 🥰 👏 😁 🤔 🤯 😱 🤬 😢 🎉 🤩 🤮 💩 🙏 👌 🕊 🤡 🥱 🥴 😍 🐳 ❤‍🔥 🌚 🌭 💯 🤣 ⚡ 🍌 🏆 💔 🤨 😐 🍓 🍾 💋 🖕 😈 😴 😭 🤓 👻 👨‍💻 👀 🎃 🙈 😇 😨 🤝 ✍ 🤗 🫡 🎅 🎄 ☃ 💅 🤪 🗿 🆒 💘 🙉 🦄 😘 💊 🙊 😎 👾 🤷‍♂ 🤷 🤷‍♀ 😡";

pub(super) fn set(request: Request<'_>) -> Result<Value, ApiError> {
    let mut state = request.world();
    let key = target::chat(&state, request, "chat_id", Access::Write)?;
    let id = target::message_id(request)?;
    let given = request.params().json("reaction").unwrap_or_else(|| json!([]));
    let reactions: Vec<Value> = given.as_array().cloned().unwrap_or_default();
    if reactions.len() > 1 {
        return Err(ApiError::bad_request("REACTIONS_TOO_MANY"));
    }
    if !reactions.iter().all(allowed) {
        return Err(ApiError::bad_request("REACTION_INVALID"));
    }
    if state.react(key, id, request.bot, &reactions) {
        Ok(json!(true))
    } else {
        Err(ApiError::bad_request("message to react not found"))
    }
}

fn allowed(reaction: &Value) -> bool {
    // Clients may add the sign that asks for the coloured form of a character.
    let plain = |text: &str| text.replace('\u{fe0f}', "");
    match reaction.get("type").and_then(Value::as_str) {
        Some("emoji") => reaction
            .get("emoji")
            .and_then(Value::as_str)
            .is_some_and(|emoji| EMOJI.split(' ').any(|known| plain(known) == plain(emoji))),
        Some("custom_emoji") => reaction.get("custom_emoji_id").is_some_and(Value::is_string),
        _ => false,
    }
}

/// Whose reactions are to go: a person's, or a chat's, which nobody here reacts as.
fn subject(state: &State, request: Request<'_>) -> Result<Option<i64>, ApiError> {
    if request.params().text("user_id").is_some() { target::user(state, request).map(Some) } else { Ok(None) }
}

pub(super) fn delete(request: Request<'_>) -> Result<Value, ApiError> {
    let mut state = request.world();
    let key = target::chat(&state, request, "chat_id", Access::Write)?;
    let id = target::message_id(request)?;
    let found = match subject(&state, request)? {
        Some(user) => state.react(key, id, user, &[]),
        None => state.chats.get(&key).is_some_and(|chat| chat.find_message(id).is_some()),
    };
    if found { Ok(json!(true)) } else { Err(ApiError::bad_request("message to react not found")) }
}

pub(super) fn delete_all(request: Request<'_>) -> Result<Value, ApiError> {
    let mut state = request.world();
    let key = target::chat(&state, request, "chat_id", Access::Write)?;
    let Some(user) = subject(&state, request)? else { return Ok(json!(true)) };
    if let Some(chat) = state.chats.get_mut(&key) {
        for message in chat.messages.values_mut() {
            message.reactions.remove(&user);
        }
    }
    Ok(json!(true))
}
