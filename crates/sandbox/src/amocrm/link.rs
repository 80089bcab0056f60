//! Connecting a bot: `getMe`, then `setWebhook` on the Bot API server it was given. The same again is a reconnect.

use serde_json::{Value, json};

use super::AmoCrm;
use super::bot_api::{BotApi, BotApiError};
use super::connection::{Address, Connection, Route};

/// A bot to be connected.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub(crate) token: String,
    pub(crate) telegram: String,
    pub(crate) address: Address,
    pub(crate) allowed_updates: Option<Vec<String>>,
    pub(crate) max_connections: Option<u32>,
    /// Whether addresses it had before go on working.
    pub(crate) former: Former,
}

/// What becomes of the addresses a bot had before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Former {
    Kept,
    Gone,
}

/// Why a bot is not connected.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinkError {
    /// The account numbers of older hooks belong to one bot each.
    #[error("an address that belongs to no other bot; this one is bot {0}'s")]
    AddressTaken(i64),
    /// `getMe` or `setWebhook` went wrong.
    #[error("Telegram did not agree")]
    BotApi(#[from] BotApiError),
}

impl AmoCrm {
    /// Takes the bot's webhook; the answer is the bot's id.
    pub(crate) async fn link(&self, link: Link) -> Result<i64, LinkError> {
        let api = BotApi::new(self.http().clone(), &link.telegram, &link.token);
        let me = api.call("getMe", &json!({})).await?;
        let bot_id = me.get("id").and_then(Value::as_i64).unwrap_or_default();
        let username = me.get("username").and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut parameters = json!({"url": format!("{}{}", self.url(), link.address.target(&link.token))});
        if let Some(kinds) = &link.allowed_updates {
            parameters["allowed_updates"] = json!(kinds);
        }
        if let Some(connections) = link.max_connections {
            parameters["max_connections"] = json!(connections);
        }
        // Before Telegram is told: its first delivery may be faster than its answer.
        let before = self.settle(bot_id, username, &link)?;
        if let Err(error) = api.call("setWebhook", &parameters).await {
            self.unsettle(bot_id, before);
            return Err(error.into());
        }
        Ok(bot_id)
    }

    /// Removes the bot from the account, with or without giving the webhook back.
    pub(crate) async fn unlink(&self, bot_id: i64, webhook: Webhook) -> Option<Result<(), BotApiError>> {
        let api = {
            let mut state = self.lock();
            let state = &mut *state;
            let connection = state.connections.get_mut(&bot_id)?;
            connection.connected = false;
            state.routes.retain(|_, owner| *owner != bot_id);
            self.bot_api(connection)
        };
        Some(match webhook {
            Webhook::Left => Ok(()),
            Webhook::Deleted => api.call("deleteWebhook", &json!({})).await.map(|_| ()),
        })
    }

    /// Writes the connection down; gives what it replaces.
    fn settle(&self, bot_id: i64, username: String, link: &Link) -> Result<Option<Settled>, LinkError> {
        let mut state = self.lock();
        let state = &mut *state;
        let route = link.address.route(&link.token);
        if let Some(owner) = state.routes.get(&route).filter(|owner| **owner != bot_id) {
            return Err(LinkError::AddressTaken(*owner));
        }
        let routes =
            state.routes.iter().filter(|(_, owner)| **owner == bot_id).map(|(route, _)| route.clone());
        let routes = routes.collect();
        let before = if let Some(connection) = state.connections.get_mut(&bot_id) {
            let link = std::mem::replace(&mut connection.link, link.clone());
            let connected = std::mem::replace(&mut connection.connected, true);
            connection.username = username;
            Some(Settled { link, connected, routes })
        } else {
            state.connections.insert(bot_id, Connection::new(bot_id, username, link.clone()));
            None
        };
        if link.former == Former::Gone {
            state.routes.retain(|_, owner| *owner != bot_id);
        }
        state.routes.insert(route, bot_id);
        Ok(before)
    }

    /// Telegram refused: everything is as it was before.
    fn unsettle(&self, bot_id: i64, before: Option<Settled>) {
        let mut state = self.lock();
        let state = &mut *state;
        state.routes.retain(|_, owner| *owner != bot_id);
        let Some(before) = before else {
            state.connections.remove(&bot_id);
            return;
        };
        state.routes.extend(before.routes.into_iter().map(|route| (route, bot_id)));
        if let Some(connection) = state.connections.get_mut(&bot_id) {
            connection.link = before.link;
            connection.connected = before.connected;
        }
    }
}

/// What becomes of the webhook when a bot leaves; what the real amoCRM does is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Webhook {
    Left,
    Deleted,
}

/// What a refused reconnect goes back to.
struct Settled {
    link: Link,
    connected: bool,
    routes: Vec<Route>,
}
