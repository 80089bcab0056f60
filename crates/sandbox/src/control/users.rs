//! `/users`: people, and what they see.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::After;
use super::bots;
use super::error::{Asked, Body, Named, Refusal};
use crate::telegram::Telegram;
use crate::telegram::world::State as World;
use crate::telegram::world::chat::ChatKey;
use crate::telegram::world::user::User;
use crate::telegram::world::view::ChatView;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Create {
    id: Option<i64>,
    first_name: String,
    last_name: Option<String>,
    username: Option<String>,
    phone: Option<String>,
    language_code: Option<String>,
    #[serde(default)]
    is_premium: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    first_name: Option<String>,
    last_name: Option<String>,
    username: Option<String>,
    phone: Option<String>,
    language_code: Option<String>,
    /// The account is gone; bots get `Forbidden: user is deactivated`.
    deactivated: Option<bool>,
}

pub(super) fn check(state: &World, id: i64) -> Result<(), Refusal> {
    match state.users.get(&id) {
        Some(user) if !user.is_bot => Ok(()),
        Some(_) => Err(Refusal::bad(format!("{id} is a bot"), "the id of a user")),
        None => Err(Refusal::not_found(
            format!("there is no user {id}"),
            "the id of a user created by POST /users",
        )),
    }
}

fn shown(user: &User) -> Value {
    let mut object = user.to_json();
    if let Some(phone) = &user.phone {
        object["phone"] = json!(phone);
    }
    if user.deactivated {
        object["deactivated"] = json!(true);
    }
    object
}

pub(super) async fn create(
    State(telegram): State<Telegram>,
    Body(new): Body<Create>,
) -> Result<Json<Value>, Refusal> {
    let mut state = telegram.world().lock();
    if let Some(id) = new.id {
        if !(1..(1 << 52)).contains(&id) {
            return Err(Refusal::bad(format!("no user has the id {id}"), "an id of 1 to 2^52 - 1, or none"));
        }
        if state.users.contains_key(&id) {
            return Err(Refusal::bad(format!("user {id} exists already"), "another id, or none"));
        }
    }
    let mut user = User::new(new.id.unwrap_or(0), false, new.first_name);
    user.last_name = new.last_name;
    user.username = new.username;
    user.phone = new.phone;
    user.language_code = new.language_code;
    user.is_premium = new.is_premium;
    let id = state.add_user(user);
    Ok(Json(state.users.get(&id).map(shown).unwrap_or_default()))
}

pub(super) async fn change(
    State(telegram): State<Telegram>,
    Named(id): Named<i64>,
    Body(change): Body<Change>,
) -> Result<Json<Value>, Refusal> {
    let mut state = telegram.world().lock();
    check(&state, id)?;
    let user = state.users.get_mut(&id);
    let user = user.ok_or_else(|| Refusal::not_found("there is no such user", "the id of a user"))?;
    if let Some(name) = change.first_name {
        user.first_name = name;
    }
    // A name can be changed, and taken away by an empty text.
    let put = |field: &mut Option<String>, new: Option<String>| {
        if let Some(new) = new {
            *field = Some(new).filter(|new| !new.is_empty());
        }
    };
    put(&mut user.last_name, change.last_name);
    put(&mut user.username, change.username);
    put(&mut user.phone, change.phone);
    put(&mut user.language_code, change.language_code);
    user.deactivated = change.deactivated.unwrap_or(user.deactivated);
    Ok(Json(shown(user)))
}

pub(super) async fn list(State(telegram): State<Telegram>) -> Json<Vec<Value>> {
    let state = telegram.world().lock();
    Json(state.users.values().filter(|user| !user.is_bot).map(shown).collect())
}

pub(super) async fn show(
    State(telegram): State<Telegram>,
    Named(id): Named<i64>,
) -> Result<Json<Value>, Refusal> {
    let state = telegram.world().lock();
    check(&state, id)?;
    Ok(Json(state.users.get(&id).map(shown).unwrap_or_default()))
}

pub(super) async fn chat(
    State(telegram): State<Telegram>,
    Named((user, bot)): Named<(i64, i64)>,
    Asked(asked): Asked<After>,
) -> Result<Json<ChatView>, Refusal> {
    bots::find(&telegram, bot)?;
    let mut state = telegram.world().lock();
    check(&state, user)?;
    let key: ChatKey = state.open_private(bot, user);
    let after = i64::try_from(asked.after).unwrap_or(i64::MAX);
    state.view(key, after).map(Json).ok_or_else(|| Refusal::not_found("there is no such chat", "a chat"))
}
