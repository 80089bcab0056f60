//! Invite links, kept per bot and chat.

use serde_json::{Map, Value, json};

use super::Request;
use super::chats::managed;
use crate::telegram::ApiError;
use crate::telegram::world::State;
use crate::telegram::world::chat::ChatKey;

/// Which link is made: the one of the chat, or one more.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rank {
    Primary,
    Further,
}

fn new_link(state: &State, request: Request<'_>, rank: Rank) -> Map<String, Value> {
    let mut link = Map::new();
    link.insert("invite_link".into(), json!(format!("https://t.me/+{}", state.random.word(16))));
    link.insert("creator".into(), state.user_json(request.bot));
    link.insert("creates_join_request".into(), json!(false));
    link.insert("is_primary".into(), json!(rank == Rank::Primary));
    link.insert("is_revoked".into(), json!(false));
    link
}

/// Takes over what a call says of a link.
fn apply(request: Request<'_>, link: &mut Map<String, Value>) -> Result<(), ApiError> {
    let params = request.params();
    if let Some(name) = params.text("name") {
        link.insert("name".into(), json!(name));
    }
    for name in ["expire_date", "member_limit", "subscription_period", "subscription_price"] {
        if let Some(number) = params.int(name).filter(|number| *number > 0) {
            link.insert(name.into(), json!(number));
        }
    }
    let asks = params.bool("creates_join_request");
    if asks && params.int("member_limit").is_some_and(|limit| limit > 0) {
        return Err(ApiError::bad_request(
            "member limit can't be specified for links requiring administrator approval",
        ));
    }
    link.insert("creates_join_request".into(), json!(asks));
    Ok(())
}

fn links<'a>(state: &'a mut State, request: Request<'_>, key: ChatKey) -> &'a mut Vec<Map<String, Value>> {
    state.settings.entry(request.bot).or_default().invite_links.entry(key.id()).or_default()
}

/// A new primary link in place of the old one.
pub(super) fn export(request: Request<'_>) -> Result<Value, ApiError> {
    let mut state = request.world();
    let key = managed(&state, request, "can_invite_users")?;
    let link = new_link(&state, request, Rank::Primary);
    let address = link["invite_link"].clone();
    let links = links(&mut state, request, key);
    links.retain(|old| old["is_primary"] != json!(true));
    links.insert(0, link);
    Ok(address)
}

pub(super) fn create(request: Request<'_>) -> Result<Value, ApiError> {
    let mut state = request.world();
    let key = managed(&state, request, "can_invite_users")?;
    let mut link = new_link(&state, request, Rank::Further);
    apply(request, &mut link)?;
    links(&mut state, request, key).push(link.clone());
    Ok(Value::Object(link))
}

fn find<'a>(
    state: &'a mut State,
    request: Request<'_>,
    key: ChatKey,
) -> Result<&'a mut Map<String, Value>, ApiError> {
    let address = request.params().required("invite_link")?;
    links(state, request, key)
        .iter_mut()
        .find(|link| link["invite_link"] == json!(address))
        .ok_or_else(|| ApiError::bad_request("INVITE_HASH_EXPIRED"))
}

pub(super) fn edit(request: Request<'_>) -> Result<Value, ApiError> {
    let mut state = request.world();
    let key = managed(&state, request, "can_invite_users")?;
    let link = find(&mut state, request, key)?;
    apply(request, link)?;
    Ok(Value::Object(link.clone()))
}

pub(super) fn revoke(request: Request<'_>) -> Result<Value, ApiError> {
    let mut state = request.world();
    let key = managed(&state, request, "can_invite_users")?;
    let link = find(&mut state, request, key)?;
    link.insert("is_revoked".into(), json!(true));
    Ok(Value::Object(link.clone()))
}
