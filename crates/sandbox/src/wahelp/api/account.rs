//! Who calls: login, renewal, the account and its projects (reference 3).

use serde_json::{Value, json};

use super::Asked;
use super::answer::{Done, Refusal};
use crate::wahelp::project::Project;
use crate::wahelp::state::{State, Token};
use crate::wahelp::switches::TokenShape;

/// `POST /user/login`.
pub(super) fn login(state: &mut State, asked: &Asked<'_>) -> Result<Done, Refusal> {
    let (login, password) = (asked.given.text("login"), asked.given.text("password"));
    if login.as_deref() != Some(&state.login) || password.as_deref() != Some(&state.password) {
        return Err(Refusal::Unauthorized("login and password are not the account's"));
    }
    let shape = state.switches.login_shape;
    Ok(handed_out(state, shape, asked.now_ms))
}

/// `GET /user/refresh-token`. The token before goes on until its own end.
pub(super) fn refresh(state: &mut State, asked: &Asked<'_>) -> Result<Done, Refusal> {
    let known = state.tokens.iter().find(|token| Some(token.word.as_str()) == asked.token());
    match known {
        Some(token) if token.until_ms > asked.now_ms || state.switches.refresh_expired => {
            let shape = state.switches.refresh_shape;
            Ok(handed_out(state, shape, asked.now_ms))
        }
        Some(_) => Err(Refusal::Unauthorized("the token has expired")),
        None => Err(Refusal::Unauthorized("the token is not one of ours")),
    }
}

/// A new token, in the shape the switch wants.
fn handed_out(state: &mut State, shape: TokenShape, now_ms: i64) -> Done {
    let part = |state: &State, length| state.random.word(length).replace(['_', '-'], "x");
    let word = format!("{}.{}.{}", part(state, 12), part(state, 40), part(state, 24));
    let seconds = state.switches.expires_in_s;
    state.tokens.push(Token { word: word.clone(), until_ms: now_ms + seconds.saturating_mul(1000) });
    let expires_in = state.switches.tell_expires_in.then_some(seconds);
    let mut body = match shape {
        TokenShape::Data => {
            json!({"success": true,
                "data": {"token_type": "bearer", "access_token": word, "expires_in": expires_in}})
        }
        TokenShape::Nested => {
            json!({"success": true, "data": {"token": {"token": word, "expires_in": expires_in}}})
        }
        TokenShape::Top => {
            json!({"success": true, "token_type": "bearer", "access_token": word, "expires_in": expires_in})
        }
    };
    forget_null(&mut body, "expires_in");
    Done::body(body)
}

fn forget_null(value: &mut Value, name: &str) {
    if let Some(fields) = value.as_object_mut() {
        fields.retain(|key, value| key != name || !value.is_null());
        fields.values_mut().for_each(|value| forget_null(value, name));
    }
}

/// Whether the bearer token is good.
pub(super) fn admit(state: &State, asked: &Asked<'_>) -> Result<(), Refusal> {
    let Some(word) = asked.token() else { return Err(Refusal::Unauthorized("no bearer token")) };
    match state.tokens.iter().find(|token| token.word == word) {
        Some(token) if token.until_ms > asked.now_ms => Ok(()),
        Some(_) => Err(Refusal::Unauthorized("the token has expired")),
        None => Err(Refusal::Unauthorized("the token is not one of ours")),
    }
}

/// `GET /user/`.
pub(super) fn show(state: &State) -> Done {
    Done::data(json!({"id": 1, "login": state.login}))
}

/// `GET /projects/`.
pub(super) fn projects(state: &State) -> Done {
    Done::data(state.projects.values().map(shown).collect())
}

/// `GET /projects/{pid}`.
pub(super) fn project(state: &State, id: i64) -> Result<Done, Refusal> {
    let project = state.projects.get(&id).ok_or(Refusal::NotFound("there is no such project"))?;
    Ok(Done::data(shown(project)))
}

fn shown(project: &Project) -> Value {
    json!({"id": project.id, "name": project.name})
}
