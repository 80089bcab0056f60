//! Wahelp, seen from outside: its REST API, its hooks, its bot channels at Telegram and its link to amoCRM.
//!
//! It lives at an address of its own and knows the other emulators only as the real one knows the real ones: a bot
//! channel is a client of the Bot API server that it was given, a linked project is a channel at amoCRM's chat
//! service. What a messenger account other than a bot has for clients lives here, because no other emulator has it.
//!
//! Written from the reference alone. Little of the real one is certain, so what was guessed is a switch
//! ([`switches`]); `docs/sandbox-wahelp.md` says what was chosen. Nothing survives a restart.

mod amocrm;
mod api;
mod bot;
mod channel;
mod client;
mod control;
mod events;
mod fault;
mod files;
mod given;
mod hooks;
mod message;
mod output;
mod project;
mod record;
mod send;
mod state;
mod switches;
mod users;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{any, get, post};
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::amocrm::Telling;
use self::state::State;
use crate::amocrm::door::{self, Door};
use crate::amocrm::http_client;
use crate::{clock::Clock, random::Random};

/// Room for the largest file of a bot.
const BODY_LIMIT: usize = 64 << 20;

/// What the emulator needs of the sandbox.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    /// Where the bots of bot channels live unless a channel says otherwise.
    pub(crate) telegram_url: String,
    /// Where projects are linked to.
    pub(crate) amocrm_url: String,
    /// Where amoCRM's support is asked for a channel.
    pub(crate) control_url: String,
    /// Its own address.
    pub(crate) own_url: String,
    pub(crate) stop: CancellationToken,
    pub(crate) tasks: TaskTracker,
}

/// The emulator. Clones are the same one.
#[derive(Clone)]
struct Wahelp(Arc<Inner>);

struct Inner {
    parts: Parts,
    http: reqwest::Client,
    door: watch::Sender<Door>,
    door_moves: AtomicU64,
    /// To the worker that tells amoCRM, one thing after the other.
    telling: mpsc::UnboundedSender<Telling>,
    /// Told whenever a hook has come to its end.
    hook_ended: Notify,
    state: Mutex<State>,
}

/// Starts serving the API; the answer is the control routes.
pub(crate) fn start(listener: TcpListener, parts: Parts) -> Router {
    let (door, watched) = watch::channel(Door::Open);
    let (telling, to_tell) = mpsc::unbounded_channel();
    // A sequence of its own: what Wahelp draws must not move the others' numbers about.
    let random = Random::seeded(u64::from_le_bytes(parts.random.bytes()));
    let (tasks, stop) = (parts.tasks.clone(), parts.stop.clone());
    let wahelp = Wahelp(Arc::new(Inner {
        parts,
        http: http_client(),
        door,
        door_moves: AtomicU64::new(0),
        telling,
        hook_ended: Notify::new(),
        state: Mutex::new(State::new(random)),
    }));
    wahelp.spawn(amocrm::worker(wahelp.clone(), to_tell));
    let public = Router::new()
        .route("/api/app/{*rest}", any(api::serve))
        .route("/files/{file}/{name}", get(files::serve))
        .route("/telegram/{channel}", post(bot::hook))
        .route("/amocrm/{scope}", post(amocrm::hook))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(wahelp.clone());
    tasks.spawn({
        let tasks = tasks.clone();
        async move {
            if let Err(error) = door::serve(listener, public, watched, tasks, stop).await {
                tracing::error!(%error, "Wahelp has stopped serving");
            }
        }
    });
    control::router(wahelp)
}

impl Wahelp {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn clock(&self) -> &Clock {
        &self.0.parts.clock
    }

    fn http(&self) -> &reqwest::Client {
        &self.0.http
    }

    /// Its own address, without a slash at the end.
    fn url(&self) -> &str {
        &self.0.parts.own_url
    }

    /// Gives the number of this movement, for [`Wahelp::reopen_door`].
    fn move_door(&self, door: Door) -> u64 {
        self.0.door.send_replace(door);
        self.0.door_moves.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Opens the door unless somebody has moved it since.
    fn reopen_door(&self, movement: u64) {
        if self.0.door_moves.load(Ordering::Relaxed) == movement {
            self.move_door(Door::Open);
        }
    }

    fn door(&self) -> Door {
        *self.0.door.borrow()
    }

    /// Background work, ended with the sandbox.
    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stop = self.0.parts.stop.clone();
        self.0.parts.tasks.spawn(async move {
            // Nothing is left half-done that anybody could see after the end.
            let _ended = stop.run_until_cancelled_owned(work).await;
        });
    }
}

impl fmt::Debug for Wahelp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wahelp({})", self.url())
    }
}
