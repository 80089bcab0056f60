//! When a connection's account is asked to listen: after each connecting, every hour, and when its hooks tell nothing
//! although something was relayed that they should tell of.

use std::{sync::Arc, time::Duration};

use tandem_model::Timestamp;
use tandem_vendor::{Account, Listening, Need};

use crate::{Bridge, connections::LiveConnection};

/// How often it is looked whether hooks come.
const EVERY: Duration = Duration::from_hours(1);
/// How soon it is tried again after a failure.
const AGAIN: Duration = Duration::from_mins(5);
/// How long a hook may take.
const LATE: Duration = Duration::from_mins(1);

/// Sees to it that one connection's hooks come.
#[derive(Debug, Default)]
pub(crate) struct Listener {
    /// When it was asked last, and whether that went well.
    asked: Option<(Timestamp, Went)>,
    /// The last failure that was said.
    said: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Went {
    Well,
    Badly,
}

impl Listener {
    /// Asks the account if it is time.
    pub(crate) async fn go_on(&mut self, bridge: &Bridge, live: &Arc<LiveConnection>, account: &dyn Account) {
        let routes = bridge.connections().routes_of(live.id());
        if routes.is_empty() {
            self.asked = None;
            return;
        }
        let is_needed = routes.iter().any(|route| route.companion.is_some());
        let now = bridge.parts().clock.now();
        if !self.is_due(bridge, live, now) {
            return;
        }
        let need = if is_needed { Need::Required } else { Need::Welcome };
        let name = live.name();
        let listening = account.listen(need).await;
        self.asked = Some((now, if listening.is_ok() { Went::Well } else { Went::Badly }));
        match listening {
            Ok(Listening::OnAgain) => {
                self.said = None;
                tracing::warn!(
                    connection.name = name,
                    "the hooks of connection {name} had been switched off at the vendor, because they were not answered, \
                     and are on again: what managers wrote meanwhile was not heard"
                );
            }
            Ok(Listening::Subscribed | Listening::NotHere) => self.said = None,
            Err(failure) if self.said.as_ref() == Some(&failure.words) => {}
            Err(failure) if is_needed => {
                tracing::error!(connection.name = name, "connection {name}: {failure}");
                self.said = Some(failure.words);
            }
            Err(failure) => {
                tracing::debug!(connection.name = name, "connection {name}: {failure}");
                self.said = Some(failure.words);
            }
        }
    }

    fn is_due(&self, bridge: &Bridge, live: &LiveConnection, now: Timestamp) -> bool {
        let Some((asked, went)) = self.asked else { return true };
        let since = now.since(asked);
        if went == Went::Badly {
            return since >= AGAIN;
        }
        // Something was relayed after the last look, and no hook has told of it.
        let silent = bridge.relayed().last(live.id()).is_some_and(|relayed| {
            let heard = live.last_heard();
            relayed > asked && now.since(relayed) >= LATE && heard.is_none_or(|heard| heard < relayed)
        });
        since >= EVERY || (silent && since >= AGAIN)
    }
}
