//! What a story consists of: steps, what was said, and what was checked.

use std::fmt;

use serde::Serialize;

use super::texts::{Language, Text, in_words};

/// One line of a story. Serialises for programs, [`Entry::render`] is for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "entry", rename_all = "lowercase")]
pub enum Entry {
    /// A new step begins.
    Step {
        /// Counts from 1.
        number: u32,
        /// What it is about.
        title: String,
    },
    /// Somebody says or does something.
    Line {
        /// Who.
        speaker: Speaker,
        /// What.
        text: String,
    },
    /// Something was looked at.
    Check {
        /// What had to be seen.
        expected: String,
        /// Whether it was.
        met: bool,
        /// What was seen.
        seen: String,
    },
    /// The end.
    End {
        /// How it ended.
        outcome: Outcome,
        /// The same in words.
        text: String,
    },
}

/// Who acts in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Speaker {
    /// The client in Telegram.
    Client,
    /// The owner's program.
    Bot,
    /// The manager in amoCRM.
    Manager,
    /// The shop's owner.
    Owner,
    /// The log of the owner's program.
    Log,
}

/// How a story ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Everything expected was seen.
    Reproduced,
    /// At least one thing was not.
    NotReproduced,
}

impl Entry {
    /// The line as a person reads it.
    pub fn render(&self, language: Language) -> Rendered<'_> {
        Rendered { entry: self, language }
    }
}

/// An [`Entry`] in a language, to be printed.
#[derive(Debug)]
pub struct Rendered<'a> {
    entry: &'a Entry,
    language: Language,
}

impl fmt::Display for Rendered<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.entry {
            Entry::Step { number, title } => write!(f, "\n{number}. {title}"),
            Entry::Line { speaker, text } => {
                let name = in_words(self.language, Text::of(*speaker));
                write!(f, "   {name}: {text}")
            }
            Entry::Check { expected, met: true, seen } => write!(f, "   ✓ {expected}: {seen}"),
            Entry::Check { expected, met: false, seen } => {
                write!(f, "   ✗ {expected}: {} {seen}", in_words(self.language, Text::Instead))
            }
            Entry::End { text, .. } => write!(f, "\n{text}"),
        }
    }
}
