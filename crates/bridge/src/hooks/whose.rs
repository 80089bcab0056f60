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
    let knows = |live: &Arc<LiveConnection>| live.account().is_some_and(|account| account.knows_itself());
    let (known, mut unknown): (Vec<_>, Vec<_>) = owners.into_iter().partition(knows);
    for live in known {
        match hear(&live, hook) {
            Err(HookRefusal::Unproven) => {}
            told => return of(live, told),
        }
    }
    if unknown.len() == 1
        && let Some(live) = unknown.pop()
    {
        let told = hear(&live, hook);
        return of(live, told);
    }
    unknown.retain(|live| hear(live, hook).is_ok());
    if unknown.is_empty() { Whose::Unproven } else { Whose::Unclear(unknown) }
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
