//! `setWebhook`, `deleteWebhook` and `getWebhookInfo` of one app (reference/telegram.md 3.1, 3.2). An app's lane is
//! pushed while the app has a webhook, and answers polls while it has none.

mod clients;
mod destination;
mod info;
mod switch;
mod wanted;

use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use tandem_telegram::{
    envelope::{self, Failure},
    params::Params,
    upstream::SetUpError,
    webhook::{self, WebhookClient},
};

pub(crate) use self::clients::Clients;
pub use self::switch::{AttachAppError, SecretError};
use self::{
    switch::{Pending, SwitchError},
    wanted::Wanted,
};
use crate::{App, DropPending, Gateway, WebhookDocument, WebhookPolicy, settings::ChangeError};

/// Under this name the address of an app's webhook is sealed.
const ADDRESS: &str = "address";
/// Under this name the secret of an app's webhook is sealed.
const SECRET: &str = "webhook";
/// Under this name the certificate of an app's webhook is kept.
const CERTIFICATE: &str = "certificate";

/// Why a webhook was not set.
#[derive(Debug, thiserror::Error)]
enum SetError {
    /// Telegram's own words for what the app asked.
    #[error("refused")]
    Refused(Failure),
    #[error("what is set could not be looked at")]
    Secret(#[from] SecretError),
    #[error("the webhook could not be switched")]
    Switch(#[from] SwitchError),
    #[error("the kinds could not be set")]
    Change(#[from] ChangeError),
}

impl Gateway {
    /// Sets a webhook; with an empty address it deletes it.
    pub(crate) async fn set_webhook(&self, app: &Arc<App>, params: &Params) -> Response<Bytes> {
        let done = match params.text("url").map(str::trim).filter(|url| !url.is_empty()) {
            Some(url) => self.try_set_webhook(app, url, params).await,
            None => self.try_delete_webhook(app, params).await,
        };
        Self::described(app, done)
    }

    /// Deletes the webhook, if there is one. Succeeds at any time.
    pub(crate) async fn delete_webhook(&self, app: &Arc<App>, params: &Params) -> Response<Bytes> {
        let done = self.try_delete_webhook(app, params).await;
        Self::described(app, done)
    }

    fn described(app: &App, done: Result<&'static str, SetError>) -> Response<Bytes> {
        match done {
            Ok(description) => envelope::success_with(b"true", description),
            Err(SetError::Refused(failure)) => failure.response(),
            Err(error) => Self::unwell(app, &error),
        }
    }

    async fn try_set_webhook(
        &self,
        app: &Arc<App>,
        url: &str,
        params: &Params,
    ) -> Result<&'static str, SetError> {
        let inner = self.inner();
        if !inner.polls.may_set_webhook(Self::lane_of(app), inner.clock.now()) {
            return Err(SetError::Refused(Failure::too_many_requests(1)));
        }
        let document = app.document();
        let wanted = Wanted::read(url, params, self.policy_of(document.webhooks)).await;
        let wanted = wanted.map_err(SetError::Refused)?;
        if let Err(error) = self.client_of(&wanted, document.webhooks) {
            return Err(SetError::Refused(Failure::bad_webhook(&error.to_string())));
        }
        self.set_allowed(app, params.text("allowed_updates")).await?;
        let pending = Pending::of(params, document.drop_pending);
        if pending == Pending::Keep
            && let Some(webhook) = &document.webhook
            && self.is_already(app, webhook, &wanted).await?
        {
            return Ok("Webhook is already set");
        }
        self.switch(app, Some(wanted), pending).await?;
        Ok("Webhook was set")
    }

    async fn try_delete_webhook(&self, app: &Arc<App>, params: &Params) -> Result<&'static str, SetError> {
        // `deleteWebhook` documents no such parameter; the server reads it for both.
        self.set_allowed(app, params.text("allowed_updates")).await?;
        let document = app.document();
        let pending = Pending::of(params, document.drop_pending);
        if document.webhook.is_none() && pending == Pending::Keep {
            return Ok("Webhook is already deleted");
        }
        self.switch(app, None, pending).await?;
        Ok(if document.webhook.is_some() { "Webhook was deleted" } else { "Webhook is already deleted" })
    }

    /// Whether what is wanted is what there is.
    async fn is_already(
        &self,
        app: &App,
        webhook: &WebhookDocument,
        wanted: &Wanted,
    ) -> Result<bool, SecretError> {
        let same = webhook.host == wanted.address.host()
            && webhook.ip_address == wanted.ip_address
            && webhook.max_connections == wanted.max_connections
            && webhook.has_secret == wanted.secret.is_some()
            && !webhook.has_certificate
            && wanted.certificate.is_none();
        if !same {
            return Ok(false);
        }
        if self.find_app_secret(app, ADDRESS).await?.as_deref() != Some(wanted.address.expose()) {
            return Ok(false);
        }
        let stored = if webhook.has_secret { self.find_app_secret(app, SECRET).await? } else { None };
        Ok(stored.as_deref() == wanted.secret.as_ref().map(webhook::SecretToken::expose))
    }

    /// Finds out whether a certificate can be used before anything is changed.
    fn client_of(&self, wanted: &Wanted, own: WebhookPolicy) -> Result<WebhookClient, SetUpError> {
        let policy = self.policy_of(own);
        self.inner().clients.client(policy, wanted.ip_address, wanted.certificate.clone())
    }

    /// Which addresses an app may set.
    fn policy_of(&self, own: WebhookPolicy) -> webhook::WebhookPolicy {
        match own {
            WebhookPolicy::Auto => self.inner().config.webhooks,
            WebhookPolicy::Any => webhook::WebhookPolicy::Any,
            WebhookPolicy::PublicHttps => webhook::WebhookPolicy::PublicHttps,
        }
    }
}

impl Pending {
    /// What an app asked for, as far as its settings let it have it.
    fn of(params: &Params, setting: DropPending) -> Self {
        match setting {
            DropPending::Obey if params.boolean("drop_pending_updates") => Self::Drop,
            DropPending::Obey | DropPending::Ignore => Self::Keep,
        }
    }
}
