//! What a manager says through us, once Telegram has carried it out: whose buttons it shows.

use bytes::Bytes;
use tandem_journal::Fact;
use tandem_model::{LaneId, Timestamp};
use tandem_telegram::{methods::Capture, params::Params};

use crate::{
    keyboards,
    known::{Keyboard, ShownBy},
    sent::conversation_of,
};

/// Notes of the keyboards that a manager's call showed, under messages and in place of the client's own, in the name of
/// his route's lane. To be committed with it: from then on a press of them is his.
pub fn notes(
    route: LaneId,
    capture: Capture,
    parameters: &Params,
    result: &Bytes,
    now: Timestamp,
) -> Vec<Fact> {
    let by = ShownBy::Manager(route);
    let mut facts = keyboards::notes(by, capture, parameters, result, now);
    if let Some(conversation) = conversation_of(parameters, result) {
        facts.extend(Keyboard::note(by, &conversation, parameters, now));
    }
    facts
}
