//! Rules: what of a conversation a route is told (DESIGN section 6).
//!
//! A rule is data: conditions and what is done when all of them hold. The first rule that fits decides; behind them
//! stand the defaults of the route's kind. [`Facts`] are what rules ask of an event, read off its bytes; [`Rules`] are a
//! list made ready; [`RouteRules`] are a route's, version by version, because what was in force when an event was
//! appended decides about it (invariant 7).
//!
//! **Promises:** deciding is pure and bounded: the same event and the same list always give the same answer, whenever it
//! is asked, so that a list can be tried on the past. **Does not** look at anything but the event: what was true when it
//! happened (a manager talking, a known button, a campaign) stands in its flags.

mod check;
mod condition;
mod defaults;
mod document;
mod facts;
mod file;
mod line;
mod pattern;
mod versions;
mod words;

#[cfg(test)]
mod tests;

use std::fmt;

pub use check::{RuleProblem, check};
pub use defaults::Audience;
pub use document::{RuleAction, RuleDocument, When};
pub use facts::{Facts, Speaker};
pub use file::load;
pub use versions::{RouteRules, RuleHistory, RuleVersion};
pub use words::{Asked, AuthorWord, ButtonWord, ChatWord, CommandWord, KindWord, StateWord, Words};

use self::{condition::fits, line::Line};

/// A list of rules, made ready.
#[derive(Debug, Clone)]
pub struct Rules {
    list: Vec<(When, Action)>,
    audience: Audience,
}

#[derive(Debug, Clone)]
enum Action {
    Skip,
    Show,
    ShowAs(Line),
}

/// What a route is told of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It, as it is.
    Show,
    /// Nothing.
    Skip,
    /// This line in its place.
    ShowAs(String),
}

/// What decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecidedBy {
    /// The rule of this number, from 1.
    Rule(usize),
    /// No rule fitted: the default, and what it goes by.
    Default(&'static str),
}

/// A decision and what decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// What is done.
    pub decision: Decision,
    /// By what.
    pub by: DecidedBy,
}

impl Rules {
    /// Makes a list ready that was [checked](check). A line that cannot be read, which the check does not let through,
    /// shows the event as it is.
    pub fn of(list: &[RuleDocument], audience: Audience) -> Self {
        let action = |rule: &RuleDocument| match rule.action {
            RuleAction::Skip => Action::Skip,
            RuleAction::Show => Action::Show,
            RuleAction::ShowAs => match rule.line.as_deref().map(Line::parse) {
                Some(Ok(line)) => Action::ShowAs(line),
                Some(Err(_)) | None => Action::Show,
            },
        };
        Self { list: list.iter().map(|rule| (rule.when.clone(), action(rule))).collect(), audience }
    }

    /// What is done with an event.
    pub fn decide(&self, facts: &Facts<'_>) -> Decided {
        let fitting = self.list.iter().enumerate().find(|(_, (when, _))| fits(when, facts));
        let Some((place, (_, action))) = fitting else { return self.audience.decide(facts) };
        let decision = match action {
            Action::Skip => Decision::Skip,
            Action::Show => Decision::Show,
            // Nothing to put into it: a line that says nothing helps nobody.
            Action::ShowAs(line) => line.write(facts).map_or(Decision::Show, Decision::ShowAs),
        };
        Decided { decision, by: DecidedBy::Rule(place + 1) }
    }
}

impl fmt::Display for DecidedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule(number) => write!(f, "rule {number}"),
            Self::Default(why) => write!(f, "default: {why}"),
        }
    }
}
