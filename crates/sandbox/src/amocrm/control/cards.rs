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
use crate::amocrm::inbound::digits;
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

/// `GET /amocrm/contacts`.
pub(crate) async fn contacts(State(amocrm): State<AmoCrm>) -> Json<Value> {
    let state = amocrm.lock();
    Json(json!({"contacts": state.account.contacts.values().collect::<Vec<_>>()}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewContact {
    name: String,
    phone: Option<String>,
    telegram_id: Option<i64>,
}

/// `POST /amocrm/contacts`: somebody the company knew before he wrote.
pub(crate) async fn add_contact(
    State(amocrm): State<AmoCrm>,
    Body(new): Body<NewContact>,
) -> Result<Json<Value>, Refusal> {
    let phone = new.phone.as_deref().map(digits);
    let now_ms = amocrm.clock().now_ms();
    let mut state = amocrm.lock();
    let account = &mut state.account;
    let known = phone
        .as_deref()
        .and_then(|phone| account.find_contact_by_phone(phone))
        .or_else(|| new.telegram_id.and_then(|id| account.find_contact_by_telegram(id)));
    if let Some(known) = known {
        let expected = "a phone and a Telegram id that no other contact has";
        return Err(Refusal::bad(format!("contact {known} has them"), expected));
    }
    let id = account.add_contact(new.name, phone, new.telegram_id, now_ms);
    Ok(Json(json!(account.contacts.get(&id))))
}

/// `GET /amocrm/leads`.
pub(crate) async fn leads(State(amocrm): State<AmoCrm>) -> Json<Value> {
    let state = amocrm.lock();
    Json(json!({"leads": state.account.leads.values().collect::<Vec<_>>()}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MoveLead {
    status: LeadStatus,
}

/// `POST /amocrm/leads/{lead}`: a manager accepts, declines or closes it.
pub(crate) async fn move_lead(
    State(amocrm): State<AmoCrm>,
    Named(lead): Named<u64>,
    Body(asked): Body<MoveLead>,
) -> Result<Json<Value>, Refusal> {
    let mut state = amocrm.lock();
    amocrm.sort(&mut state, lead, asked.status, None);
    let found = state.account.leads.get(&lead);
    let found =
        found.ok_or_else(|| Refusal::not_found(format!("no lead {lead}"), "an id of GET /amocrm/leads"))?;
    Ok(Json(json!(found)))
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
    let mut state = amocrm.lock();
    let found = state.account.talks.get_mut(&talk);
    let found =
        found.ok_or_else(|| Refusal::not_found(format!("no talk {talk}"), "an id of GET /amocrm/talks"))?;
    found.open = false;
    Ok(Json(json!(found)))
}
