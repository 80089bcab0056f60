//! `/bots`: creating bots, their updates, calls, tokens and faults.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::After;
use super::error::{Asked, Body, Named, Refusal, read};
use crate::telegram::{Bot, CallRecord, CreateBotError, FaultSpec, NewBot, Pushed, Telegram, UpdateRecord};

const FAULT: &str = r#"{"method": "sendMessage" | "getUpdates" | "webhook" | "file" | "*" | …, "fault": {"kind": "status", "code": 429, "body"?: "json" | "html", "retry_after"?: 3} | {"kind": "silence" | "reset" | "unauthorized" | "duplicate"} | {"kind": "slow" | "late", "ms": 500}, "times"?: 2, "for_ms"?: 1000, "when"?: "before" | "after"}"#;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Create {
    token: Option<String>,
    username: Option<String>,
    first_name: Option<String>,
    /// Privacy mode off.
    #[serde(default)]
    can_read_all_group_messages: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Token {
    token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rebase {
    next_update_id: i32,
}

/// The bot of the path, known to the world.
pub(super) fn find(telegram: &Telegram, id: i64) -> Result<Arc<Bot>, Refusal> {
    let bot = telegram.bot(id).ok_or_else(|| {
        Refusal::not_found(format!("there is no bot {id}"), "the id of a bot created by POST /bots")
    })?;
    telegram.world().lock().introduce(&bot);
    Ok(bot)
}

fn shown(bot: &Bot) -> Value {
    json!({
        "id": bot.id(),
        "token": bot.token(),
        "username": bot.username(),
        "first_name": bot.first_name(),
        "pending_updates": bot.pending(),
    })
}

impl From<CreateBotError> for Refusal {
    fn from(error: CreateBotError) -> Self {
        let expected = match &error {
            CreateBotError::Exists(_) => "a token with another id, or POST /bots/{bot}/token for a new token",
            CreateBotError::BadToken | CreateBotError::OtherBot(_) => {
                "a token as the error describes, or none"
            }
        };
        Self::bad(error.to_string(), expected)
    }
}

pub(super) async fn create(
    State(telegram): State<Telegram>,
    Body(new): Body<Create>,
) -> Result<Json<Value>, Refusal> {
    let bot = telegram.create_bot(NewBot {
        token: new.token,
        username: new.username,
        first_name: new.first_name,
    })?;
    let mut state = telegram.world().lock();
    state.introduce(&bot);
    state.settings.entry(bot.id()).or_default().reads_all_groups = new.can_read_all_group_messages;
    Ok(Json(shown(&bot)))
}

pub(super) async fn list(State(telegram): State<Telegram>) -> Json<Vec<Value>> {
    Json(telegram.bots().iter().map(|bot| shown(bot)).collect())
}

pub(super) async fn show(
    State(telegram): State<Telegram>,
    Named(bot): Named<i64>,
) -> Result<Json<Value>, Refusal> {
    Ok(Json(shown(&*find(&telegram, bot)?)))
}

pub(super) async fn rotate(
    State(telegram): State<Telegram>,
    Named(bot): Named<i64>,
    Body(new): Body<Token>,
) -> Result<Json<Value>, Refusal> {
    let bot = find(&telegram, bot)?;
    telegram.rotate_token(&bot, new.token)?;
    Ok(Json(shown(&bot)))
}

/// Pushes a raw update; who and what it speaks of becomes known, so that the bot can answer.
pub(super) async fn push(
    State(telegram): State<Telegram>,
    Named(bot): Named<i64>,
    body: String,
) -> Result<Json<Value>, Refusal> {
    let bot = find(&telegram, bot)?;
    let expected = "an update object like {\"message\": {…}}, with or without update_id";
    let refused = |error: &dyn std::error::Error| Refusal::bad(error.to_string(), expected);
    let update: Value = serde_json::from_str(&body).map_err(|error| refused(&error))?;
    // What it speaks of is known before the bot can answer.
    for (kind, object) in update.as_object().into_iter().flatten().filter(|(name, _)| *name != "update_id") {
        telegram.world().lock().learn(bot.id(), kind, object);
    }
    let pushed = bot.push_raw(&body).map_err(|error| refused(&error))?;
    Ok(Json(match pushed {
        Pushed::Stored { update_id } => json!({"update_id": update_id}),
        Pushed::Unwanted => json!({"not_stored": "the bot's allowed_updates do not have this kind"}),
        Pushed::Expired => json!({"not_stored": "its lifetime, counted from its date, is over"}),
        Pushed::TooLarge => json!({"not_stored": "it is over 512 KiB"}),
        Pushed::QueueFull => json!({"not_stored": "100,000 updates or 128 MiB are pending"}),
    }))
}

pub(super) async fn rebase(
    State(telegram): State<Telegram>,
    Named(bot): Named<i64>,
    Body(rebase): Body<Rebase>,
) -> Result<Json<Value>, Refusal> {
    let bot = find(&telegram, bot)?;
    if rebase.next_update_id < 1 {
        return Err(Refusal::bad("no update has such an id", "next_update_id of at least 1"));
    }
    bot.rebase(rebase.next_update_id);
    Ok(Json(json!({"next_update_id": rebase.next_update_id})))
}

pub(super) async fn updates(
    State(telegram): State<Telegram>,
    Named(bot): Named<i64>,
    Asked(asked): Asked<After>,
) -> Result<Json<Vec<UpdateRecord>>, Refusal> {
    Ok(Json(find(&telegram, bot)?.updates_after(asked.after)))
}

pub(super) async fn calls(
    State(telegram): State<Telegram>,
    Named(bot): Named<i64>,
    Asked(asked): Asked<After>,
) -> Result<Json<Vec<CallRecord>>, Refusal> {
    Ok(Json(find(&telegram, bot)?.calls_after(asked.after)))
}

pub(super) async fn plant(
    State(telegram): State<Telegram>,
    Named(bot): Named<i64>,
    Body(body): Body<Value>,
) -> Result<Json<Value>, Refusal> {
    let bot = find(&telegram, bot)?;
    let fault: FaultSpec = read(body, FAULT)?;
    bot.plant_fault(fault.clone()).map_err(|error| Refusal::bad(error.to_string(), FAULT))?;
    Ok(Json(json!(fault)))
}

pub(super) async fn clear(
    State(telegram): State<Telegram>,
    Named(bot): Named<i64>,
) -> Result<Json<Value>, Refusal> {
    find(&telegram, bot)?.clear_faults();
    Ok(Json(json!({})))
}
