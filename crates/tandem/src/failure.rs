//! Why a command did not do what it was asked for, as a person reads it: what happened, what to do, and the code
//! the program ends with.

use std::{error::Error, fmt, process::ExitCode};

/// A command that did not succeed.
#[derive(Debug)]
pub struct Failure {
    what: String,
    what_to_do: Option<String>,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It was refused, or it failed.
    Refused,
    /// It was asked for in a way that cannot be meant.
    Usage,
}

impl Failure {
    /// Refused or failed.
    pub fn new(what: impl Into<String>, what_to_do: impl Into<String>) -> Self {
        Self { what: what.into(), what_to_do: Some(what_to_do.into()), kind: Kind::Refused }
    }

    /// Asked for wrongly.
    pub fn usage(what: impl Into<String>, what_to_do: impl Into<String>) -> Self {
        Self { kind: Kind::Usage, ..Self::new(what, what_to_do) }
    }

    /// An error whose own sentence says what to do, or that nobody can do anything about.
    pub fn of(error: &(dyn Error + 'static)) -> Self {
        Self { what: chain(error), what_to_do: None, kind: Kind::Refused }
    }

    /// The code that the program ends with: 1 refused or failed, 2 asked for wrongly.
    pub fn exit_code(&self) -> ExitCode {
        match self.kind {
            Kind::Refused => ExitCode::FAILURE,
            Kind::Usage => ExitCode::from(2),
        }
    }
}

/// An error with all its causes, in one line.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut said = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        said = format!("{said}: {cause}");
        next = cause.source();
    }
    said
}

/// One line of what happened, one of what to do.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tandem: {}", self.what)?;
        match &self.what_to_do {
            Some(what_to_do) => write!(f, "\n        {what_to_do}"),
            None => Ok(()),
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::of(error.as_ref())
    }
}
