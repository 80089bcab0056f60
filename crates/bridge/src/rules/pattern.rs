//! How a text reads: `*` stands for any characters, `?` for one, everything else for itself in upper or lower case.
//!
//! The whole text is compared. Matching takes time in proportion to text and pattern and no memory besides, whatever
//! somebody writes; that is why it is this and no regular expression.

use super::words::Word;

/// Longest pattern, in characters.
pub(super) const CHARACTERS: usize = 256;

/// A pattern.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pattern {
    written: String,
    folded: Vec<char>,
}

impl Pattern {
    /// Whether a text reads like this.
    pub(super) fn fits(&self, text: &str) -> bool {
        let text: Vec<char> = fold(text.trim()).collect();
        let pattern = &self.folded;
        let (mut at, mut in_pattern) = (0, 0);
        // Where the last star stands, and how much of the text it has taken.
        let mut star: Option<(usize, usize)> = None;
        while at < text.len() {
            match pattern.get(in_pattern) {
                Some('*') => {
                    star = Some((in_pattern, at));
                    in_pattern += 1;
                }
                Some(&expected) if expected == '?' || expected == text[at] => {
                    at += 1;
                    in_pattern += 1;
                }
                Some(_) | None => {
                    let Some((place, taken)) = star else { return false };
                    star = Some((place, taken + 1));
                    (at, in_pattern) = (taken + 1, place + 1);
                }
            }
        }
        pattern[in_pattern..].iter().all(|&rest| rest == '*')
    }
}

fn fold(text: &str) -> impl Iterator<Item = char> {
    text.chars().flat_map(char::to_lowercase)
}

impl Word for Pattern {
    fn parse(text: &str) -> Result<Self, String> {
        let written = text.trim();
        match written.chars().count() {
            0 => Err("an empty text fits nothing: leave the condition out, or write \"*\"".to_owned()),
            1..=CHARACTERS => Ok(Self { written: written.to_owned(), folded: fold(written).collect() }),
            length => Err(format!("a text of {length} characters is too long: at most {CHARACTERS}")),
        }
    }

    fn write(&self) -> String {
        self.written.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_the_whole_text_with_what_may_stand_for_anything() {
        for (pattern, text, fits) in [
            ("цена", "ЦЕНА", true),
            ("цена", " цена\n", true),
            ("цена", "цена?", false),
            ("цена*", "Цена на кофе", true),
            ("*доставк*", "есть ли Доставка домой", true),
            ("*доставк*", "дос тавка", false),
            ("?", "5", true),
            ("?", "55", false),
            ("??*", "5", false),
            ("a*b*c", "a--b--b--c", true),
            ("a*b*c", "a--c--b", false),
            ("*", "", true),
            ("a", "", false),
            ("**a**", "xax", true),
            ("*ab", "aab", true),
        ] {
            assert_eq!(Pattern::parse(pattern).unwrap().fits(text), fits, "{pattern:?} {text:?}");
        }
        assert!(Pattern::parse(" ").is_err() && Pattern::parse(&"я".repeat(257)).is_err());
        assert!(Pattern::parse(&"я".repeat(256)).is_ok());
    }

    #[test]
    fn what_somebody_makes_up_to_be_slow_is_not() {
        let pattern = Pattern::parse(&"*a".repeat(128)).unwrap();
        let text = "a".repeat(4095) + "b";
        assert!(!pattern.fits(&text));
    }
}
