//! Doing again what Telegram wants to be asked a moment later: it takes one `setWebhook` a second.

use std::time::Duration;

use tandem_telegram::{
    token::Token,
    upstream::{CallError, SetWebhook},
};

use crate::{Bridge, StreamError};

/// How often it is done again.
const TIMES: u32 = 3;
/// A longer wait is the operator's to decide about.
const LONGEST: Duration = Duration::from_secs(5);

/// An error that may say when to come back.
pub(crate) trait AskedLater {
    /// After this while, if it says so.
    fn after(&self) -> Option<Duration>;
}

impl AskedLater for CallError {
    fn after(&self) -> Option<Duration> {
        match self {
            Self::RetryAfter { after, .. } => Some(*after),
            _ => None,
        }
    }
}

impl AskedLater for StreamError {
    fn after(&self) -> Option<Duration> {
        match self {
            Self::Call(error) => error.after(),
            _ => None,
        }
    }
}

/// How often something may still be done again.
#[derive(Debug)]
pub(crate) struct Patience(u32);

impl Patience {
    pub(crate) const fn new() -> Self {
        Self(TIMES)
    }
}

impl Bridge {
    /// Whether what failed is to be done again: then the wait is over.
    pub(crate) async fn waits(&self, patience: &mut Patience, after: Option<Duration>) -> bool {
        let Some(after) = after.filter(|after| patience.0 > 0 && *after <= LONGEST) else { return false };
        patience.0 -= 1;
        let clock = &self.parts().clock;
        clock.sleep_until(clock.now().plus(after)).await;
        true
    }

    /// Sets a webhook, again when Telegram wants to be asked a moment later.
    pub(crate) async fn set_webhook(&self, token: &Token, request: &SetWebhook) -> Result<(), CallError> {
        let mut patience = Patience::new();
        loop {
            match self.parts().upstream.set_webhook(token, request).await {
                Err(error) if self.waits(&mut patience, error.after()).await => {}
                set => return set,
            }
        }
    }
}
