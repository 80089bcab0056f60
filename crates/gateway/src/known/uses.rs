//! Whether a bot has anything that would have to be looked up for each of its events.
//!
//! Most bots have no manager who speaks through us, and many no reply keyboard. A mark in the store, made with the first
//! of either and again each day while there are more, says so: a bot without it costs one look after a start.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tandem_journal::{Fact, Link, LinkScope, ReadError, Store};
use tandem_model::{BotId, Timestamp};

use super::{Buttons, ShownBy};

/// How old a mark may become before it is made anew: it goes by retention like every link.
const FRESH: Duration = Duration::from_hours(24);

/// What a bot may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Use {
    /// Hand-offs, or buttons that managers have shown.
    Managers,
    /// Reply keyboards.
    ReplyKeyboards,
}

impl Use {
    const fn ours(self) -> &'static str {
        match self {
            Self::Managers => "uses:managers",
            Self::ReplyKeyboards => "uses:reply_keyboards",
        }
    }

    /// What a fact shows a bot to have, and when.
    fn shown_by(fact: &Fact) -> impl Iterator<Item = (Self, Timestamp)> {
        let (managers, keyboards) = match fact {
            Fact::HandOff(hand_off) => (Some(hand_off.until), None),
            Fact::Link(link) => {
                let at = Some(link.at);
                let managers = at.filter(|_| ShownBy::is_manager(&link.theirs));
                (managers, at.filter(|_| Buttons::is_noted_by(link)))
            }
            Fact::Person(_) | Fact::Contact(_) => (None, None),
        };
        let managers = managers.map(|at| (Self::Managers, at));
        managers.into_iter().chain(keyboards.map(|at| (Self::ReplyKeyboards, at)))
    }
}

/// What bots have: `None` for what was asked for and is not there.
#[derive(Debug, Default)]
pub(crate) struct Uses(Mutex<HashMap<(BotId, Use), Option<Timestamp>>>);

impl Uses {
    fn lock(&self) -> MutexGuard<'_, HashMap<(BotId, Use), Option<Timestamp>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The marks to commit with these facts.
    pub(crate) fn marks(&self, bot: BotId, facts: &[Fact]) -> Vec<Fact> {
        let mut marks: Vec<(Use, Timestamp)> = Vec::new();
        for (what, at) in facts.iter().flat_map(Use::shown_by) {
            let marked = self.lock().get(&(bot, what)).copied().flatten();
            let fresh = marked.is_some_and(|marked| at.since(marked) < FRESH);
            if !fresh && !marks.iter().any(|(known, _)| *known == what) {
                marks.push((what, at));
            }
        }
        let link = |(what, at): (Use, Timestamp)| Link {
            scope: LinkScope::Bot,
            ours: what.ours().to_owned(),
            theirs: "yes".to_owned(),
            at,
        };
        marks.into_iter().map(link).map(Fact::Link).collect()
    }

    pub(super) fn learn(&self, bot: BotId, fact: &Fact) {
        if let Fact::Link(link) = fact
            && let Some(what) =
                [Use::Managers, Use::ReplyKeyboards].into_iter().find(|what| what.ours() == link.ours)
        {
            self.lock().insert((bot, what), Some(link.at));
        }
    }

    /// Whether a bot has it: asked of the store once.
    pub(crate) async fn find(&self, store: &dyn Store, bot: BotId, what: Use) -> Result<bool, ReadError> {
        if let Some(known) = self.lock().get(&(bot, what)) {
            return Ok(known.is_some());
        }
        let link = store.find_link(bot, LinkScope::Bot, what.ours().to_owned()).await?;
        // What was committed meanwhile is newer than what was read.
        Ok(self.lock().entry((bot, what)).or_insert(link.map(|link| link.at)).is_some())
    }
}
