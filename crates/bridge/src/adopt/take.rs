//! Taking the stream once everything is noted and prepared, by `adopt` or by a service that finds it half done.

use tandem_model::BotId;

use super::{
    holder::Held,
    patience::{AskedLater, Patience},
};
use crate::{
    AdoptStep, BotDocument, BotPhase, Bridge, StreamError, UpstreamMode,
    bots::LiveBot,
    bridge::Chain,
    operations::{
        AnotherPoller, Refusal, RefusalCode,
        find::{Found, shown},
    },
};

/// How long a service waits before it tries again to finish.
const TRY_AGAIN: std::time::Duration = std::time::Duration::from_secs(30);

impl Bridge {
    /// Takes the stream and sees whether it is ours. Does what is left to do.
    pub(super) async fn take_stream(&self, bot: BotId) -> Result<BotDocument, Refusal> {
        self.change_bot(bot, &[], |document| {
            if let BotPhase::Adopting { step } = &mut document.phase {
                *step = AdoptStep::Prepared;
            }
        })
        .await?;
        let live = self.find_live(bot).ok_or_else(|| gone(bot))?;
        let upstream = live.document().upstream;
        let token = live.handle.token();
        if upstream == UpstreamMode::Polling {
            let deleted = self.parts().upstream.delete_webhook(&token).await;
            deleted.map_err(|error| Refusal::telegram(&error, "taking the holder's webhook away"))?;
        }
        // From here on what comes is taken in.
        let document = self.change_bot(bot, &[], |document| document.phase = BotPhase::Active).await?;
        live.set_known(document.clone(), live.hook());
        if upstream == UpstreamMode::Webhook
            && let Err(error) = self.set_own_webhook_patiently(&live).await
        {
            let back = BotPhase::Adopting { step: AdoptStep::Prepared };
            let document = self.change_bot(bot, &[], |document| document.phase = back).await?;
            live.set_known(document, live.hook());
            return Err(of_stream(&error));
        }
        self.sync(bot).await?;
        self.see(&Found { bot, document: document.clone() }).await?;
        Ok(document)
    }

    pub(crate) async fn set_own_webhook_patiently(&self, live: &LiveBot) -> Result<(), StreamError> {
        let mut patience = Patience::new();
        loop {
            match self.set_own_webhook(live).await {
                Err(error) if self.waits(&mut patience, error.after()).await => {}
                set => return set,
            }
        }
    }

    /// Asks Telegram whether the stream is ours.
    async fn see(&self, found: &Found) -> Result<(), Refusal> {
        let token = self.vault().token(found.bot).await?;
        let Held { is_ours, holder, .. } = self.look(&token, Some(found), AnotherPoller::Refuse).await?;
        if is_ours {
            return Ok(());
        }
        Err(Refusal::new(
            RefusalCode::WebhookTaken,
            format!("{} has put its webhook back on {}.", holder.kind.as_str(), found.shown()),
            "Run this again; if it happens each time, see which program at the holder's sets the webhook.",
        ))
    }

    /// Finishes what `adopt` had begun when the process ended. For a service that has started.
    pub(crate) fn finish_adoptions(&self) {
        for live in self.live_bots() {
            if !matches!(live.document().phase, BotPhase::Adopting { .. }) {
                continue;
            }
            let Some(run) = self.current_run() else { return };
            let (bridge, bot) = (self.clone(), live.id());
            self.tasks().spawn(async move {
                run.soft.run_until_cancelled(bridge.finish_adoption(bot)).await;
            });
        }
    }

    async fn finish_adoption(&self, bot: BotId) {
        loop {
            let one_at_a_time = self.handing_over(bot).await;
            let live = self.find_live(bot).map(|live| live.document());
            let Some(document) = live.filter(|live| matches!(live.phase, BotPhase::Adopting { .. })) else {
                return;
            };
            let name = shown(bot, document.username.as_deref());
            let taken = self.take_stream(bot).await;
            drop(one_at_a_time);
            match taken {
                Ok(_) => {
                    tracing::warn!(
                        bot.id = %bot,
                        "taking over {name} had been interrupted and is finished now; the token of its app main was \
                         never shown: make a new one with `tandem apps rotate main`"
                    );
                    return;
                }
                Err(refusal) => {
                    let Refusal { sentence, what_to_do, .. } = refusal;
                    tracing::error!(
                        bot.id = %bot,
                        "taking over {name} had been interrupted and cannot be finished yet: {sentence} {what_to_do}"
                    );
                }
            }
            let clock = &self.parts().clock;
            clock.sleep_until(clock.now().plus(TRY_AGAIN)).await;
        }
    }
}

fn of_stream(error: &StreamError) -> Refusal {
    match error {
        StreamError::Call(error) => Refusal::telegram(error, "setting our webhook"),
        StreamError::NoPublicUrl => Refusal::new(
            RefusalCode::NeedsPublicUrl,
            "Telegram has no address to post this bot's updates to.",
            "Set server.public_url, or take updates by polling, which needs no public address.",
        ),
        StreamError::Secret(_) | StreamError::Change(_) => Refusal::new(
            RefusalCode::Store,
            format!("Our webhook could not be set: {}.", Chain(error)),
            "Run this again.",
        ),
    }
}

fn gone(bot: BotId) -> Refusal {
    Refusal::new(
        RefusalCode::Conflict,
        format!("Bot {bot} was given back or removed at the same time."),
        "Run this again.",
    )
}
