//! Having an operation performed: by the `serve` that has the database open, else in this process, under the same
//! lock.

use std::{sync::Arc, time::Duration};

use tandem_bridge::operations::{Refusal, RefusalCode, Request, Response};
use tandem_journal::sqlite::OpenError;
use tandem_model::SeededRng;

use crate::{
    Failure, RunError, Service, Stop,
    clock::SystemClock,
    control::{self, ControlError},
    failure::chain,
    logging,
    output::Format,
    settings::{Log, Settings},
};

/// How long a database may be in use without anybody answering on its control socket: `serve` is just starting or
/// ending, or another command is at work.
const PATIENCE: Duration = Duration::from_secs(10);
const TRY_AGAIN: Duration = Duration::from_millis(100);

/// Has it performed. A refusal becomes a failure; with JSON it is printed as well, for the program that reads it.
pub(super) async fn ask(settings: &Settings, format: Format, request: Request) -> Result<Response, Failure> {
    // A command is read by a person: only what needs one is logged, unless somebody has asked for more.
    let quiet = Log { filter: Log::QUIET_FILTER.to_owned(), ..settings.log.clone() };
    logging::init(if settings.log.filter == Log::DEFAULT_FILTER { &quiet } else { &settings.log })?;
    let performed = find_performer(settings, &request).await?;
    performed.map_err(|refusal| {
        format.print_refusal(&refusal);
        let what_to_do = match flag(refusal.code) {
            Some(flag) => format!("{} ({flag})", refusal.what_to_do.trim_end_matches('.')),
            None => refusal.what_to_do,
        };
        Failure::new(refusal.sentence, what_to_do)
    })
}

/// The flag that does what a refusal advises: the bridge knows no command line.
const fn flag(code: RefusalCode) -> Option<&'static str> {
    match code {
        RefusalCode::Undelivered => Some("--leave-undelivered"),
        RefusalCode::AnotherPoller => Some("--accept-poller"),
        _ => None,
    }
}

async fn find_performer(
    settings: &Settings,
    request: &Request,
) -> Result<Result<Response, Refusal>, Failure> {
    let socket = settings.store.control_socket();
    let give_up = tokio::time::Instant::now() + PATIENCE;
    loop {
        match control::perform(&socket, request).await {
            Err(ControlError::NotRunning) => {}
            Err(error) => return Err(cannot_ask(settings, &error)),
            Ok(performed) => return Ok(performed),
        }
        match in_process(settings, request.clone()).await {
            Err(RunError::Store(OpenError::Locked { .. })) if tokio::time::Instant::now() < give_up => {
                tokio::time::sleep(TRY_AGAIN).await;
            }
            Err(error) => return Err(error.failure()),
            Ok(performed) => return Ok(performed),
        }
    }
}

async fn in_process(settings: &Settings, request: Request) -> Result<Result<Response, Refusal>, RunError> {
    let stop = Stop::new();
    let rng = Arc::new(SeededRng::from_system());
    let service = Service::open(settings, Arc::new(SystemClock::new()), rng, &stop).await?;
    let performed = service.bridge().perform(request).await;
    service.close().await;
    Ok(performed)
}

fn cannot_ask(settings: &Settings, error: &ControlError) -> Failure {
    let socket = settings.store.control_socket();
    let what_to_do = match error {
        ControlError::NotRunning | ControlError::Connect(_) => format!(
            "Run this command as the user that runs tandem serve: {} is for that user alone.",
            socket.display()
        ),
        ControlError::Lost(_) => {
            "It may have been done: look with `tandem status`, and repeat the command if it was not."
                .to_owned()
        }
        ControlError::TooLong => "Ask for less, for example with --limit.".to_owned(),
        ControlError::Strange { .. } => {
            format!("This command is version {}: use the version that is running.", env!("CARGO_PKG_VERSION"))
        }
    };
    Failure::new(chain(error), what_to_do)
}
