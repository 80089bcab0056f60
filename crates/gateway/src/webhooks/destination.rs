//! An app's webhook as a lane's destination (reference/telegram.md 3.3): one update a request, Telegram's success rule,
//! its 410, and replies with a method.

use std::sync::Arc;

use async_trait::async_trait;
use http::StatusCode;
use tandem_lanes::{Delivered, Destination, Run};
use tandem_model::{Blame, EventKind, Timestamp, Verdict};
use tandem_telegram::webhook::{
    ANSWER_LIMIT, DROP_AFTER_GONE, DeliveryFailure, ReplyCall, SecretToken, WebhookAddress, WebhookClient,
    is_success, retry_after,
};

use crate::{App, Gateway, gateway::WeakGateway, shown};

/// Where an app wants its updates.
pub(super) struct AppWebhook {
    /// The gateway holds the lanes, which hold this.
    gateway: WeakGateway,
    app: Arc<App>,
    /// Which of the app's webhooks this is.
    set_at: Timestamp,
    address: WebhookAddress,
    secret: Option<SecretToken>,
    client: WebhookClient,
}

impl AppWebhook {
    pub(super) fn new(
        gateway: &Gateway,
        app: Arc<App>,
        set_at: Timestamp,
        (address, secret, client): (WebhookAddress, Option<SecretToken>, WebhookClient),
    ) -> Self {
        Self { gateway: gateway.downgrade(), app, set_at, address, secret, client }
    }

    async fn deliver_one(&self, gateway: &Gateway, update: bytes::Bytes) -> Verdict {
        let clock = &gateway.inner().clock;
        let limit = clock.now().plus(ANSWER_LIMIT);
        let posted = tokio::select! {
            posted = self.client.post(&self.address, self.secret.as_ref(), update) => posted,
            // By the clock that everything about a webhook goes by.
            () = clock.sleep_until(limit) => Err(DeliveryFailure::ReadTimeout),
        };
        let received = match posted {
            Ok(received) => received,
            Err(failure) => {
                let blame = blame(&failure);
                return Verdict::Retry { after: None, blame, reason: failure.to_string() };
            }
        };
        self.note_gone(gateway, received.status).await;
        if is_success(received.status) {
            if let Some(call) = ReplyCall::of_answer(&received.headers, &received.body) {
                gateway.carry_out(&self.app, call).await;
            }
            return Verdict::Done;
        }
        let reason = received.failure().to_string();
        Verdict::Retry { after: retry_after(&received.headers), blame: Blame::Unclear, reason }
    }

    /// A webhook that says 410 for 23 hours, and nothing else, is removed.
    async fn note_gone(&self, gateway: &Gateway, status: StatusCode) {
        let document = self.app.document();
        let Some(webhook) = document.webhook.as_ref().filter(|webhook| webhook.set_at == self.set_at) else {
            return;
        };
        let now = gateway.inner().clock.now();
        match (status == StatusCode::GONE, webhook.gone_since) {
            (true, None) => self.set_gone(gateway, Some(now)).await,
            (true, Some(since)) if now.since(since) > DROP_AFTER_GONE => {
                // Elsewhere: whoever detaches a lane waits for what it is delivering, and that is this.
                let (gateway, app, set_at) = (gateway.clone(), Arc::clone(&self.app), self.set_at);
                let tasks = gateway.inner().tasks.clone();
                tasks.spawn(async move { gateway.remove_gone_webhook(&app, set_at).await });
            }
            (false, Some(_)) => self.set_gone(gateway, None).await,
            (true, Some(_)) | (false, None) => {}
        }
    }

    async fn set_gone(&self, gateway: &Gateway, since: Option<Timestamp>) {
        let changed = gateway
            .change_document(&self.app, |document| {
                if let Some(webhook) =
                    document.webhook.as_mut().filter(|webhook| webhook.set_at == self.set_at)
                {
                    webhook.gone_since = since;
                }
            })
            .await;
        if let Err(error) = changed {
            Gateway::warn(&self.app, "what its webhook answered could not be noted", &error);
        }
    }
}

#[async_trait]
impl Destination for AppWebhook {
    async fn deliver(&self, run: &Run) -> Delivered {
        let Some(gateway) = self.gateway.upgrade() else {
            let reason = "the gateway is gone".to_owned();
            return Delivered::first(Verdict::Retry { after: None, blame: Blame::Destination, reason });
        };
        let Some(event) = run.events.first() else { return Delivered::all(run) };
        let verdict = match shown::update(event) {
            Some(update) => self.deliver_one(&gateway, update).await,
            // Sent before any app asked to be shown it.
            None if event.kind == EventKind::Sent => Verdict::Done,
            None => Verdict::Reject { reason: "the event is no update".to_owned() },
        };
        match verdict {
            Verdict::Done => Delivered { taken: 1, verdict: Verdict::Done, facts: Vec::new() },
            verdict => Delivered::first(verdict),
        }
    }
}

/// Whether the receiver is away as a whole.
const fn blame(failure: &DeliveryFailure) -> Blame {
    match failure {
        DeliveryFailure::Refused
        | DeliveryFailure::ConnectTimeout
        | DeliveryFailure::Tls(_)
        | DeliveryFailure::NotAllowed
        | DeliveryFailure::CannotConnect => Blame::Destination,
        DeliveryFailure::Status { .. } | DeliveryFailure::ReadTimeout | DeliveryFailure::Reset => {
            Blame::Unclear
        }
    }
}
