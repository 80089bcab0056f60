//! Presses of inline buttons that a manager showed: Tandem ends their waiting, and the CRM is told what stood on them.
//!
//! Whose button it was is decided when the press comes (the gateway finds the keyboard's note): the press then belongs
//! to the lane of the manager's route, and apps are not shown it.

use bytes::Bytes;
use tandem_journal::Appended;
use tandem_model::{EventKind, LaneId, NewEvent};
use tandem_telegram::{
    reply,
    update::{Kind, UpdateView},
};

use crate::{Bridge, bots::LiveBot, bridge::Chain};

/// What stands on the button that an update is a press of, if it is one that a manager's keyboard can have. To be asked
/// about updates that belong to a route's lane ([`tandem_model::NewEvent::owner`]): anybody could choose the same data.
pub fn button_of(update: &Bytes) -> Option<String> {
    reply::pressed(&UpdateView::of(update).ok()?)
}

/// Presses among events that are about to be appended, by their place.
#[derive(Debug, Default)]
pub(crate) struct Presses(Vec<Press>);

#[derive(Debug)]
struct Press {
    place: usize,
    owner: LaneId,
    query: String,
}

impl Presses {
    /// Those that somebody owns.
    pub(crate) fn among(events: &[NewEvent]) -> Self {
        let topic = Kind::CallbackQuery.topic();
        let presses = events.iter().enumerate().filter_map(|(place, event)| {
            let owner = event.owner.filter(|_| event.kind == EventKind::Update && event.topic == topic)?;
            let query = UpdateView::of(&event.body).ok()?.query_id()?.into_owned();
            Some(Press { place, owner, query })
        });
        Self(presses.collect())
    }
}

impl Bridge {
    /// Answers the presses that are a route's, once they are committed. Nobody waits for it, and it is worth nothing
    /// later, so a failure is let be: the button goes on waiting for a while.
    pub(crate) fn answer_presses(&self, live: &LiveBot, presses: Presses, appended: &[Appended]) {
        let Some(run) = self.current_run() else { return };
        for Press { place, owner, query } in presses.0 {
            let new = matches!(appended.get(place), Some(Appended::New { .. }));
            let routes = live.running().routes.values().any(|route| route.lane.lane == owner);
            if !new || !routes {
                continue;
            }
            let (upstream, token) = (self.parts().upstream.clone(), live.handle.token());
            let answer = async move {
                let call = reply::answer_press(&query);
                if let Err(error) = upstream.call(&token, call.method, &call.params).await {
                    let (bot, reason) = (token.bot(), Chain(&error).to_string());
                    tracing::debug!(bot.id = %bot, "a press of a manager's button was not answered: {reason}");
                }
            };
            self.tasks().spawn(run.soft.clone().run_until_cancelled_owned(answer));
        }
    }
}
