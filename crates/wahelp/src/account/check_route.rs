//! Whether a route's channel is there, and what becomes of what is told in it (11.3).

use serde_json::Value;
use tandem_vendor::{Finding, FindingState};

use super::{WahelpAccount, check::found, tell::own_words};
use crate::route::{PersonalAccount, Route};

use FindingState::{Bad, Warning};

impl WahelpAccount {
    /// Whatever is told goes to the client, so a channel that is there is a warning at best.
    pub(super) async fn check_route_settings(&self, route: &Value) -> Vec<Finding> {
        let step = "channel";
        let route = match Route::read(route) {
            Ok(route) => route,
            Err(failure) => return vec![found(step, Bad, failure.words)],
        };
        let (documents, named) = (&self.document.channels, route.wahelp.channel.as_str());
        let channels = match self.channels_with(named).await {
            Ok(channels) => channels,
            Err(failure) => return vec![found(step, Bad, failure.words)],
        };
        let channel = match channels.find(named, documents) {
            Ok(channel) => channel,
            Err(failure) => return vec![found(step, Bad, failure.words)],
        };
        let is_confirmed = route.wahelp.personal_account == Some(PersonalAccount::Confirmed);
        vec![match (channel.is_account(documents), is_confirmed) {
            (true, false) => found(step, Bad, own_words(channel, named)),
            (true, true) => {
                let words = format!(
                    "channel {named} is a personal account, and as the owner has confirmed, each client receives his own \
                     words from it (T1)"
                );
                found(step, Warning, words)
            }
            (false, _) => {
                let words = format!(
                    "channel {named} is a bot: what is told there it sends to the client too. If it is the bot that \
                     Tandem has, mode = \"native\" is the way to keep Wahelp beside it"
                );
                found(step, Warning, words)
            }
        }]
    }
}
