//! Changing what is stored of an app, whoever else changes it at the same time.

use std::sync::Arc;

use tandem_journal::{App as AppRow, Document, LaneError, ReadError, SettingsChange, SettingsError};
use tandem_model::BotId;

use crate::{App, AppDocument, Gateway};

/// Why an app's settings were not changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChangeError {
    /// The app is gone.
    #[error("the app does not exist any more")]
    Missing,
    /// Another replica owns the bot.
    #[error("this process does not own bot {bot}")]
    NotOwned {
        /// Which bot.
        bot: BotId,
    },
    /// What is stored of it is of another version.
    #[error("what is stored of the app cannot be read")]
    Document(#[source] serde_json::Error),
    /// The store could not be read.
    #[error("the app's settings could not be read")]
    Read(#[from] ReadError),
    /// The store did not take the change.
    #[error("the app's settings could not be stored")]
    Settings(#[from] SettingsError),
    /// Its lane did not take the change.
    #[error("the app's lane could not be changed")]
    Lane(#[from] LaneError),
}

impl Gateway {
    /// Stores a change of an app's document together with what else has to change, and lets the app have it.
    /// `change` may be called again when somebody else was faster.
    pub(crate) async fn change_with(
        &self,
        app: &App,
        mut change: impl FnMut(&mut AppDocument) -> Vec<SettingsChange> + Send,
    ) -> Result<Arc<AppDocument>, ChangeError> {
        let inner = self.inner();
        let bot = app.bot().id();
        let _one_at_a_time = inner.changes.lock().await;
        loop {
            let revision = inner.store.revision().await?;
            let rows = inner.store.list_apps(bot).await?;
            let row = rows.into_iter().find(|row| row.name == app.name()).ok_or(ChangeError::Missing)?;
            let mut document: AppDocument = row.document.read().map_err(ChangeError::Document)?;
            let also = change(&mut document);
            let stored = Document::of(&document).map_err(ChangeError::Document)?;
            let mut changes = vec![SettingsChange::PutApp(AppRow { document: stored, ..row })];
            changes.extend(also);
            match inner.store.change_settings(Some(revision), changes).await {
                Ok(_) => {
                    app.set_document(document);
                    return Ok(app.document());
                }
                Err(SettingsError::Stale { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The same for the document alone.
    pub(crate) async fn change_document(
        &self,
        app: &App,
        mut change: impl FnMut(&mut AppDocument) + Send,
    ) -> Result<Arc<AppDocument>, ChangeError> {
        self.change_with(app, |document| {
            change(document);
            Vec::new()
        })
        .await
    }
}
