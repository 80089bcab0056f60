//! Wahelp's times: naive and in Moscow's zone; numbers and times with a zone are taken too (8.3).

use jiff::{civil::DateTime, tz::Offset};
use serde_json::Value;
use tandem_model::Timestamp;

/// What is larger than this is counted in milliseconds.
const SECONDS_END: i64 = 100_000_000_000;

/// Reads a zone such as `+03:00`.
pub(crate) fn offset(text: &str) -> Option<Offset> {
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':').unwrap_or((rest, "0"));
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    if !(0..=14).contains(&hours) || !(0..60).contains(&minutes) {
        return None;
    }
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}

/// Reads a time. `None` for what is none.
pub(crate) fn read(value: &Value, offset: Offset) -> Option<Timestamp> {
    let number = |number: i64| {
        let millis = if number > SECONDS_END { number } else { number.checked_mul(1000)? };
        (number > 0).then(|| Timestamp::from_millis(millis))
    };
    match value {
        Value::Number(written) => number(written.as_i64()?),
        Value::String(text) => {
            let text = text.trim();
            if let Ok(seconds) = text.parse::<i64>() {
                return number(seconds);
            }
            if let Ok(instant) = text.parse::<jiff::Timestamp>() {
                return Some(Timestamp::from_millis(instant.as_millisecond()));
            }
            let naive: DateTime = text.parse().ok()?;
            let instant = offset.to_timestamp(naive).ok()?;
            Some(Timestamp::from_millis(instant.as_millisecond()))
        }
        _ => None,
    }
}

/// The day it is there, counted from some day.
pub(crate) fn day(now: Timestamp, offset: Offset) -> i64 {
    (now.as_millis() + i64::from(offset.seconds()) * 1000).div_euclid(24 * 3600 * 1000)
}

/// When that day ends.
pub(crate) fn end_of_day(now: Timestamp, offset: Offset) -> Timestamp {
    Timestamp::from_millis((day(now, offset) + 1) * 24 * 3600 * 1000 - i64::from(offset.seconds()) * 1000)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_without_a_zone_are_moscows_and_others_are_what_they_say() {
        let moscow = offset("+03:00").unwrap();
        let noon = Some(Timestamp::from_secs(1_780_306_245));
        for written in [
            json!("2026-06-01 12:30:45"),
            json!("2026-06-01T12:30:45"),
            json!("2026-06-01T09:30:45Z"),
            json!("2026-06-01T14:30:45+05:00"),
            json!(1_780_306_245),
            json!("1780306245"),
            json!(1_780_306_245_000_i64),
        ] {
            assert_eq!(read(&written, moscow), noon, "{written}");
        }
        for strange in
            [json!(null), json!(""), json!("soon"), json!(-5), json!(1.5), json!("2026-13-01 00:00:00")]
        {
            assert_eq!(read(&strange, moscow), None, "{strange}");
        }
        assert_eq!(read(&json!("2026-06-01 09:30:45"), offset("+0").unwrap()), noon);
        for strange in ["", "3", "+15", "+3:60", "+x", "Moscow"] {
            assert_eq!(offset(strange), None, "{strange}");
        }
    }

    #[test]
    fn a_day_ends_at_midnight_there() {
        let moscow = offset("+03:00").unwrap();
        let evening = read(&json!("2026-06-01 23:59:59"), moscow).unwrap();
        let night = read(&json!("2026-06-02 00:00:00"), moscow).unwrap();
        assert_eq!(end_of_day(evening, moscow), night);
        assert_eq!(day(evening, moscow) + 1, day(night, moscow));
    }
}
