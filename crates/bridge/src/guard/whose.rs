//! Whose webhook a bot has, and how a taker is spoken of.

use tandem_telegram::{
    upstream::WebhookInfo,
    webhook::{WebhookAddress, WebhookPolicy},
};

use crate::{
    Bridge, GuardPolicy, HolderKind, PublicUrl, Taker, UpstreamMode, adopt::recognise::recognise,
    bots::LiveBot,
};

/// Whose webhook it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// There is none.
    Nobodys,
    /// Exactly the one we set.
    Ours,
    /// It leads to a Tandem, but not where we would have it: from before our public address or the bot's upstream was
    /// changed, or another Tandem's.
    Tandems,
    /// It leads elsewhere.
    Foreign,
}

impl Bridge {
    pub(crate) fn whose(&self, info: &WebhookInfo, live: &LiveBot) -> Whose {
        if info.url.is_empty() {
            return Whose::Nobodys;
        }
        let is_asked = live.document().upstream == UpstreamMode::Polling;
        let own = self.parts().config.public_url.as_ref().map(|public_url| public_url.hook(live.id()));
        if !is_asked && own.as_deref() == Some(&info.url) {
            return Whose::Ours;
        }
        // Our public address may have been another one, the path never is.
        let address = WebhookAddress::parse(&info.url, WebhookPolicy::Any);
        let is_path = |path: &str| path.ends_with(&PublicUrl::hook_path(live.id()));
        if address.is_ok_and(|address| is_path(address.uri().path())) {
            return Whose::Tandems;
        }
        Whose::Foreign
    }

    pub(crate) fn taker_of(&self, info: &WebhookInfo) -> Taker {
        let (kind, host) = recognise(&info.url, self.parts().config.further_hosts());
        Taker { kind, host: Some(host) }
    }
}

impl Taker {
    /// A program that polls, or that took our webhook away, as those that poll do first.
    pub(crate) const fn poller() -> Self {
        Self { kind: HolderKind::Poller, host: None }
    }

    /// What happened, as the beginning of a sentence.
    pub(crate) fn what_happened(&self, bot: &str, upstream: UpstreamMode) -> String {
        match (&self.host, upstream) {
            (Some(_), _) => format!("the updates of {bot} go to a webhook of {}, not to us", self.name()),
            (None, UpstreamMode::Polling) => {
                format!(
                    "another program asks Telegram for the updates of {bot}, and each update goes to one of us"
                )
            }
            (None, UpstreamMode::Webhook) => format!("another program took our webhook of {bot} away"),
        }
    }

    /// What to do about a taker that keeps the stream.
    pub(crate) fn advice(&self, why: Stays<'_>) -> String {
        let Some(host) = &self.host else { return advice_about_program() };
        let again = match self.kind {
            HolderKind::Amocrm | HolderKind::Kommo | HolderKind::Wahelp => format!(
                "see who saves or connects the bot in {} again (its integration's settings)",
                self.kind.as_str()
            ),
            HolderKind::Other | HolderKind::Poller | HolderKind::Nobody => {
                format!("stop whatever sets a webhook at {host} on this bot")
            }
        };
        match why {
            Stays::TookItAgain => format!(
                "it was taken back as often as it may be within an hour; {again}, then run `tandem bots retake`. Tandem \
                 tries once by itself when the hour is over"
            ),
            Stays::Policy(policy) => format!(
                "the guard's policy is {}: {again}, then run `tandem bots retake` to take the stream back",
                policy.as_str()
            ),
            Stays::BesideRoute(route) => format!(
                "this bot has the route {route} already, so it is not known whether {} is to be kept too: run \
                 `tandem adopt` to keep both, or {again} and run `tandem bots retake`",
                self.kind.as_str()
            ),
        }
    }
}

/// Why a taker keeps the stream.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stays<'a> {
    /// Too often.
    TookItAgain,
    /// The policy says so.
    Policy(GuardPolicy),
    /// The bot has another CRM's route.
    BesideRoute(&'a str),
}

/// What to do about a program that polls.
fn advice_about_program() -> String {
    "it cannot be sent away by asking: stop the program that polls with this bot's token, or let it ask Tandem (only \
     the address of the Bot API changes in it); if it is not yours, revoke the token in @BotFather and run \
     `tandem adopt` with the new one"
        .to_owned()
}
