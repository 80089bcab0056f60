//! What an operator's programs ask of the service over HTTP: is it there, is it well, how is it doing.
//!
//! `/healthz` says that the process answers; `/readyz` that it takes what comes, with the reason when it does not;
//! `/metrics` is for Prometheus (docs/METRICS.md). Nothing here changes anything or tells a secret, a name or a word
//! of anybody; the ids of bots and the names of lanes are told. By default it is served at the gateway's address,
//! elsewhere with `server.console`.

mod guard;
mod metrics;
mod process;
mod readiness;
mod state;
mod store;

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use tandem_metrics::{CONTENT_TYPE, Registry};

pub(crate) use metrics::reference;
pub(crate) use readiness::Readiness;
use state::StateFigures;

/// What is told, and where it comes from.
#[derive(Debug, Clone)]
pub(crate) struct Console {
    registry: Arc<Registry>,
    state: Arc<StateFigures>,
    readiness: Readiness,
}

impl Console {
    /// `registry`: with the counters of all parts; `bridge`: of whose bots and lanes the state is told.
    pub(crate) fn new(mut registry: Registry, bridge: tandem_bridge::Bridge, readiness: Readiness) -> Self {
        let state = Arc::new(StateFigures::new(bridge));
        registry.register_source(Arc::clone(&state) as _);
        registry.register_source(Arc::new(process::ProcessFigures));
        Self { registry: Arc::new(registry), state, readiness }
    }

    pub(crate) fn router(self) -> Router {
        Router::new()
            .route("/healthz", get(async || "ok\n"))
            .route("/readyz", get(ready))
            .route("/metrics", get(show_metrics))
            .with_state(self)
    }
}

async fn ready(State(console): State<Console>) -> Response {
    match console.readiness.check() {
        Ok(()) => "ok\n".into_response(),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")).into_response(),
    }
}

async fn show_metrics(State(console): State<Console>) -> Response {
    // A store that does not answer is told by what is missing and by its health; the counters are told all the same.
    if let Err(error) = console.state.refresh().await {
        tracing::warn!(%error, "the state of bots and lanes could not be read for metrics: {error}");
    }
    match console.registry.render() {
        Ok(text) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics could not be written: {error}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
