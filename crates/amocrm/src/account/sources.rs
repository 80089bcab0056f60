//! The source of a route (4.8, 1.12): what tells bots of one account apart, and decides into which pipeline amoCRM puts
//! people whom we do not. It is made, and kept leading where the route says. Integrations without an archive may have no
//! sources: then everything goes on without.

use std::{collections::HashSet, time::Duration};

use tandem_model::Timestamp;
use tokio::sync::Mutex;

use super::AmocrmAccount;
use crate::{
    rest::{NotHad, Rest},
    tell::RouteSettings,
    wire::rest::NewSource,
};

/// How long nobody asks again after a refusal.
const REFUSED: Duration = Duration::from_hours(1);
/// And after a failure that passes.
const FAILED: Duration = Duration::from_mins(1);

/// Which sources are there.
#[derive(Debug, Default)]
pub(super) struct KnownSources(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// By their names and the pipelines that routes want for them.
    kept: HashSet<(String, Option<u64>)>,
    ask_again: Option<Timestamp>,
}

impl AmocrmAccount {
    /// Sees to it that the route's source is there; whether it is. It is asked for once, and nobody waits for it longer.
    pub(super) async fn keep_source(&self, rest: &Rest, route: &RouteSettings) -> bool {
        let Some(external_id) = &route.source else { return false };
        let mut state = self.sources.0.lock().await;
        let wanted = (external_id.clone(), route.pipeline);
        if state.kept.contains(&wanted) {
            return true;
        }
        let now = self.clock.now();
        if state.ask_again.is_some_and(|at| now < at && at <= now.plus(REFUSED)) {
            return false;
        }
        match self.find_or_make_source(rest, external_id, route).await {
            Ok(()) => {
                state.kept.insert(wanted);
                true
            }
            Err(not_had) => {
                let pause = if not_had.is_refused() { REFUSED } else { FAILED };
                state.ask_again = Some(now.plus(pause));
                let name = &self.connection.name;
                tracing::debug!(connection.name = name, "no source {external_id}: {}", not_had.failure);
                false
            }
        }
    }

    async fn find_or_make_source(
        &self,
        rest: &Rest,
        external_id: &str,
        route: &RouteSettings,
    ) -> Result<(), NotHad> {
        let known = rest.sources().await?.into_iter().find(|source| source.external_id == external_id);
        match (known, route.pipeline) {
            (Some(source), Some(pipeline)) if source.pipeline_id != Some(pipeline) => {
                rest.move_source(source.id, pipeline).await
            }
            (Some(_), _) => Ok(()),
            (None, pipeline_id) => {
                let code = self.connection.channel.as_ref().and_then(|channel| channel.code.as_deref());
                let name = route.source_name.clone().unwrap_or_else(|| format!("Telegram {external_id}"));
                let source = NewSource { name: &name, external_id, pipeline_id, origin_code: code };
                rest.make_source(&source).await
            }
        }
    }
}
