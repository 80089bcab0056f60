//! Commands in texts: `/name`, `/name@bot`, `/name arguments`.

use std::{borrow::Cow, ops::Range};

/// A text that begins with a command, as Telegram marks it: a slash, 1 to 32 of `A-Za-z0-9_`, optionally `@` and a
/// bot's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command<'a> {
    text: Cow<'a, str>,
    name: Range<usize>,
    bot: Option<Range<usize>>,
    arguments: usize,
}

impl<'a> Command<'a> {
    /// The command that this text begins with.
    pub fn of(text: Cow<'a, str>) -> Option<Self> {
        let word = |from: usize| {
            let length = text.as_bytes()[from..]
                .iter()
                .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
                .count();
            (1..=32).contains(&length).then_some(from..from + length)
        };
        text.strip_prefix('/')?;
        let name = word(1)?;
        let bot = if text[name.end..].starts_with('@') { Some(word(name.end + 1)?) } else { None };
        let end = bot.as_ref().map_or(name.end, |bot| bot.end);
        let rest = &text[end..];
        if !rest.is_empty() && !rest.starts_with(char::is_whitespace) {
            return None;
        }
        let arguments = text.len() - rest.trim_start().len();
        Some(Self { text, name, bot, arguments })
    }

    /// The name without the slash.
    pub fn name(&self) -> &str {
        &self.text[self.name.clone()]
    }

    /// The bot it is addressed to.
    pub fn bot(&self) -> Option<&str> {
        self.bot.clone().map(|bot| &self.text[bot])
    }

    /// What follows, trimmed.
    pub fn arguments(&self) -> &str {
        self.text[self.arguments..].trim_end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_what_telegram_marks_as_one() {
        for (text, expected) in [
            ("/start", Some(("start", None, ""))),
            ("/start src_42 ", Some(("start", None, "src_42"))),
            ("/start@ShopBot  a b\nc", Some(("start", Some("ShopBot"), "a b\nc"))),
            ("/s\nx", Some(("s", None, "x"))),
            ("/Привет", None),
            ("/start!", None),
            ("/start@", None),
            ("start", None),
            (" /start", None),
            ("/", None),
            ("", None),
            ("/a23456789_123456789_123456789_123", None),
        ] {
            let command = Command::of(text.into());
            let parts = command.as_ref().map(|c| (c.name(), c.bot(), c.arguments()));
            assert_eq!(parts, expected, "{text:?}");
        }
    }
}
