//! The methods that Tandem itself calls, typed.

use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use tandem_model::{BotId, UpstreamId};

use super::{CallError, Upstream};
use crate::{
    params::{FilePart, Params},
    token::Token,
    update::split_array,
    webhook::SecretToken,
};

/// Longest long poll of Telegram (2.1).
const MAX_POLL: Duration = Duration::from_secs(50);

/// Parameters of `getUpdates`.
#[derive(Debug, Clone)]
pub struct GetUpdates {
    /// Confirms everything below; `None` confirms nothing.
    pub offset: Option<UpstreamId>,
    /// 1 to 100.
    pub limit: u8,
    /// How long Telegram waits for something to happen; more than 50 s is cut.
    pub timeout: Duration,
    /// Which kinds to ask for from now on; `None` leaves it as it is.
    pub allowed_updates: Option<Vec<&'static str>>,
}

/// Parameters of `setWebhook`. Dropping what is pending is not among them: nothing here ever does.
#[derive(Debug, Clone)]
pub struct SetWebhook {
    /// The address.
    pub url: String,
    /// A certificate of one's own, as PEM.
    pub certificate: Option<Bytes>,
    /// An address to use instead of what the name resolves to.
    pub ip_address: Option<String>,
    /// 1 to 100.
    pub max_connections: Option<u32>,
    /// Which kinds to ask for; `None` leaves it as it is.
    pub allowed_updates: Option<Vec<String>>,
    /// What every delivery is to carry.
    pub secret_token: Option<SecretToken>,
}

/// What `getWebhookInfo` says. The address may hold somebody's secrets: it is not to be logged.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct WebhookInfo {
    /// Empty when there is none.
    pub url: String,
    /// Whether it was set with a certificate, which cannot be read back.
    #[serde(default)]
    pub has_custom_certificate: bool,
    /// Updates that wait.
    #[serde(default)]
    pub pending_update_count: u64,
    /// The address that the name resolved to.
    pub ip_address: Option<String>,
    /// When a delivery last failed, in seconds.
    pub last_error_date: Option<i64>,
    /// Why.
    pub last_error_message: Option<String>,
    /// When Telegram itself last had trouble, in seconds.
    pub last_synchronization_error_date: Option<i64>,
    /// Connections at one time.
    pub max_connections: Option<u32>,
    /// The kinds it gets; absent for the default.
    pub allowed_updates: Option<Vec<String>>,
}

impl std::fmt::Debug for WebhookInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let host = self.url.parse::<http::Uri>().ok().and_then(|uri| uri.host().map(str::to_owned));
        f.debug_struct("WebhookInfo")
            .field("host", &host)
            .field("pending_update_count", &self.pending_update_count)
            .field("last_error_date", &self.last_error_date)
            .field("max_connections", &self.max_connections)
            .field("allowed_updates", &self.allowed_updates)
            .finish_non_exhaustive()
    }
}

/// What `getMe` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Me {
    /// The bot.
    pub id: BotId,
    /// Its name for people.
    pub first_name: String,
    /// Its name without the `@`.
    pub username: Option<String>,
    /// All of it, for apps.
    pub result: Bytes,
}

impl Upstream {
    /// Waits for updates. Each is given as the bytes Telegram sent. Somebody else's polling or webhook is
    /// [`CallError::conflict`]. Repeating it is always safe.
    ///
    /// Dropping the future ends the wait; nothing is confirmed by it but what `offset` says.
    pub async fn get_updates(&self, token: &Token, request: &GetUpdates) -> Result<Vec<Bytes>, CallError> {
        let timeout = request.timeout.min(MAX_POLL);
        let mut texts =
            vec![("limit", request.limit.to_string()), ("timeout", timeout.as_secs().to_string())];
        texts.extend(request.offset.map(|offset| ("offset", offset.to_string())));
        if let Some(kinds) = &request.allowed_updates {
            texts.push(("allowed_updates", names(kinds)));
        }
        let result = self.poll(token, "getUpdates", &Params::of(texts), timeout).await?;
        split_array(&result).map_err(|_malformed| CallError::UnexpectedResult)
    }

    /// Sets the webhook and keeps what is pending.
    pub async fn set_webhook(&self, token: &Token, request: &SetWebhook) -> Result<(), CallError> {
        let mut texts = vec![("url", request.url.clone())];
        texts.extend(request.ip_address.clone().map(|ip| ("ip_address", ip)));
        texts.extend(request.max_connections.map(|max| ("max_connections", max.to_string())));
        texts
            .extend(request.secret_token.as_ref().map(|secret| ("secret_token", secret.expose().to_owned())));
        if let Some(kinds) = &request.allowed_updates {
            texts.push(("allowed_updates", names(kinds)));
        }
        let mut params = Params::of(texts);
        if let Some(certificate) = &request.certificate {
            params.attach(FilePart {
                name: "certificate".to_owned(),
                file_name: "certificate.pem".to_owned(),
                content_type: None,
                size_bytes: certificate.len() as u64,
                content: certificate.clone(),
            });
        }
        self.call(token, "setWebhook", &params).await.map(drop)
    }

    /// Takes the webhook away and keeps what is pending.
    pub async fn delete_webhook(&self, token: &Token) -> Result<(), CallError> {
        let params = Params::of([("drop_pending_updates", "false".to_owned())]);
        self.call(token, "deleteWebhook", &params).await.map(drop)
    }

    /// Asks who holds the stream.
    pub async fn get_webhook_info(&self, token: &Token) -> Result<WebhookInfo, CallError> {
        let result = self.call(token, "getWebhookInfo", &Params::of([])).await?;
        serde_json::from_slice(&result).map_err(|_malformed| CallError::UnexpectedResult)
    }

    /// Asks whose token it is.
    pub async fn get_me(&self, token: &Token) -> Result<Me, CallError> {
        #[derive(Deserialize)]
        struct User {
            id: BotId,
            first_name: String,
            username: Option<String>,
        }
        let result = self.call(token, "getMe", &Params::of([])).await?;
        let user: User = serde_json::from_slice(&result).map_err(|_malformed| CallError::UnexpectedResult)?;
        Ok(Me { id: user.id, first_name: user.first_name, username: user.username, result })
    }
}

fn names(kinds: &[impl serde::Serialize]) -> String {
    serde_json::to_string(kinds).unwrap_or_default()
}
