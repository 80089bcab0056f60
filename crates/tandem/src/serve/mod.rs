//! The service: how its parts are put together, run and ended.
//!
//! [`Service::open`] reads as a start-up list; a command that finds no running service does the same, asks one
//! operation of it, and closes it again. [`run`] adds what listens and what runs.
//!
//! **How it ends.** At the soft stop nothing new is taken in or accepted; waiting polls are answered, requests and
//! deliveries under way finish. What has not finished within [`stop::GRACE`] meets the hard stop, and is then as
//! after a crash, which every part survives. Then the leases are given back and the store is closed.

mod error;
mod guard;
mod listeners;
mod service;
mod stop;

use std::sync::Arc;

use axum::{Router, routing::get};
use tandem_bridge::Bridge;
use tandem_gateway::Threads;
use tandem_model::{Clock, Rng};
use tokio::task::JoinSet;

pub use error::RunError;
pub use listeners::Listeners;
use service::Database;
pub use service::Service;
pub(crate) use service::check;
pub use stop::Stop;

use crate::{
    Failure,
    console::{Console, Readiness},
    control::ControlSocket,
    settings::Settings,
};

/// Runs the service until `stop`, or until a part of it ends that should not.
///
/// Whoever drops the future instead leaves everything as after a crash, once the runtime is gone too.
pub async fn run(
    mut settings: Settings,
    listeners: Listeners,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    stop: Stop,
) -> Result<(), RunError> {
    settings.server.gateway = listeners.gateway_address(&settings.server);
    let service = Service::open(&settings, clock, rng, &stop).await?;
    serve(service, &settings, listeners, stop).await
}

/// The same as a person starts it: the database first, so that a second service on it is told so, rather than that
/// the addresses are taken.
pub(crate) async fn open_and_run(
    mut settings: Settings,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    stop: Stop,
) -> Result<(), Failure> {
    let database = Database::open(&settings, &clock, &*rng).await.map_err(|error| error.failure())?;
    let listeners = match Listeners::bind(&settings.server).await {
        Ok(listeners) => listeners,
        Err(failure) => {
            database.close().await;
            return Err(failure);
        }
    };
    settings.server.gateway = listeners.gateway_address(&settings.server);
    let service =
        Service::over(database, &settings, clock, rng, &stop).await.map_err(|error| error.failure())?;
    serve(service, &settings, listeners, stop).await.map_err(|error| error.failure())
}

/// Runs what is open.
async fn serve(
    service: Service,
    settings: &Settings,
    listeners: Listeners,
    stop: Stop,
) -> Result<(), RunError> {
    let control = match ControlSocket::bind(settings.store.control_socket()) {
        Ok(control) => control,
        Err(error) => {
            service.close().await;
            return Err(error.into());
        }
    };
    let threads = match Threads::start(Threads::best_count()) {
        // Until everything has ended: what outlives a request of an app is on them.
        Ok(threads) => Arc::new(threads),
        Err(error) => {
            service.close().await;
            return Err(RunError::Threads(error));
        }
    };
    let Listeners { gateway, public, console: watched } = listeners;
    let addresses = (gateway.local_addr(), public.local_addr());
    let readiness = Readiness::new(service.health());
    let console = Console::new(service.metrics(), service.bridge().clone(), readiness.clone()).router();

    let mut parts = JoinSet::new();
    let (bridge, lanes) = (service.bridge().clone(), service.lanes().clone());
    parts.spawn(named("the control socket", control.serve(bridge.clone(), stop.clone())));
    let Stop { soft, hard } = stop.clone();
    let mut router = service.gateway().router();
    match watched {
        None => router = router.merge(console),
        Some(listener) => {
            let Stop { soft, hard } = stop.clone();
            let watched =
                tandem_gateway::serve(listener, console, settings.public_limits.clone(), soft, hard);
            parts.spawn(named("the console's listener", watched));
        }
    }
    let apps = tandem_gateway::serve_on(
        Some(Arc::clone(&threads)),
        gateway,
        router,
        settings.gateway_limits.clone(),
        soft,
        hard,
    );
    parts.spawn(named("the gateway", apps));
    let Stop { soft, hard } = stop.clone();
    let strangers =
        tandem_gateway::serve(public, public_router(&bridge), settings.public_limits.clone(), soft, hard);
    parts.spawn(named("the public listener", strangers));
    let Stop { soft, hard } = stop.clone();
    parts.spawn(named("the lanes", async move { lanes.run(soft, hard).await }));
    let Stop { soft, hard } = stop.clone();
    parts.spawn(named("the bridge", async move { bridge.run(soft, hard).await }));

    readiness.running();
    if let (Ok(gateway), Ok(public)) = addresses {
        tracing::info!(
            gateway.address = %gateway,
            public.address = %public,
            store.url = %settings.store.url,
            "ready: apps speak to http://{gateway}, Telegram's webhook to http://{public}"
        );
    }
    let ended = tokio::select! {
        biased;
        () = stop.soft.cancelled() => Ok(()),
        reason = service.store_failed() => Err(RunError::StoreFailed { reason }),
        // Half a service would be worse than none: whoever started us starts us again.
        Some(ended) = parts.join_next() => Err(RunError::Part { part: ended.unwrap_or("a part that panicked") }),
    };
    tracing::info!("stopping: finishing what was begun");
    readiness.stopping();
    stop.soft.cancel();
    let finished = async {
        while parts.join_next().await.is_some() {}
        service.finish().await;
    };
    if tokio::time::timeout(stop::GRACE, finished).await.is_err() {
        tracing::warn!("not everything finished in {} s: the rest is dropped", stop::GRACE.as_secs());
        stop.hard.cancel();
        parts.shutdown().await;
    }
    service.close().await;
    tracing::info!("stopped");
    ended
}

async fn named(name: &'static str, part: impl Future<Output = ()>) -> &'static str {
    part.await;
    name
}

fn public_router(bridge: &Bridge) -> Router {
    bridge.hooks().route("/healthz", get(async || "ok\n"))
}
