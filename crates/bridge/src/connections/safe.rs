//! Where an account puts what must not be lost: sealed, with the connection's other secrets.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use secrecy::SecretString;
use tandem_journal::{SecretOwner, Store};
use tandem_model::ConnectionId;
use tandem_vendor::{ConnectionSetting, Keep, KeepError};

use crate::{bridge::Chain, secrets::Vault};

/// The place of one connection.
pub(super) struct Safe {
    pub(super) id: ConnectionId,
    pub(super) store: Arc<dyn Store>,
    pub(super) vault: Vault,
    /// What the connection was opened with: kept true, so that following the settings does not open it anew.
    pub(super) setting: Arc<Mutex<ConnectionSetting>>,
    pub(super) following: Arc<tokio::sync::Mutex<()>>,
}

#[async_trait]
impl Keep for Safe {
    async fn keep(&self, secrets: Vec<(&'static str, SecretString)>) -> Result<(), KeepError> {
        let owner = SecretOwner::Connection(self.id);
        let changes =
            secrets.iter().map(|(name, secret)| self.vault.put(owner.clone(), name, secret)).collect();
        let _nobody_follows = self.following.lock().await;
        self.store
            .change_settings(None, changes)
            .await
            .map_err(|error| KeepError { reason: Chain(&error).to_string() })?;
        let mut setting = self.setting.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, secret) in secrets {
            setting.secrets.retain(|(known, _)| known != name);
            setting.secrets.push((name.to_owned(), secret));
        }
        setting.secrets.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(())
    }
}

impl fmt::Debug for Safe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Safe").field("id", &self.id).finish_non_exhaustive()
    }
}
