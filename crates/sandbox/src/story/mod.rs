//! The bug that Tandem exists for, told by the real programs.
//!
//! [`bug`] starts a sandbox, connects a bot to amoCRM's built-in integration, runs an unchanged aiogram bot on the
//! same token, and lets a client write. Each step says what is to be seen and looks whether it is; the story counts
//! as told only if every one of them was. Nothing is played: amoCRM's side is the emulator, the bot's side is the
//! Python program that a shop would run.

mod bot_process;
mod bug;
mod python;
mod stage;
mod texts;
mod transcript;

use std::io;
use std::path::PathBuf;

pub use self::bug::{Bug, bug};
pub use self::python::{find_bot, find_python};
pub use self::texts::Language;
pub use self::transcript::{Entry, Outcome, Speaker};

/// The story could not be told.
#[derive(Debug, thiserror::Error)]
pub enum StoryError {
    /// No Python where it was looked for.
    #[error("cannot run Python at {}", path.display())]
    Python {
        /// The interpreter.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Python is there, the library is not.
    #[error("{} has no aiogram: {complaint}", path.display())]
    Aiogram {
        /// The interpreter.
        path: PathBuf,
        /// The last line of what it said.
        complaint: String,
    },
    /// The bot of the story is not there.
    #[error("no bot.py in {}", .0.display())]
    Bot(PathBuf),
    /// The sandbox could not start.
    #[error("the sandbox does not start")]
    Start(#[from] crate::StartError),
    /// The sandbox refused something the story needs.
    #[error("{request} was answered with {answer}")]
    Refused {
        /// Method and path.
        request: String,
        /// The answer's body.
        answer: String,
    },
    /// The sandbox did not answer at all.
    #[error("{request} was not answered")]
    NoAnswer {
        /// Method and path.
        request: String,
        /// What went wrong.
        #[source]
        source: reqwest::Error,
    },
}

impl StoryError {
    /// What to do about it, with the command, or nothing if it is not the reader's to repair.
    pub fn advice(&self, language: Language) -> Option<&'static str> {
        match self {
            Self::Python { .. } | Self::Aiogram { .. } => {
                Some(texts::in_words(language, texts::Text::InstallPython))
            }
            Self::Bot(_) => Some(texts::in_words(language, texts::Text::GiveBot)),
            Self::Start(_) | Self::Refused { .. } | Self::NoAnswer { .. } => None,
        }
    }
}
