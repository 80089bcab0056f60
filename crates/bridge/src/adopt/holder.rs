//! Who holds a bot's stream now.

use tandem_model::Timestamp;
use tandem_telegram::{
    token::Token,
    upstream::{Conflict, GetUpdates, WebhookInfo},
};

use super::recognise::recognise;
use crate::{
    BotPhase, Bridge, Holder, HolderKind, PublicUrl,
    operations::{AnotherPoller, Refusal, find::Found},
};

/// How often what is pending is looked at while another poller is listened for.
const LOOK_AGAIN: std::time::Duration = std::time::Duration::from_secs(1);

/// Who holds a bot's stream.
pub(crate) struct Held {
    /// Who is to be kept: who holds it, or who held it before us.
    pub(crate) holder: Holder,
    /// The address of his webhook, where he has one. May hold the bot's token.
    pub(crate) url: Option<String>,
    /// The stream comes to us, or to nobody while it is ours to have.
    pub(crate) is_ours: bool,
    /// So many updates wait at Telegram.
    pub(crate) pending: u64,
}

impl Bridge {
    /// Asks Telegram, and listens for another program that polls where there is no webhook.
    pub(super) async fn look(
        &self,
        token: &Token,
        before: Option<&Found>,
        another_poller: AnotherPoller,
    ) -> Result<Held, Refusal> {
        let info = self.parts().upstream.get_webhook_info(token).await;
        let info = info.map_err(|error| Refusal::telegram(&error, "asking who holds the bot"))?;
        let pending = info.pending_update_count;
        let known = before.filter(|found| !found.is_released());
        let leads_to_us = known.is_some() && is_our_hook(&info.url, token);
        if !info.url.is_empty() && !leads_to_us {
            let holder = self.holder_of(&info);
            return Ok(Held { holder, url: Some(info.url), is_ours: false, pending });
        }
        let taken_from = known.and_then(|found| found.document.taken_from.clone());
        let settled = known
            .is_some_and(|found| matches!(found.document.phase, BotPhase::Active | BotPhase::Revoked { .. }));
        let polled = info.url.is_empty() && !settled && self.somebody_polls(token).await?;
        if polled && another_poller == AnotherPoller::Refuse {
            return Err(Refusal::another_poller());
        }
        let url = match known {
            Some(found) => self.vault().holder_url(found.bot).await?,
            None => None,
        };
        let holder = taken_from.unwrap_or_else(|| Holder {
            kind: if polled { HolderKind::Poller } else { HolderKind::Nobody },
            ..self.holder_of(&info)
        });
        Ok(Held { holder, url, is_ours: settled, pending })
    }

    /// Who has this webhook.
    pub(crate) fn holder_of(&self, info: &WebhookInfo) -> Holder {
        let (kind, host) = recognise(&info.url, self.parts().config.further_hosts());
        Holder {
            kind,
            host,
            allowed_updates: info.allowed_updates.clone(),
            max_connections: info.max_connections,
            ip_address: info.ip_address.as_deref().and_then(|address| address.parse().ok()),
            has_certificate: info.has_custom_certificate,
        }
    }

    /// Waits at Telegram without confirming anything. Our question ends the other program's, which comes back and
    /// ends ours; where something is pending neither waits, but then nobody is taking it.
    async fn somebody_polls(&self, token: &Token) -> Result<bool, Refusal> {
        let clock = &self.parts().clock;
        let until = clock.now().plus(self.parts().config.listen_for_pollers);
        loop {
            let now = clock.now();
            if now >= until {
                return Ok(false);
            }
            let request = GetUpdates {
                offset: None,
                limit: 1,
                timeout: whole_seconds(now, until),
                allowed_updates: None,
            };
            match self.parts().upstream.get_updates(token, &request).await {
                Ok(updates) if updates.is_empty() => return Ok(false),
                Ok(_pending) => clock.sleep_until(now.plus(LOOK_AGAIN).min(until)).await,
                Err(error) if error.conflict() == Some(Conflict::Poller) => return Ok(true),
                Err(error) => {
                    return Err(Refusal::telegram(&error, "listening for another program that polls"));
                }
            }
        }
    }
}

/// Telegram waits whole seconds.
fn whole_seconds(now: Timestamp, until: Timestamp) -> std::time::Duration {
    let left = until.since(now);
    std::time::Duration::from_secs(left.as_secs() + u64::from(left.subsec_nanos() > 0))
}

/// Whether a webhook leads to us: our public address may have been another one, the path never is.
pub(crate) fn is_our_hook(url: &str, token: &Token) -> bool {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    path.ends_with(&PublicUrl::hook_path(token.bot()))
}
