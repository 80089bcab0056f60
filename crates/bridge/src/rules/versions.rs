//! A route's rules over time: which list held from which event on (invariant 7).
//!
//! The versions stand in the route's document. Those that hold for no event any more are dropped when a new one is put,
//! and there are never more than some: the two oldest become one then, which only a replay of what is that old can see.

use serde::{Deserialize, Serialize};
use tandem_model::{Event, Seq};

use super::{Audience, Decided, DecidedBy, Decision, Facts, RuleDocument, Rules};

/// Most versions that are kept.
const VERSIONS: usize = 20;

/// The rules of a route, as stored.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RuleHistory(Vec<RuleVersion>);

/// A list of rules and from where it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleVersion {
    /// The first event it decides about.
    pub from: Seq,
    /// The rules, in order. None: the defaults alone.
    pub rules: Vec<RuleDocument>,
}

impl RuleHistory {
    /// Whether there never were any.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The versions, oldest first.
    pub fn versions(&self) -> &[RuleVersion] {
        &self.0
    }

    /// The list that holds for what is appended now.
    pub fn latest(&self) -> &[RuleDocument] {
        self.0.last().map_or(&[], |version| &version.rules)
    }

    /// Has another list hold from an event on; `oldest` is the first that is still there. Nothing changes where it is the
    /// list that holds already.
    pub fn put(&mut self, from: Seq, rules: Vec<RuleDocument>, oldest: Seq) {
        if self.latest() == rules {
            return;
        }
        // One that would have begun with the same event has never decided anything.
        self.0.retain(|version| version.from < from);
        self.0.push(RuleVersion { from, rules });
        let in_force = self.0.iter().rposition(|version| version.from <= oldest).unwrap_or(0);
        let gone = in_force.max(self.0.len().saturating_sub(VERSIONS));
        let begin = self.0[0].from;
        self.0.drain(..gone);
        // Single events that are older, because a lane holds them, go by the oldest that is left.
        self.0[0].from = begin;
        if let [only] = &self.0[..]
            && only.rules.is_empty()
        {
            self.0.clear();
        }
    }
}

/// A route's rules, made ready: what it asks about each event.
#[derive(Debug, Clone)]
pub struct RouteRules {
    versions: Vec<(Seq, Rules)>,
    before: Rules,
}

impl RouteRules {
    /// Makes them ready.
    pub fn of(history: &RuleHistory, audience: Audience) -> Self {
        let ready = |version: &RuleVersion| (version.from, Rules::of(&version.rules, audience));
        Self { versions: history.versions().iter().map(ready).collect(), before: Rules::of(&[], audience) }
    }

    /// The list that was in force when this event was appended.
    pub fn at(&self, seq: Seq) -> &Rules {
        let version = self.versions.iter().rev().find(|(from, _)| *from <= seq);
        version.map_or(&self.before, |(_, rules)| rules)
    }

    /// What the route is told of an event. What rules do not concern (what became of a manager's reply, marks) is shown.
    pub fn decide(&self, event: &Event) -> Decided {
        match Facts::of(event) {
            Some(facts) => self.at(event.seq).decide(&facts),
            None => Decided { decision: Decision::Show, by: DecidedBy::Default("rules do not concern it") },
        }
    }

    /// Whether there is anything to ask: without any rule, a route that passes everything on need not look.
    pub fn is_empty(&self) -> bool {
        self.versions.is_empty()
    }
}
