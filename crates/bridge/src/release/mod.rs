//! Giving a bot's stream back to whoever held it (DESIGN section 7).
//!
//! 1. Taking in ends, and the last batch is confirmed to Telegram, so that nobody gets it again.
//! 2. Lanes get time to deliver what they have. What is left then is listed, and ends it unless that is allowed: the
//!    bot goes on as before.
//! 3. The former holder's webhook is set again with its kinds and connections; what is pending stays pending.
//! 4. Telegram is asked, the bot's secrets and routes go, and its apps are told that their tokens are wrong.
//!
//! A crash before 3 leaves a bot that goes on as before; one after it a bot that `release` finishes.

mod drain;
mod restore;

use secrecy::SecretString;
use tandem_journal::{LaneKind, SecretOwner, SettingsChange};
use tandem_lanes::LeaseSource;
use tandem_model::BotId;

use crate::{
    BotPhase, Bridge, Holder, HolderKind, UpstreamMode,
    adopt::holder_view,
    operations::{
        Refusal, RefusalCode, Release, Released,
        find::{Found, LANES},
    },
    release::restore::Restored,
    secrets,
};

impl Bridge {
    /// Gives a bot back. Dropping the future is like a crash: run it again.
    pub(crate) async fn release(&self, asked: Release) -> Result<Released, Refusal> {
        let bot = self.bot_meant(asked.bot.as_ref()).await?.bot;
        let _one_at_a_time = self.handing_over(bot).await;
        let found = self.bot_meant(asked.bot.as_ref()).await?;
        if found.is_released() {
            self.clear(found.bot).await?;
            return Err(Refusal::new(
                RefusalCode::WrongState,
                format!("{} was given back already.", found.shown()),
                "Nothing is left to do; take it over again with `tandem adopt`.",
            ));
        }
        let revoked = matches!(found.document.phase, BotPhase::Revoked { .. });
        if !revoked {
            self.end_stream(&found).await?;
        }
        let undelivered = match self.drain(&found, &asked).await {
            Ok(undelivered) => undelivered,
            Err(refusal) => {
                self.sync(found.bot).await?;
                return Err(refusal);
            }
        };
        self.change_bot(found.bot, &[], |document| document.phase = BotPhase::Releasing).await?;
        self.sync(found.bot).await?;
        self.stop_intake(found.bot).await;
        let restored = if revoked {
            Restored::not(
                "Telegram refuses the bot's token, so nothing could be set: whoever has the new token does that.",
            )
        } else {
            match self.restore(&found, &asked).await {
                Ok(restored) => restored,
                Err(refusal) => {
                    // Nobody would take the updates: better us than nobody.
                    self.change_bot(found.bot, &[], |document| document.phase = BotPhase::Active).await?;
                    self.sync(found.bot).await?;
                    return Err(refusal);
                }
            }
        };
        self.let_go(&found).await?;
        let holder = found.document.taken_from.clone().unwrap_or_else(nobody);
        Ok(Released {
            bot: found.bot,
            username: found.document.username.clone(),
            holder: holder_view(&holder),
            restored: restored.is_back,
            undelivered,
            notes: restored.notes,
        })
    }

    /// Ends taking in. What is committed is confirmed; what comes now waits at Telegram.
    async fn end_stream(&self, found: &Found) -> Result<(), Refusal> {
        self.stop_intake(found.bot).await;
        let token = self.vault().token(found.bot).await?;
        match found.document.upstream {
            UpstreamMode::Polling => self.confirm(found, &token, None).await,
            UpstreamMode::Webhook => {
                let deleted = self.parts().upstream.delete_webhook(&token).await;
                deleted.map_err(|error| Refusal::telegram(&error, "taking our webhook away"))
            }
        }
    }

    /// The bot's secrets, routes and routes' lanes go; its apps and its journal stay.
    async fn let_go(&self, found: &Found) -> Result<(), Refusal> {
        let store = &self.parts().store;
        let bot = found.bot;
        let since = self.parts().clock.now();
        let routes = store.list_routes(bot).await?;
        let gone: Vec<SettingsChange> =
            routes.into_iter().map(|row| SettingsChange::RemoveRoute(bot, row.name)).collect();
        self.change_bot(bot, &gone, |document| document.phase = BotPhase::Released { since }).await?;
        self.sync(bot).await?;
        self.clear(bot).await?;
        tracing::info!(bot.id = %bot, "{} was given back", found.shown());
        Ok(())
    }

    /// What a bot that was given back needs no more. Does what is left to do, after a crash too.
    async fn clear(&self, bot: BotId) -> Result<(), Refusal> {
        let store = &self.parts().store;
        for name in [secrets::TOKEN, secrets::HOOK, secrets::HOLDER_URL] {
            store.remove_secret(SecretOwner::Bot(bot), name.to_owned()).await?;
        }
        if let Some(lease) = self.parts().ownership.lease(bot) {
            for lane in store.list_lanes(bot, None, LANES).await? {
                if lane.kind == LaneKind::Route {
                    store.remove_lane(lease, bot, lane.id).await?;
                }
            }
        }
        Ok(())
    }

    /// A secret of the route to the former holder, unless the request has one.
    async fn holder_secret(
        &self,
        found: &Found,
        name: &str,
        given: Option<SecretString>,
    ) -> Result<Option<SecretString>, Refusal> {
        if given.is_some() {
            return Ok(given);
        }
        let Some(url) = self.vault().holder_url(found.bot).await? else { return Ok(None) };
        let Some(row) = self.route_to(found.bot, &url).await? else { return Ok(None) };
        Ok(self.vault().find(&SecretOwner::Route(found.bot, row.name), name).await?)
    }
}

fn nobody() -> Holder {
    Holder {
        kind: HolderKind::Nobody,
        host: String::new(),
        allowed_updates: None,
        max_connections: None,
        ip_address: None,
        has_certificate: false,
    }
}
