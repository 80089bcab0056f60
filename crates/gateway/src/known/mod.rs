//! What is true in conversations, as far as it is remembered: kept true by what is committed.
//!
//! Everything here stands in the store as a fact and is read from there when it is asked for first. [`Recorder`] shows each
//! fact that it commits to [`Known::learn`], whoever it is from, so that nobody has to remember to say so. Memory is
//! bounded: what there is no room for is read again.
//!
//! [`Recorder`]: crate::Recorder

mod buttons;
mod hand_offs;
mod states;
mod uses;

use tandem_journal::Fact;
use tandem_model::BotId;

pub(crate) use buttons::{Buttons, Keyboard, ShownBy};
pub(crate) use hand_offs::HandOffs;
pub(crate) use states::{States, state_link};
pub(crate) use uses::{Use, Uses};

/// What is remembered of all bots.
#[derive(Debug, Default)]
pub(crate) struct Known {
    pub(crate) uses: Uses,
    pub(crate) states: States,
    pub(crate) hand_offs: HandOffs,
    pub(crate) buttons: Buttons,
}

impl Known {
    /// These facts are committed.
    pub(crate) fn learn(&self, bot: BotId, facts: &[Fact]) {
        for fact in facts {
            self.uses.learn(bot, fact);
            match fact {
                Fact::HandOff(hand_off) => self.hand_offs.learn(bot, hand_off),
                Fact::Link(link) => {
                    self.states.learn(bot, link);
                    self.buttons.learn(bot, link);
                }
                Fact::Person(_) | Fact::Contact(_) => {}
            }
        }
    }
}
