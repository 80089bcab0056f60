//! Somebody else takes a bot's stream: who it is, and what to do.
//!
//! Nothing is taken back here: it is shown, logged when it begins, and looked at again slowly.

use std::time::Duration;

use tandem_telegram::{
    upstream::{CallError, Conflict, WebhookInfo},
    webhook::{WebhookAddress, WebhookPolicy},
};

use crate::{Bridge, HolderKind, IntakeState, PublicUrl, adopt::recognise::recognise, bots::LiveBot};

/// How often a stream that somebody else takes is looked at.
pub(super) const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// Who takes the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Holder {
    kind: HolderKind,
    /// The host of his webhook; `None` for another program that polls.
    host: Option<String>,
}

/// Whose webhook it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Webhook {
    /// There is none (any more).
    Nobodys,
    /// It leads to us: from before the bot's updates were asked for.
    Ours,
    /// It leads elsewhere.
    Foreign(Holder),
}

impl Webhook {
    pub(super) fn of(info: &WebhookInfo, live: &LiveBot, amocrm_hosts: &[String]) -> Self {
        if info.url.is_empty() {
            return Self::Nobodys;
        }
        // Our public address may have been another one, the path never is.
        let address = WebhookAddress::parse(&info.url, WebhookPolicy::Any);
        if address.is_ok_and(|address| address.uri().path().ends_with(&PublicUrl::hook_path(live.id()))) {
            return Self::Ours;
        }
        let (kind, host) = recognise(&info.url, amocrm_hosts);
        Self::Foreign(Holder { kind, host: Some(host) })
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
        let holder = match conflict {
            Conflict::Poller => Holder { kind: HolderKind::Poller, host: None },
            Conflict::Webhook => {
                let info = upstream.get_webhook_info(&token).await?;
                match Webhook::of(&info, live, &self.parts().config.amocrm_hosts) {
                    Webhook::Nobodys => return Ok(Stream::Free),
                    Webhook::Ours => {
                        upstream.delete_webhook(&token).await?;
                        return Ok(Stream::Free);
                    }
                    Webhook::Foreign(holder) => holder,
                }
            }
        };
        self.show_conflict(live, holder);
        Ok(Stream::Taken)
    }

    /// Shows that somebody else takes the stream; logged when it begins or he is another one.
    pub(super) fn show_conflict(&self, live: &LiveBot, taker: Holder) {
        let bot = live.id();
        let shown = live.intake.borrow().state.clone();
        if let IntakeState::Conflict { holder, host, .. } = shown
            && (Holder { kind: holder, host }) == taker
        {
            return;
        }
        let (advice, since) = (taker.advice(), self.parts().clock.now());
        let Holder { kind: holder, host } = taker;
        let name = holder.as_str();
        if let Some(host) = &host {
            tracing::error!(
                bot.id = %bot, holder.kind = name, holder.host = host,
                "the updates of bot {bot} go to a webhook of {name} ({host}), not to us: {advice}"
            );
        } else {
            tracing::error!(
                bot.id = %bot, holder.kind = name,
                "another program asks Telegram for the updates of bot {bot}: {advice}"
            );
        }
        live.set_intake(IntakeState::Conflict { since, holder, host, advice });
    }
}

/// Whether the stream can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stream {
    Free,
    Taken,
}

impl Holder {
    fn advice(&self) -> String {
        match &self.host {
            Some(host) => format!(
                "stop whatever set a webhook at {host} on this bot (a CRM does so when its integration is saved \
                 again), then run `tandem adopt` to take the stream back and keep that webhook as a route"
            ),
            None => "stop the program that polls with this bot's token, or let it ask Tandem: only the address of \
                     the Bot API changes in it"
                .to_owned(),
        }
    }
}
