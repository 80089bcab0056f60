//! OAuth as a person sees it (6.2): where access is granted, and what comes back.

use tandem_vendor::{Failure, FailureKind};
use url::Url;

use super::{AmocrmAccount, Link};
use crate::{
    connection::{Base, Integration},
    response::shortened,
    rest::{Rest, Tokens},
};

impl AmocrmAccount {
    /// Where a person grants access.
    pub(super) fn grant_url(&self, state: &str) -> Option<Url> {
        let Integration { client_id, .. } = self.connection.integration.as_ref()?;
        let page = &self.connection.grant_page;
        let mut url = page.at(&page.path("/oauth"), None);
        let query = [("client_id", client_id.as_str()), ("mode", "post_message"), ("state", state)];
        url.query_pairs_mut().extend_pairs(query);
        Some(url)
    }

    /// The words, and how access is granted again. The link itself holds for one visit, so it is made when asked for.
    pub(super) fn with_way_out(&self, words: &str) -> String {
        let name = &self.connection.name;
        if self.connection.integration.is_some() {
            format!("{words}; grant access again by the link of `tandem connections authorize {name}`")
        } else {
            format!("{words}; give connection {name} a new token")
        }
    }

    pub(super) async fn take_code(&self, query: &[(String, String)]) -> Result<(), Failure> {
        let refused = |words: String| Failure::new(FailureKind::Refused, words);
        let Some(Tokens::Granted(granted)) = self.rest.as_ref().map(Rest::tokens) else {
            return Err(refused(format!("connection {} does not work by OAuth", self.connection.name)));
        };
        let given = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        if let Some(error) = given("error") {
            return Err(refused(format!("access was not granted: {}", shortened(error))));
        }
        let client_id = self.connection.integration.as_ref().map(|known| known.client_id.as_str());
        if given("client_id").is_some() && given("client_id") != client_id {
            return Err(refused("the grant is for another integration".to_owned()));
        }
        let code = given("code").filter(|code| !code.is_empty());
        let code = code.ok_or_else(|| refused("the grant has no code".to_owned()))?;
        let server = self.granting_server(given("referer"))?;
        granted.exchange(code.to_owned(), server).await?;
        // It was installed, which disconnects the channel if it was connected before.
        *self.link() = Link::Unconnected;
        Ok(())
    }

    /// The account says itself where it is. It is believed when it is this account, below the platform's domain: the code
    /// must not be carried anywhere else.
    fn granting_server(&self, referer: Option<&str>) -> Result<Base, Failure> {
        let refused = |words: String| Err(Failure::new(FailureKind::Refused, words));
        let Some(referer) = referer.map(str::to_ascii_lowercase) else {
            return Ok(self.connection.token_server.clone());
        };
        let connection = &self.connection;
        // An emulator has a host of its own.
        if referer == connection.account_host || referer == connection.token_server.authority() {
            return Ok(connection.token_server.clone());
        }
        if !connection.platform.has_account(&referer) {
            return refused(format!(
                "access was granted at a host that is none of {}",
                connection.platform.title()
            ));
        }
        refused(format!(
            "access was granted in {referer}, and the connection is to {}",
            connection.account_host
        ))
    }
}
