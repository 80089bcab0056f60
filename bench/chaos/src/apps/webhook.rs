//! The app that is posted to: acts on what it takes, and now and then answers with a method.

use bytes::Bytes;
use serde_json::{Value, json};

use super::talk::Voice;
use crate::receiver::React;

/// The kinds it asks for.
pub(crate) const KINDS: [&str; 3] = ["message", "callback_query", "message_reaction"];

/// The app.
pub(crate) struct WebhookApp(pub(crate) Voice);

impl WebhookApp {
    /// Has its updates posted there.
    pub(crate) async fn set_webhook(voice: &Voice, address: &str) -> anyhow::Result<()> {
        let wanted = json!({ "url": address, "allowed_updates": KINDS, "max_connections": 40 });
        let answer: Value = voice.call("setWebhook").json(&wanted).send().await?.json().await?;
        anyhow::ensure!(answer["ok"] == true, "the webhook was not set: {}", answer["description"]);
        Ok(())
    }
}

impl React for WebhookApp {
    fn react(&self, body: &Bytes) -> Bytes {
        let Ok(update) = serde_json::from_slice::<Value>(body) else { return Bytes::new() };
        if let Some(reply) = self.0.as_reply(&update) {
            return reply.to_string().into();
        }
        self.0.answer(&update);
        Bytes::new()
    }
}
