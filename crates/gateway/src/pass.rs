//! Everything that is not an app's own business goes to Telegram and comes back, streaming both ways. What showed
//! something to a client is noted in the journal before the app is told (DESIGN section 5).

use std::sync::Arc;

use axum::{body::Body, extract::Request};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use http::{Response, StatusCode};
use http_body_util::BodyExt;
use tandem_journal::{Append, Urgency};
use tandem_model::Flags;
use tandem_telegram::{
    capture,
    envelope::{Answer, Failure},
    methods::{Capture, Class},
    params::Params,
    token::Token,
    upstream::{CallError, PipeBody, PipeError, Target},
    webhook::ReplyCall,
};

use crate::{
    App, BodyError, BotState, Gateway,
    answers::{Turn, answers_press},
    conversation,
    gateway::{Chain, whole},
    keyboards,
    known::{Keyboard, ShownBy},
    sent::{Author, Said, conversation_of},
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
        let token = app.bot().token();
        match self.send_on(app, &token, target, request).await {
            Ok(response) => {
                Self::note_status(app, &token, target, &response);
                response.map(Body::new)
            }
            Err(refusal) => refusal,
        }
    }

    /// To Telegram and back, noting what was done. `known`: how, unless the answer has to say.
    pub(crate) async fn capture(
        &self,
        app: &Arc<App>,
        path: &str,
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
        // An app that goes away takes its request with it, but not what Telegram has done by then.
        let (gateway, app, path) = (self.clone(), Arc::clone(app), path.to_owned());
        let exchange = async move { gateway.exchange(&app, &path, known, request).await };
        self.finish(exchange).await
    }

    /// Does something to its end, also when whoever asked for it goes away.
    pub(crate) async fn finish(
        &self,
        exchange: impl Future<Output = Response<Body>> + Send + 'static,
    ) -> Response<Body> {
        self.inner().tasks.spawn(exchange).await.unwrap_or_else(|error| {
            tracing::error!(%error, "a call was interrupted");
            whole(Failure::BAD_GATEWAY.response())
        })
    }

    async fn exchange(
        &self,
        app: &App,
        path: &str,
        known: Option<Capture>,
        request: Request,
    ) -> Response<Body> {
        let (target, method) = (Target::Method(path), path.strip_prefix("test/").unwrap_or(path));
        let (parts, body) = request.into_parts();
        let says = match conversation::Said::of_header(&parts.headers) {
            Ok(says) => says,
            Err(failure) => return whole(failure.response()),
        };
        let (body, captured) = capture::tee(parts.uri.query(), &parts.headers, body);
        let request = Request::from_parts(parts, body);
        let token = app.bot().token();
        let response = match self.send_on(app, &token, target, request).await {
            Ok(response) => response,
            Err(refusal) => return refusal,
        };
        Self::note_status(app, &token, target, &response);
        let (parts, body) = response.into_parts();
        match collect(body).await {
            Ok(Collected::Whole(answer)) => {
                if parts.status.is_success()
                    && let Ok(Answer::Done { result }) = Answer::parse(&answer)
                {
                    self.note_sent(app, (method, known), captured.finish(), &result, says).await;
                }
                Response::from_parts(parts, Body::from(answer))
            }
            Ok(Collected::TooLarge(beginning, rest)) => {
                self.note_unkept(app, method, "its answer is too large");
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
        if app.bot().state() != BotState::Active {
            return;
        }
        let limits = &app.document().limits;
        if !limits.admit_method(&method) || limits.admit_chats(app.name(), &params).is_err() {
            tracing::warn!(
                bot.id = %app.bot().id(), app.name = app.name(),
                "a call that the webhook of app {} answered with was refused by its limits", app.name()
            );
            return;
        }
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
        let turn = if answers_press(&method) { self.turn_to_answer(app, &params).await } else { None };
        if matches!(turn, Some(Turn::Taken)) {
            return;
        }
        if let Some(result) = self.call(app, &method, &params).await {
            if let Some(Turn::Own(mut by)) = turn {
                *by = Some(app.lane());
            }
            self.note_sent(app, (&method, known), params, &result, None).await;
        }
    }

    async fn call(&self, app: &App, method: &str, params: &Params) -> Option<Bytes> {
        let token = app.bot().token();
        match self.inner().upstream.call(&token, method, params).await {
            Ok(result) => Some(result),
            Err(error) => {
                if matches!(error, CallError::Unauthorized(_)) {
                    Self::revoke(app, &token);
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
        (method, known): (&str, Option<Capture>),
        parameters: Params,
        result: &Bytes,
        says: Option<conversation::Said>,
    ) {
        let Some(capture) = known.or_else(|| Capture::of_answer(method, result)) else { return };
        let now = self.inner().clock.now();
        let others = self.inner().directory.list_apps(app.bot().id());
        let shown = others.iter().any(|other| other.lane() != app.lane() && other.document().sees_sent());
        let shown_by = ShownBy::App(app.lane());
        let mut facts = keyboards::notes(shown_by, capture, &parameters, result, now);
        let mut flags = Flags::NONE;
        if let Some(conversation) = conversation_of(&parameters, result) {
            facts.extend(Keyboard::note(shown_by, &conversation, &parameters, now));
            let (to, what) = ((app.bot().id(), app.lane()), (method, &parameters));
            if self.inner().campaigns.note(to, capture, what, &conversation, now) {
                flags = Flags::CAMPAIGN;
            }
        }
        let by = Author::App(app.name().into());
        let said = Said { by, lane: app.lane(), method, capture, parameters, result, now, shown };
        let Some(mut event) = said.event() else {
            self.note_unkept(app, method, "its answer is no JSON");
            return;
        };
        let (bot, conversation) = (app.bot().id(), event.conversation.clone());
        event.flags = event.flags | flags | self.conversation_flags(bot, &conversation).await;
        let mut events = vec![event];
        if let Some(says) = &says {
            let (marks, known) = self.noting(app, &conversation, says, now).await;
            events.extend(marks);
            facts.extend(known);
        }
        let append = Append { events, urgency: Urgency::MustKeep, facts, ..Append::default() };
        if let Err(error) = self.inner().recorder.record(bot, append).await {
            self.note_unkept(app, method, &Chain(&error).to_string());
        }
    }

    /// Telegram did it, and the journal does not have it.
    fn note_unkept(&self, app: &App, method: &str, why: &str) {
        self.inner().metrics.unkept.inc();
        tracing::error!(
            bot.id = %app.bot().id(), app.name = app.name(), telegram.method = method,
            "{method} of app {} was sent and could not be kept in the journal: {why}", app.name()
        );
    }

    /// A token that Telegram no longer takes: the bridge is told by the bot's state. The test environment takes none
    /// of production's, and a server of files knows little of tokens.
    fn note_status<B>(app: &App, token: &Token, target: Target<'_>, response: &Response<B>) {
        let telling = matches!(target, Target::Method(method) if !method.starts_with("test/"));
        if telling && response.status() == StatusCode::UNAUTHORIZED {
            Self::revoke(app, token);
        }
    }

    fn revoke(app: &App, refused: &Token) {
        if app.bot().revoke(refused) {
            tracing::error!(bot.id = %app.bot().id(), "Telegram no longer takes the token of bot {}", app.bot().id());
        }
    }

    pub(crate) fn refuse(app: &App, error: &PipeError) -> Response<Body> {
        let chain = Chain(error);
        tracing::warn!(bot.id = %app.bot().id(), app.name = app.name(), "a call was not answered by Telegram: {chain}");
        let failure = match error {
            PipeError::Upload(upload) if matches!(upload.behind(), Some(BodyError::TooLong)) => {
                Failure::ENTITY_TOO_LARGE
            }
            error => error.failure(),
        };
        whole(failure.response())
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
