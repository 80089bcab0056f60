//! Cutting a text into messages. Telegram counts UTF-16 units (reference/telegram.md 6).

/// Longest text of a message, in UTF-16 units.
pub const TEXT_UNITS: usize = 4096;
/// Longest caption of a file, in UTF-16 units.
pub const CAPTION_UNITS: usize = 1024;

/// The length that Telegram counts.
pub fn units(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// Cuts a text where its reader is disturbed least: between paragraphs, else lines, else words, else characters. The
/// first part has at most `first` units, the others at most `further`; together they are the text.
pub fn split(text: &str, first: usize, further: usize) -> Vec<&str> {
    let (mut parts, mut rest, mut limit) = (Vec::new(), text, first.max(2));
    while let Some(end) = end_within(rest, limit) {
        let (part, after) = rest.split_at(best_cut(&rest[..end]));
        parts.push(part);
        rest = after;
        limit = further.max(2);
    }
    if !rest.is_empty() {
        parts.push(rest);
    }
    parts
}

/// Up to where the text has `limit` units at most; `None` when all of it has. Never inside a character, so never inside
/// a surrogate pair.
fn end_within(text: &str, limit: usize) -> Option<usize> {
    let mut counted = 0;
    for (at, character) in text.char_indices() {
        counted += character.len_utf16();
        if counted > limit {
            return Some(at);
        }
    }
    None
}

/// Where to cut what fits: behind the last paragraph or line if that fills at least a quarter, else behind the last
/// word, else at the end.
fn best_cut(fits: &str) -> usize {
    let quarter = fits.len() / 4;
    let behind = |mark: &str| fits.rfind(mark).map(|at| at + mark.len()).filter(|cut| *cut >= quarter);
    behind("\n\n").or_else(|| behind("\n")).or_else(|| last_space(fits)).unwrap_or(fits.len())
}

fn last_space(fits: &str) -> Option<usize> {
    let (at, space) = fits.char_indices().rev().find(|(_, character)| character.is_whitespace())?;
    Some(at + space.len_utf8())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_is_cut_between_paragraphs_else_lines_else_words_else_characters() {
        for (text, parts) in [
            ("", vec![]),
            ("short", vec!["short"]),
            ("one two\n\nthree four", vec!["one two\n\n", "three four"]),
            ("one two\nthree four", vec!["one two\n", "three four"]),
            ("one two three", vec!["one two ", "three"]),
            ("a\n\nbcdefghijklmn", vec!["a\n\n", "bcdefghijk", "lmn"]),
            ("abcdefghijklmn", vec!["abcdefghij", "klmn"]),
            ("Жили-были дед и баба", vec!["Жили-были ", "дед и баба"]),
            ("😀😀😀😀😀😀", vec!["😀😀😀😀😀", "😀"]),
            ("a😀😀😀😀😀", vec!["a😀😀😀😀", "😀"]),
        ] {
            assert_eq!(split(text, 10, 10), parts, "{text}");
        }
        assert_eq!(split("one two three four", 4, 100), ["one ", "two three four"]);
    }

    #[test]
    fn a_line_break_near_the_beginning_makes_no_tiny_part() {
        assert_eq!(split("a\nbcdefghi jklmnop", 14, 14), ["a\nbcdefghi ", "jklmnop"]);
    }

    proptest! {
        #[test]
        fn parts_are_within_the_limits_and_together_the_text(
            text in "([a-z]{1,9}|[ \\n]|\\n\\n|Ж|😀|👨‍💻){0,120}",
            first in 2_usize..40,
            further in 2_usize..40,
        ) {
            let parts = split(&text, first, further);
            prop_assert_eq!(parts.concat(), text.as_str());
            for (number, part) in parts.iter().enumerate() {
                prop_assert!(!part.is_empty());
                let limit = if number == 0 { first } else { further };
                prop_assert!(units(part) <= limit);
            }
        }
    }
}
