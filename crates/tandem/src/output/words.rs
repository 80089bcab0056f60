//! Times, sizes and spans as people say them.

use std::time::Duration;

use tandem_model::Timestamp;

/// `3 min ago`, `in 20 s`, `now`.
pub(crate) fn when(at: Timestamp, now: Timestamp) -> String {
    let (ago, ahead) = (now.since(at), at.since(now));
    if ago >= Duration::from_secs(1) {
        format!("{} ago", span(ago))
    } else if ahead >= Duration::from_secs(1) {
        format!("in {}", span(ahead))
    } else {
        "now".to_owned()
    }
}

/// The largest unit that fits, without fractions: `50 s`, `3 min`, `7 h`, `12 days`.
pub(crate) fn span(duration: Duration) -> String {
    match duration.as_secs() {
        secs @ 0..120 => format!("{secs} s"),
        secs @ 120..7200 => format!("{} min", secs / 60),
        secs @ 7200..172_800 => format!("{} h", secs / 3600),
        secs => format!("{} days", secs / 86_400),
    }
}

/// A date and time in UTC, to the second.
pub(crate) fn date(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.as_millis())
        .map(|at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
        .unwrap_or_default()
}

/// `12 kB`, `3.4 MB`.
pub(crate) fn size(bytes: u64) -> String {
    let tenths = |unit: u64| format!("{}.{}", bytes / unit, bytes % unit * 10 / unit);
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{} kB", bytes / 1_000),
        1_000_000..1_000_000_000 => format!("{} MB", tenths(1_000_000)),
        _ => format!("{} GB", tenths(1_000_000_000)),
    }
}

/// `1 update`, `2 updates`.
pub(crate) fn count(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// The word that serde writes for one of our enums of plain words.
pub(crate) fn word(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_in_the_largest_unit_that_fits() {
        let now = Timestamp::from_secs(1_000_000);
        for (at, said) in [
            (1_000_000, "now"),
            (999_941, "59 s ago"),
            (999_700, "5 min ago"),
            (982_000, "5 h ago"),
            (740_800, "3 days ago"),
            (1_000_030, "in 30 s"),
        ] {
            assert_eq!(when(Timestamp::from_secs(at), now), said);
        }
        assert_eq!(date(now), "1970-01-12 13:46:40 UTC");
    }

    #[test]
    fn sizes_have_a_unit() {
        for (bytes, said) in
            [(999, "999 B"), (12_345, "12 kB"), (3_400_000, "3.4 MB"), (70_050_000_000, "70.0 GB")]
        {
            assert_eq!(size(bytes), said);
        }
    }
}
