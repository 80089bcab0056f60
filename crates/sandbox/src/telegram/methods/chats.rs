//! Chats as a whole: who they are, what is pinned, how they look.

use serde_json::{Map, Value, json};

use super::Request;
use super::target::{self, Access};
use crate::telegram::ApiError;
use crate::telegram::world::State;
use crate::telegram::world::chat::{Chat, ChatKey, ChatKind, Status};
use crate::telegram::world::media::{Hints, MediaKind};
use crate::telegram::world::message::{Content, Draft};
use crate::telegram::world::render::PINNED;

/// The group or channel that `chat_id` names, in which the bot holds the right.
pub(super) fn managed(state: &State, request: Request<'_>, right: &str) -> Result<ChatKey, ApiError> {
    let key = target::chat(state, request, "chat_id", Access::Write)?;
    let chat = state.chats.get(&key).ok_or_else(|| ApiError::bad_request("chat not found"))?;
    if chat.kind == ChatKind::Private {
        return Err(ApiError::bad_request("method is available for supergroup and channel chats only"));
    }
    if !chat.has_right(request.bot, right) {
        let what = match right {
            "can_pin_messages" => "to manage pinned messages in the chat",
            "can_restrict_members" => "to restrict/unrestrict chat member",
            "can_promote_members" => "to promote/demote chat administrators",
            "can_invite_users" => "to manage chat invite link",
            "can_change_info" => "to change chat info",
            "can_manage_topics" => "to manage topics",
            _ => "",
        };
        return Err(ApiError::bad_request(format!("not enough rights {what}").trim_end()));
    }
    Ok(key)
}

fn chat_mut(state: &mut State, key: ChatKey) -> Result<&mut Chat, ApiError> {
    state.chats.get_mut(&key).ok_or_else(|| ApiError::bad_request("chat not found"))
}

pub(super) fn pin(request: Request<'_>) -> Result<Value, ApiError> {
    let mut state = request.world();
    let key = match target::chat(&state, request, "chat_id", Access::Write)? {
        key @ ChatKey::Private { .. } => key,
        ChatKey::Group(_) => managed(&state, request, "can_pin_messages")?,
    };
    let id = target::message_id(request)?;
    let chat = chat_mut(&mut state, key)?;
    let message = chat.find_message(id).ok_or_else(|| ApiError::bad_request("message to pin not found"))?;
    if message.content.is_service() {
        return Err(ApiError::bad_request("message can't be pinned"));
    }
    chat.pinned.retain(|pinned| *pinned != id);
    chat.pinned.push(id);
    let author = state.author_in(key, request.bot);
    let service = state.post_quietly(key, Draft::new(request.bot, author, Content::of(PINNED, json!(id))));
    state.announce_to_all(key, service, "message");
    Ok(json!(true))
}

pub(super) fn unpin(request: Request<'_>) -> Result<Value, ApiError> {
    let mut state = request.world();
    let key = target::chat(&state, request, "chat_id", Access::Write)?;
    let id = request.params().int("message_id");
    let chat = chat_mut(&mut state, key)?;
    match id {
        Some(id) if !chat.pinned.contains(&id) => {
            return Err(ApiError::bad_request("message to unpin not found"));
        }
        Some(id) => chat.pinned.retain(|pinned| *pinned != id),
        None => {
            chat.pinned.pop();
        }
    }
    Ok(json!(true))
}

pub(super) fn unpin_all(request: Request<'_>) -> Result<Value, ApiError> {
    let mut state = request.world();
    let key = target::chat(&state, request, "chat_id", Access::Write)?;
    chat_mut(&mut state, key)?.pinned.clear();
    Ok(json!(true))
}

pub(super) fn get_chat(request: Request<'_>) -> Result<Value, ApiError> {
    let state = request.world();
    let key = target::chat(&state, request, "chat_id", Access::Look)?;
    let mut object = state.chat_json(key).as_object().cloned().unwrap_or_default();
    object.insert("accent_color_id".into(), json!(key.id().rem_euclid(7)));
    object.insert("max_reaction_count".into(), json!(11));
    object.insert(
        "accepted_gift_types".into(),
        json!({
            "unlimited_gifts": true,
            "limited_gifts": true,
            "unique_gifts": true,
            "premium_subscription": true,
            "gifts_from_channels": true,
        }),
    );
    if let Some(username) = object.get("username").cloned() {
        object.insert("active_usernames".into(), json!([username]));
    }
    if let Some(chat) = state.chats.get(&key) {
        if let Some(description) = &chat.description {
            object.insert("description".into(), json!(description));
        }
        if chat.kind == ChatKind::Group || chat.kind == ChatKind::Supergroup {
            object.insert("permissions".into(), json!(chat.permissions));
            object.insert("join_to_send_messages".into(), json!(true));
        }
        if let Some(photo) = &chat.photo {
            object.insert("photo".into(), chat_photo(&state, photo, request.bot));
        }
        if let Some(pinned) = chat.pinned.last().and_then(|id| state.message_json(key, *id, request.bot)) {
            object.insert(PINNED.into(), pinned);
        }
        let links =
            state.settings.get(&request.bot).and_then(|settings| settings.invite_links.get(&key.id()));
        if let Some(link) = links.and_then(|links| links.first()).and_then(|link| link.get("invite_link")) {
            object.insert("invite_link".into(), link.clone());
        }
    }
    Ok(Value::Object(object))
}

/// `ChatPhoto` from the sizes of the picture.
fn chat_photo(state: &State, sizes: &Value, bot: i64) -> Value {
    let sizes = state.with_file_ids(sizes, bot);
    let ids = |size: Option<&Value>| {
        let text = |name: &str| size.and_then(|size| size.get(name)).cloned().unwrap_or_default();
        (text("file_id"), text("file_unique_id"))
    };
    let list = sizes.as_array().map(Vec::as_slice).unwrap_or_default();
    let (small, big) = (ids(list.first()), ids(list.last()));
    json!({
        "small_file_id": small.0,
        "small_file_unique_id": small.1,
        "big_file_id": big.0,
        "big_file_unique_id": big.1,
    })
}

pub(super) fn get_member(request: Request<'_>) -> Result<Value, ApiError> {
    let state = request.world();
    let key = target::chat(&state, request, "chat_id", Access::Look)?;
    let user = target::user(&state, request)?;
    let chat = state.chats.get(&key).ok_or_else(|| ApiError::bad_request("chat not found"))?;
    let json = state.user_json(user);
    if chat.kind == ChatKind::Private {
        let status = if state.is_in(key, user) { "member" } else { "left" };
        return Ok(json!({"status": status, "user": json}));
    }
    let stranger = crate::telegram::world::chat::Member::new(Status::Left);
    let member = chat.members.get(&user).unwrap_or(&stranger);
    Ok(member.to_json(json, chat.has_right(request.bot, "can_promote_members")))
}

/// The chat, which must be a group or channel.
fn group<'a>(state: &'a State, request: Request<'_>, what: &str) -> Result<&'a Chat, ApiError> {
    let key = target::chat(state, request, "chat_id", Access::Look)?;
    let chat = state.chats.get(&key).filter(|chat| chat.kind != ChatKind::Private);
    chat.ok_or_else(|| ApiError::bad_request(format!("there are no {what} in the private chat")))
}

pub(super) fn administrators(request: Request<'_>) -> Result<Value, ApiError> {
    let state = request.world();
    let chat = group(&state, request, "administrators")?;
    // Bots do not see other bots among the administrators.
    let shown = chat.members.iter().filter(|(id, member)| {
        member.status.is_admin() && (**id == request.bot || !state.bots.contains_key(id))
    });
    Ok(shown.map(|(id, member)| member.to_json(state.user_json(*id), false)).collect())
}

pub(super) fn member_count(request: Request<'_>) -> Result<Value, ApiError> {
    let state = request.world();
    let key = target::chat(&state, request, "chat_id", Access::Look)?;
    let count = match key {
        ChatKey::Private { .. } => 2,
        ChatKey::Group(_) => {
            let chat = state.chats.get(&key);
            chat.map_or(0, |chat| chat.members.values().filter(|member| member.status.is_inside()).count())
        }
    };
    Ok(json!(count))
}

/// A service message in the bot's name; the bot gets it too.
fn tell(state: &mut State, request: Request<'_>, key: ChatKey, content: Content) {
    let author = state.author_in(key, request.bot);
    let id = state.post_quietly(key, Draft::new(request.bot, author, content));
    state.announce_to_all(key, id, "message");
}

pub(super) fn set_title(request: Request<'_>) -> Result<Value, ApiError> {
    let mut state = request.world();
    let key = managed(&state, request, "can_change_info")?;
    let title = request.params().required("title")?;
    if title.chars().count() > 128 {
        return Err(ApiError::bad_request("CHAT_TITLE_TOO_LONG"));
    }
    let chat = chat_mut(&mut state, key)?;
    if chat.title == title {
        return Ok(json!(true));
    }
    title.clone_into(&mut chat.title);
    tell(&mut state, request, key, Content::of("new_chat_title", json!(title)));
    Ok(json!(true))
}

pub(super) fn set_description(request: Request<'_>) -> Result<Value, ApiError> {
    let mut state = request.world();
    let key = managed(&state, request, "can_change_info")?;
    let description = request.params().text("description").map(str::to_owned);
    let chat = chat_mut(&mut state, key)?;
    if chat.description == description {
        return Err(ApiError::bad_request("chat description is not modified"));
    }
    chat.description = description;
    Ok(json!(true))
}

pub(super) fn set_photo(request: Request<'_>) -> Result<Value, ApiError> {
    let mut state = request.world();
    let key = managed(&state, request, "can_change_info")?;
    let photo = request
        .call
        .attached("photo")
        .ok_or_else(|| ApiError::bad_request("there is no photo in the request"))?;
    let sizes =
        state.shelf.add(request.bot, MediaKind::Photo, photo.bytes.clone(), None, None, &Hints::default())?;
    chat_mut(&mut state, key)?.photo = Some(sizes.clone());
    tell(&mut state, request, key, Content { has_files: true, ..Content::of("new_chat_photo", sizes) });
    Ok(json!(true))
}

pub(super) fn delete_photo(request: Request<'_>) -> Result<Value, ApiError> {
    let mut state = request.world();
    let key = managed(&state, request, "can_change_info")?;
    if chat_mut(&mut state, key)?.photo.take().is_some() {
        tell(&mut state, request, key, Content::of("delete_chat_photo", json!(true)));
    }
    Ok(json!(true))
}

pub(super) fn set_permissions(request: Request<'_>) -> Result<Value, ApiError> {
    let mut state = request.world();
    let key = managed(&state, request, "can_restrict_members")?;
    let given = permissions(request)?;
    let chat = chat_mut(&mut state, key)?;
    for (name, value) in &mut chat.permissions {
        *value = given.get(name).cloned().unwrap_or(json!(false));
    }
    Ok(json!(true))
}

/// The `permissions` parameter.
pub(super) fn permissions(request: Request<'_>) -> Result<Map<String, Value>, ApiError> {
    match request.params().json("permissions") {
        Some(Value::Object(given)) => Ok(given),
        Some(_) => Err(ApiError::bad_request("object expected as permissions")),
        None if request.params().text("permissions").is_some() => {
            Err(ApiError::bad_request("can't parse permissions JSON object"))
        }
        None => Ok(Map::new()),
    }
}

pub(super) fn leave(request: Request<'_>) -> Result<Value, ApiError> {
    let mut state = request.world();
    let key = target::chat(&state, request, "chat_id", Access::Look)?;
    if let ChatKey::Private { .. } = key {
        return Err(ApiError::bad_request("chat member status can't be changed in private chats"));
    }
    state.leave(key, request.bot, request.bot, Status::Left);
    Ok(json!(true))
}
