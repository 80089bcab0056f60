//! Everything that is not an app's own business goes to Telegram and comes back, streaming both ways. What showed
//! something to a client is noted in the journal before the app is told (DESIGN section 5).

use std::sync::atomic::Ordering;

use axum::{body::Body, extract::Request};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use http::{Response, StatusCode};
use http_body_util::BodyExt;
use tandem_journal::{Append, Urgency};
use tandem_telegram::{
    capture,
    envelope::{Answer, Failure},
    methods::{Capture, Class},
    params::Params,
    upstream::{CallError, PipeBody, PipeError, Target},
    webhook::ReplyCall,
};

use crate::{
    App, BotState, Gateway,
    gateway::{Chain, whole},
    sent::Said,
};

/// An answer that is larger is passed on unread: no message is.
const READ_ANSWER_BYTES: usize = 8 << 20;

/// An answer of which the beginning was read.
enum Collected {
    Whole(Bytes),
    TooLarge(Bytes, PipeBody),
}

impl Gateway {
    /// To Telegram and back, unseen.
    pub(crate) async fn pass(&self, app: &App, target: Target<'_>, request: Request) -> Response<Body> {
        if app.bot().state() == BotState::Revoked {
            return whole(Failure::UNAUTHORIZED.response());
        }
        match self.inner().upstream.pipe(&app.bot().token(), target, request).await {
            Ok(response) => {
                Self::note_status(app, target, &response);
                response.map(Body::new)
            }
            Err(error) => Self::refuse(app, &error),
        }
    }

    /// To Telegram and back, noting what was done. `known`: how, unless the answer has to say.
    pub(crate) async fn capture(
        &self,
        app: &App,
        target: Target<'_>,
        method: &str,
        known: Option<Capture>,
        request: Request,
    ) -> Response<Body> {
        if app.bot().state() == BotState::Revoked {
            return whole(Failure::UNAUTHORIZED.response());
        }
        if !self.inner().recorder.keeps_promises() {
            // Before it is sent: afterwards it could not be kept (invariant 1).
            return whole(Failure::too_many_requests(5).response());
        }
        let (parts, body) = request.into_parts();
        let (body, captured) = capture::tee(parts.uri.query(), &parts.headers, body);
        let request = Request::from_parts(parts, body);
        let response = match self.inner().upstream.pipe(&app.bot().token(), target, request).await {
            Ok(response) => response,
            Err(error) => return Self::refuse(app, &error),
        };
        Self::note_status(app, target, &response);
        let (parts, body) = response.into_parts();
        match collect(body).await {
            Ok(Collected::Whole(answer)) => {
                if parts.status.is_success()
                    && let Ok(Answer::Done { result }) = Answer::parse(&answer)
                {
                    self.note_sent(app, method, known, captured.finish(), &result).await;
                }
                Response::from_parts(parts, Body::from(answer))
            }
            Ok(Collected::TooLarge(beginning, rest)) => {
                tracing::warn!(telegram.method = method, "the answer to {method} is too large to be noted");
                let beginning = futures_util::stream::once(async { Ok(beginning) });
                let body = Body::from_stream(beginning.chain(rest.into_data_stream()));
                Response::from_parts(parts, body)
            }
            Err(error) => Self::refuse(app, &error),
        }
    }

    /// Carries out a call that an app's webhook gave as its answer. Its result is told to nobody.
    pub(crate) async fn carry_out(&self, app: &App, call: ReplyCall) {
        let ReplyCall { method, params } = call;
        let known = match Class::of(&method) {
            Class::Captured(capture) => Some(capture),
            Class::Unknown => None,
            Class::Pass => {
                self.call(app, &method, &params).await;
                return;
            }
            Class::Virtual(_) => return,
        };
        if !self.inner().recorder.keeps_promises() {
            tracing::warn!(
                bot.id = %app.bot().id(), app.name = app.name(), telegram.method = method,
                "{method}, which the webhook of app {} answered with, was not sent: it could not be kept", app.name()
            );
            return;
        }
        if let Some(result) = self.call(app, &method, &params).await {
            self.note_sent(app, &method, known, params, &result).await;
        }
    }

    async fn call(&self, app: &App, method: &str, params: &Params) -> Option<Bytes> {
        match self.inner().upstream.call(&app.bot().token(), method, params).await {
            Ok(result) => Some(result),
            Err(error) => {
                if matches!(error, CallError::Unauthorized(_)) {
                    Self::revoke(app);
                }
                let chain = Chain(&error);
                tracing::warn!(
                    bot.id = %app.bot().id(), app.name = app.name(), telegram.method = method,
                    "{method}, which the webhook of app {} answered with, failed: {chain}", app.name()
                );
                None
            }
        }
    }

    /// Notes a call that Telegram carried out. Failing here changes nothing of the answer: the message is sent.
    async fn note_sent(
        &self,
        app: &App,
        method: &str,
        known: Option<Capture>,
        parameters: Params,
        result: &Bytes,
    ) {
        let Some(capture) = known.or_else(|| Capture::of_answer(method, result)) else { return };
        let now = self.inner().clock.now();
        let said = Said { app: app.name(), lane: app.lane(), method, capture, parameters, result, now };
        let Some(event) = said.event() else { return };
        let append = Append { events: vec![event], urgency: Urgency::MustKeep, ..Append::default() };
        let bot = app.bot().id();
        if let Err(error) = self.inner().recorder.record(bot, append).await {
            self.inner().unkept.fetch_add(1, Ordering::Relaxed);
            let chain = Chain(&error);
            tracing::error!(
                bot.id = %bot, app.name = app.name(), telegram.method = method,
                "{method} of app {} was sent and could not be kept in the journal: {chain}", app.name()
            );
        }
    }

    /// A token that Telegram no longer takes: the bridge is told by the bot's state. The test environment takes none
    /// of production's, and a server of files knows little of tokens.
    fn note_status<B>(app: &App, target: Target<'_>, response: &Response<B>) {
        let telling = matches!(target, Target::Method(method) if !method.starts_with("test/"));
        if telling && response.status() == StatusCode::UNAUTHORIZED {
            Self::revoke(app);
        }
    }

    fn revoke(app: &App) {
        if app.bot().state() == BotState::Active {
            tracing::error!(bot.id = %app.bot().id(), "Telegram no longer takes the token of bot {}", app.bot().id());
            app.bot().set_state(BotState::Revoked);
        }
    }

    fn refuse(app: &App, error: &PipeError) -> Response<Body> {
        let chain = Chain(error);
        tracing::warn!(bot.id = %app.bot().id(), app.name = app.name(), "a call was not answered by Telegram: {chain}");
        whole(error.failure().response())
    }
}

/// The whole answer, if it is not too large.
async fn collect(mut body: PipeBody) -> Result<Collected, PipeError> {
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| PipeError::Lost(tandem_telegram::upstream::Lost::Answer(error)))?;
        if let Ok(data) = frame.into_data() {
            read.extend_from_slice(&data);
        }
        if read.len() > READ_ANSWER_BYTES {
            return Ok(Collected::TooLarge(read.freeze(), body));
        }
    }
    Ok(Collected::Whole(read.freeze()))
}
