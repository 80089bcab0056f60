//! What administrators do to members.

use serde_json::{Value, json};

use super::Request;
use super::chats::{managed, permissions};
use super::target;
use crate::telegram::ApiError;
use crate::telegram::world::State;
use crate::telegram::world::chat::{ADMIN_RIGHTS, ChatKey, Member, Status};

fn status(state: &State, key: ChatKey, user: i64) -> Status {
    state.chats.get(&key).map_or(Status::Left, |chat| chat.status(user))
}

/// The member that the call is about, who must not be above the bot.
fn subject(state: &State, request: Request<'_>, key: ChatKey) -> Result<i64, ApiError> {
    let user = target::user(state, request)?;
    if user == request.bot {
        return Err(ApiError::bad_request("can't restrict self"));
    }
    match status(state, key, user) {
        Status::Creator => Err(ApiError::bad_request("can't remove chat owner")),
        Status::Administrator if request.call.method == "restrictchatmember" => {
            Err(ApiError::bad_request("user is an administrator of the chat"))
        }
        _ => Ok(user),
    }
}

pub(super) fn ban(request: Request<'_>) -> Result<Value, ApiError> {
    let mut state = request.world();
    let key = managed(&state, request, "can_restrict_members")?;
    let user = subject(&state, request, key)?;
    if status(&state, key, user).is_inside() {
        state.leave(key, user, request.bot, Status::Kicked);
    } else {
        state.set_member(key, user, request.bot, Member::new(Status::Kicked));
    }
    let until = request.params().int("until_date").unwrap_or(0);
    if let Some(member) = state.chats.get_mut(&key).and_then(|chat| chat.members.get_mut(&user)) {
        member.until_date = until;
    }
    Ok(json!(true))
}

/// Without `only_if_banned` it also removes a member, as documented.
pub(super) fn unban(request: Request<'_>) -> Result<Value, ApiError> {
    let mut state = request.world();
    let key = managed(&state, request, "can_restrict_members")?;
    let user = subject(&state, request, key)?;
    match status(&state, key, user) {
        Status::Kicked => state.set_member(key, user, request.bot, Member::new(Status::Left)),
        other if other.is_inside() && !request.params().bool("only_if_banned") => {
            state.leave(key, user, request.bot, Status::Left);
        }
        _ => {}
    }
    Ok(json!(true))
}

pub(super) fn restrict(request: Request<'_>) -> Result<Value, ApiError> {
    let mut state = request.world();
    let key = managed(&state, request, "can_restrict_members")?;
    if !matches!(state.chats.get(&key), Some(chat) if chat.kind == crate::telegram::world::chat::ChatKind::Supergroup)
    {
        return Err(ApiError::bad_request("method is available only for supergroups"));
    }
    let user = subject(&state, request, key)?;
    let rights = permissions(request)?;
    let all = crate::telegram::world::chat::PERMISSIONS
        .iter()
        .take(10)
        .all(|name| rights.get(*name).and_then(Value::as_bool) == Some(true));
    let mut member = Member::new(if all { Status::Member } else { Status::Restricted });
    member.rights = rights;
    member.until_date = request.params().int("until_date").unwrap_or(0);
    state.set_member(key, user, request.bot, member);
    Ok(json!(true))
}

pub(super) fn promote(request: Request<'_>) -> Result<Value, ApiError> {
    let mut state = request.world();
    let key = managed(&state, request, "can_promote_members")?;
    let user = subject(&state, request, key)?;
    if !status(&state, key, user).is_inside() {
        return Err(ApiError::bad_request("USER_NOT_PARTICIPANT"));
    }
    let mut member = Member::new(Status::Administrator);
    for name in ADMIN_RIGHTS {
        member.rights.insert(name.to_owned(), json!(request.params().bool(name)));
    }
    if !member.rights.values().any(|held| *held == json!(true)) {
        member = Member::new(Status::Member);
    }
    state.set_member(key, user, request.bot, member);
    Ok(json!(true))
}

pub(super) fn set_title(request: Request<'_>) -> Result<Value, ApiError> {
    let mut state = request.world();
    let key = managed(&state, request, "can_promote_members")?;
    let user = target::user(&state, request)?;
    let title = request.params().text("custom_title").unwrap_or_default().to_owned();
    if title.chars().count() > 16 {
        return Err(ApiError::bad_request("ADMIN_RANK_INVALID"));
    }
    let chat = state.chats.get_mut(&key).and_then(|chat| chat.members.get_mut(&user));
    match chat.filter(|member| member.status == Status::Administrator) {
        Some(member) => {
            member.title = (!title.is_empty()).then_some(title);
            Ok(json!(true))
        }
        None => Err(ApiError::bad_request("user is not an administrator")),
    }
}

/// Lets somebody in who asked by a join request (which is pushed raw).
pub(super) fn approve(request: Request<'_>) -> Result<Value, ApiError> {
    let mut state = request.world();
    let key = managed(&state, request, "can_invite_users")?;
    let user = target::user(&state, request)?;
    if status(&state, key, user).is_inside() {
        return Err(ApiError::bad_request("USER_ALREADY_PARTICIPANT"));
    }
    state.join(key, user, user, Status::Member);
    Ok(json!(true))
}
