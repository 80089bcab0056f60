//! Numbers with a unit, and moments, as people type them.

use std::time::Duration;

use tandem_bridge::operations::Point;
use tandem_model::{Seq, Timestamp};

/// `45s`, `30m`, `24h`, `3d`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let expected = || "expected a number and a unit, such as 45s, 30m, 24h or 3d".to_owned();
    let unit = text.chars().next_back().ok_or_else(expected)?;
    let secs = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return Err(expected()),
    };
    let number: u64 = text[..text.len() - 1].trim().parse().map_err(|_not_a_number| expected())?;
    number.checked_mul(secs).map(Duration::from_secs).ok_or_else(expected)
}

/// An event by its number, or a moment: `2h` ago, or in full.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    Seq(Seq),
    At(Timestamp),
    Ago(Duration),
}

impl Place {
    /// Reads one.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if let Ok(seq) = text.parse::<i64>() {
            return Seq::new(seq).map(Self::Seq).map_err(|error| error.to_string());
        }
        if let Ok(duration) = duration(text) {
            return Ok(Self::Ago(duration));
        }
        text.parse::<jiff::Timestamp>()
            .map(|at| Self::At(Timestamp::from_millis(at.as_millisecond())))
            .map_err(|_no_moment| {
                "expected an event's number, a time ago such as 2h, or a moment such as 2026-11-24T10:00:00Z"
                    .to_owned()
            })
    }

    /// In the journal's terms.
    pub(super) fn point(self, now: Timestamp) -> Point {
        match self {
            Self::Seq(seq) => Point::Seq(seq),
            Self::At(at) => Point::Time(at),
            Self::Ago(duration) => Point::Time(now.minus(duration)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_number_and_a_unit() {
        for (text, secs) in [("45s", 45), ("30m", 1800), ("24h", 86_400), ("3d", 259_200)] {
            assert_eq!(duration(text).unwrap().as_secs(), secs);
        }
        for text in ["", "5", "h", "-3d", "3 weeks", "99999999999999999999d", "1Я"] {
            assert!(duration(text).unwrap_err().contains("such as 45s"), "{text}");
        }
    }

    #[test]
    fn a_place_is_a_number_a_time_ago_or_a_moment() {
        let now = Timestamp::from_secs(10_000);
        let point = |text| Place::parse(text).map(|place| place.point(now));
        assert_eq!(point("17").unwrap(), Point::Seq(Seq::new(17).unwrap()));
        assert_eq!(point("1h").unwrap(), Point::Time(Timestamp::from_secs(6400)));
        assert_eq!(point("1970-01-01T00:00:09Z").unwrap(), Point::Time(Timestamp::from_secs(9)));
        assert!(point("yesterday").unwrap_err().contains("such as 2h"));
        assert!(point("-1").is_err());
    }
}
