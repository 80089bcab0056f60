//! What an operator can do with connections.

use std::sync::Arc;

use tandem_journal::{SettingsChange, SettingsError};

use super::LiveConnection;
use crate::{
    Bridge,
    operations::{Refusal, RefusalCode, Response},
};

impl Bridge {
    pub(crate) fn list_connections(&self) -> Response {
        Response::Connections { connections: self.connection_views() }
    }

    pub(crate) fn show_connection(&self, name: &str) -> Result<Response, Refusal> {
        let live = self.connection_meant(name)?;
        Ok(Response::Connection(Box::new(self.connection_view(&live))))
    }

    /// Connects at once, also what was switched off.
    pub(crate) async fn connect_connection(&self, name: &str) -> Result<Response, Refusal> {
        let live = self.connection_meant(name)?;
        self.connect_again(&live).await?;
        if let (Some(account), None) = (live.account(), self.current_run()) {
            // Nothing runs that would do it.
            account.connect().await.map_err(|failure| {
                Refusal::new(
                    RefusalCode::Vendor,
                    format!("Connection {name} could not be connected: {failure}."),
                    "Put that right in the account or in the file and run this again.",
                )
            })?;
        }
        Ok(Response::Connection(Box::new(self.connection_view(&live))))
    }

    /// Where somebody grants access.
    pub(crate) fn authorize_connection(&self, name: &str) -> Result<Response, Refusal> {
        let live = self.connection_meant(name)?;
        if self.current_run().is_none() {
            return Err(Refusal::new(
                RefusalCode::NotRunning,
                "Whoever grants access comes back to the running service, and it does not run.",
                "Start `tandem serve` and run this again.",
            ));
        }
        let (rng, now) = (&self.parts().rng, self.parts().clock.now());
        let unable = |why: &str| {
            Refusal::new(
                RefusalCode::BadRequest,
                format!("Access for connection {name} is not granted by a link{why}."),
                "Give the connection [connection.oauth] with client_id, client_secret_file and redirect_url in the file, \
                 or a token_file, and run `tandem apply`.",
            )
        };
        let Some(account) = live.account() else { return Err(unable(": its settings cannot be used")) };
        let (state, until) = self.authorizations().mint(live.id(), &**rng, now);
        if let Some(url) = account.authorize_url(&state) {
            Ok(Response::Authorize { connection: name.to_owned(), url: url.to_string(), until })
        } else {
            self.authorizations().take(&state, now);
            Err(unable(""))
        }
    }

    /// Forgets a connection with its secrets, where no route uses it.
    pub(crate) async fn remove_connection(&self, name: String) -> Result<Response, Refusal> {
        let live = self.connection_meant(&name)?;
        let gone = vec![SettingsChange::RemoveConnection(live.id())];
        match self.parts().store.change_settings(None, gone).await {
            Ok(_) => {}
            Err(SettingsError::InUse { .. }) => {
                let routes = self.connection_view(&live).routes.join(", ");
                return Err(Refusal::new(
                    RefusalCode::Conflict,
                    format!("Connection {name} is still used by {routes}."),
                    "Take those routes out of the file and run `tandem apply --prune` first.",
                ));
            }
            Err(error) => return Err(error.into()),
        }
        self.sync_connections().await?;
        Ok(Response::ConnectionRemoved { name })
    }

    fn connection_meant(&self, name: &str) -> Result<Arc<LiveConnection>, Refusal> {
        let all = self.connections().list();
        all.iter().find(|live| live.name() == name).cloned().ok_or_else(|| {
            let known: Vec<&str> = all.iter().map(|live| live.name()).collect();
            let sentence = format!("There is no connection named {name}.");
            let what_to_do = if known.is_empty() {
                "Describe it in a file as [[connection]] and run `tandem apply`.".to_owned()
            } else {
                format!("Name one of these: {}.", known.join(", "))
            };
            Refusal::new(RefusalCode::NoSuchConnection, sentence, what_to_do)
        })
    }
}
