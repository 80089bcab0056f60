//! What a lane has to note, gathered until the last note is committed.

use std::collections::{BTreeMap, BTreeSet};

use tandem_journal::{Fact, Haste, LaneFault, LaneState, Passed, Settlement};
use tandem_model::{Held, OrderKey, Seq};

use super::redo::Reply;

/// A settlement in the making. Later changes of a row replace earlier ones.
#[derive(Debug, Default)]
pub(super) struct Batch {
    put: BTreeMap<Seq, Held>,
    drop: BTreeSet<Seq>,
    pub(super) passed: Passed,
    pub(super) state: Option<LaneState>,
    pub(super) fault: Option<LaneFault>,
    pub(super) facts: Vec<Fact>,
    pub(super) then: Then,
}

/// What happens once it is committed.
#[derive(Debug, Default)]
pub(super) struct Then {
    /// The runs of these keys begin.
    pub(super) begins: Vec<OrderKey>,
    /// The run that an operator asked for begins.
    pub(super) redo: bool,
    /// Operators are answered.
    pub(super) replies: Vec<Reply>,
}

impl Batch {
    pub(super) fn put(&mut self, row: Held) {
        self.drop.remove(&row.seq);
        self.put.insert(row.seq, row);
    }

    pub(super) fn drop(&mut self, seq: Seq) {
        self.put.remove(&seq);
        self.drop.insert(seq);
    }

    /// Whether it changes this row.
    pub(super) fn touches(&self, seq: Seq) -> bool {
        self.put.contains_key(&seq) || self.drop.contains(&seq)
    }

    /// Whether there is more to note than the cursor.
    pub(super) fn is_empty(&self) -> bool {
        self.put.is_empty()
            && self.drop.is_empty()
            && self.passed == Passed::default()
            && self.state.is_none()
            && self.fault.is_none()
            && self.facts.is_empty()
            && self.then.begins.is_empty()
            && !self.then.redo
            && self.then.replies.is_empty()
    }

    /// The settlement, and what follows it.
    pub(super) fn into_settlement(self, acked: Option<Seq>, haste: Haste) -> (Settlement, Then) {
        let settlement = Settlement {
            acked,
            put: self.put.into_values().collect(),
            drop: self.drop.into_iter().collect(),
            passed: self.passed,
            state: self.state,
            fault: self.fault,
            facts: self.facts,
            haste,
        };
        (settlement, self.then)
    }
}
