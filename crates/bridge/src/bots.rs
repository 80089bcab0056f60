//! Bots that are ours, in memory: what is running for each of them, and changing what is stored of one.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
};

use tandem_gateway::BotHandle;
use tandem_journal::{Bot, Document, ReadError, SettingsChange, SettingsError};
use tandem_lanes::LaneAddress;
use tandem_model::BotId;
use tandem_telegram::webhook::SecretToken;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    BotDocument, BotStatus, Bridge, IntakeState, IntakeStatus, RouteSetting, companion::RunningNotes,
    guard::Memory, replies::RunningReplies,
};

/// A bot that is ours.
#[derive(Debug)]
pub(crate) struct LiveBot {
    pub(crate) handle: Arc<BotHandle>,
    pub(crate) intake: watch::Sender<IntakeStatus>,
    pub(crate) guard: Memory,
    known: RwLock<Known>,
    running: Mutex<Running>,
}

/// What is stored of it.
#[derive(Debug)]
struct Known {
    document: BotDocument,
    hook: Option<SecretToken>,
}

/// What runs for it.
#[derive(Debug, Default)]
pub(crate) struct Running {
    /// Its routes that are delivered to, by name.
    pub(crate) routes: BTreeMap<String, RunningRoute>,
    /// What writes notes for its routes, by name.
    pub(crate) notes: BTreeMap<String, RunningNotes>,
    /// What carries out what managers want.
    pub(crate) replies: Option<RunningReplies>,
    /// What takes its updates in.
    pub(crate) intake: Option<RunningIntake>,
}

/// A route that is delivered to.
#[derive(Debug)]
pub(crate) struct RunningRoute {
    pub(crate) lane: LaneAddress,
    pub(crate) setting: RouteSetting,
}

/// A task that takes updates in.
#[derive(Debug, Clone)]
pub(crate) struct RunningIntake {
    /// Ends it.
    pub(crate) stop: CancellationToken,
    /// Cancelled by itself when it has ended.
    pub(crate) ended: CancellationToken,
}

impl RunningIntake {
    /// Whether it neither ended nor was told to.
    pub(crate) fn goes_on(&self) -> bool {
        !self.stop.is_cancelled() && !self.ended.is_cancelled()
    }
}

impl LiveBot {
    pub(crate) fn new(handle: Arc<BotHandle>, document: BotDocument, hook: Option<SecretToken>) -> Self {
        Self {
            handle,
            intake: watch::Sender::new(IntakeStatus::default()),
            guard: Memory::default(),
            known: RwLock::new(Known { document, hook }),
            running: Mutex::default(),
        }
    }

    pub(crate) fn id(&self) -> BotId {
        self.handle.id()
    }

    pub(crate) fn document(&self) -> BotDocument {
        self.known.read().unwrap_or_else(PoisonError::into_inner).document.clone()
    }

    /// Reads what is stored of it without copying all of it.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&BotDocument) -> T) -> T {
        read(&self.known.read().unwrap_or_else(PoisonError::into_inner).document)
    }

    /// What proves Telegram's deliveries.
    pub(crate) fn hook(&self) -> Option<SecretToken> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).hook.clone()
    }

    pub(crate) fn set_known(&self, document: BotDocument, hook: Option<SecretToken>) {
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Known { document, hook };
    }

    /// What runs for it. Never held while anything is waited for.
    pub(crate) fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says what taking its updates in is doing.
    pub(crate) fn set_intake(&self, state: IntakeState) {
        self.intake.send_if_modified(|status| std::mem::replace(&mut status.state, state) != status.state);
    }

    pub(crate) fn status(&self) -> BotStatus {
        let BotDocument { username, name, phase, upstream, .. } = self.document();
        BotStatus { bot: self.id(), username, name, phase, upstream, intake: self.intake.borrow().clone() }
    }
}

/// Why what is stored of a bot was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// It is not there.
    #[error("bot {bot} is not known")]
    Missing {
        /// Which bot.
        bot: BotId,
    },
    /// What is stored is of another version.
    #[error("what is stored of bot {bot} cannot be read by this version")]
    Document {
        /// Which bot.
        bot: BotId,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// What is stored is of another version.
    #[error("what is stored of connection {name} cannot be read by this version")]
    Connection {
        /// Which connection.
        name: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The store could not be read.
    #[error("the settings could not be read")]
    Read(#[from] ReadError),
    /// The store did not take it.
    #[error("the settings could not be stored")]
    Settings(#[from] SettingsError),
}

impl Bridge {
    /// Changes what is stored of a bot, whoever else changes it at the same time, together with `also`. `change` is
    /// called again when somebody else was faster. What runs for the bot follows by [`Bridge::sync`].
    pub async fn change_bot(
        &self,
        bot: BotId,
        also: &[SettingsChange],
        mut change: impl FnMut(&mut BotDocument) + Send,
    ) -> Result<BotDocument, ChangeError> {
        let store = &self.parts().store;
        loop {
            let revision = store.revision().await?;
            let row = store.find_bot(bot).await?.ok_or(ChangeError::Missing { bot })?;
            let unreadable = |source| ChangeError::Document { bot, source };
            let mut document: BotDocument = row.document.read().map_err(unreadable)?;
            change(&mut document);
            let put =
                SettingsChange::PutBot(Bot { bot, document: Document::of(&document).map_err(unreadable)? });
            let changes = std::iter::once(put).chain(also.iter().cloned()).collect();
            match store.change_settings(Some(revision), changes).await {
                Ok(_) => return Ok(document),
                Err(SettingsError::Stale { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
