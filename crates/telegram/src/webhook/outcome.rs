//! What became of a delivery, and when to try again.

use std::time::Duration;

use http::{HeaderMap, StatusCode, header};
use tandem_model::Rng;

/// The waits after the first failures of an update: at once, then longer and longer. After these see [`wait_after`].
pub const LADDER: [Duration; 7] = [
    Duration::ZERO,
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
    Duration::from_secs(16),
    Duration::from_secs(32),
    Duration::from_mins(1),
];

/// A webhook that answers 410 for this long, and nothing else, is removed.
pub const DROP_AFTER_GONE: Duration = Duration::from_hours(23);

/// Longest wait that a `Retry-After` can ask for.
const MAX_RETRY_AFTER: Duration = Duration::from_hours(1);

/// How long to wait after so many failures in a row, when the receiver does not say: the ladder, and beyond it a
/// random time of one to two minutes. There is no last attempt but the end of the update's life.
pub fn wait_after(failures: u32, rng: &dyn Rng) -> Duration {
    let step = usize::try_from(failures.saturating_sub(1)).unwrap_or(usize::MAX);
    LADDER.get(step).copied().unwrap_or_else(|| Duration::from_millis(60_000 + rng.below(60_001)))
}

/// Any 2xx is success and nothing else is; redirects are not followed.
pub fn is_success(status: StatusCode) -> bool {
    status.is_success()
}

/// The wait that the receiver asks for: an integer of seconds, 0 to 3600. Takes the ladder's place.
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(MAX_RETRY_AFTER))
}

/// Why a delivery failed. `Display` is what Telegram shows as `last_error_message`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryFailure {
    /// Another status than 2xx, with the reason as it was received.
    #[error("Wrong response from the webhook: {status} {reason}")]
    Status {
        /// The status.
        status: u16,
        /// The reason phrase.
        reason: String,
    },
    /// The whole answer did not come in time.
    #[error("Read timeout expired")]
    ReadTimeout,
    /// Nobody listens.
    #[error("Connection refused")]
    Refused,
    /// Nobody answers.
    #[error("Connection timed out")]
    ConnectTimeout,
    /// The connection broke.
    #[error("Connection reset by peer")]
    Reset,
    /// TLS failed, in words of the TLS library.
    #[error("SSL error {{{0}}}")]
    Tls(String),
    /// The address is private or reserved, and such are not allowed here.
    #[error("IP address is reserved: private addresses are not allowed here")]
    NotAllowed,
    /// Anything else.
    #[error("Can't connect to the webhook")]
    CannotConnect,
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use tandem_model::SeededRng;

    use super::*;

    #[test]
    fn waits_climb_the_ladder_and_stay_between_one_and_two_minutes() {
        let rng = SeededRng::from_seed(7);
        let waits: Vec<_> = (1..=7).map(|failures| wait_after(failures, &rng).as_secs()).collect();
        assert_eq!(waits, [0, 2, 4, 8, 16, 32, 60]);
        let late: Vec<_> = (8..200).map(|failures| wait_after(failures, &rng)).collect();
        assert!(late.iter().all(|wait| (60_000..=120_000).contains(&wait.as_millis())));
        assert!(late.iter().any(|wait| wait.as_secs() < 75) && late.iter().any(|wait| wait.as_secs() > 105));
        assert!(wait_after(u32::MAX, &rng) >= Duration::from_mins(1));
    }

    #[test]
    fn a_receivers_wish_is_an_integer_within_the_hour() {
        for (value, seconds) in [
            ("0", Some(0)),
            (" 17 ", Some(17)),
            ("3600", Some(3600)),
            ("9999", Some(3600)),
            ("-1", None),
            ("1.5", None),
            ("Wed, 21 Oct 2026 07:28:00 GMT", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static(value));
            assert_eq!(retry_after(&headers), seconds.map(Duration::from_secs), "{value}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }

    #[test]
    fn failures_read_as_telegram_shows_them() {
        for (failure, text) in [
            (
                DeliveryFailure::Status { status: 302, reason: "Moved".to_owned() },
                "Wrong response from the webhook: 302 Moved",
            ),
            (DeliveryFailure::ReadTimeout, "Read timeout expired"),
            (DeliveryFailure::Refused, "Connection refused"),
            (DeliveryFailure::ConnectTimeout, "Connection timed out"),
            (DeliveryFailure::Reset, "Connection reset by peer"),
            (
                DeliveryFailure::Tls("certificate verify failed".to_owned()),
                "SSL error {certificate verify failed}",
            ),
            (DeliveryFailure::NotAllowed, "IP address is reserved: private addresses are not allowed here"),
            (DeliveryFailure::CannotConnect, "Can't connect to the webhook"),
        ] {
            assert_eq!(failure.to_string(), text);
        }
        assert!(is_success(StatusCode::NO_CONTENT) && !is_success(StatusCode::FOUND));
    }
}
