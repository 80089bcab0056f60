//! What is asked for because no hook tells it: where hooks cannot come, or in case they do not.
//!
//! It is taken exactly as a hook would be. What came twice is recognised as ever, so that it does not matter how much
//! of the past is asked for.

use std::sync::Arc;

use tandem_model::Timestamp;
use tandem_vendor::{Account, News};

use super::{
    metrics::{HookEnd, MissedEnd},
    missed::{Found, SLACK},
    take::{TakeError, Taken},
};
use crate::{Bridge, connections::LiveConnection};

/// When a connection is asked.
#[derive(Debug, Default)]
pub(crate) struct Polling {
    asked_at: Option<Timestamp>,
}

impl Polling {
    /// Asks when it is time.
    pub(crate) async fn go_on(&mut self, bridge: &Bridge, live: &Arc<LiveConnection>, account: &dyn Account) {
        let Some(every) = account.polls_every() else { return };
        let now = bridge.parts().clock.now();
        let Some(asked_at) = self.asked_at else {
            // What was before is looked for by whoever knows when the last outage was.
            self.asked_at = Some(now);
            return;
        };
        if now.since(asked_at) < every && now >= asked_at {
            return;
        }
        match account.heard_since(asked_at.minus(SLACK)).await {
            Some(Ok(news)) => {
                self.asked_at = Some(now);
                if bridge.take_news(live, news).await == HookEnd::NotKept {
                    // It is asked for again, as something that was missed.
                    live.look_again();
                }
            }
            Some(Err(failure)) => {
                let name = live.name();
                tracing::debug!(%failure, connection.name = name, "connection {name} could not be asked what is new");
            }
            None => {}
        }
    }
}

impl Bridge {
    /// Takes what was found that nobody had told.
    pub(super) async fn take_found(
        &self,
        live: &LiveConnection,
        news: Vec<News>,
        found: &mut Found,
    ) -> Result<(), TakeError> {
        for news in news {
            let taken = match news {
                News::Heard(heard) => Some(self.take_heard(live, *heard, None).await?),
                News::Spoken(spoken) => self.take_spoken(live, *spoken).await?,
                News::Arrived { message, how } => {
                    self.take_arrived(live, &message, how).await?;
                    None
                }
                News::Noticed(noticed) => {
                    self.take_noticed(live, *noticed).await?;
                    None
                }
                News::Disabled | News::Ignored(_) => None,
            };
            let end = match taken {
                Some(Taken::New) => MissedEnd::Taken,
                Some(Taken::Repeated) | None => MissedEnd::Known,
                Some(Taken::Stale) => MissedEnd::TooOld,
                Some(Taken::ForNobody) => MissedEnd::ForNobody,
            };
            self.hook_metrics().count_missed(end);
            match end {
                MissedEnd::Taken => found.taken += 1,
                MissedEnd::TooOld => found.too_old += 1,
                MissedEnd::Known | MissedEnd::ForNobody => {}
            }
        }
        Ok(())
    }
}
