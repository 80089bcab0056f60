//! amoCRM's built-in Telegram integration, seen from outside.
//!
//! It lives at an address of its own and is nothing but a client of the Bot API server that each connection was
//! given: it calls `setWebhook`, takes deliveries on its hook, shows them in chats, and answers with the bot's own
//! token. So a bot may be connected through any server that speaks the Bot API, and the emulator cannot know more
//! of it than the real amoCRM would.
//!
//! Beside it lives the other way into the same account: channels, by [`amojo`] and REST.
//!
//! What is known of the real one is in section 7 of the reference; where it is silent, `docs/sandbox-amocrm.md`
//! says what was chosen. The cards are one account's, for any number of bots. Nothing survives a restart.

mod account;
mod acts;
mod amojo;
mod attachments;
mod bot_api;
mod calls;
mod cards;
mod connection;
mod control;
mod dated;
pub(crate) mod door;
mod fault;
mod fields;
mod group_fault;
mod hooks;
pub(crate) mod ids;
pub(crate) mod inbound;
mod insist;
mod installing;
mod integrations;
mod leads;
mod link;
mod merging;
mod oauth;
mod outgoing;
mod pipelines;
mod raw;
mod receive;
mod rest;
mod salesbot;
mod sources;
mod take;
mod tally;
mod users;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::header;
use axum::middleware;
use axum::response::Response;
use axum::routing::{any, get};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::account::Account;
pub(crate) use self::amojo::sign;
use self::amojo::{Amojo, Work};
use self::attachments::Attachments;
pub(crate) use self::bot_api::BotApi;
pub(crate) use self::bot_api::{BotApiError, Upload, http_client, in_words};
use self::calls::Calls;
use self::connection::{Connection, Route};
use self::door::Door;
use self::fault::Faults;
use self::group_fault::{GroupFault, GroupFaults, Occasion};
use self::hooks::delivery::Attempts;
use self::hooks::subscription::Subscriptions;
use self::oauth::Tokens;
use self::raw::RawLog;
use self::rest::{Limits, Notes};
use crate::{clock::Clock, random::Random};

/// No update is larger.
const BODY_LIMIT: usize = 16 << 20;

/// What the emulator needs of the sandbox.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    /// Where its bots live unless a connection says otherwise.
    pub(crate) telegram_url: String,
    /// Its own address.
    pub(crate) own_url: String,
    pub(crate) stop: CancellationToken,
    pub(crate) tasks: TaskTracker,
}

/// The emulator. Clones are the same one.
#[derive(Clone)]
struct AmoCrm(Arc<Inner>);

struct Inner {
    parts: Parts,
    http: reqwest::Client,
    door: watch::Sender<Door>,
    door_moves: AtomicU64,
    /// To the worker that shows what channels sent.
    work: mpsc::UnboundedSender<Work>,
    state: Mutex<State>,
}

/// All that changes.
struct State {
    account: Account,
    connections: BTreeMap<i64, Connection>,
    /// Which address belongs to which bot; an address that was moved from may stay here.
    routes: BTreeMap<Route, i64>,
    /// Faults of all connections.
    faults: Faults,
    raw: RawLog,
    attachments: Attachments,
    subscriptions: Subscriptions,
    attempts: Attempts,
    amojo: Amojo,
    /// What amojo, REST and OAuth were asked.
    calls: Calls,
    group_faults: GroupFaults,
    tokens: Tokens,
    limits: Limits,
    notes: Notes,
}

/// Starts serving the hooks; the answer is the control routes.
pub(crate) fn start(listener: TcpListener, parts: Parts) -> Router {
    let (door, watched) = watch::channel(Door::Open);
    // A sequence of its own: what amoCRM draws must not move Telegram's numbers about.
    let account = Account::new(Random::seeded(u64::from_le_bytes(parts.random.bytes())));
    let mut tokens = Tokens::default();
    let (client_id, user_id) = (account.first_integration(), account.manager_id);
    tokens.put(&account.access_token, &client_id, user_id);
    let state = State {
        account,
        connections: BTreeMap::new(),
        routes: BTreeMap::new(),
        faults: Faults::default(),
        raw: RawLog::default(),
        attachments: Attachments::default(),
        subscriptions: Subscriptions::default(),
        attempts: Attempts::default(),
        amojo: Amojo::default(),
        calls: Calls::default(),
        group_faults: GroupFaults::default(),
        tokens,
        limits: Limits::default(),
        notes: Notes::default(),
    };
    let (work, to_show) = mpsc::unbounded_channel();
    let (tasks, stop) = (parts.tasks.clone(), parts.stop.clone());
    let amocrm = AmoCrm(Arc::new(Inner {
        parts,
        http: http_client(),
        door,
        door_moves: AtomicU64::new(0),
        work,
        state: Mutex::new(state),
    }));
    amocrm.spawn(amojo::worker(amocrm.clone(), to_show));
    let public = Router::new()
        .route("/attachments/{id}/{file_name}", get(attachments::serve))
        .route("/v2/origin/custom/{*rest}", any(amojo::serve))
        .route("/api/v4/{*path}", any(rest::serve))
        .route("/oauth2/{*path}", any(oauth::serve))
        .route("/oauth", get(oauth::authorise_page))
        .route("/oauth/decide", get(oauth::decide))
        .fallback(receive::hook)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(middleware::from_fn_with_state(amocrm.clone(), dated::date))
        .with_state(amocrm.clone());
    tasks.spawn({
        let tasks = tasks.clone();
        async move {
            if let Err(error) = door::serve(listener, public, watched, tasks, stop).await {
                tracing::error!(%error, "amoCRM has stopped serving");
            }
        }
    });
    control::router(amocrm)
}

impl AmoCrm {
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

    fn telegram_url(&self) -> &str {
        &self.0.parts.telegram_url
    }

    /// Gives the number of this movement, for [`AmoCrm::reopen_door`].
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

    fn bot_api(&self, connection: &Connection) -> BotApi {
        BotApi::new(self.0.http.clone(), &connection.link.telegram, &connection.link.token)
    }

    /// Hands what a channel sent to the worker. After the end nobody takes it, and nobody would see it.
    fn hand_over(&self, work: Work) {
        self.0.work.send(work).ok();
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

impl State {
    /// The planned fault for a call or a hook, counted down.
    fn next_fault(&mut self, occasion: Occasion<'_>) -> Option<GroupFault> {
        let Self { account, group_faults, .. } = self;
        group_faults.next(occasion, |percent| account.happens(percent))
    }
}

/// An answer that asks to be left alone for a while.
pub(crate) fn with_retry_after(mut answer: Response, seconds: Option<u32>) -> Response {
    if let Some(seconds) = seconds {
        answer.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    answer
}

impl fmt::Debug for AmoCrm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AmoCrm({})", self.url())
    }
}
