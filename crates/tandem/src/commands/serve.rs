//! `tandem serve`: the service, until it is told to stop.

use std::{process::ExitCode, sync::Arc};

use clap::Args;
use tandem_model::SeededRng;

use super::signals;
use crate::{Failure, Stop, clock::SystemClock, logging, serve, settings::Settings};

/// Run the service
///
/// Takes in the updates of the bots that were adopted, answers apps at the gateway, and delivers to the routes.
/// Ends on SIGTERM or Ctrl+C, within ten seconds; a second signal ends it at once.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tandem serve
  tandem serve --set store.url=sqlite:/var/lib/tandem/tandem.db
  TANDEM_LOG__FORMAT=json tandem serve

While it runs, the other commands speak to it by the socket beside its database.")]
pub(crate) struct Arguments {}

/// Runs the service until a signal.
pub(crate) async fn run(_arguments: Arguments, settings: Settings) -> Result<ExitCode, Failure> {
    logging::init(&settings.log)?;
    let stop = Stop::new();
    let signals = signals::watch(stop.clone()).map_err(|error| Failure::of(&error))?;
    let rng = Arc::new(SeededRng::from_system());
    let ended = serve::open_and_run(settings, Arc::new(SystemClock::new()), rng, stop).await;
    signals.abort();
    ended?;
    Ok(ExitCode::SUCCESS)
}
