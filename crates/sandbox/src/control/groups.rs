//! `/groups`: groups, supergroups and channels.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::After;
use super::error::{Asked, Body, Named, Refusal};
use super::{bots, users};
use crate::telegram::Telegram;
use crate::telegram::world::State as World;
use crate::telegram::world::chat::{ChatKey, ChatKind, Member, Status};
use crate::telegram::world::view::ChatView;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Type {
    Group,
    #[default]
    Supergroup,
    Channel,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Create {
    title: String,
    #[serde(default, rename = "type")]
    kind: Type,
    username: Option<String>,
    #[serde(default)]
    users: Vec<i64>,
    #[serde(default)]
    bots: Vec<i64>,
    /// Bots come as administrators and see everything; otherwise as members under privacy mode.
    #[serde(default = "yes")]
    bots_are_admins: bool,
}

fn yes() -> bool {
    true
}

/// The group of the path.
pub(super) fn find(state: &World, id: i64) -> Result<ChatKey, Refusal> {
    let key = ChatKey::Group(id);
    if state.chats.contains_key(&key) {
        return Ok(key);
    }
    Err(Refusal::not_found(format!("there is no group {id}"), "the id of a group created by POST /groups"))
}

fn shown(state: &World, key: ChatKey) -> Value {
    let mut object = state.chat_json(key);
    if let Some(chat) = state.chats.get(&key) {
        let members: Vec<Value> = chat
            .members
            .iter()
            .map(|(id, member)| json!({"id": id, "status": member.status.name()}))
            .collect();
        object["members"] = json!(members);
        if let Some(to) = chat.migrated_to {
            object["migrated_to"] = json!(to);
        }
    }
    object
}

/// The first user owns the group and adds the bots, which are told of it.
pub(super) async fn create(
    State(telegram): State<Telegram>,
    Body(new): Body<Create>,
) -> Result<Json<Value>, Refusal> {
    for bot in &new.bots {
        bots::find(&telegram, *bot)?;
    }
    let mut state = telegram.world().lock();
    for user in &new.users {
        users::check(&state, *user)?;
    }
    let owner = new.users.first().copied();
    let owner =
        owner.ok_or_else(|| Refusal::bad("a group has no owner", "at least one user in \"users\""))?;
    let kind = match new.kind {
        Type::Group => ChatKind::Group,
        Type::Supergroup => ChatKind::Supergroup,
        Type::Channel => ChatKind::Channel,
    };
    let name = new.username.as_ref().map(|name| name.trim_start_matches('@').to_owned());
    if let Some(name) = &name
        && state.names.contains_key(&name.to_lowercase())
    {
        return Err(Refusal::bad(format!("the name @{name} is taken"), "another username, or none"));
    }
    let key = state.add_group(kind, new.title);
    if let Some(name) = &name {
        state.names.insert(name.to_lowercase(), key.id());
    }
    if let Some(chat) = state.chats.get_mut(&key) {
        chat.username = name;
        for user in &new.users {
            let status = if *user == owner { Status::Creator } else { Status::Member };
            chat.members.insert(*user, Member::new(status));
        }
    }
    let standing = if new.bots_are_admins { Status::Administrator } else { Status::Member };
    for bot in new.bots {
        state.join(key, bot, owner, standing);
    }
    Ok(Json(shown(&state, key)))
}

pub(super) async fn list(State(telegram): State<Telegram>) -> Json<Vec<Value>> {
    let state = telegram.world().lock();
    let mut keys: Vec<ChatKey> =
        state.chats.keys().filter(|key| matches!(key, ChatKey::Group(_))).copied().collect();
    keys.sort_unstable();
    Json(keys.into_iter().map(|key| shown(&state, key)).collect())
}

pub(super) async fn chat(
    State(telegram): State<Telegram>,
    Named(group): Named<i64>,
    Asked(asked): Asked<After>,
) -> Result<Json<ChatView>, Refusal> {
    let state = telegram.world().lock();
    let key = find(&state, group)?;
    let after = i64::try_from(asked.after).unwrap_or(i64::MAX);
    state.view(key, after).map(Json).ok_or_else(|| Refusal::not_found("there is no such chat", "a chat"))
}

/// Makes a supergroup of a basic group; the old id answers with `migrate_to_chat_id` from now on.
pub(super) async fn upgrade(
    State(telegram): State<Telegram>,
    Named(group): Named<i64>,
) -> Result<Json<Value>, Refusal> {
    let mut state = telegram.world().lock();
    let key = find(&state, group)?;
    let new = state.upgrade_group(key).ok_or_else(|| {
        Refusal::bad(
            "the chat cannot be upgraded",
            "a group of \"type\": \"group\" that was not upgraded before",
        )
    })?;
    Ok(Json(shown(&state, new)))
}

/// Removes a group; bots that write there get `Forbidden: the group chat was deleted`.
pub(super) async fn remove(
    State(telegram): State<Telegram>,
    Named(group): Named<i64>,
) -> Result<Json<Value>, Refusal> {
    let mut state = telegram.world().lock();
    let key = find(&state, group)?;
    if let Some(chat) = state.chats.get_mut(&key) {
        chat.removed = true;
    }
    Ok(Json(json!({})))
}
