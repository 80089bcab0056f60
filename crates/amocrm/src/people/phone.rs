//! Phone numbers as Telegram says them and as people write them into cards: whether they are the same.
//!
//! Telegram's have the country's code. What stands in a card may have it or not, with the prefix that is dialled instead
//! of it (8 in Russia, 0 in many countries), with signs, several numbers in one value, and an extension behind. Two
//! numbers are the same only if the card's can be read as Telegram's: rather somebody is not found than somebody else.

/// Digits of a number with its country's code (E.164).
const DIGITS: std::ops::RangeInclusive<usize> = 7..=15;
/// Fewest digits of a number without its country's code that are enough to call it the same.
const NATIONAL: usize = 8;

/// A number as Telegram says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Phone(String);

impl Phone {
    /// Telegram's own words, which have a plus or not.
    pub(crate) fn of_telegram(text: &str) -> Option<Self> {
        let digits = digits(text);
        DIGITS.contains(&digits.len()).then_some(Self(digits))
    }

    /// As it is written into a card.
    pub(crate) fn written(&self) -> String {
        format!("+{}", self.0)
    }

    /// What is searched for: the digits that stand in a card whether or not it has the country's code.
    pub(crate) fn to_search(&self) -> &str {
        let most = if self.has_long_national() { 10 } else { 9 };
        &self.0[self.0.len().saturating_sub(most)..]
    }

    /// Whether one of the numbers in this value of a card is this one.
    pub(crate) fn is_in(&self, value: &str) -> bool {
        value.split([',', ';', '/', '\n']).any(|part| self.is(without_extension(part)))
    }

    fn is(&self, written: &str) -> bool {
        let theirs = digits(written);
        if !DIGITS.contains(&theirs.len()) && !theirs.starts_with("00") && !theirs.starts_with("810") {
            return false;
        }
        let ours = self.0.as_str();
        if theirs == ours {
            return true;
        }
        let before_digits = written.split(|c: char| c.is_ascii_digit()).next();
        let has_plus = before_digits.is_some_and(|signs| signs.contains('+'));
        // "+8 9…" is nobody's country, and what people write who mean 8.
        if (!has_plus || theirs.starts_with("89")) && self.is_national(&theirs) {
            return true;
        }
        // What is dialled to leave a country: 00, from Russia 8 10.
        !has_plus && ["00", "810"].iter().any(|out| theirs.strip_prefix(out) == Some(ours))
    }

    /// Whether these are its digits without the country's code, or with what is dialled in its place.
    fn is_national(&self, theirs: &str) -> bool {
        let ours = self.0.as_str();
        if self.has_long_national() {
            let national = &ours[1..];
            return theirs == national
                || (ours.starts_with('7') && theirs.strip_prefix('8') == Some(national));
        }
        // Belarus dials 8 0, and so did Ukraine.
        if let Some(national) = theirs.strip_prefix("80") {
            let is = |country| ours.strip_prefix(country) == Some(national);
            if is("375") || is("380") {
                return true;
            }
        }
        let Some(national) = theirs.strip_prefix('0').filter(|rest| !rest.starts_with('0')) else {
            return false;
        };
        national.len() >= NATIONAL
            && ours.strip_suffix(national).is_some_and(|country| (1..=3).contains(&country.len()))
    }

    /// Countries 7 and 1 have ten digits behind their code, always.
    fn has_long_national(&self) -> bool {
        self.0.len() == 11 && self.0.starts_with(['7', '1'])
    }
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// A number without the words and digits of an extension.
fn without_extension(text: &str) -> &str {
    let end = text.char_indices().find_map(|(at, c)| {
        let is_mark = c == '#' || c.is_alphabetic();
        (is_mark && text[..at].chars().filter(char::is_ascii_digit).count() >= *DIGITS.start()).then_some(at)
    });
    &text[..end.unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(telegram: &str, card: &str) -> bool {
        Phone::of_telegram(telegram).unwrap().is_in(card)
    }

    #[test]
    fn one_number_is_the_same_however_it_is_written() {
        for card in [
            "+79991112233",
            "79991112233",
            "89991112233",
            "8 (999) 111-22-33",
            "+7 999 111 22 33",
            "9991112233",
            "007 999 111-22-33",
            "8 10 7 999 1112233",
            "+8 999 111-22-33",
            "8(999)1112233 доб. 12",
            "+7 999 111-22-33 ext 5",
            "+7-999-111-22-33#7",
            "+7 999 111-22-33, 12",
            "+7 495 000-11-22; 8-999-111-22-33",
            "тел. 8 999 111 22 33 (Анна)",
            "\u{202a}+7 999 111‑22‑33\u{202c}",
        ] {
            assert!(is("79991112233", card) && is("+79991112233", card), "{card}");
        }
        for (telegram, card) in [
            ("375291234567", "8 029 123-45-67"),
            ("375291234567", "+375 (29) 123-45-67"),
            ("375291234567", "0291234567"),
            ("380671234567", "067 123 45 67"),
            ("380671234567", "8 067 123 45 67"),
            ("4917112345678", "0171 12345678"),
            ("4917112345678", "0049 171 12345678"),
            ("14155552671", "(415) 555-2671"),
            ("84912345678", "+84 91 234 56 78"),
            ("998901234567", "998 90 123-45-67"),
        ] {
            assert!(is(telegram, card), "{telegram} {card}");
        }
    }

    #[test]
    fn another_number_is_another_one() {
        for (telegram, card) in [
            ("79991112233", "+79991112234"),
            ("79991112233", "1112233"),
            ("79991112233", "111-22-33"),
            ("79991112233", ""),
            ("79991112233", "нет"),
            ("79991112233", "+19991112233"),
            ("79991112233", "+499991112233"),
            ("79991112233", "doc 79991112233 4"),
            // Vietnam's code is no Russian 8.
            ("74912345678", "+84912345678"),
            ("375291234567", "291234567"),
            ("4917112345678", "+7 171 123 45 678"),
            ("79991112233", "799911122331234567"),
        ] {
            assert!(!is(telegram, card), "{telegram} {card}");
        }
        assert_eq!(Phone::of_telegram("42"), None);
        assert_eq!(Phone::of_telegram("call me"), None);
    }

    #[test]
    fn it_is_searched_by_what_stands_in_every_spelling() {
        for (telegram, search) in [
            ("+79991112233", "9991112233"),
            ("375291234567", "291234567"),
            ("4712345678", "712345678"),
            ("1234567", "1234567"),
        ] {
            assert_eq!(Phone::of_telegram(telegram).unwrap().to_search(), search);
        }
        assert_eq!(Phone::of_telegram("79991112233").unwrap().written(), "+79991112233");
    }
}
