//! What a vendor's failure means for the lane.

use tandem_journal::ReadError;
use tandem_model::{Blame, Verdict};
use tandem_vendor::{Failure, FailureKind};

/// What is to be said of an event that this happened to.
pub(super) fn verdict(failure: Failure) -> Verdict {
    let Failure { kind, words } = failure;
    match kind {
        FailureKind::Later { after, blame } => Verdict::Retry { after, blame, reason: words },
        // The vendor recognises what it has had already.
        FailureKind::Lost { blame } => Verdict::Retry { after: None, blame, reason: words },
        FailureKind::NoPhone => Verdict::Retry { after: None, blame: Blame::Event, reason: words },
        FailureKind::Refused | FailureKind::Gone => Verdict::Reject { reason: words },
        FailureKind::Stop(reason) => Verdict::Stop { reason, detail: words },
    }
}

/// The store could not be asked. The lane cannot note anything either then, so that nothing is lost by trying again.
pub(super) fn unread(error: &ReadError) -> Verdict {
    Verdict::Retry {
        after: None,
        blame: Blame::Event,
        reason: format!("what is known of the chat could not be read: {error}"),
    }
}
