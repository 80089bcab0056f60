//! What a bot says about itself: name, descriptions, commands, menu button, default rights.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Request;
use crate::telegram::world::chat::ADMIN_RIGHTS;
use crate::telegram::{ApiError, Bot};

pub(super) fn get_me(request: Request<'_>, bot: &Arc<Bot>) -> Value {
    let state = request.world();
    let reads_all = state.settings.get(&request.bot).is_some_and(|settings| settings.reads_all_groups);
    json!({
        "id": bot.id(),
        "is_bot": true,
        "first_name": bot.first_name(),
        "username": bot.username(),
        "can_join_groups": true,
        "can_read_all_group_messages": reads_all,
        "supports_inline_queries": true,
        "supports_guest_queries": false,
        "supports_join_request_queries": false,
        "can_connect_to_business": false,
        "has_main_web_app": false,
        "has_topics_enabled": false,
        "allows_users_to_create_topics": false,
        "can_manage_bots": false,
    })
}

/// The types of `BotCommandScope`.
const SCOPES: [&str; 7] = [
    "default",
    "all_private_chats",
    "all_group_chats",
    "all_chat_administrators",
    "chat",
    "chat_administrators",
    "chat_member",
];

/// Scope and language of a list of commands.
fn scope(request: Request<'_>) -> Result<(String, String), ApiError> {
    let scope = match request.params().text("scope") {
        None => json!({"type": "default"}),
        Some(text) => serde_json::from_str(text)
            .map_err(|_no_json| ApiError::bad_request("can't parse BotCommandScope"))?,
    };
    let kind = scope.get("type").and_then(Value::as_str).unwrap_or_default();
    if !SCOPES.contains(&kind) {
        return Err(ApiError::bad_request("can't parse BotCommandScope: unsupported type specified"));
    }
    let language = request.params().text("language_code").unwrap_or_default();
    Ok((scope.to_string(), language.to_owned()))
}

pub(super) fn set_commands(request: Request<'_>) -> Result<Value, ApiError> {
    let key = scope(request)?;
    let commands = request.params().json("commands");
    let list = commands
        .as_ref()
        .and_then(Value::as_array)
        .ok_or_else(|| ApiError::bad_request("can't parse commands JSON array"))?;
    if list.len() > 100 {
        return Err(ApiError::bad_request("BOT_COMMANDS_TOO_MUCH"));
    }
    let mut kept = Vec::with_capacity(list.len());
    for command in list {
        let text = |name: &str| command.get(name).and_then(Value::as_str).unwrap_or_default();
        let name = text("command").trim_start_matches('/');
        let plain =
            name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if name.is_empty() || name.len() > 32 || !plain {
            return Err(ApiError::bad_request("BOT_COMMAND_INVALID"));
        }
        let description = text("description");
        if description.is_empty() || description.chars().count() > 256 {
            return Err(ApiError::bad_request("BOT_COMMAND_DESCRIPTION_INVALID"));
        }
        kept.push(json!({"command": name, "description": description}));
    }
    let mut state = request.world();
    state.settings.entry(request.bot).or_default().commands.insert(key, json!(kept));
    Ok(json!(true))
}

pub(super) fn get_commands(request: Request<'_>) -> Result<Value, ApiError> {
    let key = scope(request)?;
    let state = request.world();
    let commands = state.settings.get(&request.bot).and_then(|settings| settings.commands.get(&key));
    Ok(commands.cloned().unwrap_or_else(|| json!([])))
}

pub(super) fn delete_commands(request: Request<'_>) -> Result<Value, ApiError> {
    let key = scope(request)?;
    let mut state = request.world();
    state.settings.entry(request.bot).or_default().commands.remove(&key);
    Ok(json!(true))
}

/// The parameter of `setMy…` and the field of the answer of `getMy…`.
fn subject(request: Request<'_>) -> (&'static str, usize) {
    match request.call.method.as_str() {
        "setmyname" | "getmyname" => ("name", 64),
        "setmydescription" | "getmydescription" => ("description", 512),
        _ => ("short_description", 120),
    }
}

pub(super) fn set_text(request: Request<'_>, bot: &Arc<Bot>) -> Result<Value, ApiError> {
    let (subject, limit) = subject(request);
    let text = request.params().text(subject).unwrap_or_default();
    if text.chars().count() > limit {
        return Err(ApiError::bad_request(format!("{subject} is too long")));
    }
    let language = request.params().text("language_code").unwrap_or_default();
    let mut state = request.world();
    if subject == "name" && language.is_empty() && !text.is_empty() {
        bot.set_first_name(text.to_owned());
        if let Some(user) = state.users.get_mut(&request.bot) {
            text.clone_into(&mut user.first_name);
        }
    }
    let texts = &mut state.settings.entry(request.bot).or_default().texts;
    texts.insert((subject, language.to_owned()), text.to_owned());
    Ok(json!(true))
}

pub(super) fn get_text(request: Request<'_>, bot: &Arc<Bot>) -> Value {
    let (subject, _) = subject(request);
    let language = request.params().text("language_code").unwrap_or_default();
    let state = request.world();
    let texts = state.settings.get(&request.bot).map(|settings| &settings.texts);
    let text = |language: &str| texts.and_then(|texts| texts.get(&(subject, language.to_owned()))).cloned();
    let text = text(language).or_else(|| text("")).filter(|text| !text.is_empty());
    let default = if subject == "name" { bot.first_name() } else { String::new() };
    json!({subject: text.unwrap_or(default)})
}

pub(super) fn set_menu_button(request: Request<'_>) -> Result<Value, ApiError> {
    let button = request.params().json("menu_button").unwrap_or_else(|| json!({"type": "default"}));
    let kind = button.get("type").and_then(Value::as_str).unwrap_or_default();
    if !["commands", "web_app", "default"].contains(&kind) {
        return Err(ApiError::bad_request("MenuButton has unsupported type"));
    }
    let chat = request.params().int("chat_id").unwrap_or(0);
    let mut state = request.world();
    state.settings.entry(request.bot).or_default().menu_buttons.insert(chat, button);
    Ok(json!(true))
}

pub(super) fn get_menu_button(request: Request<'_>) -> Value {
    let chat = request.params().int("chat_id").unwrap_or(0);
    let state = request.world();
    let buttons = state.settings.get(&request.bot).map(|settings| &settings.menu_buttons);
    let button = buttons.and_then(|buttons| buttons.get(&chat).or_else(|| buttons.get(&0)));
    button.cloned().unwrap_or_else(|| json!({"type": "commands"}))
}

pub(super) fn set_rights(request: Request<'_>) -> Value {
    let rights = request.params().json("rights").filter(Value::is_object);
    let mut state = request.world();
    let settings = state.settings.entry(request.bot).or_default();
    if request.params().bool("for_channels") {
        settings.channel_rights = rights;
    } else {
        settings.group_rights = rights;
    }
    json!(true)
}

pub(super) fn get_rights(request: Request<'_>) -> Value {
    let state = request.world();
    let settings = state.settings.get(&request.bot);
    let stored = settings.and_then(|settings| {
        if request.params().bool("for_channels") {
            settings.channel_rights.clone()
        } else {
            settings.group_rights.clone()
        }
    });
    let mut rights: serde_json::Map<String, Value> =
        ADMIN_RIGHTS.iter().map(|name| ((*name).to_owned(), json!(false))).collect();
    if let Some(Value::Object(stored)) = stored {
        rights.extend(stored);
    }
    Value::Object(rights)
}
