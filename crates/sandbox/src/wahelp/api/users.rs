//! Clients of a channel, and contacts by phone (reference 6).

use serde_json::{Value, json};

use super::Asked;
use super::answer::{Done, Refusal};
use super::channels::find;
use crate::wahelp::Wahelp;
use crate::wahelp::client::digits;
use crate::wahelp::state::State;

/// Items of a page unless the request says otherwise.
pub(super) const PAGE: usize = 50;

/// `GET …/channels/{uuid}/users`.
pub(super) fn list(state: &State, project: i64, channel: &str, asked: &Asked<'_>) -> Result<Done, Refusal> {
    let channel = find(state, project, channel)?.id;
    let users: Vec<Value> = state
        .users
        .values()
        .filter(|user| user.channel == channel)
        .map(|user| state.shown_user(user.id))
        .collect();
    Ok(Done::page(&users, asked.number("page").unwrap_or(1), asked.number("limit").unwrap_or(PAGE)))
}

/// `POST …/channels/{uuid}/users`. Whoever is there already is answered like a new one.
pub(super) fn add(wahelp: &Wahelp, project: i64, channel: &str, asked: &Asked<'_>) -> Result<Done, Refusal> {
    let mut state = wahelp.lock();
    let state = &mut *state;
    let channel = find(state, project, channel)?.id;
    let phone = phone(asked)?;
    let user = reach(wahelp, state, channel, &phone, asked.now_ms).ok_or(Refusal::UNREACHABLE)?;
    if let (Some(name), Some(user)) = (asked.given.text("name"), state.users.get_mut(&user)) {
        user.name = name;
    }
    Ok(Done::data(state.shown_user(user)))
}

/// `GET …/channels/{uuid}/users/{user}`.
pub(super) fn show(state: &State, project: i64, channel: &str, user: i64) -> Result<Done, Refusal> {
    let channel = find(state, project, channel)?.id;
    let known = state.users.get(&user).is_some_and(|user| user.channel == channel);
    if known { Ok(Done::data(state.shown_user(user))) } else { Err(NO_USER) }
}

/// No such client in this channel.
pub(super) const NO_USER: Refusal = Refusal::NotFound("the channel has no such user");

/// `POST /projects/{pid}/contacts/contact_by_phone`.
pub(super) fn by_phone(wahelp: &Wahelp, project: i64, asked: &Asked<'_>) -> Result<Done, Refusal> {
    let mut state = wahelp.lock();
    let state = &mut *state;
    let phone = phone(asked)?;
    let channels: Vec<i64> =
        state.channels.values().filter(|channel| channel.project == project).map(|it| it.id).collect();
    let known = channels.iter().find_map(|channel| state.find_phone(*channel, &phone));
    let user = match known {
        Some(user) => user,
        None if asked.given.flag("need_create") => {
            // Through which channel the real one opens a contact is not known: here through the first that can.
            let reached =
                channels.iter().find_map(|channel| reach(wahelp, state, *channel, &phone, asked.now_ms));
            reached.ok_or(Refusal::UNREACHABLE)?
        }
        None => return Err(Refusal::NotFound("nobody has this phone")),
    };
    let contact = state.users.get(&user).map(|user| user.contact).ok_or(NO_USER)?;
    Ok(Done::data(state.shown_contact(contact)))
}

/// The user behind a number, made when he is none yet; subscribers hear of it.
fn reach(wahelp: &Wahelp, state: &mut State, channel: i64, phone: &str, now_ms: i64) -> Option<i64> {
    let before = state.users.len();
    let user = state.reach_phone(channel, phone, now_ms)?;
    wahelp.announce_user(state, before, user);
    Some(user)
}

fn phone(asked: &Asked<'_>) -> Result<String, Refusal> {
    let given = asked.given.text("phone").map(|phone| digits(&phone)).filter(|phone| !phone.is_empty());
    given.ok_or_else(|| Refusal::Invalid(json!({"phone": ["The phone field is required."]}).to_string()))
}
