//! What is said once a bot is ours: who held it, what was kept, what needs a public address, what to change where.

use tandem_gateway::{App, DropPending};
use tandem_journal::SecretOwner;
use tandem_model::BotId;

use crate::{
    Bridge, Holder, HolderKind, RouteDocument, RouteKind, UpstreamMode,
    operations::{
        Adopted, Confidential, HolderView, KeptView, Reach, Refusal, find::Found, libraries,
        trouble::unreadable,
    },
    secrets::{self, SecretError, Vault},
};

/// Whether there is something new to be said of tokens.
pub(super) enum First {
    /// The app `main` has this token now.
    Time(Confidential),
    /// The bot was ours, and has another token at Telegram now.
    NewBotToken,
    /// Everything was as it is.
    Before,
}

impl First {
    pub(super) fn of(app_token: Option<Confidential>) -> Self {
        app_token.map_or(Self::Before, Self::Time)
    }
}

impl Bridge {
    pub(super) async fn adopted(
        &self,
        found: &Found,
        pending: u64,
        first: First,
    ) -> Result<Adopted, Refusal> {
        let document = &found.document;
        let holder = document.taken_from.clone().unwrap_or(Holder {
            kind: HolderKind::Nobody,
            host: String::new(),
            allowed_updates: None,
            max_connections: None,
            ip_address: None,
            has_certificate: false,
        });
        let kept = self.kept(found.bot).await?;
        let apps = self.stored_apps(found.bot).await?;
        let main = apps.iter().find(|app| app.row.name == App::MAIN);
        let drop_pending = main.map(|app| app.document.drop_pending).unwrap_or_default();
        let mut notes = Vec::new();
        match &first {
            First::Time(_) => {}
            First::NewBotToken => notes.push("The bot's new token at Telegram is in use now.".to_owned()),
            First::Before => notes.push(
                "The app main keeps the token it was given before; `tandem apps rotate main` makes a new one."
                    .to_owned(),
            ),
        }
        notes.extend(self.holder_notes(found, &holder, kept.is_some()).await?);
        notes.push(drop_note(drop_pending).to_owned());
        if self.current_run().is_none() {
            notes.push(
                "No service is running: start `tandem serve`. Until then updates wait at Telegram, for 24 hours."
                    .to_owned(),
            );
        }
        Ok(Adopted {
            bot: found.bot,
            username: document.username.clone(),
            name: document.name.clone(),
            reach: self.reach(document.upstream, kept.as_ref()),
            holder: holder_view(&holder),
            kept,
            upstream: document.upstream,
            pending,
            drop_pending,
            app_token: match first {
                First::Time(token) => Some(token),
                First::NewBotToken | First::Before => None,
            },
            libraries: libraries::lines(&self.parts().config.gateway_url),
            notes,
        })
    }

    /// The route to who held the stream.
    async fn kept(&self, bot: BotId) -> Result<Option<KeptView>, Refusal> {
        let Some(url) = self.vault().holder_url(bot).await? else { return Ok(None) };
        let Some(row) = self.route_to(bot, &url).await? else { return Ok(None) };
        // `sync` makes lanes; a route without one is about to get it.
        let Some(row) =
            self.parts().store.list_routes(bot).await?.into_iter().find(|other| other.name == row.name)
        else {
            return Ok(None);
        };
        let Some(lane) = row.lane else { return Ok(None) };
        let document: RouteDocument =
            row.document.read().map_err(|error| unreadable(&format!("route {}", row.name), &error))?;
        let kinds = document.kinds.as_ref().map_or_else(
            || "every kind of update that Telegram sends by default".to_owned(),
            |kinds| format!("the kinds it asked for ({})", kinds.join(", ")),
        );
        let sentence = format!("It gets Telegram's own bytes as before: {kinds}.");
        Ok(Some(KeptView { route: row.name, kind: document.kind.as_str().to_owned(), lane, sentence }))
    }

    async fn holder_notes(&self, found: &Found, holder: &Holder, kept: bool) -> Result<Vec<String>, Refusal> {
        let mut notes = Vec::new();
        if holder.kind == HolderKind::Poller {
            notes.push(
                "Another program polled the bot: stop it, and start it with the one line changed. While both ask \
                 Telegram, each gets a part of the updates."
                    .to_owned(),
            );
        }
        if !kept {
            return Ok(notes);
        }
        let Some(url) = self.vault().holder_url(found.bot).await? else { return Ok(notes) };
        let Some(row) = self.route_to(found.bot, &url).await? else { return Ok(notes) };
        let owner = SecretOwner::Route(found.bot, row.name);
        if holder.kind == HolderKind::Other
            && self.vault().find(&owner, secrets::ROUTE_SECRET).await?.is_none()
        {
            notes.push(format!(
                "If the receiver at {} checks a secret_token, Tandem needs it: Telegram does not give it out. Run \
                 `tandem adopt` again with the holder's secret.",
                holder.host
            ));
        }
        if holder.has_certificate && self.vault().find(&owner, secrets::ROUTE_CERTIFICATE).await?.is_none() {
            notes.push(format!(
                "The webhook at {} was set with a certificate of its own, which Telegram does not give out. Run \
                 `tandem adopt` again with the holder's certificate, or nothing reaches it.",
                holder.host
            ));
        }
        Ok(notes)
    }

    fn reach(&self, upstream: UpstreamMode, kept: Option<&KeptView>) -> Vec<Reach> {
        let reach = |what: &str, needs_public_url, why: &str| Reach {
            what: what.to_owned(),
            needs_public_url,
            why: why.to_owned(),
        };
        let mut all = vec![match upstream {
            UpstreamMode::Polling => reach("updates from Telegram", false, "Tandem asks for them (polling)."),
            UpstreamMode::Webhook => {
                reach("updates from Telegram", true, "Telegram posts them to server.public_url.")
            }
        }];
        if let Some(kept) = kept {
            let why = if kept.kind == RouteKind::Amocrm.as_str() {
                "Tandem posts to it; managers' answers go from the CRM straight to Telegram."
            } else {
                "Tandem posts to it."
            };
            all.push(reach(&format!("route {}", kept.route), false, why));
        }
        let why = format!("They speak to {}.", self.parts().config.gateway_url);
        all.push(reach("your own programs", false, &why));
        all
    }
}

impl Vault {
    /// A secret as text; `None` when there is none or it is empty.
    pub(crate) async fn find_text(
        &self,
        owner: &SecretOwner,
        name: &str,
    ) -> Result<Option<String>, SecretError> {
        use secrecy::ExposeSecret;
        let found = self.find(owner, name).await?;
        Ok(found.map(|secret| secret.expose_secret().to_owned()).filter(|text| !text.is_empty()))
    }

    /// The address that held a bot's stream before us, if one did.
    pub(crate) async fn holder_url(&self, bot: BotId) -> Result<Option<String>, SecretError> {
        self.find_text(&SecretOwner::Bot(bot), secrets::HOLDER_URL).await
    }
}

/// A holder for people.
pub(crate) fn holder_view(holder: &Holder) -> HolderView {
    let name = if holder.host.is_empty() {
        holder.kind.as_str().to_owned()
    } else {
        format!("{} ({})", holder.kind.as_str(), holder.host)
    };
    HolderView {
        kind: holder.kind,
        name,
        host: (!holder.host.is_empty()).then(|| holder.host.clone()),
        kinds: holder.allowed_updates.clone(),
        max_connections: holder.max_connections,
        ip_address: holder.ip_address.map(|address| address.to_string()),
        has_certificate: holder.has_certificate,
    }
}

fn drop_note(drop_pending: DropPending) -> &'static str {
    match drop_pending {
        DropPending::Obey => {
            "If your program drops what is pending when it starts (drop_pending_updates=True, as in aiogram's \
             delete_webhook), it loses what came while it was down, as at Telegram; the CRM loses nothing. \
             `tandem apps set main --drop-pending ignore` keeps it."
        }
        DropPending::Ignore => {
            "When your program drops what is pending (drop_pending_updates=True), it is told yes and gets it all the \
             same. `tandem apps set main --drop-pending obey` does as Telegram does."
        }
    }
}
