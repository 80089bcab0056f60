//! The sandbox's clock as ours, so that both sides move together.

use tandem_model::{Clock, Timestamp, Wait};

/// The clock of the sandbox.
#[derive(Debug, Clone)]
pub(crate) struct SandboxClock(pub(crate) tandem_sandbox::Clock);

impl Clock for SandboxClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.now_ms())
    }

    fn sleep_until(&self, when: Timestamp) -> Wait {
        let clock = self.0.clone();
        Box::pin(async move { clock.sleep_until(when.as_millis()).await })
    }
}
