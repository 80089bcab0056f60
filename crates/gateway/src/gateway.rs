//! One request: whose it is, what it wants, and who answers it.

use std::{
    error::Error,
    fmt,
    sync::{Arc, Weak},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
};
use bytes::Bytes;
use http::{HeaderValue, Method, Response, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tandem_journal::{Sealer, Store};
use tandem_lanes::{LaneAddress, Lanes, LeaseSource};
use tandem_model::{Clock, Rng};
use tandem_telegram::{
    envelope::{self, Failure},
    methods::{Class, Virtual},
    params::Params,
    path::CallPath,
    token::TokenError,
    upstream::{Target, Upstream},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    App, BodyError, BotState, Directory, Proof, Recorder,
    answers::{Answers, answers_press},
    campaign::Campaigns,
    conversation,
    limits::method_refused,
    metrics::{CallMetrics, method_of},
    polls::Polls,
    webhooks::Clients,
};

/// Largest body of a call that is answered here: a webhook's certificate and some room (reference/telegram.md 1.3).
const VIRTUAL_BODY_BYTES: usize = 5 << 20;

/// How long such a body may take.
const READ_LIMIT: Duration = Duration::from_mins(1);

/// What a gateway is made of.
#[derive(Clone)]
pub struct Parts {
    /// Where everything is kept.
    pub store: Arc<dyn Store>,
    /// Opens and seals what is secret of apps' webhooks.
    pub sealer: Arc<Sealer>,
    /// For which bots this process may write.
    pub leases: Arc<dyn LeaseSource>,
    /// The lanes, apps' among them.
    pub lanes: Lanes,
    /// Who may speak.
    pub directory: Arc<Directory>,
    /// How events get into journals.
    pub recorder: Recorder,
    /// Telegram.
    pub upstream: Upstream,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub rng: Arc<dyn Rng>,
    /// What the operator decided.
    pub config: Config,
    /// When it is cancelled, waiting polls are answered.
    pub soft: CancellationToken,
    /// Where what outlives a request is spawned. To be waited for before the store is closed.
    pub tasks: TaskTracker,
}

/// What the operator decides about a gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// Whether apps may set webhooks of any address, where their own setting does not say.
    pub webhooks: tandem_telegram::webhook::WebhookPolicy,
}

/// The virtual Bot API. Cheap to clone: clones are the same gateway.
#[derive(Clone)]
pub struct Gateway(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) sealer: Arc<Sealer>,
    pub(crate) leases: Arc<dyn LeaseSource>,
    pub(crate) lanes: Lanes,
    pub(crate) directory: Arc<Directory>,
    pub(crate) recorder: Recorder,
    pub(crate) upstream: Upstream,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) rng: Arc<dyn Rng>,
    pub(crate) config: Config,
    pub(crate) soft: CancellationToken,
    pub(crate) tasks: TaskTracker,
    pub(crate) clients: Clients,
    pub(crate) metrics: CallMetrics,
    pub(crate) polls: Arc<Polls>,
    /// What apps say to how many.
    pub(crate) campaigns: Campaigns,
    /// Who has answered which press.
    pub(crate) answers: Answers,
    /// Settings are changed one at a time: what is read is what is changed.
    pub(crate) changes: tokio::sync::Mutex<()>,
    /// From polling to a webhook and back, one at a time.
    pub(crate) switching: tokio::sync::Mutex<()>,
}

/// A gateway that is not kept by whoever has this.
pub(crate) struct WeakGateway(Weak<Inner>);

impl WeakGateway {
    pub(crate) fn upgrade(&self) -> Option<Gateway> {
        self.0.upgrade().map(Gateway)
    }
}

impl Gateway {
    /// A gateway.
    pub fn new(parts: Parts) -> Self {
        let Parts {
            store,
            sealer,
            leases,
            lanes,
            directory,
            recorder,
            upstream,
            clock,
            rng,
            config,
            soft,
            tasks,
        } = parts;
        let metrics = CallMetrics::default();
        Self(Arc::new(Inner {
            store,
            sealer,
            leases,
            lanes,
            directory,
            recorder,
            upstream,
            clock,
            rng,
            config,
            soft,
            tasks,
            clients: Clients::default(),
            polls: Arc::new(Polls::counted_by(metrics.waiting.clone())),
            metrics,
            campaigns: Campaigns::default(),
            answers: Answers::default(),
            changes: tokio::sync::Mutex::default(),
            switching: tokio::sync::Mutex::default(),
        }))
    }

    /// Everything at the root of the gateway's address. What is no call of the Bot API gets Telegram's 404.
    pub fn router(&self) -> Router {
        Router::new().fallback(serve).with_state(self.clone())
    }

    /// How many calls Telegram carried out that the journal could not take, since the start.
    pub fn unkept_sends(&self) -> u64 {
        self.0.metrics.unkept.get()
    }

    pub(crate) fn downgrade(&self) -> WeakGateway {
        WeakGateway(Arc::downgrade(&self.0))
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    pub(crate) fn lane_of(app: &App) -> LaneAddress {
        LaneAddress { bot: app.bot().id(), lane: app.lane() }
    }

    /// What was asked for, as it is counted, and the answer.
    async fn answer(&self, request: Request) -> (&'static str, Response<Body>) {
        if !matches!(*request.method(), Method::GET | Method::POST) {
            return ("none", whole(not_implemented().response()));
        }
        match CallPath::parse(request.uri()) {
            Ok(call) => (method_of(call.target()), self.answer_call(&call, request).await),
            Err(failure) => ("none", whole(failure.response())),
        }
    }

    async fn answer_call(&self, call: &CallPath, mut request: Request) -> Response<Body> {
        let app = match call.token() {
            Ok(token) => self.0.directory.find_by_token(&token),
            // As the cloud answers it.
            Err(TokenError::Malformed) => return whole(Failure::NOT_FOUND.response()),
            Err(TokenError::BadSecret) => None,
        };
        let Some(app) = app.filter(|app| app.bot().state() != BotState::Released) else {
            return whole(Failure::UNAUTHORIZED.response());
        };
        if let Some(proof) = request.extensions_mut().remove::<Proof>() {
            proof.is_given();
        }
        match call.target() {
            Target::Method("") => self.answer_named_by_parameter(&app, request).await,
            Target::Method(path) => self.answer_method(&app, path, request).await,
            file @ Target::File(_) if app.document().limits.admit_method("getFile") => {
                self.pass(&app, file, request).await
            }
            Target::File(_) => whole(method_refused(app.name(), "getFile").response()),
        }
    }

    /// `path`: the method as it was called, with `test/` before it for the test environment.
    async fn answer_method(&self, app: &Arc<App>, path: &str, request: Request) -> Response<Body> {
        let method = path.strip_prefix("test/").unwrap_or(path);
        if method.eq_ignore_ascii_case(conversation::METHOD) {
            return match read(request).await {
                Ok((_, params)) => whole(self.set_conversation(app, &params).await),
                Err(failure) => whole(failure.response()),
            };
        }
        if !app.document().limits.admit_method(method) {
            return whole(method_refused(app.name(), method).response());
        }
        match Class::of(method) {
            Class::Virtual(which) => match read(request).await {
                Ok((_, params)) => whole(self.answer_virtual(app, which, &params).await),
                Err(failure) => whole(failure.response()),
            },
            Class::Pass => self.pass(app, Target::Method(path), request).await,
            Class::Captured(capture) if answers_press(method) => {
                self.answer_press(app, path, capture, request).await
            }
            Class::Captured(capture) => self.capture(app, path, Some(capture), request).await,
            Class::Unknown => self.capture(app, path, None, request).await,
        }
    }

    /// The path names no method: the parameter `method` does (1.1).
    async fn answer_named_by_parameter(&self, app: &Arc<App>, request: Request) -> Response<Body> {
        match read(request).await {
            Ok((request, params)) => match params.text("method") {
                Some(method) if !method.is_empty() => self.answer_method(app, method, request).await,
                _ => whole(Failure::NOT_FOUND.response()),
            },
            Err(failure) => whole(failure.response()),
        }
    }

    /// What concerns an app's own view of the stream: from its own request, or from a caller that acts for it.
    pub(crate) async fn answer_virtual(
        &self,
        app: &Arc<App>,
        which: Virtual,
        params: &Params,
    ) -> Response<Bytes> {
        match which {
            Virtual::GetUpdates => self.get_updates(app, params).await,
            Virtual::SetWebhook => self.set_webhook(app, params).await,
            Virtual::DeleteWebhook => self.delete_webhook(app, params).await,
            Virtual::GetWebhookInfo => self.get_webhook_info(app).await,
            // Forwarded, either would take the bot down for everybody.
            Virtual::Close | Virtual::LogOut => envelope::success(b"true"),
        }
    }

    /// What an app is told when we are unwell, which is for the log to explain: to come back. Never an error that
    /// stops a library for good.
    pub(crate) fn unwell(app: &App, error: &(dyn Error + Send + Sync)) -> Response<Bytes> {
        let chain = Chain(error);
        tracing::warn!(bot.id = %app.bot().id(), app.name = app.name(), "could not answer app {}: {chain}", app.name());
        Failure::too_many_requests(3).response()
    }
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway").field("upstream", &self.0.upstream).finish_non_exhaustive()
    }
}

/// An error with all its causes, in one line.
pub(crate) struct Chain<'a>(pub(crate) &'a (dyn Error + Send + Sync));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.0, f)?;
        let mut next = self.0.source();
        while let Some(error) = next {
            write!(f, ": {error}")?;
            next = error.source();
        }
        Ok(())
    }
}

async fn serve(State(gateway): State<Gateway>, request: Request) -> Response<Body> {
    let (method, mut response) = gateway.answer(request).await;
    gateway.0.metrics.count(method, response.status());
    // As the cloud has it: a web app's script may call.
    let anybody = HeaderValue::from_static("*");
    response.headers_mut().entry(header::ACCESS_CONTROL_ALLOW_ORIGIN).or_insert(anybody);
    response
}

/// Other verbs than GET and POST, as the bare server has it.
fn not_implemented() -> Failure {
    Failure { code: 501, description: "Not Implemented".into(), retry_after: None }
}

/// An answer that is there whole.
pub(crate) fn whole(response: Response<Bytes>) -> Response<Body> {
    response.map(Body::from)
}

/// Reads a body that is answered here, and gives the request back with it.
pub(crate) async fn read(request: Request) -> Result<(Request, Params), Failure> {
    let (parts, body) = request.into_parts();
    let reading = Limited::new(body, VIRTUAL_BODY_BYTES).collect();
    let read = tokio::time::timeout(READ_LIMIT, reading).await;
    let read = read.map_err(|_late| Failure::bad_request("can't parse request body"))?;
    let body = read.map_err(|error| {
        let too_long = matches!(BodyError::behind(&*error), Some(BodyError::TooLong));
        if too_long || error.is::<LengthLimitError>() {
            Failure::ENTITY_TOO_LARGE
        } else {
            Failure::bad_request("can't parse request body")
        }
    })?;
    let body = body.to_bytes();
    let params = Params::read(parts.uri.query(), &parts.headers, &body)
        .map_err(tandem_telegram::params::ParamsError::failure)?;
    Ok((Request::from_parts(parts, Body::from(body)), params))
}
