//! Having Telegram post updates to our public address.
//!
//! The webhook is set at each start, with our secret and every kind by name: what Telegram has may be from before the
//! public address or a setting was changed. A webhook of somebody else's is left alone, shown and looked at again.

use secrecy::{ExposeSecret, SecretString};
use tandem_journal::SecretOwner;
use tandem_telegram::{
    allowed,
    upstream::{CallError, SetWebhook},
    webhook::SecretToken,
};
use tokio_util::sync::CancellationToken;

use super::{
    Ended, StreamError, backoff,
    conflict::{LOOK_AGAIN, Webhook},
    polling::describe,
};
use crate::{
    Bridge,
    bots::LiveBot,
    bridge::Chain,
    secrets::{self, SecretError},
};

/// Sets the webhook, then has nothing more to do until it is told to stop.
pub(super) async fn run(bridge: &Bridge, live: &LiveBot, stop: &CancellationToken) -> Ended {
    let (clock, rng) = (&bridge.parts().clock, &bridge.parts().rng);
    let mut failures = 0_u32;
    loop {
        // In a box, which goes when it is done: what waits afterwards, for months, is small.
        let setting = Box::pin(async {
            let _room = bridge.room_for_a_webhook().await;
            bridge.set_unless_foreign(live).await
        });
        let Some(set) = stop.run_until_cancelled(setting).await else { return Ended::Quietly };
        let wait = match set {
            Ok(Webhook::Foreign(holder)) => {
                bridge.show_conflict(live, holder);
                backoff::jittered(LOOK_AGAIN, &**rng)
            }
            Ok(Webhook::Ours | Webhook::Nobodys) => {
                bridge.show_running(live);
                stop.cancelled().await;
                return Ended::Quietly;
            }
            Err(StreamError::Call(CallError::Unauthorized(_))) => return Ended::Revoked,
            Err(error) => {
                failures = failures.saturating_add(1);
                let (reason, wait) = match &error {
                    StreamError::Call(CallError::RetryAfter { after, refusal }) => {
                        (refusal.to_string(), *after)
                    }
                    StreamError::Call(error) => (describe(error), backoff::wait(failures, &**rng)),
                    error => (Chain(error).to_string(), backoff::wait(failures, &**rng)),
                };
                bridge.show_trouble(live, failures, reason, wait);
                wait
            }
        };
        stop.run_until_cancelled(clock.sleep_until(clock.now().plus(wait))).await;
    }
}

impl Bridge {
    async fn set_unless_foreign(&self, live: &LiveBot) -> Result<Webhook, StreamError> {
        let info = self.parts().upstream.get_webhook_info(&live.handle.token()).await?;
        let webhook = Webhook::of(&info, live, &self.parts().config.amocrm_hosts);
        if let Webhook::Ours | Webhook::Nobodys = webhook {
            self.set_own_webhook(live).await?;
        }
        Ok(webhook)
    }

    /// Has Telegram post a bot's updates to us, whoever gets them now. Nothing pending is dropped.
    pub(crate) async fn set_own_webhook(&self, live: &LiveBot) -> Result<(), StreamError> {
        let config = &self.parts().config;
        let public_url = config.public_url.as_ref().ok_or(StreamError::NoPublicUrl)?;
        let secret = self.own_secret(live).await?;
        let request = SetWebhook {
            url: public_url.hook(live.id()),
            certificate: None,
            ip_address: None,
            max_connections: Some(config.webhook_connections),
            allowed_updates: Some(allowed::every_name().into_iter().map(str::to_owned).collect()),
            secret_token: Some(secret),
        };
        self.parts().upstream.set_webhook(&live.handle.token(), &request).await?;
        Ok(())
    }

    /// What proves Telegram's deliveries: made when it is first needed, committed before Telegram hears of it.
    async fn own_secret(&self, live: &LiveBot) -> Result<SecretToken, StreamError> {
        if let Some(secret) = live.hook() {
            return Ok(secret);
        }
        let bot = live.id();
        let text: SecretString = self.vault().new_hook_secret();
        let secret = SecretToken::parse(text.expose_secret()).map_err(SecretError::Hook)?;
        let put = self.vault().put(SecretOwner::Bot(bot), secrets::HOOK, &text);
        let document = self.change_bot(bot, &[put], |_same| {}).await?;
        live.set_known(document, Some(secret.clone()));
        Ok(secret)
    }
}
