//! An amoCRM that connects a bot again and again, by the sandbox's clock: somebody there saves the source each time
//! it falls silent, or a program does. What the real one does by itself is not known (reference 7.2).

use std::time::Duration;

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::AmoCrm;
use super::connection::Address;
use super::link::{Former, Link};

/// How a bot is connected again and again.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Insisting {
    pub(crate) every_ms: u64,
    /// At an address that was never given out before, each time.
    pub(crate) new_address: bool,
    /// So often; without end when it is not given.
    pub(crate) times: Option<u64>,
    /// So often Telegram agreed.
    pub(crate) done: u64,
    /// So often it did not: it takes one `setWebhook` a second.
    pub(crate) refused: u64,
    #[serde(skip)]
    pub(crate) stop: CancellationToken,
}

impl AmoCrm {
    /// Begins, in place of what was begun before. False when there is no such bot.
    pub(crate) fn insist(&self, bot_id: i64, insisting: Insisting) -> bool {
        let (stop, every) = (insisting.stop.clone(), Duration::from_millis(insisting.every_ms));
        {
            let mut state = self.lock();
            let Some(connection) = state.connections.get_mut(&bot_id) else { return false };
            if let Some(before) = connection.insisting.replace(insisting) {
                before.stop.cancel();
            }
        }
        let amocrm = self.clone();
        self.spawn(async move {
            let again = async {
                let mut next_ms = amocrm.clock().now_ms();
                loop {
                    next_ms = next_ms.saturating_add(crate::clock::millis(every));
                    amocrm.clock().sleep_until(next_ms).await;
                    if !amocrm.connect_again(bot_id).await {
                        break;
                    }
                }
            };
            stop.run_until_cancelled(again).await;
        });
        true
    }

    /// Ends it; what was done stays to be seen.
    pub(crate) fn relent(&self, bot_id: i64) -> bool {
        let state = self.lock();
        let Some(connection) = state.connections.get(&bot_id) else { return false };
        if let Some(insisting) = &connection.insisting {
            insisting.stop.cancel();
        }
        true
    }

    /// The bot as it is connected, at the same address or a new one.
    pub(crate) fn same_again(&self, bot_id: i64, new_address: bool) -> Option<Link> {
        let state = self.lock();
        let before = state.connections.get(&bot_id)?.link.clone();
        let fresh = || Address::Path(format!("/~external/hooks/telegram/{}", state.account.uuid()));
        let address = if new_address { fresh() } else { before.address };
        Some(Link { address, former: Former::Gone, ..before })
    }

    /// Once more. False when it was the last time.
    async fn connect_again(&self, bot_id: i64) -> bool {
        let new_address = self.lock().connections.get(&bot_id).and_then(|connection| {
            let insisting = connection.insisting.as_ref().filter(|_| connection.connected)?;
            Some(insisting.new_address)
        });
        let Some(link) = new_address.and_then(|new_address| self.same_again(bot_id, new_address)) else {
            return false;
        };
        let linked = self.link(link).await.is_ok();
        let mut state = self.lock();
        let Some(insisting) =
            state.connections.get_mut(&bot_id).and_then(|connection| connection.insisting.as_mut())
        else {
            return false;
        };
        *(if linked { &mut insisting.done } else { &mut insisting.refused }) += 1;
        insisting.times.is_none_or(|times| insisting.done < times)
    }
}
