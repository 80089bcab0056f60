//! The events between a lane's cursor and how far it has read, and how many of them a crash would repeat.

use std::collections::BTreeMap;

use tandem_model::Seq;

/// Events that were read and that no row stands for.
#[derive(Debug, Default)]
pub(super) struct Window {
    events: BTreeMap<Seq, Progress>,
    /// Done, with an event before them that is not.
    done_within: usize,
    /// Done and passed by the cursor, or done with their row, since the last settlement was made up.
    unnoted: usize,
    /// The same in the settlement under way.
    being_noted: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    Open,
    Done,
}

impl Window {
    /// An event was read.
    pub(super) fn insert(&mut self, seq: Seq) {
        self.events.insert(seq, Progress::Open);
    }

    /// An event was delivered or set aside, whether a row stood for it or not.
    pub(super) fn done(&mut self, seq: Seq) {
        if let Some(progress) = self.events.get_mut(&seq) {
            if *progress == Progress::Open {
                *progress = Progress::Done;
                self.done_within += 1;
            }
            self.pass();
        } else {
            self.unnoted += 1;
        }
    }

    /// An event that was not here was delivered.
    pub(super) fn done_at_once(&mut self, seq: Seq) {
        if self.events.is_empty() {
            self.unnoted += 1;
        } else {
            self.events.insert(seq, Progress::Done);
            self.done_within += 1;
        }
    }

    /// The cursor need not wait for an event that is not done.
    pub(super) fn remove(&mut self, seq: Seq) {
        if self.events.remove(&seq) == Some(Progress::Done) {
            self.done_within -= 1;
        }
        self.pass();
    }

    fn pass(&mut self) {
        while let Some(first) = self.events.first_entry()
            && *first.get() == Progress::Done
        {
            first.remove();
            self.done_within -= 1;
            self.unnoted += 1;
        }
    }

    /// The first event that is not done.
    pub(super) fn first(&self) -> Option<Seq> {
        self.events.first_key_value().map(|(seq, _)| *seq)
    }

    pub(super) fn len(&self) -> usize {
        self.events.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Done since the last settlement was made up.
    pub(super) const fn unnoted(&self) -> usize {
        self.unnoted
    }

    /// So many events would be delivered again after a crash now.
    pub(super) const fn exposed(&self) -> usize {
        self.done_within + self.unnoted + self.being_noted
    }

    /// A settlement is made up of what there is.
    pub(super) fn note(&mut self) {
        self.being_noted += std::mem::take(&mut self.unnoted);
    }

    /// It is committed.
    pub(super) fn noted(&mut self) {
        self.being_noted = 0;
    }

    /// Forgets what is open.
    pub(super) fn forget(&mut self) {
        self.events.clear();
        self.done_within = 0;
    }
}
