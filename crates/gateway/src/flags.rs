//! What is true of something a client does when it comes, as flags of its event (invariant 7): rules and filters ask the
//! event, not the state.
//!
//! - A text equal to a button of the reply keyboard that the chat shows is a **press**. A press belongs to whoever has
//!   shown the keyboard: an app's is delivered whatever is going on, a manager's is his.
//! - While a manager **talks**, free text, photos, voice and documents in a private chat are said to him. Everything else
//!   (commands, presses, contacts, payments, what a web app says, service messages) is not.

use tandem_model::{BotId, Conversation, Flags};
use tandem_telegram::update::{Content, Kind, UpdateView};

use crate::{
    Gateway,
    gateway::Chain,
    known::{ShownBy, Use},
};

impl Gateway {
    /// The flags of an update, apart from those of a press under a message.
    pub(crate) async fn flags_of(
        &self,
        bot: BotId,
        update: &UpdateView<'_>,
        conversation: &Conversation,
    ) -> Flags {
        let flags = self.conversation_flags(bot, conversation).await;
        if !matches!(
            update.kind(),
            Kind::Message | Kind::EditedMessage | Kind::BusinessMessage | Kind::EditedBusinessMessage
        ) {
            return flags;
        }
        flags
            | match self.button_of(bot, update, conversation).await {
                Some(ShownBy::App(_)) => Flags::KNOWN_BUTTON,
                Some(ShownBy::Manager(_)) => {
                    Flags::KNOWN_BUTTON | Flags::MANAGERS_BUTTON | Flags::MANAGER_TALKS
                }
                None if flags.intersects(Flags::WITH_MANAGER) && is_free(update) => Flags::MANAGER_TALKS,
                None => Flags::NONE,
            }
    }

    /// Who has shown the button of a reply keyboard that a message is the press of.
    async fn button_of(
        &self,
        bot: BotId,
        update: &UpdateView<'_>,
        conversation: &Conversation,
    ) -> Option<ShownBy> {
        // An edit is no press, whatever it says.
        if !matches!(update.kind(), Kind::Message | Kind::BusinessMessage) {
            return None;
        }
        let text = update.message().text()?;
        if !self.uses(bot, Use::ReplyKeyboards).await {
            return None;
        }
        let (store, known) = (&*self.inner().store, self.inner().recorder.known());
        known.buttons.find(store, bot, conversation, &text).await.unwrap_or_else(|error| {
            let chain = Chain(&error);
            tracing::warn!(bot.id = %bot, "the keyboard of a chat could not be looked up: {chain}");
            None
        })
    }

    /// Who has shown the button under a message that was pressed.
    pub(crate) async fn shown_by(&self, bot: BotId, press: &UpdateView<'_>) -> Option<ShownBy> {
        self.find_shown_by(bot, press).await.unwrap_or_else(|error| {
            let chain = Chain(&error);
            tracing::warn!(bot.id = %bot, "whose button was pressed could not be looked up: {chain}");
            None
        })
    }

    /// Whether a bot has it; no where that cannot be looked up.
    pub(crate) async fn uses(&self, bot: BotId, what: Use) -> bool {
        let (store, known) = (&*self.inner().store, self.inner().recorder.known());
        known.uses.find(store, bot, what).await.unwrap_or_else(|error| {
            let chain = Chain(&error);
            tracing::warn!(bot.id = %bot, "what the bot uses could not be looked up: {chain}");
            false
        })
    }
}

/// Whether it is words or media that are said to somebody.
fn is_free(update: &UpdateView<'_>) -> bool {
    let message = update.message();
    let said = match message.content() {
        Some(Content::Text) => message.command().is_none(),
        Some(Content::Photo | Content::LivePhoto | Content::Voice | Content::Document) => true,
        _ => false,
    };
    said && message.chat_type().as_deref() == Some("private")
}
