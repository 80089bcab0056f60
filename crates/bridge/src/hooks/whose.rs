//! Whose a hook is. Several accounts may have one path (one integration has one disable hook for all of them), and one
//! that was never asked who it is cannot tell its own hooks from those of another one.
//!
//! Each account that knows itself may prove it. Of those that do not, one alone may too: there is nobody else it could be
//! for. Where it could be for several it is kept from nobody: all of them look for it in their history once they know
//! who they are.

use std::sync::Arc;

use tandem_vendor::{Hook, HookRefusal, News};

use crate::{Bridge, connections::LiveConnection};

/// What is known of a hook.
pub(super) enum Whose {
    /// It is this connection's, and tells this.
    Told(Arc<LiveConnection>, Vec<News>),
    /// It is this connection's, and cannot be understood.
    Unreadable(Arc<LiveConnection>, String),
    /// It is one of these connections', which do not know yet who they are.
    Unclear(Vec<Arc<LiveConnection>>),
    /// Nobody's: nothing proves it.
    Unproven,
}

/// Asks those who may be meant.
pub(super) fn whose(owners: Vec<Arc<LiveConnection>>, hook: &Hook) -> Whose {
    let is_sure = |live: &Arc<LiveConnection>| live.account().is_some_and(|account| account.knows_itself());
    let (sure, mut unsure): (Vec<_>, Vec<_>) = owners.into_iter().partition(is_sure);
    for live in sure {
        match hear(&live, hook) {
            Err(HookRefusal::Unproven) => {}
            told => return of(live, told),
        }
    }
    if unsure.len() == 1
        && let Some(live) = unsure.pop()
    {
        let told = hear(&live, hook);
        return of(live, told);
    }
    unsure.retain(|live| hear(live, hook).is_ok());
    if unsure.is_empty() { Whose::Unproven } else { Whose::Unclear(unsure) }
}

fn hear(live: &LiveConnection, hook: &Hook) -> Result<Vec<News>, HookRefusal> {
    live.account().ok_or(HookRefusal::Unproven)?.hear(hook)
}

fn of(live: Arc<LiveConnection>, told: Result<Vec<News>, HookRefusal>) -> Whose {
    match told {
        Ok(news) => Whose::Told(live, news),
        Err(HookRefusal::Unreadable { reason }) => Whose::Unreadable(live, reason),
        Err(HookRefusal::Unproven) => Whose::Unproven,
    }
}

impl Bridge {
    /// It is looked for in the history of each of them.
    pub(super) fn look_for_unclear(&self, lives: &[Arc<LiveConnection>]) {
        for live in lives {
            let name = live.name();
            tracing::warn!(
                connection.name = name,
                "a hook came that may be for connection {name}, which does not know yet which account it is: it is looked for \
                 in the account's history once that is known"
            );
            live.note_gap(self.parts().clock.now().minus(super::missed::SLACK));
            live.look_again();
        }
    }
}
