//! The connections of a file: planned, carried out, and pruned where no route uses them.
//!
//! They come before the bots, whose routes name them, and are pruned after them.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;
use tandem_journal::{Connection, Document, SecretOwner, SettingsChange, SettingsError};
use tandem_vendor::{ConnectionSetting, Keep, KeepError};

use super::DesiredConnection;
use crate::{
    Bridge, ConnectionDocument,
    connections::account_of,
    operations::{
        ApplyMode, Refusal, RefusalCode, RefusedView, StepAction, StepView, apps::check_name,
        trouble::unreadable,
    },
};

/// How many connections are read from the store at a time.
const PAGE: usize = 500;

/// For an account that is opened to see whether its settings can be used: nothing is asked of the vendor by it.
#[derive(Debug)]
struct Nowhere;

#[async_trait]
impl Keep for Nowhere {
    async fn keep(&self, _: Vec<(&'static str, SecretString)>) -> Result<(), KeepError> {
        Err(KeepError { reason: "the connection was only looked at".to_owned() })
    }
}

impl Bridge {
    /// Plans them or brings them about. One that is refused keeps no other from being done.
    pub(super) async fn apply_connections(
        &self,
        wanted: &[DesiredConnection],
        mode: ApplyMode,
        steps: &mut Vec<StepView>,
    ) -> Vec<RefusedView> {
        let mut refused = Vec::new();
        for connection in wanted {
            match self.apply_connection(connection, mode).await {
                Ok(step) => steps.extend(step),
                Err(refusal) => {
                    refused.push(RefusedView { bot: format!("connection {}", connection.name), refusal });
                }
            }
        }
        refused
    }

    async fn apply_connection(
        &self,
        wanted: &DesiredConnection,
        mode: ApplyMode,
    ) -> Result<Option<StepView>, Refusal> {
        check_name(&wanted.name)?;
        let row = self.parts().store.find_connection(wanted.name.clone()).await?;
        let before: Option<ConnectionDocument> = row
            .as_ref()
            .map(|row| row.document.read())
            .transpose()
            .map_err(|error| unreadable(&format!("connection {}", wanted.name), &error))?;
        let secrets = match &row {
            Some(row) => self.vault().list(&SecretOwner::Connection(row.id)).await?,
            None => Vec::new(),
        };
        self.refuse_unusable(wanted, row.as_ref(), &secrets)?;
        let account = account_of(&wanted.settings).unwrap_or_default();
        let step = |action, sentence| {
            let what = format!("connection {}", wanted.name);
            Some(StepView { action, what, sentence, app_token: None, notes: Vec::new() })
        };
        let step = match &before {
            None => step(StepAction::Add, format!("Make a connection to {account}.")),
            Some(before) => {
                let mut differences = Vec::new();
                if before.settings != wanted.settings {
                    differences.push("its settings".to_owned());
                }
                for (name, secret) in &wanted.secrets {
                    let known = secrets.iter().find(|(known, _)| known == name);
                    let is_same = known.is_some_and(|(_, known)| {
                        secrecy::ExposeSecret::expose_secret(known) == secret.expose()
                    });
                    if !is_same {
                        differences.push(format!("its {}", name.replace('_', " ")));
                    }
                }
                if differences.is_empty() {
                    return Ok(None);
                }
                step(StepAction::Change, format!("Change {}.", differences.join(", ")))
            }
        };
        if mode == ApplyMode::Execute {
            self.put_connection(wanted, row, before).await?;
        }
        Ok(step)
    }

    /// Whether an account could be opened with it.
    fn refuse_unusable(
        &self,
        wanted: &DesiredConnection,
        row: Option<&Connection>,
        stored: &[(String, SecretString)],
    ) -> Result<(), Refusal> {
        let name = &wanted.name;
        let vendor = self.connections().vendor(&wanted.vendor).ok_or_else(|| {
            Refusal::new(
                RefusalCode::NotInThisVersion,
                format!("Connection {name} is to {}, which this version does not know.", wanted.vendor),
                "Take it out of the file, or use a version that knows it.",
            )
        })?;
        if let Some(row) = row.filter(|row| row.vendor != wanted.vendor) {
            return Err(Refusal::new(
                RefusalCode::Conflict,
                format!("Connection {name} is one to {} already.", row.vendor),
                "Give the new one another name: what is known of people and chats belongs to the old one.",
            ));
        }
        let public_url = self.parts().config.public_url.as_ref().map(ToString::to_string);
        if wanted.settings.get("channel").is_some() && public_url.is_none() {
            return Err(Refusal::new(
                RefusalCode::NeedsPublicUrl,
                format!(
                    "Connection {name} has a channel, and what managers write is posted to a public address."
                ),
                "Set server.public_url to where this service is reached from the internet, and start it again.",
            ));
        }
        let mut secrets: Vec<(String, SecretString)> =
            wanted.secrets.iter().map(|(name, secret)| (name.clone(), secret.secret().clone())).collect();
        let left_out =
            stored.iter().filter(|(name, _)| !wanted.secrets.iter().any(|(known, _)| known == name));
        secrets.extend(left_out.cloned());
        secrets.sort_by(|(a, _), (b, _)| a.cmp(b));
        let id = match row {
            Some(row) => row.id,
            None => tandem_model::ConnectionId::MAX,
        };
        let document = wanted.settings.clone();
        let setting = ConnectionSetting { id, name: name.clone(), document, secrets, public_url };
        vendor.open(&setting, Arc::new(Nowhere)).map(|_| ()).map_err(|error| {
            Refusal::new(
                RefusalCode::BadRequest,
                format!("Connection {name} cannot be used: {error}."),
                "Correct it in the file and run this again.",
            )
        })
    }

    async fn put_connection(
        &self,
        wanted: &DesiredConnection,
        row: Option<Connection>,
        before: Option<ConnectionDocument>,
    ) -> Result<(), Refusal> {
        let store = &self.parts().store;
        let name = &wanted.name;
        let document = ConnectionDocument {
            settings: wanted.settings.clone(),
            disabled_since: before.and_then(|before| before.disabled_since),
        };
        let document =
            Document::of(&document).map_err(|error| unreadable(&format!("connection {name}"), &error))?;
        let put =
            SettingsChange::PutConnection { name: name.clone(), vendor: wanted.vendor.clone(), document };
        let mut changes = Vec::new();
        let id = if let Some(row) = row {
            changes.push(put);
            row.id
        } else {
            // Its number is the store's to give, and its secrets are sealed with it. A crash between the two leaves a
            // connection without them, which the next run of this mends.
            store.change_settings(None, vec![put]).await?;
            let made = store.find_connection(name.clone()).await?;
            made.map(|row| row.id).ok_or_else(|| gone(name))?
        };
        let owner = SecretOwner::Connection(id);
        for (secret, value) in &wanted.secrets {
            changes.push(self.vault().put(owner.clone(), secret, value.secret()));
        }
        store.change_settings(None, changes).await?;
        self.sync_connections().await?;
        Ok(())
    }

    /// Removes connections that the file does not name and no route uses.
    pub(super) async fn prune_connections(
        &self,
        wanted: &[DesiredConnection],
        mode: ApplyMode,
        steps: &mut Vec<StepView>,
    ) -> Result<(), Refusal> {
        let mut after = None;
        loop {
            let page = self.parts().store.list_connections(after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.id);
            for row in page {
                if wanted.iter().any(|wanted| wanted.name == row.name) || self.is_used(&row).await? {
                    continue;
                }
                if mode == ApplyMode::Execute {
                    let gone = vec![SettingsChange::RemoveConnection(row.id)];
                    match self.parts().store.change_settings(None, gone).await {
                        Ok(_) => self.sync_connections().await?,
                        // A route came to use it at the same time.
                        Err(SettingsError::InUse { .. }) => continue,
                        Err(error) => return Err(error.into()),
                    }
                }
                steps.push(StepView {
                    action: StepAction::Remove,
                    what: format!("connection {}", row.name),
                    sentence: "Remove it with its secrets: the file does not name it, and no route uses it."
                        .to_owned(),
                    app_token: None,
                    notes: Vec::new(),
                });
            }
        }
    }

    async fn is_used(&self, row: &Connection) -> Result<bool, Refusal> {
        for found in self.stored_bots().await? {
            let routes = self.parts().store.list_routes(found.bot).await?;
            if routes.iter().any(|route| route.connection == Some(row.id)) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

pub(super) fn gone(name: &str) -> Refusal {
    Refusal::new(
        RefusalCode::NoSuchConnection,
        format!("There is no connection named {name}."),
        "Describe it in the file as [[connection]], or name one that is there (`tandem connections`).",
    )
}
