//! From polling to a webhook and back, and taking an app up after a start.
//!
//! What is stored comes first: a crash at any point leaves a document from which [`Gateway::attach_app`] puts the lane
//! right. One switch at a time, and none is left half done when the caller's connection goes.

use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use tandem_journal::{Append, LaneError, ReadError, SealError, SecretOwner, SettingsChange, Urgency};
use tandem_lanes::{AttachError, PullError, PushSpec};
use tandem_model::Timestamp;
use tandem_telegram::{
    envelope::Failure,
    upstream::SetUpError,
    webhook::{BadWebhook, SecretToken, WebhookAddress},
};

use super::{ADDRESS, CERTIFICATE, SECRET, destination::AppWebhook, wanted::Wanted};
use crate::{
    App, AppDocument, Gateway, MarkDocument, WebhookDocument, gateway::Chain, settings::ChangeError,
};

/// What becomes of updates that wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pending {
    Keep,
    Drop,
}

/// Why an app was not switched.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SwitchError {
    #[error("the app's settings could not be changed")]
    Change(#[from] ChangeError),
    #[error("what is pending could not be dropped")]
    Drop(#[from] PullError),
    #[error("the secret of the app's webhook cannot be had")]
    Secret(#[from] SecretError),
    #[error("the app could not be attached")]
    Attach(#[from] AttachAppError),
    #[error("the switch was interrupted")]
    Interrupted(#[source] tokio::task::JoinError),
}

/// Why an app's lane is not as its document says.
#[derive(Debug, thiserror::Error)]
pub enum AttachAppError {
    /// It has no lane.
    #[error("the app's lane does not exist")]
    NoLane,
    /// Another replica owns the bot.
    #[error("this process does not own the app's bot")]
    NotOwned,
    /// The store could not be read.
    #[error("the app's lane could not be read")]
    Read(#[from] ReadError),
    /// The lane did not take its filter.
    #[error("the app's lane could not be changed")]
    Lane(#[from] LaneError),
    /// The secret or the certificate of its webhook cannot be had.
    #[error("a secret of the app's webhook cannot be had")]
    Secret(#[from] SecretError),
    /// The address that is stored can no longer be used.
    #[error("the address of the app's webhook is refused: {0}")]
    Address(BadWebhook),
    /// The certificate that is stored cannot be used, or the platform has none.
    #[error("the webhook's client could not be made")]
    Client(#[from] SetUpError),
    /// Somebody else pushes the lane.
    #[error("the app's lane is in use")]
    Attached(#[from] AttachError),
}

impl Gateway {
    /// Takes an app up, or again after its document has changed: its lane gets the filter that the document says, and
    /// is pushed to its webhook if it has one. To be called for each app that is put into the
    /// [`Directory`](crate::Directory).
    pub async fn attach_app(&self, app: &Arc<App>) -> Result<(), AttachAppError> {
        let _one_at_a_time = self.inner().switching.lock().await;
        let (inner, lane, document) = (self.inner(), Self::lane_of(app), app.document());
        let stored = inner.store.find_lane(lane.bot, lane.lane).await?.ok_or(AttachAppError::NoLane)?;
        if stored.filter != document.filter() {
            let lease = inner.leases.lease(lane.bot).ok_or(AttachAppError::NotOwned)?;
            inner.store.set_filter(lease, lane.bot, lane.lane, document.filter()).await?;
        }
        self.detach_lane(app).await;
        self.attach_webhook(app).await
    }

    /// Lets an app go: a poll that waits is told that its token is wrong, and nothing is pushed any more.
    pub async fn detach_app(&self, app: &App) {
        let _one_at_a_time = self.inner().switching.lock().await;
        self.inner().polls.forget(Self::lane_of(app), Failure::UNAUTHORIZED);
        self.detach_lane(app).await;
    }

    /// Switches to this webhook, or to none. Goes on when the caller does not wait for it.
    pub(super) async fn switch(
        &self,
        app: &Arc<App>,
        wanted: Option<Wanted>,
        pending: Pending,
    ) -> Result<(), SwitchError> {
        let (gateway, app) = (self.clone(), Arc::clone(app));
        let switching = async move { gateway.switch_to(&app, wanted, pending).await };
        self.inner().tasks.spawn(switching).await.map_err(SwitchError::Interrupted)?
    }

    async fn switch_to(
        &self,
        app: &Arc<App>,
        wanted: Option<Wanted>,
        pending: Pending,
    ) -> Result<(), SwitchError> {
        let inner = self.inner();
        let _one_at_a_time = inner.switching.lock().await;
        let now = inner.clock.now();
        let webhook = wanted.as_ref().map(|wanted| wanted.document(now));
        let secrets = wanted.iter().flat_map(|wanted| self.sealed(app, wanted)).collect::<Vec<_>>();
        let change = |document: &mut AppDocument| {
            document.webhook.clone_from(&webhook);
            secrets.clone()
        };
        self.change_with(app, change).await?;
        if wanted.is_some() {
            inner.polls.end(Self::lane_of(app), now, Failure::TERMINATED_BY_SET_WEBHOOK);
        }
        self.detach_lane(app).await;
        let dropped = match pending {
            Pending::Keep => Ok(()),
            Pending::Drop => self.drop_pending(app).await,
        };
        self.attach_webhook(app).await?;
        Ok(dropped?)
    }

    /// Removes a webhook that has been gone for too long, unless another one was set meanwhile.
    pub(super) async fn remove_gone_webhook(&self, app: &Arc<App>, set_at: Timestamp) {
        let _one_at_a_time = self.inner().switching.lock().await;
        if app.document().webhook.as_ref().is_none_or(|webhook| webhook.set_at != set_at) {
            return;
        }
        if let Err(error) = self.change_document(app, |document| document.webhook = None).await {
            // It is tried again with the next answer of that kind.
            Self::warn(app, "could not remove the webhook", &error);
            return;
        }
        self.detach_lane(app).await;
        tracing::warn!(
            bot.id = %app.bot().id(), app.name = app.name(),
            "the webhook of app {} answered 410 for 23 hours and was removed, as Telegram does", app.name()
        );
    }

    async fn detach_lane(&self, app: &App) {
        if let Err(error) = self.inner().lanes.detach(Self::lane_of(app)).await {
            Self::warn(app, "deliveries may be repeated", &error);
        }
    }

    async fn attach_webhook(&self, app: &Arc<App>) -> Result<(), AttachAppError> {
        let document = app.document();
        let Some(webhook) = &document.webhook else { return Ok(()) };
        let policy = self.policy_of(document.webhooks);
        let url = self.find_app_secret(app, ADDRESS).await?.unwrap_or_default();
        let address = WebhookAddress::parse(&url, policy).map_err(AttachAppError::Address)?;
        let secret = if webhook.has_secret { self.find_app_secret(app, SECRET).await? } else { None };
        // It was checked when it was set; one that is damaged is no secret that would be believed.
        let secret = secret.and_then(|text| SecretToken::parse(&text).ok());
        let certificate =
            if webhook.has_certificate { self.find_app_secret(app, CERTIFICATE).await? } else { None };
        let client = self.inner().clients.client(policy, webhook.ip_address, certificate)?;
        let spec = PushSpec {
            max_in_flight: webhook.max_connections.into(),
            backlog: Some(document.backlog()),
            ..PushSpec::webhook()
        };
        let destination = AppWebhook::new(self, Arc::clone(app), webhook.set_at, (address, secret, client));
        Ok(self.inner().lanes.attach(Self::lane_of(app), spec, Arc::new(destination))?)
    }

    /// Drops what waits for this app, and says so in the journal.
    async fn drop_pending(&self, app: &App) -> Result<(), PullError> {
        let inner = self.inner();
        let events = inner.lanes.drop_pending(Self::lane_of(app), app.document().backlog()).await?;
        if events == 0 {
            return Ok(());
        }
        tracing::info!(
            bot.id = %app.bot().id(), app.name = app.name(), events,
            "app {} asked to drop its {events} pending updates", app.name()
        );
        let mark = MarkDocument::Dropped { app: app.name().into(), events }.event(inner.clock.now());
        let append = Append { events: vec![mark], urgency: Urgency::MustKeep, ..Append::default() };
        if let Err(error) = inner.recorder.record(app.bot().id(), append).await {
            Self::warn(app, "dropped updates could not be noted", &error);
        }
        Ok(())
    }

    fn sealed(&self, app: &App, wanted: &Wanted) -> Vec<SettingsChange> {
        let inner = self.inner();
        let secret = wanted.secret.as_ref().map(|secret| (SECRET, secret.expose()));
        let certificate = wanted.certificate.as_deref().map(|pem| (CERTIFICATE, pem));
        let address = Some((ADDRESS, wanted.address.expose()));
        let seal = |(name, text): (&str, &str)| {
            let (owner, name) = (secret_owner(app), name.to_owned());
            let secret = inner.sealer.seal(&owner, &name, &SecretString::from(text), &*inner.rng);
            SettingsChange::PutSecret { owner, name, secret }
        };
        address.into_iter().chain(secret).chain(certificate).map(seal).collect()
    }

    /// Opens a secret of an app's.
    pub(super) async fn find_app_secret(&self, app: &App, name: &str) -> Result<Option<String>, SecretError> {
        let owner = secret_owner(app);
        let Some(sealed) = self.inner().store.find_secret(owner.clone(), name.to_owned()).await? else {
            return Ok(None);
        };
        let secret = self.inner().sealer.unseal(&owner, name, &sealed)?;
        Ok(Some(secret.expose_secret().to_owned()))
    }

    pub(super) fn warn(app: &App, what: &str, error: &(dyn std::error::Error + Send + Sync)) {
        let chain = Chain(error);
        tracing::warn!(bot.id = %app.bot().id(), app.name = app.name(), "app {}: {what}: {chain}", app.name());
    }
}

/// Why a secret of an app's could not be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The store could not be read.
    #[error("it could not be read")]
    Read(#[from] ReadError),
    /// It could not be opened.
    #[error("it could not be opened")]
    Seal(#[from] SealError),
}

fn secret_owner(app: &App) -> SecretOwner {
    SecretOwner::App(app.bot().id(), app.name().to_owned())
}

impl Wanted {
    fn document(&self, now: Timestamp) -> WebhookDocument {
        WebhookDocument {
            host: self.address.host().to_owned(),
            ip_address: self.ip_address,
            resolved: self.resolved,
            max_connections: self.max_connections,
            has_certificate: self.certificate.is_some(),
            has_secret: self.secret.is_some(),
            set_at: now,
            gone_since: None,
        }
    }
}
