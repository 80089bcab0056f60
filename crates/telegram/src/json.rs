//! A scanner over JSON bytes: where values begin and end, nothing copied, nothing built.
//!
//! Why not `serde_json`: updates must travel as the bytes Telegram sent, a view over them is made for each one in
//! about a microsecond, and it has to survive what a typed parser refuses: nesting of any depth (no recursion
//! here), duplicate keys, numbers of any size, members of the wrong type.
//!
//! The grammar is checked strictly, with one exception: bytes from 0x80 on inside strings are taken as they are,
//! because an update that is not quite UTF-8 must be kept too; texts made of it are lossy.

mod parts;
mod scan;
mod text;

use std::ops::Range;

pub(crate) use parts::Parts;
pub(crate) use scan::skip_space;
pub(crate) use text::{integer, text, unescape};

/// Where the text stops being JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not JSON from byte {at} on")]
pub struct Malformed {
    /// The offset of the offending byte, or the length when the text ends too early.
    pub at: usize,
}

/// The whole text is one value with white space around it: where the value stands.
pub(crate) fn whole_value(bytes: &[u8]) -> Result<Range<usize>, Malformed> {
    let start = skip_space(bytes, 0);
    let end = scan::value_end(bytes, start)?;
    let after = skip_space(bytes, end);
    if after == bytes.len() { Ok(start..end) } else { Err(Malformed { at: after }) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn valid(text: &str) -> bool {
        whole_value(text.as_bytes()).is_ok()
    }

    #[test]
    fn the_grammar_is_the_standards() {
        for good in [
            "{}",
            " [ ] ",
            "0",
            "-0.5e+7",
            r#""a\u00e9\n""#,
            r#"{"a":[1,{"b":null}],"c":true}"#,
            "[[],{},[{}]]",
            "1e400",
            "\"\"",
            "123456789012345678901234567890",
        ] {
            assert!(valid(good), "{good}");
            assert!(serde_json::from_str::<serde::de::IgnoredAny>(good).is_ok() || good == "1e400", "{good}");
        }
        for bad in [
            "",
            "{",
            "[1,]",
            "{\"a\":1,}",
            "{\"a\"}",
            "{a:1}",
            "01",
            "1.",
            "-",
            "+1",
            "\"\\x\"",
            "\"\\u12g4\"",
            "\"a\nb\"",
            "tru",
            "[1 2]",
            "{\"a\":1 \"b\":2}",
            "[}",
            "{]",
            "1 2",
            "\"open",
            "[1",
            "\"\\u12",
            "nul",
        ] {
            assert!(!valid(bad), "{bad}");
            assert!(serde_json::from_str::<serde::de::IgnoredAny>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn nesting_of_any_depth_is_scanned_without_recursion() {
        for depth in [63, 64, 65, 128, 129, 500_000] {
            let text = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
            assert!(valid(&text), "{depth}");
            let mixed = format!("{}1{}", "[{\"a\":".repeat(depth), "}]".repeat(depth));
            assert!(valid(&mixed), "{depth}");
            let crossed = format!("{}1{}", "[{\"a\":".repeat(depth), "]}".repeat(depth));
            assert!(!valid(&crossed), "{depth}");
        }
    }

    #[test]
    fn every_control_character_is_refused_at_every_place_of_a_word() {
        for byte in 0..0x20_u8 {
            for at in 0..20 {
                let mut text = format!("\"{}\"", "é".repeat(12)).into_bytes();
                text[1 + at] = byte;
                assert_eq!(whole_value(&text), Err(Malformed { at: 1 + at }));
            }
        }
    }

    proptest! {
        #[test]
        fn texts_come_back(text in ".*") {
            let json = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(super::text(json.as_bytes()).unwrap(), text.clone());
            let escaped = text.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect::<Vec<_>>().concat();
            prop_assert_eq!(unescape(escaped.as_bytes()), text);
        }

        #[test]
        fn whatever_serde_json_takes_is_taken_and_the_rest_is_not(text in r#"[\[\]{}",:0-9a\\ue.\-+tn\n ]{0,24}"#) {
            let theirs = serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok();
            prop_assert_eq!(valid(&text), theirs);
        }

        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = whole_value(&bytes);
            let _ = unescape(&bytes);
        }
    }
}
