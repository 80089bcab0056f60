//! The service itself: its database, its public address, the way to Telegram.

use super::{FindingView, Reached, Section};
use crate::{
    Bridge,
    operations::{HealthView, Refusal},
};

impl Bridge {
    pub(super) async fn examine_service(&self) -> Result<Section, Refusal> {
        let findings = vec![self.examine_store().await?, self.examine_public_address().await];
        Ok(Section { about: "tandem".to_owned(), findings })
    }

    async fn examine_store(&self) -> Result<FindingView, Refusal> {
        let store = self.store_view().await?;
        Ok(match store.health {
            HealthView::Good => FindingView::good("database", "The database takes everything."),
            HealthView::LowDisk => FindingView::bad(
                "database",
                "The disk is nearly full: nothing more is taken from Telegram, which keeps updates for 24 hours. Free some space.",
            ),
            HealthView::Full => {
                FindingView::bad("database", "The disk is full: nothing is taken or sent. Free some space.")
            }
            HealthView::Failed { reason } => FindingView::bad(
                "database",
                format!("The database has failed: {reason}. Restart tandem serve."),
            ),
        })
    }

    /// Whether what is sent to our public address comes to this very process: the way a vendor's hook takes.
    async fn examine_public_address(&self) -> FindingView {
        let step = "public address";
        let Some(public_url) = self.parts().config.public_url.clone() else {
            return if self.needs_public_address() {
                FindingView::bad(
                    step,
                    "server.public_url is not set, and amoCRM's channel needs it: managers' messages come to it and pictures are fetched from it. Set it to the https:// address under which the listener server.public can be reached from outside.",
                )
            } else {
                FindingView::skipped(step, "server.public_url is not set; nothing here needs it.")
            };
        };
        match self.reach_ourselves(&public_url).await {
            Reached::Ourselves { took } => {
                let ms = took.as_millis();
                FindingView::good(
                    step,
                    format!("A request to server.public_url came back to this service ({ms} ms)."),
                )
            }
            Reached::SomebodyElse { status } => FindingView::bad(
                step,
                format!(
                    "server.public_url is answered by something else (status {status}). Have the proxy there pass everything under /hooks/, /media/ and /oauth/ to the listener server.public."
                ),
            ),
            Reached::Nobody { reason } => FindingView::bad(
                step,
                format!(
                    "server.public_url cannot be reached from here: {reason}. See that its name resolves, that its port is open, and that its certificate is valid."
                ),
            ),
            Reached::NotRunning => FindingView::skipped(
                step,
                "Nobody listens at the public address while tandem serve is not running: start it and ask again.",
            ),
        }
    }
}
