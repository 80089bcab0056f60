//! Telegram refuses a bot's token: noted, said, and of no concern to other bots.

use tandem_gateway::BotState;
use tandem_journal::{Bot, Document, SettingsChange, SettingsError};
use tandem_model::{BotId, Timestamp};
use tandem_telegram::token::Token;

use crate::{BotDocument, BotPhase, Bridge, IntakeState, SyncError, bots::LiveBot, bridge::Chain};

impl Bridge {
    /// Notes that Telegram refuses this token, unless the bot has another one by now.
    pub(super) async fn note_revoked(&self, live: &LiveBot, refused: &Token) {
        let (bot, since) = (live.id(), self.parts().clock.now());
        match self.store_revoked(bot, refused, since).await {
            Ok(Some(document)) => live.set_known(document, live.hook()),
            Ok(None) => {
                live.set_intake(IntakeState::Stopped);
                return;
            }
            // It is found out again at the next start.
            Err(error) => {
                let reason = Chain(&error);
                tracing::warn!(bot.id = %bot, "that the token of bot {bot} is refused could not be noted: {reason}");
            }
        }
        live.handle.set_state(BotState::Revoked);
        live.set_intake(IntakeState::revoked(since));
        tracing::error!(
            bot.id = %bot,
            "Telegram refuses the token of bot {bot}: get the new one from @BotFather and run `tandem adopt` with it; other bots go on"
        );
    }

    /// `None` when the bot has another token or is not ours any more: whoever changed that is right.
    async fn store_revoked(
        &self,
        bot: BotId,
        refused: &Token,
        since: Timestamp,
    ) -> Result<Option<BotDocument>, SyncError> {
        let store = &self.parts().store;
        loop {
            let revision = store.revision().await?;
            let Some(row) = store.find_bot(bot).await? else { return Ok(None) };
            let unreadable = |source| SyncError::Document { what: format!("bot {bot}"), source };
            let mut document: BotDocument = row.document.read().map_err(unreadable)?;
            if document.phase != BotPhase::Active || self.vault().token(bot).await? != *refused {
                return Ok(None);
            }
            document.phase = BotPhase::Revoked { since };
            let put =
                SettingsChange::PutBot(Bot { bot, document: Document::of(&document).map_err(unreadable)? });
            match store.change_settings(Some(revision), vec![put]).await {
                Ok(_) => return Ok(Some(document)),
                Err(SettingsError::Stale { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
