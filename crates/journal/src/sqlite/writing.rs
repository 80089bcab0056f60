//! An open write transaction, what it changes for those who read from memory, and what the writer remembers between
//! commits: journals' ends and fences.
//!
//! What is remembered is only a copy of what is stored; a rollback forgets it.

use std::collections::HashMap;

use rusqlite::Connection;
use tandem_model::{BotId, Clock, Timestamp};

use super::{
    fault::{Abort, Fault},
    journals::{self, Journal},
    leases,
};
use crate::{Lease, Shard, WriteError, tail::Change};

/// Journals remembered at once. Each is a few dozen bytes.
const JOURNALS: usize = 65_536;

/// What the writer remembers.
#[derive(Default)]
pub(super) struct Memory {
    journals: HashMap<BotId, Journal>,
    /// The last fence given for each shard, 0 for none; `None` when it has to be read again.
    fences: Option<Box<[i64; Shard::COUNT]>>,
}

impl Memory {
    pub(super) fn forget(&mut self) {
        self.journals.clear();
        self.fences = None;
    }
}

/// An open write transaction.
pub(super) struct Writing<'a> {
    pub(super) connection: &'a Connection,
    pub(super) now: Timestamp,
    memory: &'a mut Memory,
    changes: &'a mut Vec<Change>,
}

impl<'a> Writing<'a> {
    /// `changes`: what [`Tail::absorb`](crate::tail::Tail::absorb) has to be told of once it is committed.
    pub(super) fn new(
        connection: &'a Connection,
        clock: &dyn Clock,
        memory: &'a mut Memory,
        changes: &'a mut Vec<Change>,
    ) -> Self {
        Self { connection, now: clock.now(), memory, changes }
    }

    /// Notes what this transaction changes for those who read from memory.
    pub(super) fn note(&mut self, change: Change) {
        self.changes.push(change);
    }

    /// Lets only the owner of the bot write.
    pub(super) fn admit<E: From<WriteError>>(&mut self, lease: Lease, bot: BotId) -> Result<(), Abort<E>> {
        let fence = self.fences()?[usize::from(lease.shard.get())];
        if lease.shard == Shard::of(bot) && fence == lease.fence.get() {
            Ok(())
        } else {
            Err(Abort::Refuse(WriteError::Fenced { lease }.into()))
        }
    }

    /// The last fence given for each shard.
    pub(super) fn fences(&mut self) -> Result<&mut [i64; Shard::COUNT], Fault> {
        let fences = match self.memory.fences.take() {
            Some(fences) => fences,
            None => leases::load_fences(self.connection)?,
        };
        Ok(self.memory.fences.insert(fences))
    }

    /// The end of a bot's journal, if it has one.
    pub(super) fn find_journal(&mut self, bot: BotId) -> Result<Option<Journal>, Fault> {
        if let Some(journal) = self.memory.journals.get(&bot) {
            return Ok(Some(*journal));
        }
        let journal = journals::find(self.connection, bot)?;
        if let Some(journal) = journal {
            self.keep_journal(bot, journal);
        }
        Ok(journal)
    }

    /// The end of a bot's journal, which is made when there is none.
    pub(super) fn journal(&mut self, bot: BotId) -> Result<Journal, Fault> {
        if let Some(journal) = self.find_journal(bot)? {
            return Ok(journal);
        }
        let journal = journals::create(self.connection, bot)?;
        self.keep_journal(bot, journal);
        Ok(journal)
    }

    /// Remembers where a journal ends now.
    pub(super) fn keep_journal(&mut self, bot: BotId, journal: Journal) {
        if self.memory.journals.len() >= JOURNALS && !self.memory.journals.contains_key(&bot) {
            self.memory.journals.clear();
        }
        self.memory.journals.insert(bot, journal);
    }
}
