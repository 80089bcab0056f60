//! The header `Range` (RFC 9110, 14): one range of bytes. Several at once are answered with the whole, as the standard
//! allows.

use http::{HeaderMap, HeaderValue, header};

/// Bytes that somebody asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// From this one on.
    From(u64),
    /// From one to another, both included.
    Within(u64, u64),
    /// So many at the end.
    Last(u64),
}

/// There is nothing of what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OutOfRange;

/// A part of a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    /// Its first byte.
    pub(super) start: u64,
    /// How many bytes it has; never none.
    pub(super) length: u64,
    /// How many the whole has.
    pub(super) total: u64,
}

impl Wanted {
    /// What the headers ask for; `None` for the whole.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let text = headers.get(header::RANGE)?.to_str().ok()?;
        let (unit, range) = text.split_once('=')?;
        if !unit.trim().eq_ignore_ascii_case("bytes") {
            return None;
        }
        let (first, last) = range.trim().split_once('-')?;
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| text.parse().unwrap_or(u64::MAX))
        };
        match (number(first), last.is_empty(), number(last)) {
            (Some(first), true, None) => Some(Self::From(first)),
            (Some(first), false, Some(last)) if first <= last => Some(Self::Within(first, last)),
            (None, false, Some(last)) if first.is_empty() => Some(Self::Last(last)),
            _ => None,
        }
    }

    /// Which part of a whole this is.
    pub(super) fn part_of(self, total: u64) -> Result<Part, OutOfRange> {
        let (start, end) = match self {
            Self::From(first) => (first, total),
            Self::Within(first, last) => (first, last.saturating_add(1).min(total)),
            Self::Last(count) => (total.saturating_sub(count), total),
        };
        if start < end { Ok(Part { start, length: end - start, total }) } else { Err(OutOfRange) }
    }

    /// The header that asks for it.
    pub(super) fn header(self) -> HeaderValue {
        let text = match self {
            Self::From(first) => format!("bytes={first}-"),
            Self::Within(first, last) => format!("bytes={first}-{last}"),
            Self::Last(count) => format!("bytes=-{count}"),
        };
        HeaderValue::try_from(text).expect("digits are a header's value")
    }
}

impl Part {
    /// What the header `Content-Range` says.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let text = headers.get(header::CONTENT_RANGE)?.to_str().ok()?;
        let (range, total) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let (start, last, total): (u64, u64, u64) =
            (first.parse().ok()?, last.parse().ok()?, total.parse().ok()?);
        (start <= last && last < total).then(|| Self { start, length: last - start + 1, total })
    }

    /// The header that says it.
    pub(super) fn header(self) -> HeaderValue {
        let Self { start, length, total } = self;
        let text = format!("bytes {start}-{}/{total}", start + length - 1);
        HeaderValue::try_from(text).expect("digits are a header's value")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(text: &str) -> Option<Wanted> {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, HeaderValue::from_str(text).unwrap());
        Wanted::of(&headers)
    }

    #[test]
    fn one_range_of_bytes_is_understood_and_everything_else_is_the_whole() {
        for (text, expected) in [
            ("bytes=0-", Some(Wanted::From(0))),
            ("bytes=5-9", Some(Wanted::Within(5, 9))),
            ("Bytes=-3", Some(Wanted::Last(3))),
            ("bytes=0-99999999999999999999999", Some(Wanted::Within(0, u64::MAX))),
            ("bytes=9-5", None),
            ("bytes=0-1,3-4", None),
            ("bytes=-", None),
            ("bytes=+1-2", None),
            ("bytes=a-b", None),
            ("items=0-1", None),
            ("bytes", None),
        ] {
            assert_eq!(wanted(text), expected, "{text}");
        }
        assert_eq!(Wanted::of(&HeaderMap::new()), None);
    }

    #[test]
    fn a_part_is_within_the_whole() {
        for (wanted, total, expected) in [
            (Wanted::From(0), 10, Some((0, 10))),
            (Wanted::From(9), 10, Some((9, 1))),
            (Wanted::From(10), 10, None),
            (Wanted::Within(2, 4), 10, Some((2, 3))),
            (Wanted::Within(2, u64::MAX), 10, Some((2, 8))),
            (Wanted::Within(10, 12), 10, None),
            (Wanted::Last(3), 10, Some((7, 3))),
            (Wanted::Last(30), 10, Some((0, 10))),
            (Wanted::Last(0), 10, None),
            (Wanted::From(0), 0, None),
        ] {
            let part = wanted.part_of(total).ok().map(|part| (part.start, part.length));
            assert_eq!(part, expected, "{wanted:?} of {total}");
        }
    }

    #[test]
    fn headers_say_what_they_mean() {
        for wanted in [Wanted::From(5), Wanted::Within(5, 9), Wanted::Last(7)] {
            assert_eq!(self::wanted(wanted.header().to_str().unwrap()), Some(wanted));
        }
        let mut headers = HeaderMap::new();
        let part = Part { start: 5, length: 3, total: 10 };
        headers.insert(header::CONTENT_RANGE, part.header());
        assert_eq!(part.header(), "bytes 5-7/10");
        assert_eq!(Part::of(&headers), Some(part));
        for bad in ["bytes 5-7/*", "bytes */10", "bytes 7-5/10", "bytes 5-10/10", "5-7/10"] {
            headers.insert(header::CONTENT_RANGE, HeaderValue::from_static(bad));
            assert_eq!(Part::of(&headers), None, "{bad}");
        }
    }
}
