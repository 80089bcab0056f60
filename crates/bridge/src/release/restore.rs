//! Putting the former holder's webhook back, and saying what cannot be restored.

use std::time::Duration;

use bytes::Bytes;
use secrecy::ExposeSecret;
use tandem_journal::Page;
use tandem_model::{Seq, UpstreamId};
use tandem_telegram::{
    token::Token,
    update::Kind,
    upstream::{CallError, Conflict, GetUpdates, SetWebhook},
    webhook::SecretToken,
};

use crate::{
    Bridge, Holder, HolderKind,
    adopt::is_our_hook,
    operations::{GiveBack, Refusal, RefusalCode, Release, find::Found},
    secrets,
};

/// Events at the end of a journal among which the last update is looked for.
const TAIL: i64 = 1000;

/// What became of the webhook.
pub(super) struct Restored {
    /// The former holder has it.
    pub(super) is_back: bool,
    /// What a person should know.
    pub(super) notes: Vec<String>,
}

impl Restored {
    pub(super) fn not(note: &str) -> Self {
        Self { is_back: false, notes: vec![note.to_owned()] }
    }
}

impl Bridge {
    /// Sets the former holder's webhook, or leaves the bot without one.
    pub(super) async fn restore(&self, found: &Found, asked: &Release) -> Result<Restored, Refusal> {
        let token = self.vault().token(found.bot).await?;
        let url = self.vault().holder_url(found.bot).await?;
        let holder = found.document.taken_from.as_ref();
        if let Some(host) = self.foreign_webhook(found, &token).await? {
            let note = format!("A webhook at {host} was on the bot already: it was left as it is.");
            return Ok(Restored { is_back: true, notes: vec![note] });
        }
        let (Some(url), Some(holder), GiveBack::Webhook) = (url, holder, asked.webhook) else {
            // Also the kinds that were asked for before: they are the bot's, whoever asks next.
            let kinds = holder.and_then(|holder| holder.allowed_updates.as_deref());
            self.confirm(found, &token, Some(known_names(kinds))).await?;
            return Ok(Restored::not(&without_webhook(holder)));
        };
        let mut notes = Vec::new();
        let secret = asked.holder_secret.as_ref().map(|secret| secret.secret().clone());
        let secret = self.holder_secret(found, secrets::ROUTE_SECRET, secret).await?;
        let secret = secret.map(|secret| SecretToken::parse(secret.expose_secret())).transpose();
        let secret = secret.map_err(|error| {
            Refusal::new(
                RefusalCode::BadRequest,
                format!("The holder's secret cannot be one of a webhook: {error}."),
                "Give the secret_token that its receiver checks: 1 to 256 of A-Z, a-z, 0-9, _ and -.",
            )
        })?;
        let certificate = asked.holder_certificate.clone().map(Into::into);
        let certificate = self.holder_secret(found, secrets::ROUTE_CERTIFICATE, certificate).await?;
        if secret.is_none() && holder.kind == HolderKind::Other {
            notes.push(format!(
                "The webhook at {} was set without a secret_token: Telegram does not give one out. If its receiver \
                 checks one, it has to set its webhook itself.",
                holder.host
            ));
        }
        if certificate.is_none() && holder.has_certificate {
            notes.push(format!(
                "The webhook at {} had a certificate of its own, which Telegram does not give out: deliveries fail \
                 until its owner sets the webhook again with it.",
                holder.host
            ));
        }
        let request = SetWebhook {
            url: url.clone(),
            certificate: certificate.map(|pem| Bytes::from(pem.expose_secret().to_owned())),
            ip_address: None,
            max_connections: holder.max_connections,
            // An empty list is the default; ours asked for everything.
            allowed_updates: Some(holder.allowed_updates.clone().unwrap_or_default()),
            secret_token: secret,
        };
        self.set_back(&token, holder, request, &mut notes).await?;
        let info = self.parts().upstream.get_webhook_info(&token).await;
        let info = info.map_err(|error| Refusal::telegram(&error, "asking whether the webhook is back"))?;
        if info.url != url {
            notes.push(
                "Telegram shows another webhook now: somebody has set one at the same moment.".to_owned(),
            );
        }
        Ok(Restored { is_back: info.url == url, notes })
    }

    /// The host of a webhook that somebody has set meanwhile.
    async fn foreign_webhook(&self, found: &Found, token: &Token) -> Result<Option<String>, Refusal> {
        let info = self.parts().upstream.get_webhook_info(token).await;
        let info = info.map_err(|error| Refusal::telegram(&error, "asking who holds the bot"))?;
        let former = self.vault().holder_url(found.bot).await?;
        if info.url.is_empty() || is_our_hook(&info.url, token) || former.as_ref() == Some(&info.url) {
            return Ok(None);
        }
        Ok(Some(self.holder_of(&info).host))
    }

    /// By name; by the address it had only when the name leads nowhere.
    async fn set_back(
        &self,
        token: &Token,
        holder: &Holder,
        request: SetWebhook,
        notes: &mut Vec<String>,
    ) -> Result<(), Refusal> {
        let set = match (self.set_webhook(token, &request).await, holder.ip_address) {
            (Err(CallError::Refused(refusal)), Some(address))
                if refusal.description.contains("resolve host") =>
            {
                notes.push(format!(
                    "The name {} leads nowhere: the webhook was set to {address}.",
                    holder.host
                ));
                let request = SetWebhook { ip_address: Some(address.to_string()), ..request };
                self.set_webhook(token, &request).await
            }
            (set, _) => set,
        };
        set.map_err(|error| Refusal {
            what_to_do: "Mend what Telegram names and run this again, or give the bot back without a webhook. The bot \
                         goes on as before."
                .to_owned(),
            ..Refusal::telegram(&error, &format!("setting the webhook at {} again", holder.host))
        })
    }

    /// Confirms what is committed, so that nobody gets it again. `kinds`: what is asked for from now on.
    pub(super) async fn confirm(
        &self,
        found: &Found,
        token: &Token,
        kinds: Option<Vec<&'static str>>,
    ) -> Result<(), Refusal> {
        let last = self.last_update(found).await?;
        if last.is_none() && kinds.is_none() {
            return Ok(());
        }
        let request = GetUpdates {
            offset: last.and_then(|last| UpstreamId::new(last.get() + 1).ok()),
            limit: 1,
            timeout: Duration::ZERO,
            allowed_updates: kinds,
        };
        match self.parts().upstream.get_updates(token, &request).await {
            Ok(_still_pending) => Ok(()),
            // Somebody has set a webhook: everything is his from here on.
            Err(error) if error.conflict() == Some(Conflict::Webhook) => Ok(()),
            Err(error) => Err(Refusal::telegram(&error, "confirming what was taken in")),
        }
    }

    /// The last update that was committed, by Telegram's number.
    async fn last_update(&self, found: &Found) -> Result<Option<UpstreamId>, Refusal> {
        let store = &self.parts().store;
        let head = store.head(found.bot).await?.last;
        let mut after = Seq::new(head.get() - TAIL).unwrap_or(Seq::ZERO);
        let mut last = None;
        while after < head {
            let page = store.read_journal(found.bot, after, Page { events: 500, bytes: 1 << 20 }).await?;
            let Some(end) = page.events.last() else { break };
            after = end.seq;
            for event in &page.events {
                if let Some(upstream) = event.upstream.filter(|one| one.source == found.document.source) {
                    last = Some(upstream.id);
                }
            }
        }
        Ok(last)
    }
}

fn without_webhook(holder: Option<&Holder>) -> String {
    match holder.map(|holder| holder.kind) {
        Some(HolderKind::Poller) => {
            "The bot has no webhook, as before: its own program can poll Telegram again.".to_owned()
        }
        None | Some(HolderKind::Nobody) => "The bot has no webhook, as before.".to_owned(),
        Some(HolderKind::Amocrm | HolderKind::Kommo | HolderKind::Wahelp | HolderKind::Other) => {
            let host = holder.map_or("", |holder| &holder.host);
            format!("The bot has no webhook now; the one at {host} was not set again.")
        }
    }
}

/// The names of kinds as `getUpdates` is asked with them: none means the default.
fn known_names(kinds: Option<&[String]>) -> Vec<&'static str> {
    kinds.unwrap_or_default().iter().filter_map(|name| Kind::of_name(name.as_bytes()).name()).collect()
}
