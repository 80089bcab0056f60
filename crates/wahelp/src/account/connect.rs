//! Connecting: login, channels, and our hook among the project's (9.1).

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use tandem_model::Timestamp;
use tandem_vendor::{Failure, FailureKind, Standing};

use super::WahelpAccount;
use crate::{api::Request, channels::Channels, document::secret, envelope};

/// Which entity a subscription is to: it brings messages of all channels of the project.
pub(super) const ENTITY: &str = "channel.message";
/// How long the list of channels is believed.
const CHANNELS_HOLD: Duration = Duration::from_hours(24);

impl WahelpAccount {
    pub(super) async fn connect_once(&self) -> Result<(), Failure> {
        self.refresh_channels().await?;
        let link = match self.subscribe().await? {
            None => Standing::Connected,
            Some(sentence) => Standing::Impaired(sentence),
        };
        self.known().link = link;
        Ok(())
    }

    /// Asks for the channels.
    pub(super) async fn refresh_channels(&self) -> Result<(), Failure> {
        let answer = self.api.ask(Request::get(self.api.in_project("/channels/"))).await?;
        let mut known = self.known();
        known.channels = std::sync::Arc::new(Channels::read(&answer));
        known.channels_at = Some(self.clock.now());
        Ok(())
    }

    /// The channels, asked for again where they are old or `missing` one that is named.
    pub(super) async fn channels_with(&self, named: &str) -> Result<std::sync::Arc<Channels>, Failure> {
        let (channels, at) = {
            let known = self.known();
            (std::sync::Arc::clone(&known.channels), known.channels_at)
        };
        let old = |at: Timestamp| self.clock.now().since(at) > CHANNELS_HOLD;
        if at.is_none_or(old) || channels.find(named, &self.document.channels).is_err() {
            self.refresh_channels().await?;
        }
        Ok(self.channels())
    }

    /// Sees to it that our hook is subscribed. What keeps hooks from coming is said: what is new is asked for instead.
    pub(super) async fn subscribe(&self) -> Result<Option<String>, Failure> {
        let Some(address) = self.hook_address().await? else {
            self.known().hooked = false;
            return Ok(Some(
                "there is no server.public_url, so Wahelp's hooks cannot come: what managers write is asked for every 20 \
                 seconds"
                    .to_owned(),
            ));
        };
        self.known().hooked_at = Some(self.clock.now());
        let list = self.api.ask(Request::get(self.api.in_project("/webhooks/"))).await;
        let subscribed = match list {
            Ok(answer) => {
                let (hooks, _) = envelope::list(&answer);
                if hooks.iter().any(|hook| hook["url"].as_str() == Some(address.as_str())) {
                    Ok(())
                } else {
                    let body = json!({"url": address, "entities": [ENTITY]});
                    self.api.ask(Request::post(self.api.in_project("/webhooks/"), &body)).await.map(drop)
                }
            }
            Err(failure) => Err(failure),
        };
        match subscribed {
            Ok(()) => {
                self.known().hooked = true;
                Ok(None)
            }
            Err(failure @ Failure { kind: FailureKind::Later { .. } | FailureKind::Stop(_), .. }) => {
                Err(failure)
            }
            Err(failure) => {
                self.known().hooked = false;
                Ok(Some(format!(
                    "our hook could not be subscribed ({failure}), so what managers write is asked for every 20 seconds"
                )))
            }
        }
    }

    /// Where our hook is; its secret is made where there is none yet.
    async fn hook_address(&self) -> Result<Option<String>, Failure> {
        let Some(public_url) = &self.public_url else { return Ok(None) };
        let known = self.known().hook_secret.clone();
        let hook_secret = match known {
            Some(hook_secret) => hook_secret,
            None => self.make_hook_secret().await?,
        };
        Ok(Some(format!("{}/hooks/wahelp/{}", public_url.trim_end_matches('/'), hook_secret.expose_secret())))
    }

    async fn make_hook_secret(&self) -> Result<SecretString, Failure> {
        let mut random = [0; 32];
        self.rng.fill(&mut random);
        let made: SecretString = hex::encode(random).into();
        self.keep.keep(vec![(secret::HOOK_SECRET, made.clone())]).await.map_err(|error| {
            let kind = FailureKind::Later { after: None, blame: tandem_model::Blame::Destination };
            Failure::new(kind, error.to_string())
        })?;
        self.known().hook_secret = Some(made.clone());
        Ok(made)
    }
}
