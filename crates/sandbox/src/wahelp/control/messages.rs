//! What becomes of a message later: how far it came, that it was changed or deleted.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::control::error::{Body, Named, Refusal};
use crate::wahelp::Wahelp;
use crate::wahelp::message::Change;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Status {
    status: String,
}

/// `POST /wahelp/messages/{message}/status`: any word.
pub(crate) async fn status(
    State(wahelp): State<Wahelp>,
    Named(message): Named<i64>,
    Body(given): Body<Status>,
) -> Result<Json<Value>, Refusal> {
    changed(&wahelp, message, Change::Status(given.status))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Edit {
    text: String,
}

/// `POST /wahelp/messages/{message}/edit`.
pub(crate) async fn edit(
    State(wahelp): State<Wahelp>,
    Named(message): Named<i64>,
    Body(edit): Body<Edit>,
) -> Result<Json<Value>, Refusal> {
    changed(&wahelp, message, Change::Text(edit.text))
}

/// `POST /wahelp/messages/{message}/delete`: it reads as deleted from now on.
pub(crate) async fn delete(
    State(wahelp): State<Wahelp>,
    Named(message): Named<i64>,
) -> Result<Json<Value>, Refusal> {
    changed(&wahelp, message, Change::Deleted)
}

fn changed(wahelp: &Wahelp, id: i64, change: Change) -> Result<Json<Value>, Refusal> {
    let mut state = wahelp.lock();
    wahelp.change_message(&mut state, id, change).ok_or_else(|| {
        Refusal::not_found(format!("there is no message {id}"), "an id that a user's messages show")
    })?;
    Ok(Json(json!(state.messages.get(&id))))
}
