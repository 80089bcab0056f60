//! Making the open connections agree with the settings.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use tandem_journal::{Connection, SecretOwner};
use tandem_model::ConnectionId;
use tandem_vendor::ConnectionSetting;

use super::{LiveConnection, live::Unopened, safe::Safe, task};
use crate::{Bridge, ConnectionDocument, SyncError, bridge::Chain};

/// How many connections are read from the store at a time.
const PAGE: usize = 500;

impl Bridge {
    /// Opens connections that are new, opens changed ones anew, and lets go of those that are gone. Does nothing where
    /// they agree. One that cannot be read keeps no other from being followed; the first such error is returned.
    pub async fn sync_connections(&self) -> Result<(), SyncError> {
        let connections = self.connections().clone();
        let following = connections.following();
        let _one_at_a_time = following.lock().await;
        let (mut after, mut first_error) = (None, None);
        let mut known: BTreeSet<ConnectionId> = BTreeSet::new();
        loop {
            let page = self.parts().store.list_connections(after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            for row in page {
                known.insert(row.id);
                if let Err(error) = self.follow_connection(&row).await {
                    first_error.get_or_insert(error);
                }
            }
        }
        for live in connections.list().into_iter().filter(|live| !known.contains(&live.id())) {
            live.stop.cancel();
            connections.remove(live.id());
            tracing::info!(connection.name = live.name(), "connection {} was removed", live.name());
        }
        first_error.map_or(Ok(()), Err)
    }

    async fn follow_connection(&self, row: &Connection) -> Result<(), SyncError> {
        let unreadable = |source| SyncError::Document { what: format!("connection {}", row.name), source };
        let document: ConnectionDocument = row.document.read().map_err(unreadable)?;
        let setting = ConnectionSetting {
            id: row.id,
            name: row.name.clone(),
            document: document.settings,
            secrets: self.vault().list(&SecretOwner::Connection(row.id)).await?,
            public_url: self.parts().config.public_url.as_ref().map(ToString::to_string),
        };
        let before = self.connections().find(row.id);
        if let Some(live) = before.as_ref().filter(|live| live.is_opened_with(&row.vendor, &setting)) {
            if live.is_disabled() != document.disabled_since.is_some() {
                live.set_disabled(document.disabled_since);
                live.nudge.notify_one();
            }
            return Ok(());
        }
        if let Some(before) = &before {
            before.stop.cancel();
        }
        let live = Arc::new(self.open_connection(&row.vendor, &setting, document.disabled_since));
        if let (Some(before), Some(since)) = (&before, before.as_ref().and_then(|before| before.gap())) {
            tracing::debug!(connection.name = before.name(), "what may have been missed is still looked for");
            live.note_gap(since);
        }
        self.connections().insert(Arc::clone(&live));
        if let Some(run) = self.current_run() {
            self.keep_connected(live, &run);
        }
        Ok(())
    }

    fn open_connection(
        &self,
        vendor: &str,
        setting: &ConnectionSetting,
        disabled_since: Option<tandem_model::Timestamp>,
    ) -> LiveConnection {
        let (id, name) = (setting.id, setting.name.clone());
        let shared = Arc::new(Mutex::new(setting.clone()));
        let safe = Arc::new(Safe {
            id,
            store: Arc::clone(&self.parts().store),
            vault: self.vault().clone(),
            setting: Arc::clone(&shared),
            following: self.connections().following(),
        });
        let opened = match self.connections().vendor(vendor) {
            Some(vendor) => vendor.open(setting, safe).map_err(Unopened::from),
            None => Err(Unopened::NoVendor),
        };
        if let Err(error) = &opened {
            let reason = Chain(error);
            tracing::error!(
                connection.name = name,
                "connection {name} cannot be used: {reason}; correct it in the file and run `tandem apply`"
            );
        }
        LiveConnection::new(vendor.to_owned(), shared, opened, disabled_since)
    }

    /// Begins what keeps every connection connected.
    pub(crate) fn keep_all_connected(&self, run: &crate::bridge::Run) {
        for live in self.connections().list() {
            self.keep_connected(live, run);
        }
    }

    fn keep_connected(&self, live: Arc<LiveConnection>, run: &crate::bridge::Run) {
        if live.account().is_none() {
            return;
        }
        let keeping = task::run(self.clone(), live, run.soft.clone());
        self.tasks().spawn(run.hard.clone().run_until_cancelled_owned(keeping));
    }
}
