//! The link to amoCRM as the API shows it (reference 10.1); the shapes are guesses.

use serde_json::{Value, json};

use super::answer::{Done, Refusal};
use super::channels::find;
use crate::amocrm::in_words;
use crate::wahelp::Wahelp;
use crate::wahelp::amocrm::LinkError;
use crate::wahelp::state::State;

/// `GET …/config/amo`.
pub(super) fn config(state: &State, project: i64) -> Done {
    let linked = state.projects.get(&project).is_some_and(|project| project.amocrm.is_some());
    Done::data(json!({"active": linked}))
}

/// `GET …/integrations/amocrm/channels`.
pub(super) fn channels(state: &State, project: i64) -> Done {
    let channels = state.channels.values().filter(|channel| channel.project == project);
    let shown = |channel: &crate::wahelp::channel::Channel| {
        json!({
            "id": channel.id,
            "uuid": channel.uuid,
            "name": channel.name,
            "type": channel.kind,
            "connected": channel.linked,
        })
    };
    Done::data(channels.map(shown).collect::<Vec<Value>>().into())
}

/// `POST …/integrations/amocrm/channels/{channel}/connect`, by number or uuid.
pub(super) async fn connect(wahelp: &Wahelp, project: i64, channel: &str) -> Result<Done, Refusal> {
    let channel = named(&wahelp.lock(), project, channel)?;
    wahelp.link(channel).await.map_err(|error| refused(&error))?;
    Ok(channels(&wahelp.lock(), project))
}

/// `POST …/integrations/amocrm/channels/{channel}/disconnect`.
pub(super) fn disconnect(wahelp: &Wahelp, project: i64, channel: &str) -> Result<Done, Refusal> {
    let channel = named(&wahelp.lock(), project, channel)?;
    wahelp.unlink(channel).map_err(|error| refused(&error))?;
    Ok(channels(&wahelp.lock(), project))
}

fn named(state: &State, project: i64, channel: &str) -> Result<i64, Refusal> {
    let number = channel.parse().ok().and_then(|id: i64| state.channels.get(&id));
    match number.filter(|channel| channel.project == project) {
        Some(channel) => Ok(channel.id),
        None => find(state, project, channel).map(|channel| channel.id),
    }
}

fn refused(error: &LinkError) -> Refusal {
    Refusal::Invalid(in_words(error))
}
