//! Reading chats, cards and deliveries, and the few things a manager does to cards.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::bots::find;
use super::views;
use crate::amocrm::AmoCrm;
use crate::amocrm::account::Account;
use crate::amocrm::cards::{Chat, LeadStatus};
use crate::amocrm::leads::Move;
use crate::amocrm::pipelines;
use crate::control::After;
use crate::control::error::{Asked, Body, Named, Refusal};

/// Which chat is meant.
pub(crate) enum ChatName {
    /// By the Telegram chat, which in private is the client.
    Telegram(i64),
    /// By amoCRM's id.
    Id(String),
}

/// The chat of this bot by either name.
pub(crate) fn find_chat<'a>(account: &'a Account, bot: i64, name: &ChatName) -> Result<&'a Chat, Refusal> {
    let found = match name {
        ChatName::Telegram(id) => account.find_chat(bot, *id),
        ChatName::Id(id) => account.chats.get(id).filter(|chat| chat.bot_id == bot),
    };
    found.ok_or_else(|| {
        Refusal::not_found("amoCRM has no such chat", "the Telegram id of a client whose message amoCRM got")
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lines {
    #[serde(default)]
    messages: Which,
}

/// Whether repeats of one delivery are shown.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Which {
    /// As if amoCRM were idempotent.
    #[default]
    Unique,
    /// As if it were not.
    All,
}

/// `GET /amocrm/{bot}/chats`.
pub(crate) async fn chats(
    State(amocrm): State<AmoCrm>,
    Named(bot): Named<i64>,
    Asked(lines): Asked<Lines>,
) -> Result<Json<Value>, Refusal> {
    let state = amocrm.lock();
    find(&state.connections, bot)?;
    let chats: Vec<Value> = state.account.chats_of(bot).map(|chat| shown(chat, lines.messages)).collect();
    Ok(Json(json!({"chats": chats})))
}

/// `GET /amocrm/{bot}/chats/{chat}`, by Telegram id or by amoCRM's.
pub(crate) async fn chat(
    State(amocrm): State<AmoCrm>,
    Named((bot, name)): Named<(i64, String)>,
    Asked(lines): Asked<Lines>,
) -> Result<Json<Value>, Refusal> {
    let name = name.parse().map_or(ChatName::Id(name), ChatName::Telegram);
    let state = amocrm.lock();
    Ok(Json(shown(find_chat(&state.account, bot, &name)?, lines.messages)))
}

fn shown(chat: &Chat, which: Which) -> Value {
    let mut shown = json!(chat);
    if which == Which::Unique
        && let Some(lines) = shown["messages"].as_array_mut()
    {
        lines.retain(|line| line["repeat"] == json!(false));
    }
    shown
}

/// `GET /amocrm/{bot}/raw?after=N`.
pub(crate) async fn raw_of_bot(
    State(amocrm): State<AmoCrm>,
    Named(bot): Named<i64>,
    Asked(asked): Asked<After>,
) -> Result<Json<Value>, Refusal> {
    find(&amocrm.lock().connections, bot)?;
    Ok(deliveries(&amocrm, asked.after, Some(bot)))
}

/// `GET /amocrm/raw?after=N`: all bots', and what belongs to none.
pub(crate) async fn raw(State(amocrm): State<AmoCrm>, Asked(asked): Asked<After>) -> Json<Value> {
    deliveries(&amocrm, asked.after, None)
}

fn deliveries(amocrm: &AmoCrm, after: u64, bot: Option<i64>) -> Json<Value> {
    let state = amocrm.lock();
    let shown: Vec<Value> = state.raw.after(after, bot).map(views::delivery).collect();
    Json(json!({"deliveries": shown, "forgotten": state.raw.forgotten()}))
}

/// `GET /amocrm/leads`.
pub(crate) async fn leads(State(amocrm): State<AmoCrm>) -> Json<Value> {
    let state = amocrm.lock();
    Json(json!({"leads": state.account.leads.values().collect::<Vec<_>>()}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MoveLead {
    status: Option<LeadStatus>,
    /// A stage of its pipeline; 142 is won, 143 lost.
    stage: Option<u64>,
}

/// `POST /amocrm/leads/{lead}`: a manager accepts, declines or closes it, or moves it to a stage.
pub(crate) async fn move_lead(
    State(amocrm): State<AmoCrm>,
    Named(lead): Named<u64>,
    Body(asked): Body<MoveLead>,
) -> Result<Json<Value>, Refusal> {
    let now_ms = amocrm.clock().now_ms();
    let mut state = amocrm.lock();
    let missing = || Refusal::not_found(format!("no lead {lead}"), "an id of GET /amocrm/leads");
    let pipeline = state.account.leads.get(&lead).ok_or_else(missing)?.pipeline_id;
    let to = match (asked.status, asked.stage) {
        (Some(status), _) => Move { stage: asked.stage, ..Move::to(status) },
        (None, Some(to)) => Move::to_stage(to),
        (None, None) => return Err(Refusal::bad("where to is not said", "`status`, `stage` or both")),
    };
    if let Some(stage) = to.stage
        && !pipelines::find(pipeline).is_some_and(|pipeline| pipeline.has(stage))
    {
        return Err(Refusal::bad(format!("stage: {stage}"), "a stage of the lead's pipeline, 142 or 143"));
    }
    amocrm.sort(&mut state, lead, to, now_ms);
    Ok(Json(json!(state.account.leads.get(&lead))))
}

/// `GET /amocrm/talks`.
pub(crate) async fn talks(State(amocrm): State<AmoCrm>) -> Json<Value> {
    let state = amocrm.lock();
    Json(json!({"talks": state.account.talks.values().collect::<Vec<_>>()}))
}

/// `POST /amocrm/talks/{talk}/close`.
pub(crate) async fn close_talk(
    State(amocrm): State<AmoCrm>,
    Named(talk): Named<u64>,
) -> Result<Json<Value>, Refusal> {
    let now_ms = amocrm.clock().now_ms();
    let mut state = amocrm.lock();
    amocrm.close_talk(&mut state, talk, now_ms);
    let found = state.account.talks.get(&talk);
    let found =
        found.ok_or_else(|| Refusal::not_found(format!("no talk {talk}"), "an id of GET /amocrm/talks"))?;
    Ok(Json(json!(found)))
}
