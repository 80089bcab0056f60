//! What a bot says about itself: name, descriptions, commands, menu button, default rights.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Context;
use crate::telegram::world::chat::ADMIN_RIGHTS;
use crate::telegram::{ApiError, Bot};

pub(super) fn get_me(context: Context<'_>, bot: &Arc<Bot>) -> Result<Value, ApiError> {
    let state = context.world();
    let reads_all = state.settings.get(&context.bot).is_some_and(|settings| settings.reads_all_groups);
    Ok(json!({
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
    }))
}

/// Scope and language of a list of commands.
fn scope(context: Context<'_>) -> Result<(String, String), ApiError> {
    let scope = match context.params().text("scope") {
        None => json!({"type": "default"}),
        Some(text) => serde_json::from_str(text)
            .map_err(|_no_json| ApiError::bad_request("can't parse BotCommandScope"))?,
    };
    const SCOPES: [&str; 7] = [
        "default",
        "all_private_chats",
        "all_group_chats",
        "all_chat_administrators",
        "chat",
        "chat_administrators",
        "chat_member",
    ];
    let kind = scope.get("type").and_then(Value::as_str).unwrap_or_default();
    if !SCOPES.contains(&kind) {
        return Err(ApiError::bad_request("can't parse BotCommandScope: unsupported type specified"));
    }
    let language = context.params().text("language_code").unwrap_or_default();
    Ok((scope.to_string(), language.to_owned()))
}

pub(super) fn set_commands(context: Context<'_>) -> Result<Value, ApiError> {
    let key = scope(context)?;
    let commands = context.params().json("commands");
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
    let mut state = context.world();
    state.settings.entry(context.bot).or_default().commands.insert(key, json!(kept));
    Ok(json!(true))
}

pub(super) fn get_commands(context: Context<'_>) -> Result<Value, ApiError> {
    let key = scope(context)?;
    let state = context.world();
    let commands = state.settings.get(&context.bot).and_then(|settings| settings.commands.get(&key));
    Ok(commands.cloned().unwrap_or_else(|| json!([])))
}

pub(super) fn delete_commands(context: Context<'_>) -> Result<Value, ApiError> {
    let key = scope(context)?;
    let mut state = context.world();
    state.settings.entry(context.bot).or_default().commands.remove(&key);
    Ok(json!(true))
}

/// The parameter of `setMy…` and the field of the answer of `getMy…`.
fn subject(context: Context<'_>) -> (&'static str, usize) {
    match context.call.method.as_str() {
        "setmyname" | "getmyname" => ("name", 64),
        "setmydescription" | "getmydescription" => ("description", 512),
        _ => ("short_description", 120),
    }
}

pub(super) fn set_text(context: Context<'_>, bot: &Arc<Bot>) -> Result<Value, ApiError> {
    let (subject, limit) = subject(context);
    let text = context.params().text(subject).unwrap_or_default();
    if text.chars().count() > limit {
        return Err(ApiError::bad_request(format!("{subject} is too long")));
    }
    let language = context.params().text("language_code").unwrap_or_default();
    let mut state = context.world();
    if subject == "name" && language.is_empty() && !text.is_empty() {
        bot.set_first_name(text.to_owned());
        if let Some(user) = state.users.get_mut(&context.bot) {
            text.clone_into(&mut user.first_name);
        }
    }
    let texts = &mut state.settings.entry(context.bot).or_default().texts;
    texts.insert((subject, language.to_owned()), text.to_owned());
    Ok(json!(true))
}

pub(super) fn get_text(context: Context<'_>, bot: &Arc<Bot>) -> Result<Value, ApiError> {
    let (subject, _) = subject(context);
    let language = context.params().text("language_code").unwrap_or_default();
    let state = context.world();
    let texts = state.settings.get(&context.bot).map(|settings| &settings.texts);
    let text = |language: &str| texts.and_then(|texts| texts.get(&(subject, language.to_owned()))).cloned();
    let text = text(language).or_else(|| text("")).filter(|text| !text.is_empty());
    let default = if subject == "name" { bot.first_name() } else { String::new() };
    Ok(json!({subject: text.unwrap_or(default)}))
}

pub(super) fn set_menu_button(context: Context<'_>) -> Result<Value, ApiError> {
    let button = context.params().json("menu_button").unwrap_or_else(|| json!({"type": "default"}));
    let kind = button.get("type").and_then(Value::as_str).unwrap_or_default();
    if !["commands", "web_app", "default"].contains(&kind) {
        return Err(ApiError::bad_request("MenuButton has unsupported type"));
    }
    let chat = context.params().int("chat_id").unwrap_or(0);
    let mut state = context.world();
    state.settings.entry(context.bot).or_default().menu_buttons.insert(chat, button);
    Ok(json!(true))
}

pub(super) fn get_menu_button(context: Context<'_>) -> Result<Value, ApiError> {
    let chat = context.params().int("chat_id").unwrap_or(0);
    let state = context.world();
    let buttons = state.settings.get(&context.bot).map(|settings| &settings.menu_buttons);
    let button = buttons.and_then(|buttons| buttons.get(&chat).or_else(|| buttons.get(&0)));
    Ok(button.cloned().unwrap_or_else(|| json!({"type": "commands"})))
}

pub(super) fn set_rights(context: Context<'_>) -> Result<Value, ApiError> {
    let rights = context.params().json("rights").filter(Value::is_object);
    let mut state = context.world();
    let settings = state.settings.entry(context.bot).or_default();
    if context.params().bool("for_channels") {
        settings.channel_rights = rights;
    } else {
        settings.group_rights = rights;
    }
    Ok(json!(true))
}

pub(super) fn get_rights(context: Context<'_>) -> Result<Value, ApiError> {
    let state = context.world();
    let settings = state.settings.get(&context.bot);
    let stored = settings.and_then(|settings| {
        if context.params().bool("for_channels") {
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
    Ok(Value::Object(rights))
}
