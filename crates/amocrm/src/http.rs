//! The HTTP client as both of amoCRM's APIs use it: answers know when they were asked for, because clocks matter here.

use std::{fmt, sync::Arc};

use tandem_model::{Blame, Clock};
use tandem_outbound::{Answered, Client, Settings};
use tandem_vendor::{Failure, FailureKind};

pub use tandem_outbound::SetUpError;
pub(crate) use tandem_outbound::{NoAnswer, Outgoing};

use crate::{request::Repeat, response::Answer};

/// Longest answer that is read: a page of users or of history is far below it.
const ANSWER_BYTES: usize = 4 << 20;

/// The client.
#[derive(Clone)]
pub(crate) struct Http {
    client: Client,
    clock: Arc<dyn Clock>,
}

impl Http {
    pub(crate) fn new(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Self, SetUpError> {
        Ok(Self { client: Client::new(settings)?, clock })
    }

    /// Sends it. Whatever the status, it is an answer.
    pub(crate) async fn send(&self, outgoing: Outgoing) -> Result<Answer, NoAnswer> {
        let asked_at = self.clock.now();
        let Answered { status, headers, body } = self.client.send(outgoing, ANSWER_BYTES).await?;
        Ok(Answer { status, headers, body, asked_at })
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("client", &self.client).finish_non_exhaustive()
    }
}

/// What follows for something that was asked for and not answered.
pub(crate) fn unanswered(no_answer: &NoAnswer, repeat: Repeat, whom: &str) -> Failure {
    let kind = match (no_answer, repeat) {
        (NoAnswer::NotAllowed | NoAnswer::NotConnected { .. }, _) => {
            FailureKind::Later { after: None, blame: Blame::Destination }
        }
        (NoAnswer::Lost { .. }, Repeat::Refused) => FailureKind::Lost { blame: Blame::Unclear },
        (NoAnswer::Lost { .. }, Repeat::Harmless) => {
            FailureKind::Later { after: None, blame: Blame::Unclear }
        }
    };
    Failure::new(kind, format!("{whom}: {no_answer}"))
}
