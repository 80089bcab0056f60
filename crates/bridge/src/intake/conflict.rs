//! Somebody else takes a bot's stream: who it is, and what to do.
//!
//! Nothing is taken back here: it is shown, logged when it begins, and looked at again slowly.

use std::time::Duration;

use tandem_telegram::{
    upstream::{CallError, Conflict, WebhookInfo},
    webhook::{WebhookAddress, WebhookPolicy},
};

use crate::{Bridge, IntakeState, PublicUrl, bots::LiveBot};

/// How often a stream that somebody else takes is looked at.
pub(super) const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// Whose webhook it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Webhook {
    /// There is none (any more).
    Nobodys,
    /// It leads to us: from before the bot's updates were asked for.
    Ours,
    /// It leads elsewhere, to this host.
    Foreign(String),
}

impl Webhook {
    pub(super) fn of(info: &WebhookInfo, live: &LiveBot) -> Self {
        if info.url.is_empty() {
            return Self::Nobodys;
        }
        let address = WebhookAddress::parse(&info.url, WebhookPolicy::Any);
        match address {
            // Our public address may have been another one, the path never is.
            Ok(address) if address.uri().path().ends_with(&PublicUrl::hook_path(live.id())) => Self::Ours,
            Ok(address) => Self::Foreign(address.host().to_owned()),
            Err(_) => Self::Foreign(String::new()),
        }
    }
}

impl Bridge {
    /// Finds out who it is and shows him. A webhook of our own is taken away: then, and when there is none any more,
    /// `Ok(Free)` says that one can go on at once.
    pub(super) async fn meet_conflict(
        &self,
        live: &LiveBot,
        conflict: Conflict,
    ) -> Result<Stream, CallError> {
        let upstream = &self.parts().upstream;
        let token = live.handle.token();
        let host = match conflict {
            Conflict::Poller => None,
            Conflict::Webhook => match Webhook::of(&upstream.get_webhook_info(&token).await?, live) {
                Webhook::Nobodys => return Ok(Stream::Free),
                Webhook::Ours => {
                    upstream.delete_webhook(&token).await?;
                    return Ok(Stream::Free);
                }
                Webhook::Foreign(host) => Some(host),
            },
        };
        self.show_conflict(live, host);
        Ok(Stream::Taken)
    }

    /// Shows that somebody else takes the stream; logged when it begins or he is another one.
    pub(super) fn show_conflict(&self, live: &LiveBot, host: Option<String>) {
        let bot = live.id();
        let shown = live.intake.borrow().state.clone();
        if matches!(&shown, IntakeState::Conflict { host: known, .. } if *known == host) {
            return;
        }
        let advice = advice(host.as_deref());
        let since = self.parts().clock.now();
        if let Some(host) = &host {
            tracing::error!(
                bot.id = %bot, holder.host = host,
                "the updates of bot {bot} go to a webhook at {host}, not to us: {advice}"
            );
        } else {
            tracing::error!(
                bot.id = %bot,
                "another program asks Telegram for the updates of bot {bot}: {advice}"
            );
        }
        live.set_intake(IntakeState::Conflict { since, host, advice });
    }
}

/// Whether the stream can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stream {
    Free,
    Taken,
}

fn advice(host: Option<&str>) -> String {
    match host {
        Some(host) => format!(
            "stop whatever set a webhook at {host} on this bot (a CRM does so when its integration is saved again), \
             then run `tandem adopt` to take the stream back and keep that webhook as a route"
        ),
        None => "stop the program that polls with this bot's token, or let it ask Tandem: only the address of the \
                 Bot API changes in it"
            .to_owned(),
    }
}
