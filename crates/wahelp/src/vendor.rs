//! What makes accounts of connections.

use std::{fmt, sync::Arc};

use tandem_model::{Clock, Rng};
use tandem_outbound::{Client, SetUpError, Settings};
use tandem_vendor::{Account, ConnectionSetting, Keep, OpenError, Vendor};

use crate::{account::WahelpAccount, connection::Connection};

/// Wahelp and message.help.
pub struct Wahelp {
    client: Client,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
}

impl Wahelp {
    /// Its word in settings and addresses.
    pub const NAME: &'static str = "wahelp";

    /// Makes the vendor with one HTTP client for all accounts.
    pub fn new(settings: &Settings, clock: Arc<dyn Clock>, rng: Arc<dyn Rng>) -> Result<Self, SetUpError> {
        Ok(Self { client: Client::new(settings)?, clock, rng })
    }
}

impl Vendor for Wahelp {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn open(&self, setting: &ConnectionSetting, keep: Arc<dyn Keep>) -> Result<Arc<dyn Account>, OpenError> {
        let connection = Connection::read(setting)?;
        let sent = setting.secret(crate::secret::SENT);
        let (clock, rng) = (Arc::clone(&self.clock), Arc::clone(&self.rng));
        Ok(Arc::new(WahelpAccount::new(connection, sent, self.client.clone(), keep, clock, rng)))
    }
}

impl fmt::Debug for Wahelp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wahelp").finish_non_exhaustive()
    }
}
