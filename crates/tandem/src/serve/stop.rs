//! How the service is told to end: first asked to finish, then told to drop what is left.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// How long everything that was begun may take to finish. Together with closing the store it stays below the ten
/// seconds after which service managers kill.
pub(crate) const GRACE: Duration = Duration::from_secs(8);

/// Two tokens, the second of which ends the first too. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Stop {
    /// Finish what was begun, begin nothing new.
    pub soft: CancellationToken,
    /// Drop everything.
    pub hard: CancellationToken,
}

impl Stop {
    /// Nobody has asked yet.
    pub fn new() -> Self {
        let hard = CancellationToken::new();
        Self { soft: hard.child_token(), hard }
    }
}

impl Default for Stop {
    fn default() -> Self {
        Self::new()
    }
}
