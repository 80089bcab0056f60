//! The requests of one connection on their way to the router and back.

use std::{convert::Infallible, pin::Pin, sync::Arc};

use axum::{Router, body::Body};
use http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::{body::Incoming, service::Service};
use tandem_telegram::{envelope::Failure, upstream::Thread};
use tower_service::Service as _;

use super::{
    Limits,
    body::{Answered, Asked},
    connection::Connection,
    places::Place,
    refusals::Refusals,
};
use crate::gateway::whole;

/// Among a request's extensions: lets the handler say that whoever asks belongs here.
#[derive(Debug, Clone)]
pub struct Proof(Arc<Connection>);

impl Proof {
    /// The request holds a token or a secret that is right. From now on its connection is not a stranger's.
    pub fn is_given(&self) {
        self.0.prove();
    }
}

/// Serves the requests of one connection.
#[derive(Debug)]
pub(super) struct Visits {
    router: Router,
    connection: Arc<Connection>,
    limits: Arc<Limits>,
    refusals: Arc<Refusals>,
    thread: Option<Thread>,
}

impl Visits {
    pub(super) fn new(router: Router, place: &Place, limits: Arc<Limits>, refusals: Arc<Refusals>) -> Self {
        Self { router, connection: Arc::clone(place.connection()), limits, refusals, thread: None }
    }

    /// All of it is on this thread.
    pub(super) const fn stay_on(&mut self, thread: Thread) {
        self.thread = Some(thread);
    }
}

impl Service<Request<Incoming>> for Visits {
    type Response = Response<Answered>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let connection = Arc::clone(&self.connection);
        let begun = connection.begin();
        let ambiguous = begun.names_length && request.headers().contains_key(header::TRANSFER_ENCODING);
        let last = begun.number >= self.limits.requests_per_connection;
        if let Some(refusal) = self.refusal(&request, ambiguous) {
            connection.leave_unread();
            return Box::pin(async { Ok(closing(refusal).map(|body| Answered::new(body, connection))) });
        }
        let peer = connection.peer().asking(request.headers(), &self.limits);
        let (mut parts, incoming) = request.into_parts();
        parts.extensions.insert(Proof(Arc::clone(&connection)));
        if let Some(thread) = self.thread {
            parts.extensions.insert(thread);
        }
        let body = Body::new(Asked::new(incoming, Arc::clone(&connection), &self.limits));
        let answering = self.router.clone().call(Request::from_parts(parts, body));
        let refusals = Arc::clone(&self.refusals);
        Box::pin(async move {
            let Ok(mut response) = answering.await;
            let refused = matches!(response.status(), StatusCode::UNAUTHORIZED | StatusCode::NOT_FOUND);
            if let Some(peer) = peer
                && refused
                && !connection.is_proven()
                && let Some(away) = refusals.count(peer)
            {
                let away = u32::try_from(away.as_secs()).unwrap_or(u32::MAX).max(1);
                response = closing(whole(Failure::too_many_requests(away).response()));
            } else if last {
                response = closing(response);
            }
            Ok(response.map(|body| Answered::new(body, connection)))
        })
    }
}

impl Visits {
    /// The answer to a request that no handler is to see.
    fn refusal(&self, request: &Request<Incoming>, ambiguous: bool) -> Option<Response<Body>> {
        if ambiguous {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::BAD_REQUEST;
            return Some(response);
        }
        let length = request.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.parse::<u64>().ok()?;
        (length > self.limits.body_bytes).then(|| whole(Failure::ENTITY_TOO_LARGE.response()))
    }
}

/// The last answer on its connection.
fn closing(mut response: Response<Body>) -> Response<Body> {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}
