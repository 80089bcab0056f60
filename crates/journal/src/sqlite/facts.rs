//! What becomes known together with events or a settlement.

use super::{
    fault::{Abort, Fault},
    journals::Journal,
    links, people,
    writing::Writing,
};
use crate::{Fact, WriteError};

/// Writes them down.
pub(super) fn put(writing: &Writing<'_>, journal: &Journal, facts: &[Fact]) -> Result<(), Fault> {
    let connection = writing.connection;
    for fact in facts {
        match fact {
            Fact::Link(link) => links::put(connection, journal.number, link)?,
            Fact::Person(change) => people::put(connection, journal.number, change)?,
            Fact::Contact(contact) => people::put_contact(connection, journal.number, contact)?,
            Fact::HandOff(hand_off) => people::put_hand_off(connection, journal.number, hand_off)?,
        }
    }
    Ok(())
}

/// Writes some down alone.
pub(super) fn put_alone(
    writing: &mut Writing<'_>,
    lease: crate::Lease,
    bot: tandem_model::BotId,
    facts: &[Fact],
) -> Result<(), Abort<WriteError>> {
    writing.admit(lease, bot)?;
    let journal = writing.journal(bot)?;
    Ok(put(writing, &journal, facts)?)
}
