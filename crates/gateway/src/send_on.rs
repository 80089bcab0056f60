//! A request on its way to Telegram, if the app may use the chats it names.
//!
//! A small request is looked at whole before anything leaves. A large one (an upload) streams, and its last piece is kept
//! back until everything was seen ([`tandem_telegram::guard`]): Telegram carries out nothing that did not arrive whole.

use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use tandem_telegram::{
    envelope::Failure,
    guard::{Check, guard},
    params::{Params, ParamsError},
    token::Token,
    upstream::{PipeBody, Target},
};

use crate::{App, AppDocument, Gateway, gateway::whole};

/// A request that is no longer is looked at before anything of it leaves.
const SMALL_BYTES: u64 = 64 << 10;

impl Gateway {
    /// Sends a request on, as the app's bot. The error is the answer to give.
    pub(crate) async fn send_on<B>(
        &self,
        app: &App,
        token: &Token,
        target: Target<'_>,
        request: Request<B>,
    ) -> Result<Response<PipeBody>, Response<Body>>
    where
        B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let upstream = &self.inner().upstream;
        let document = app.document();
        if document.limits.chats.is_none() || matches!(target, Target::File(_)) {
            let sent = upstream.pipe(token, target, request).await;
            return sent.map_err(|error| Self::refuse(app, &error));
        }
        let refused = |failure: Failure| {
            tracing::info!(
                bot.id = %app.bot().id(), app.name = app.name(),
                "a call of app {} was refused by its limits", app.name()
            );
            whole(failure.response())
        };
        let unreadable = |error: ParamsError| refused(error.failure());
        if request.body().size_hint().upper().is_some_and(|bytes| bytes <= SMALL_BYTES) {
            let (parts, body) = request.into_parts();
            let Ok(body) = body.collect().await else {
                return Err(refused(Failure::bad_request("can't parse request body")));
            };
            let body = body.to_bytes();
            let params = Params::read(parts.uri.query(), &parts.headers, &body).map_err(unreadable)?;
            document.limits.admit_chats(app.name(), &params).map_err(refused)?;
            let request = Request::from_parts(parts, Full::new(body));
            let sent = upstream.pipe(token, target, request).await;
            return sent.map_err(|error| Self::refuse(app, &error));
        }
        let (parts, body) = request.into_parts();
        let check = check(&document, app);
        let (body, refusal) = guard(parts.uri.query(), &parts.headers, body, check).map_err(unreadable)?;
        let sent = upstream.pipe(token, target, Request::from_parts(parts, body)).await;
        sent.map_err(|error| match refusal.take() {
            Some(failure) => refused(failure),
            None => Self::refuse(app, &error),
        })
    }
}

fn check(document: &Arc<AppDocument>, app: &App) -> Check {
    let (document, name) = (Arc::clone(document), app.name().to_owned());
    Box::new(move |params| document.limits.admit_chats(&name, params))
}
