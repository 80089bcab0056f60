//! `logOut` and `close` (reference/telegram.md 7).

use super::ApiError;

/// Whether the server runs this bot.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lifecycle {
    started_ms: i64,
    state: Running,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Running {
    Yes,
    /// By `close`; the next call starts it again.
    Closed,
    /// By `logOut`; the cloud takes it back after ten minutes.
    LoggedOut {
        until_ms: i64,
    },
}

const TEN_MINUTES_MS: i64 = 10 * 60 * 1000;

impl Lifecycle {
    pub(crate) fn started(now_ms: i64) -> Self {
        Self { started_ms: now_ms, state: Running::Yes }
    }

    /// Before any call but `close`: a closed bot starts again, a logged-out one is refused.
    pub(crate) fn enter(&mut self, now_ms: i64) -> Result<(), ApiError> {
        match self.state {
            Running::Yes => {}
            Running::LoggedOut { until_ms } if now_ms < until_ms => {
                return Err(ApiError::new(400, "Logged out"));
            }
            Running::Closed | Running::LoggedOut { .. } => *self = Self::started(now_ms),
        }
        Ok(())
    }

    /// `close`: refused in the first ten minutes, and when it is closed already.
    pub(crate) fn close(&mut self, now_ms: i64) -> Result<(), ApiError> {
        match self.state {
            Running::Closed => return Err(ApiError::bad_request("the bot has already been closed")),
            Running::Yes => {}
            Running::LoggedOut { .. } => self.enter(now_ms)?,
        }
        let wait_ms = self.started_ms.saturating_add(TEN_MINUTES_MS).saturating_sub(now_ms);
        if wait_ms > 0 {
            let seconds = u32::try_from(wait_ms.unsigned_abs().div_ceil(1000)).unwrap_or(u32::MAX);
            return Err(ApiError::too_many_requests(seconds));
        }
        self.state = Running::Closed;
        Ok(())
    }

    pub(crate) fn log_out(&mut self, now_ms: i64) {
        self.state = Running::LoggedOut { until_ms: now_ms.saturating_add(TEN_MINUTES_MS) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_waits_ten_minutes_and_any_other_call_starts_the_bot_again() {
        let mut life = Lifecycle::started(0);
        assert_eq!(life.close(1_000).unwrap_err().retry_after, Some(599));
        life.close(TEN_MINUTES_MS).unwrap();
        let again = life.close(TEN_MINUTES_MS).unwrap_err();
        assert_eq!(again.description, "Bad Request: the bot has already been closed");
        life.enter(TEN_MINUTES_MS).unwrap();
        assert_eq!(life.close(TEN_MINUTES_MS).unwrap_err().retry_after, Some(600));
    }

    #[test]
    fn a_logged_out_bot_is_refused_for_ten_minutes() {
        let mut life = Lifecycle::started(0);
        life.log_out(0);
        assert_eq!(life.enter(TEN_MINUTES_MS - 1).unwrap_err().description, "Logged out");
        life.enter(TEN_MINUTES_MS).unwrap();
    }
}
