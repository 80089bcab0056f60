//! Connections that are switched off at the vendor, and on again.

use tandem_journal::{Connection, Document, SettingsChange, SettingsError};
use tandem_model::ConnectionId;

use super::LiveConnection;
use crate::{Bridge, ChangeError, ConnectionDocument};

/// How many connections are read from the store at a time.
const PAGE: usize = 500;

impl Bridge {
    /// The account has thrown us out: nothing is asked of it from now on, over restarts too.
    pub(crate) async fn note_disabled(&self, live: &LiveConnection) -> Result<(), ChangeError> {
        let now = self.parts().clock.now();
        self.change_connection(live.id(), |document| {
            document.disabled_since.get_or_insert(now);
        })
        .await?;
        live.set_disabled(Some(now));
        let name = live.name();
        tracing::error!(
            connection.name = name,
            "connection {name} was switched off in the account: its routes stand still. Install the integration there \
             again, then `tandem connections connect {name}`"
        );
        Ok(())
    }

    /// Somebody says that it is on again, or has granted access: it is connected at once.
    pub(crate) async fn connect_again(&self, live: &LiveConnection) -> Result<(), ChangeError> {
        self.change_connection(live.id(), |document| document.disabled_since = None).await?;
        live.set_disabled(None);
        live.nudge.notify_one();
        Ok(())
    }

    async fn change_connection(
        &self,
        connection: ConnectionId,
        change: impl Fn(&mut ConnectionDocument) + Send,
    ) -> Result<(), ChangeError> {
        let store = &self.parts().store;
        loop {
            let revision = store.revision().await?;
            // Removed at the same time: there is nothing to change any more.
            let Some(row) = self.stored_connection(connection).await? else { return Ok(()) };
            let unreadable = |source| ChangeError::Connection { name: row.name.clone(), source };
            let before: ConnectionDocument = row.document.read().map_err(unreadable)?;
            let mut document = before.clone();
            change(&mut document);
            if document == before {
                return Ok(());
            }
            let document = Document::of(&document).map_err(unreadable)?;
            let put = SettingsChange::PutConnection { name: row.name.clone(), vendor: row.vendor, document };
            match store.change_settings(Some(revision), vec![put]).await {
                Ok(_) => return Ok(()),
                Err(SettingsError::Stale { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn stored_connection(&self, connection: ConnectionId) -> Result<Option<Connection>, ChangeError> {
        let mut after = None;
        loop {
            let page = self.parts().store.list_connections(after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(None) };
            after = Some(last.id);
            if let Some(row) = page.into_iter().find(|row| row.id == connection) {
                return Ok(Some(row));
            }
        }
    }
}
