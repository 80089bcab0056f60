//! Having Telegram post updates to our public address.
//!
//! The webhook is set at each start, with our secret and every kind by name: what Telegram has may be from before the
//! public address or a setting was changed. A webhook of somebody else's, then or later, is the guard's to decide about
//! ([`crate::guard`]); it has this task look again.

use secrecy::{ExposeSecret, SecretString};
use tandem_journal::SecretOwner;
use tandem_telegram::{
    allowed,
    upstream::{CallError, SetWebhook},
    webhook::SecretToken,
};
use tokio_util::sync::CancellationToken;

use super::{Ended, StreamError, backoff, polling::describe};
use crate::{
    Bridge,
    bots::LiveBot,
    bridge::Chain,
    guard::{Met, Stream, Whose},
    secrets::{self, SecretError},
};

/// Sets the webhook, and sets things right again when the guard says so, until it is told to stop.
pub(super) async fn run(bridge: &Bridge, live: &LiveBot, stop: &CancellationToken) -> Ended {
    let (clock, rng) = (&bridge.parts().clock, &bridge.parts().rng);
    let mut failures = 0_u32;
    let mut start = Start::Fresh;
    loop {
        // In a box, which goes when it is done: what waits afterwards, for months, is small.
        let setting = Box::pin(async {
            let _room = bridge.room_for_a_webhook().await;
            bridge.have_it_posted(live, start).await
        });
        let Some(set) = stop.run_until_cancelled(setting).await else { return Ended::Quietly };
        let wait = match set {
            Ok(Stream::Taken(wait)) => Some(wait),
            Ok(Stream::Ours) => {
                (failures, start) = (0, Start::Done);
                bridge.meet_nobody(live).await;
                None
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
                Some(wait)
            }
        };
        let waited = async {
            match wait {
                Some(wait) => clock.sleep_until(clock.now().plus(wait)).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = stop.cancelled() => return Ended::Quietly,
            () = waited => {}
            () = live.guard.nudge.notified() => {}
        }
    }
}

/// Whether our webhook has been set since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    Fresh,
    Done,
}

impl Bridge {
    /// Sees to it that updates are posted to us, as far as whoever has the stream lets us.
    async fn have_it_posted(&self, live: &LiveBot, start: Start) -> Result<Stream, StreamError> {
        let info = match start {
            // All bots do so at once when the service starts; the guard's looks have their own pace.
            Start::Fresh => self.parts().upstream.get_webhook_info(&live.handle.token()).await?,
            Start::Done => self.look_who_has_it(live).await?,
        };
        let somebody_had_it = live.document().guard.taker().is_some_and(|taken| taken.by.host.is_none());
        let met = match (self.whose(&info, live), start) {
            (Whose::Ours, Start::Done) => return Ok(Stream::Ours),
            (Whose::Nobodys, Start::Fresh) if somebody_had_it => Met::Removed,
            (Whose::Ours | Whose::Tandems | Whose::Nobodys, Start::Fresh) => {
                self.set_own_webhook(live).await?;
                return Ok(Stream::Ours);
            }
            // Somebody else's is gone again.
            (Whose::Nobodys, Start::Done) if live.document().guard.taker().is_some() && !somebody_had_it => {
                self.set_own_webhook(live).await?;
                return Ok(Stream::Ours);
            }
            (Whose::Nobodys, Start::Done) => Met::Removed,
            (Whose::Tandems, Start::Done) | (Whose::Foreign, _) => Met::Webhook(info),
        };
        self.meet(live, &met).await
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
