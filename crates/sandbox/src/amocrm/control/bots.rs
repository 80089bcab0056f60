//! Connecting, reconnecting and removing bots; their Salesbot.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::views;
use crate::amocrm::AmoCrm;
use crate::amocrm::bot_api::{BotApiError, in_words};
use crate::amocrm::connection::{Address, Connection};
use crate::amocrm::insist::Insisting;
use crate::amocrm::link::{Former, Link, LinkError, Webhook};
use crate::amocrm::salesbot::Flow;
use crate::control::error::{Body, Named, Refusal};

/// `GET /amocrm/{bot}`.
pub(crate) async fn show(
    State(amocrm): State<AmoCrm>,
    Named(bot): Named<i64>,
) -> Result<Json<Value>, Refusal> {
    shown(&amocrm, bot)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Connect {
    token: String,
    /// The Bot API server; the sandbox's own unless given.
    telegram: Option<String>,
    /// The number of an older `/webhook/<number>` hook.
    account: Option<u64>,
    allowed_updates: Option<Vec<String>>,
    max_connections: Option<u32>,
}

/// `POST /amocrm/connect`.
pub(crate) async fn connect(
    State(amocrm): State<AmoCrm>,
    Body(asked): Body<Connect>,
) -> Result<Json<Value>, Refusal> {
    let link = Link {
        token: asked.token,
        telegram: telegram(asked.telegram.as_deref().unwrap_or(amocrm.telegram_url()))?,
        address: asked.account.map_or(Address::Token, Address::Numbered),
        allowed_updates: asked.allowed_updates,
        max_connections: asked.max_connections,
        former: Former::Gone,
    };
    let bot = amocrm.link(link).await.map_err(|error| refused(&error))?;
    shown(&amocrm, bot)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reconnect {
    /// Move to an address that was never given out before.
    #[serde(default)]
    new_address: bool,
    account: Option<u64>,
    path: Option<String>,
    /// Whether the addresses before go on working.
    #[serde(default)]
    keep_old: bool,
    telegram: Option<String>,
    token: Option<String>,
    allowed_updates: Option<Vec<String>>,
    max_connections: Option<u32>,
}

/// `POST /amocrm/{bot}/reconnect`: what saving the source again does.
pub(crate) async fn reconnect(
    State(amocrm): State<AmoCrm>,
    Named(bot): Named<i64>,
    Body(asked): Body<Reconnect>,
) -> Result<Json<Value>, Refusal> {
    let link = {
        let state = amocrm.lock();
        let before = find(&state.connections, bot)?.link.clone();
        let address = match (asked.new_address, asked.account, asked.path) {
            (false, None, None) => before.address,
            (true, None, None) => {
                Address::Path(format!("/~external/hooks/telegram/{}", state.account.uuid()))
            }
            (_, Some(number), None) => Address::Numbered(number),
            (_, None, Some(path)) if is_free_path(&path) => Address::Path(path),
            (_, None, Some(path)) => {
                return Err(Refusal::bad(
                    format!("path: {path}"),
                    "a path like /hooks/new, without a query, outside /api, /attachments, /v2/origin/custom and /oauth",
                ));
            }
            (_, Some(_), Some(_)) => return Err(Refusal::bad("account and path", "one of them")),
        };
        Link {
            token: asked.token.unwrap_or(before.token),
            telegram: asked.telegram.as_deref().map_or(Ok(before.telegram), telegram)?,
            address,
            allowed_updates: asked.allowed_updates.or(before.allowed_updates),
            max_connections: asked.max_connections.or(before.max_connections),
            former: if asked.keep_old { Former::Kept } else { Former::Gone },
        }
    };
    let bot = amocrm.link(link).await.map_err(|error| refused(&error))?;
    shown(&amocrm, bot)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Insist {
    every_ms: u64,
    #[serde(default)]
    new_address: bool,
    times: Option<u64>,
}

/// `POST /amocrm/{bot}/insist`: the source is saved again and again, by the clock.
pub(crate) async fn insist(
    State(amocrm): State<AmoCrm>,
    Named(bot): Named<i64>,
    Body(asked): Body<Insist>,
) -> Result<Json<Value>, Refusal> {
    let Insist { every_ms, new_address, times } = asked;
    if every_ms == 0 {
        return Err(Refusal::bad("every_ms: 0", "a number of milliseconds of at least 1"));
    }
    let stop = CancellationToken::new();
    let insisting = Insisting { every_ms, new_address, times, done: 0, refused: 0, stop };
    if !amocrm.insist(bot, insisting) {
        return Err(unknown(bot));
    }
    shown(&amocrm, bot)
}

/// `DELETE /amocrm/{bot}/insist`.
pub(crate) async fn relent(
    State(amocrm): State<AmoCrm>,
    Named(bot): Named<i64>,
) -> Result<StatusCode, Refusal> {
    if amocrm.relent(bot) { Ok(StatusCode::NO_CONTENT) } else { Err(unknown(bot)) }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Disconnect {
    /// What the real amoCRM does is not known.
    #[serde(default)]
    delete_webhook: bool,
}

/// `POST /amocrm/{bot}/disconnect`: the source is removed from the account; its chats stay.
pub(crate) async fn disconnect(
    State(amocrm): State<AmoCrm>,
    Named(bot): Named<i64>,
    Body(asked): Body<Disconnect>,
) -> Result<StatusCode, Refusal> {
    let webhook = if asked.delete_webhook { Webhook::Deleted } else { Webhook::Left };
    match amocrm.unlink(bot, webhook).await {
        None => Err(unknown(bot)),
        Some(Err(error)) => Err(refused(&error.into())),
        Some(Ok(())) => Ok(StatusCode::NO_CONTENT),
    }
}

/// `POST /amocrm/{bot}/salesbot`.
pub(crate) async fn set_salesbot(
    State(amocrm): State<AmoCrm>,
    Named(bot): Named<i64>,
    Body(flow): Body<Flow>,
) -> Result<Json<Flow>, Refusal> {
    flow.check().map_err(|error| Refusal::bad("a flow that Telegram would refuse", error.to_string()))?;
    find_mut(&mut amocrm.lock().connections, bot)?.salesbot = Some(flow.clone());
    Ok(Json(flow))
}

/// `DELETE /amocrm/{bot}/salesbot`.
pub(crate) async fn remove_salesbot(
    State(amocrm): State<AmoCrm>,
    Named(bot): Named<i64>,
) -> Result<StatusCode, Refusal> {
    find_mut(&mut amocrm.lock().connections, bot)?.salesbot = None;
    Ok(StatusCode::NO_CONTENT)
}

type Connections = std::collections::BTreeMap<i64, Connection>;

pub(crate) fn find(connections: &Connections, bot: i64) -> Result<&Connection, Refusal> {
    connections.get(&bot).ok_or_else(|| unknown(bot))
}

pub(crate) fn find_mut(connections: &mut Connections, bot: i64) -> Result<&mut Connection, Refusal> {
    connections.get_mut(&bot).ok_or_else(|| unknown(bot))
}

fn unknown(bot: i64) -> Refusal {
    Refusal::not_found(format!("bot {bot} is not connected"), "the id of a bot given to POST /amocrm/connect")
}

fn shown(amocrm: &AmoCrm, bot: i64) -> Result<Json<Value>, Refusal> {
    let state = amocrm.lock();
    Ok(Json(views::connection(amocrm, find(&state.connections, bot)?)))
}

fn refused(error: &LinkError) -> Refusal {
    match error {
        LinkError::AddressTaken(owner) => {
            Refusal::bad(format!("the address is bot {owner}'s"), "an address that no other bot has")
        }
        LinkError::BotApi(answer) => {
            let retry_after = match answer {
                BotApiError::Refused { retry_after, .. } => *retry_after,
                BotApiError::NotBotApi { .. } | BotApiError::Unreachable(_) => None,
            };
            Refusal::bad(in_words(error), "a Bot API server that accepts the token and the webhook")
                .retry_after(retry_after)
        }
    }
}

fn telegram(address: &str) -> Result<String, Refusal> {
    match url::Url::parse(address) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(address.trim_end_matches('/').to_owned()),
        Ok(_) | Err(_) => {
            Err(Refusal::bad(format!("telegram: {address}"), "an http or https address of a Bot API server"))
        }
    }
}

fn is_free_path(path: &str) -> bool {
    path.len() > 1
        && path.starts_with('/')
        && !path.contains(['?', '#'])
        && !path.starts_with("/api/")
        && !["/attachments/", "/v2/origin/custom/", "/oauth"].iter().any(|taken| path.starts_with(taken))
}
