//! Account hooks (5.1): who is told what happens in the account.
//!
//! That they are refused (a plan without them, no administrator) says nothing about the token: everything else goes on.

use http::Method;
use serde::Serialize;

use super::{Call, NotHad, Priority, Rest, calls::read};
use crate::{
    response::Answer,
    wire::rest::{Page, Subscribing, Unsubscribing, WebhookInfo, Webhooks},
};

const PATH: &str = "/api/v4/webhooks";

impl Rest {
    /// The subscription of an address.
    pub(crate) async fn webhook(&self, destination: &str) -> Result<Option<WebhookInfo>, NotHad> {
        let destination: String = form_urlencoded::byte_serialize(destination.as_bytes()).collect();
        let answer =
            self.hooks(Method::GET, Some(format!("filter%5Bdestination%5D={destination}")), ()).await?;
        Ok(webhooks(&answer)?.into_iter().next())
    }

    /// All subscriptions of the account: a hundred at most.
    pub(crate) async fn webhooks(&self) -> Result<Vec<WebhookInfo>, NotHad> {
        let answer = self.hooks(Method::GET, Some("limit=100".to_owned()), ()).await?;
        webhooks(&answer)
    }

    /// Subscribes an address, or changes what it is told.
    pub(crate) async fn subscribe(
        &self,
        destination: &str,
        settings: &[&str],
    ) -> Result<WebhookInfo, NotHad> {
        let answer = self.hooks(Method::POST, None, Subscribing { destination, settings }).await?;
        read(&answer, "its hooks")?.ok_or_else(|| NotHad::unreadable("its hooks"))
    }

    /// Takes a subscription back, if it is there.
    pub(crate) async fn unsubscribe(&self, destination: &str) -> Result<(), NotHad> {
        match self.hooks(Method::DELETE, None, Unsubscribing { destination }).await {
            Ok(_) | Err(NotHad { status: Some(404), .. }) => Ok(()),
            Err(not_had) => Err(not_had),
        }
    }

    async fn hooks(
        &self,
        method: Method,
        query: Option<String>,
        body: impl Serialize + Send,
    ) -> Result<Answer, NotHad> {
        let is_empty = method == Method::GET;
        let body = serde_json::to_vec(&body).expect("texts can always be written");
        let body = if is_empty { Vec::new() } else { body };
        let call = Call { method, path: PATH, query: query.as_deref(), body, priority: Priority::Background };
        let answer = self.call(&call).await;
        if let Err(NotHad { status: Some(402 | 403), .. }) = &answer {
            self.is_no_refusal();
        }
        answer
    }
}

fn webhooks(answer: &Answer) -> Result<Vec<WebhookInfo>, NotHad> {
    let page = read::<Page<Webhooks>>(answer, "its hooks")?;
    Ok(page.map(|page| page.embedded.webhooks).unwrap_or_default())
}
