//! What the demo shows: one line each, for people or for programs.

use std::fmt;

use serde::Serialize;

use super::words::Words;

/// One thing that happened.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub(super) enum Entry {
    /// A new scene begins.
    Scene { number: u32, title: &'static str },
    /// Somebody says or does something.
    Line { who: Who, text: String },
    /// Something went from one part to another.
    Passing { what: String },
    /// Something was looked at.
    Expectation { scene: u32, expected: &'static str, met: bool, seen: String },
    /// It is over.
    End {
        held: usize,
        of: usize,
        /// What to do next.
        #[serde(skip)]
        next: &'static str,
    },
}

/// Who acts in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Who {
    /// The client, on her phone.
    Client,
    /// The owner's program, on the client's phone.
    Bot,
    /// The manager in amoCRM, on the client's phone.
    Manager,
    /// amoCRM's own bot, on the client's phone.
    Salesbot,
    /// The shop's owner, at a terminal.
    Owner,
    /// Tandem's own words.
    Tandem,
    /// amoCRM's chat, as managers see it.
    AmoCrm,
    /// Wahelp, between Telegram and amoCRM.
    Wahelp,
}

/// Whether colours are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Paint {
    Plain,
    Coloured,
}

impl Entry {
    /// The line as a person reads it.
    pub(super) fn render(&self, words: &'static Words, paint: Paint) -> impl fmt::Display {
        Rendered { entry: self, words, paint }
    }
}

struct Rendered<'a> {
    entry: &'a Entry,
    words: &'static Words,
    paint: Paint,
}

/// Columns of the name before what is said.
const NAME_COLUMNS: usize = 10;

const BOLD: &str = "1";
const DIM: &str = "2";
const GREEN: &str = "32";
const RED: &str = "1;31";

impl fmt::Display for Rendered<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let in_colour = |colour| Painted { paint: self.paint, colour };
        match self.entry {
            Entry::Scene { number, title } => {
                write!(f, "\n{}", in_colour(BOLD).text(&format!("{number}. {title}")))
            }
            Entry::Line { who, text } => {
                let name = format!("{:<NAME_COLUMNS$}", who.name(self.words));
                write!(f, "   {} {text}", in_colour(who.colour()).text(&name))
            }
            Entry::Passing { what } => {
                write!(f, "   {:NAME_COLUMNS$} {}", "", in_colour(DIM).text(&format!("· {what}")))
            }
            Entry::Expectation { expected, met: true, seen, .. } => {
                let seen = if seen.is_empty() { String::new() } else { format!(": {seen}") };
                write!(f, "   {} {expected}{}", in_colour(GREEN).text("✓"), in_colour(DIM).text(&seen))
            }
            Entry::Expectation { expected, met: false, seen, .. } => {
                let instead = self.words.end.instead;
                write!(f, "   {} {instead} {seen}", in_colour(RED).text(&format!("✗ {expected}:")))
            }
            Entry::End { held, of, next } if held == of => {
                let said = format!("{}: {held} {} {of}.", self.words.end.held, self.words.end.of);
                write!(f, "\n{}\n{}", in_colour(GREEN).text(&said), next)
            }
            Entry::End { held, of, .. } => {
                let said = format!("{}: {held} {} {of}.", self.words.end.not_held, self.words.end.of);
                write!(f, "\n{}", in_colour(RED).text(&said))
            }
        }
    }
}

impl Who {
    fn name(self, words: &'static Words) -> &'static str {
        match self {
            Self::Client => words.cast.client,
            Self::Bot => words.cast.bot,
            Self::Manager => words.cast.manager,
            Self::Salesbot => words.cast.salesbot,
            Self::Owner => words.cast.owner,
            Self::Tandem => words.cast.tandem,
            Self::AmoCrm => "amoCRM",
            Self::Wahelp => "Wahelp",
        }
    }

    fn colour(self) -> &'static str {
        match self {
            Self::Client => "1;36",
            Self::Bot => "1;33",
            Self::Manager | Self::Salesbot | Self::AmoCrm | Self::Wahelp => "1;34",
            Self::Owner => "1;35",
            Self::Tandem => "1;32",
        }
    }
}

struct Painted {
    paint: Paint,
    colour: &'static str,
}

impl Painted {
    fn text(&self, text: &str) -> String {
        match self.paint {
            Paint::Plain => text.to_owned(),
            Paint::Coloured if text.is_empty() => String::new(),
            Paint::Coloured => format!("\u{1b}[{}m{text}\u{1b}[0m", self.colour),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::words::ENGLISH;

    fn plain(entry: &Entry) -> String {
        entry.render(&ENGLISH, Paint::Plain).to_string()
    }

    #[test]
    fn lines_stand_in_columns_and_say_what_was_seen_instead() {
        let line = Entry::Line { who: Who::Client, text: "Hello".to_owned() };
        assert_eq!(plain(&line), "   Anna       Hello");
        let looked = |met| Entry::Expectation { scene: 1, expected: "a", met, seen: "b".to_owned() };
        assert_eq!(plain(&looked(true)), "   ✓ a: b");
        assert_eq!(plain(&looked(false)), "   ✗ a: no, instead: b");
    }

    #[test]
    fn what_did_not_hold_is_said_in_the_end() {
        assert!(plain(&Entry::End { held: 2, of: 2, next: "" }).contains("Everything held: 2 of 2."));
        assert!(plain(&Entry::End { held: 1, of: 2, next: "" }).contains("Not everything held"));
    }
}
