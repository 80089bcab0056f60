//! What happens to integrations: installed, switched off, granted access (reference 1.5, 6.2, 6.5).
//!
//! Switching one off revokes its tokens, disconnects its channels and tells its disable hook; after it was
//! installed again the channels must be connected again.

use std::time::Duration;

use serde::Serialize;

use super::bot_api::in_words;
use super::ids::hex;
use super::integrations::Integration;
use super::oauth::{Extra, hmac_sha256};
use super::{AmoCrm, State};

/// Whoever takes longer to answer is not waited for (reference 6.2).
const PATIENCE: Duration = Duration::from_secs(3);

/// A GET to the integration, which is never repeated.
#[derive(Debug, Serialize)]
pub(crate) struct Notice {
    pub(crate) url: String,
    pub(crate) status: Option<u16>,
    pub(crate) error: Option<String>,
}

impl AmoCrm {
    /// Switches an integration off; `None` when there is no such one. The answer is what its hook said.
    pub(crate) async fn disable(&self, client_id: &str) -> Option<Option<Notice>> {
        let address = {
            let mut state = self.lock();
            let state = &mut *state;
            let integration = state.account.integrations.get_mut(client_id)?;
            integration.enabled = false;
            let address = disable_address(integration, state.account.id);
            state.revoke(client_id);
            address
        };
        Some(match address {
            Some(address) => Some(self.notify(address).await),
            None => None,
        })
    }

    /// Installs it, again or for the first time; an integration with a widget is sent a code.
    pub(crate) async fn install(&self, client_id: &str, widget: bool) -> Option<Option<Notice>> {
        let now_ms = self.clock().now_ms();
        let address = {
            let mut state = self.lock();
            let state = &mut *state;
            let integration = state.account.integrations.get_mut(client_id)?;
            integration.enabled = true;
            integration.installations += 1;
            let first = state.account.first_integration();
            state.disconnect(client_id);
            if client_id == first {
                // The token that the account shows is a long-lived one and is made anew.
                state.restore_shown_token(client_id);
            }
            let host = self.url().split("//").nth(1).unwrap_or_default().to_owned();
            widget.then(|| state.grant(client_id, None, &host, Extra::FromWidget, now_ms)).flatten()
        };
        Some(match address {
            Some(address) => Some(self.notify(address).await),
            None => None,
        })
    }

    async fn notify(&self, url: String) -> Notice {
        match self.http().get(&url).timeout(PATIENCE).send().await {
            Ok(answer) => Notice { url, status: Some(answer.status().as_u16()), error: None },
            Err(error) => Notice { url, status: None, error: Some(in_words(&error.without_url())) },
        }
    }
}

impl State {
    /// Takes tokens and channels away from an integration.
    pub(crate) fn revoke(&mut self, client_id: &str) {
        self.tokens.revoke(client_id);
        self.disconnect(client_id);
    }

    fn disconnect(&mut self, client_id: &str) {
        for channel in self.amojo.channels.values_mut().filter(|channel| channel.client_id == client_id) {
            channel.connection = None;
        }
    }

    fn restore_shown_token(&mut self, client_id: &str) {
        let (token, user) = (self.account.access_token.clone(), self.account.manager_id);
        self.tokens.put(&token, client_id, user);
    }
}

/// The disable hook with its signature.
fn disable_address(integration: &Integration, account_id: u64) -> Option<String> {
    let mut url = url::Url::parse(integration.disable_hook.as_ref()?).ok()?;
    let signature = disable_signature(&integration.client_secret, &integration.client_id, account_id);
    url.query_pairs_mut()
        .append_pair("account_id", &account_id.to_string())
        .append_pair("client_uuid", &integration.client_id)
        .append_pair("signature", &signature);
    Some(url.into())
}

fn disable_signature(secret: &str, client_id: &str, account_id: u64) -> String {
    hex(&hmac_sha256(secret, format!("{client_id}|{account_id}").as_bytes()))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_disable_hook_is_signed_as_the_references_vector() {
        let signature = super::disable_signature(
            "exampleClientSecret",
            "12345678-90ab-4cde-8f01-234567890abc",
            31_000_001,
        );
        assert_eq!(signature, "fac9f0a25d970c1713dbccba7a899f8082bdcb23cc1451026940bc7be047d937");
    }
}
