//! Taking over a bot's stream and keeping whoever held it (DESIGN section 7).
//!
//! 1. **Look**: whose token it is, who holds the stream. Nothing is changed; another program that polls ends it here.
//! 2. **Note**: one commit has the bot, its holder with the address, the holder as a route, and the app `main` with
//!    a fresh token. Still nothing is changed at Telegram.
//! 3. **Prepare**: the route and the app get their lanes, which begin with the next event. Nobody takes anything in
//!    yet, so nothing can come before them.
//! 4. **Take**: the holder's webhook goes, or ours takes its place; what is pending stays pending and comes to us.
//! 5. **See**: Telegram is asked whether the stream is ours.
//!
//! Whatever stops it in between leaves a state from which `adopt` goes on, and from 2 on a service that starts does
//! too. What the holder had got before 4 is not ours, and what Telegram still has at 4 is: so nothing is missed and
//! nothing is given twice, except the update that was under way to the holder at that moment (reference: Bot API
//! 3.2).

mod answer;
pub(crate) mod holder;
mod note;
mod patience;
pub(crate) mod recognise;
mod take;

pub(crate) use self::{
    answer::holder_view,
    holder::is_our_hook,
    note::{default_name, route_kind},
};
use tandem_telegram::{
    token::{Token, TokenError},
    upstream::Me,
};

use crate::{
    BotDocument, BotPhase, Bridge, UpstreamMode,
    adopt::{answer::First, holder::Held},
    operations::{Adopt, Adopted, Refusal, RefusalCode, find::Found},
};

impl Bridge {
    /// Takes a bot over. Dropping the future is like a crash: run it again.
    pub(crate) async fn adopt(&self, asked: Adopt) -> Result<Adopted, Refusal> {
        let token = read_token(asked.token.expose())?;
        let upstream = self.upstream_for(&asked)?;
        let me = self.parts().upstream.get_me(&token).await;
        let me = me.map_err(|error| Refusal::telegram(&error, "asking whose token it is"))?;
        self.adopt_known(&token, &me, upstream, &asked, None).await
    }

    /// The same for a bot that has been looked at. `route`: the name under which its holder is to be kept.
    pub(crate) async fn adopt_known(
        &self,
        token: &Token,
        me: &Me,
        upstream: UpstreamMode,
        asked: &Adopt,
        route: Option<&str>,
    ) -> Result<Adopted, Refusal> {
        let _one_at_a_time = self.handing_over(token.bot()).await;
        let before = self.stored_bot(token.bot()).await?;
        let held = self.look(token, before.as_ref(), asked.another_poller).await?;
        if let Some(found) = before.as_ref().filter(|found| is_settled(&found.document, upstream, asked))
            && held.is_ours
        {
            return self.adopted_before(token, found, &held, asked).await;
        }
        let noted = self.note(token, me, upstream, asked, before.as_ref(), &held, route).await?;
        self.sync(token.bot()).await?;
        let document = self.take_stream(token.bot()).await?;
        let found = Found { bot: token.bot(), document };
        self.adopted(&found, held.pending, First::of(noted.app_token)).await
    }

    /// A bot that is ours already: at most its token is another one.
    async fn adopted_before(
        &self,
        token: &Token,
        found: &Found,
        held: &Held,
        asked: &Adopt,
    ) -> Result<Adopted, Refusal> {
        let revoked = matches!(found.document.phase, BotPhase::Revoked { .. });
        let rotated = self.vault().token(found.bot).await.ok().as_ref() != Some(token);
        let guarded = asked.guard.filter(|policy| *policy != found.document.guard.policy);
        if revoked || rotated || guarded.is_some() {
            let put = self.put_bot_token(token);
            self.change_bot(found.bot, &[put], |document| {
                if let Some(policy) = guarded {
                    document.guard.set_policy(policy);
                }
                if let BotPhase::Revoked { .. } = document.phase {
                    document.phase = BotPhase::Active;
                }
            })
            .await?;
            self.sync(found.bot).await?;
        }
        let found = self.stored_bot(found.bot).await?.unwrap_or_else(|| found.clone());
        self.adopted(&found, held.pending, if rotated { First::NewBotToken } else { First::Before }).await
    }

    pub(crate) fn upstream_for(&self, asked: &Adopt) -> Result<UpstreamMode, Refusal> {
        let upstream = asked.upstream.unwrap_or(self.parts().config.upstream);
        if upstream == UpstreamMode::Webhook && self.parts().config.public_url.is_none() {
            return Err(Refusal::new(
                RefusalCode::NeedsPublicUrl,
                "Telegram has no address to post this bot's updates to.",
                "Set server.public_url, or take updates by polling, which needs no public address.",
            ));
        }
        Ok(upstream)
    }
}

/// Whether nothing is left to do for a bot whose stream is ours.
fn is_settled(document: &BotDocument, upstream: UpstreamMode, asked: &Adopt) -> bool {
    match document.phase {
        BotPhase::Active | BotPhase::Revoked { .. } => {
            let Adopt { drop_pending, holder_secret, holder_certificate, .. } = asked;
            let nothing_new =
                drop_pending.is_none() && holder_secret.is_none() && holder_certificate.is_none();
            nothing_new && (asked.upstream.is_none() || document.upstream == upstream)
        }
        BotPhase::Adopting { .. } | BotPhase::Releasing | BotPhase::Released { .. } => false,
    }
}

/// Reads a bot's token as a person gives it.
pub(crate) fn read_token(text: &str) -> Result<Token, Refusal> {
    let what = "Give the bot's token as @BotFather shows it: digits, a colon, and about 35 characters.";
    let token = Token::parse(text.trim()).map_err(|error| {
        let sentence = match error {
            TokenError::Malformed => "This is no bot token: it does not begin with a bot's id and a colon.",
            TokenError::BadSecret => "This is no bot token: the part after the colon is cut off or mistyped.",
        };
        Refusal::new(RefusalCode::BadToken, sentence, what)
    })?;
    if token.is_app() {
        return Err(Refusal::new(
            RefusalCode::BadToken,
            "This is a token that Tandem made for an app, not the bot's token at Telegram.",
            what,
        ));
    }
    Ok(token)
}
