//! Connecting the channel to the account (1.5): at start, and again after each installation of the integration, which
//! silently disconnects it.

use tandem_model::{Blame, PauseReason};
use tandem_vendor::{Failure, FailureKind};
use url::Url;

use super::{AmocrmAccount, Link};
use crate::{
    chats::Chats,
    request::{self, Repeat},
    rest::Rest,
    wire::{answer::Connected, rest::AccountInfo},
};

impl AmocrmAccount {
    /// Whoever calls it sees to it that nobody else does.
    pub(super) async fn connect_once(&self) -> Result<(), Failure> {
        let connected = self.ask_and_connect().await;
        let mut link = self.link();
        *link = match (&connected, &*link) {
            (Ok(()), _) => Link::Connected,
            (Err(Failure { kind: FailureKind::Stop(_), words }), _) => Link::Refused(words.clone()),
            // Installed again, it can be connected; until then it is as it was.
            (Err(_), Link::Disabled) => Link::Disabled,
            (Err(_), _) => Link::Unconnected,
        };
        connected
    }

    async fn ask_and_connect(&self) -> Result<(), Failure> {
        let asked = match &self.rest {
            Some(rest) => self.ask_account(rest).await,
            None => Ok(()),
        };
        let Some(chats) = &self.chats else { return asked };
        let amojo_id = match (chats.channel().account.clone(), self.facts().amojo_id.clone()) {
            (Some(given), Some(has)) if given != has => {
                return Err(stop(format!("channel.account is {given}, and the account's amojo_id is {has}")));
            }
            // Chats need nothing but the id.
            (Some(id), _) | (None, Some(id)) => id,
            (None, None) => {
                asked?;
                return Err(stop("the account has no chat service: its amojo_id is not known".to_owned()));
            }
        };
        let scope = self.connect_channel(chats, &amojo_id).await?;
        self.change_facts(|facts| facts.scope = Some(scope));
        if let Some(rest) = &self.rest
            && rest.trouble().is_none()
            && let Ok(names) = rest.manager_names().await
        {
            self.change_facts(|facts| facts.managers = names);
        }
        Ok(())
    }

    async fn ask_account(&self, rest: &Rest) -> Result<(), Failure> {
        let AccountInfo { id, amojo_id, drive_url, .. } =
            rest.account().await.map_err(|not_had| not_had.failure)?;
        let drive = drive_url.as_deref().and_then(|url| Url::parse(url).ok());
        let drive_host = drive.and_then(|url| url.host_str().map(str::to_owned));
        self.change_facts(|facts| {
            facts.number = Some(id);
            facts.amojo_id = amojo_id.or_else(|| facts.amojo_id.take());
            facts.drive_host = drive_host;
        });
        Ok(())
    }

    async fn connect_channel(&self, chats: &Chats, account: &str) -> Result<String, Failure> {
        let channel = chats.channel();
        let request = request::connect(&channel.id, account, &channel.title);
        let answer = chats.send(&request).await.map_err(|unsuccessful| {
            if unsuccessful.is_unconnected() && *self.link() != Link::Disabled {
                let words = format!(
                    "the chat service does not know the channel {}, or not for this account: support registers it",
                    channel.id
                );
                return stop(words);
            }
            unsuccessful.failure(Repeat::Harmless)
        })?;
        let usual = format!("{}_{account}", channel.id);
        Ok(serde_json::from_slice::<Connected>(&answer.body).map_or(usual, |connected| connected.scope_id))
    }

    /// The channel in the account, connected first if it is not.
    pub(super) async fn scope(&self) -> Result<String, Failure> {
        if let (Link::Connected, Some(scope)) = (&*self.link(), &self.facts().scope) {
            return Ok(scope.clone());
        }
        let _one_at_a_time = self.connecting.lock().await;
        let link = self.link().clone();
        match link {
            // Somebody else was faster.
            Link::Connected => {}
            Link::Disabled => return Err(self.switched_off()),
            Link::Unconnected | Link::Refused(_) => self.connect_once().await?,
        }
        self.facts().scope.clone().ok_or_else(|| self.switched_off())
    }

    fn switched_off(&self) -> Failure {
        let kind = FailureKind::Later { after: None, blame: Blame::Destination };
        let host = &self.connection.account_host;
        Failure::new(kind, format!("the integration is switched off in {host}: install it there again"))
    }

    /// The chat service does not know the channel: it was installed again, or switched off without a word.
    pub(super) fn lost_connection(&self, scope: &str) {
        let mut link = self.link();
        // Somebody may have connected it meanwhile.
        if *link == Link::Connected && self.facts().scope.as_deref() == Some(scope) {
            *link = Link::Unconnected;
        }
    }
}

fn stop(words: String) -> Failure {
    Failure::new(FailureKind::Stop(PauseReason::Refused), words)
}
