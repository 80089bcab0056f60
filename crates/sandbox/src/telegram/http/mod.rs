//! The Bot API over HTTP: connections, addresses, request forms, answers.
//!
//! A loop of our own around hyper instead of axum, because a planted fault must be able to reset a connection
//! or to leave it silent, and because the official server's bare status lines for unreadable requests have no
//! place in a router.

mod connection;
mod download;
mod form;
mod json;
mod multipart;
mod path;
mod reading;
mod respond;

use std::{convert::Infallible, sync::Arc, time::Duration};

use http::{Method, Request};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};

pub(crate) use self::reading::{Parsed, ReadError, parse};
use self::{
    connection::{Connection, Kill},
    path::Route,
    respond::Reply,
};
use super::{
    ApiError, Bot, ErrorStyle, Telegram,
    dispatch::{self, Entry, Origin},
    faults::{Fault, FaultBody, When},
    params::Call,
    record::End,
    token::{self, BadToken},
};

/// Request line and headers together.
const MAX_HEAD_BYTES: usize = 1 << 18;
const IDLE_TIMEOUT: Duration = Duration::from_secs(500);

/// Accepts connections until the sandbox stops.
pub(crate) async fn serve(listener: TcpListener, telegram: Telegram) {
    let stop = telegram.stop().clone();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return,
        };
        match accepted {
            Ok((stream, _)) => {
                telegram.tasks().spawn(serve_connection(stream, telegram.clone()));
            }
            // Out of file descriptors, most likely: let others finish first.
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }
}

async fn serve_connection(stream: TcpStream, telegram: Telegram) {
    stream.set_nodelay(true).ok();
    let kill = Kill::default();
    let io = TokioIo::new(Connection::new(stream, kill.clone()));
    let stop = telegram.stop().clone();
    let service = service_fn(|request| {
        let (telegram, kill) = (telegram.clone(), kill.clone());
        async move {
            let outcome = handle(&telegram, request).await;
            outcome.map(Reply::into_response).map_err(|Reset| kill.reset())
        }
    });
    let connection = http1::Builder::new()
        .max_buf_size(2 * MAX_HEAD_BYTES)
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE_TIMEOUT)
        .serve_connection(io, service);
    tokio::pin!(connection);
    let ended: Result<(), hyper::Error> = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            // Calls that wait are answered "restart"; whoever is still silent after that is cut off.
            connection.as_mut().graceful_shutdown();
            tokio::time::timeout(crate::LAST_MOMENT, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection of a bot ended early");
    }
}

/// The connection shall be reset instead of answered.
struct Reset;

async fn handle(telegram: &Telegram, request: Request<Incoming>) -> Result<Reply, Reset> {
    let style = telegram.settings().errors;
    if request.uri().scheme().is_some() {
        let text = "Not Found: absolute URI is specified in the Request-Line";
        return Ok(Reply::failure(&ApiError::new(404, text)));
    }
    if head_bytes(&request) > MAX_HEAD_BYTES {
        return Ok(Reply::bare(431));
    }
    if request.method() != Method::GET && request.method() != Method::POST {
        return Ok(Reply::bare(501));
    }
    let route = path::route(request.uri().path());
    // The official server reads the whole request before it looks at anything in it.
    let parsed = match reading::read(request).await {
        Ok(parsed) => parsed,
        Err(error) => return Ok(Reply::unreadable(error, style)),
    };
    match route {
        Route::Method { token, method } => match authenticate(telegram, &token) {
            Ok(bot) => call(telegram, &bot, method, parsed).await,
            Err(error) => Ok(Reply::failure(&error)),
        },
        // The open-source server has no route for files.
        Route::File { token, path } if style == ErrorStyle::Cloud => match authenticate(telegram, &token) {
            Ok(bot) => file(telegram, &bot, &path).await,
            Err(error) => Ok(Reply::failure(&error)),
        },
        Route::File { .. } | Route::Unknown => Ok(Reply::failure(&ApiError::not_found())),
    }
}

/// The size of request line and headers, near enough.
fn head_bytes(request: &Request<Incoming>) -> usize {
    let uri = request.uri();
    let line = uri.path().len() + uri.query().map_or(0, str::len);
    line + request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum::<usize>()
}

fn authenticate(telegram: &Telegram, token: &str) -> Result<Arc<Bot>, ApiError> {
    match (token::bot_id(token), telegram.settings().errors) {
        (Err(BadToken::Malformed), ErrorStyle::Cloud) => Err(ApiError::not_found()),
        (Err(BadToken::Malformed), ErrorStyle::Bare) => {
            Err(ApiError::new(401, "Unauthorized: invalid token specified"))
        }
        (Err(BadToken::BadSecret), _) => Err(ApiError::unauthorized()),
        (Ok(id), _) => {
            let bot = telegram.bot(id).filter(|bot| bot.has_token(token));
            bot.ok_or_else(ApiError::unauthorized)
        }
    }
}

async fn call(telegram: &Telegram, bot: &Arc<Bot>, method: String, parsed: Parsed) -> Result<Reply, Reset> {
    let Parsed { params, files, valid_utf8 } = parsed;
    let method =
        if method.is_empty() { params.text("method").unwrap_or_default().to_owned() } else { method };
    let fault = strike(bot, &method);
    let call = Call { method, params, files };
    let mut entry = Entry::open(bot, &call, Origin::Request);
    if let Some((fault, When::Before)) = &fault {
        if fault.ends_calls() {
            entry.end(End::Struck(fault.clone()));
        }
        if let Some(reply) = suffer(bot, fault).await? {
            return Ok(reply);
        }
    }
    let outcome = if valid_utf8 {
        dispatch::run(telegram, bot, call, entry).await
    } else {
        let error = ApiError::bad_request("strings must be encoded in UTF-8");
        entry.end(End::refused(&error));
        Err(error)
    };
    if let Some((fault, When::After)) = &fault
        && let Some(reply) = suffer(bot, fault).await?
    {
        return Ok(reply);
    }
    Ok(Reply::outcome(outcome.as_ref()))
}

async fn file(telegram: &Telegram, bot: &Arc<Bot>, path: &str) -> Result<Reply, Reset> {
    if let Some((fault, _)) = strike(bot, "file")
        && let Some(reply) = suffer(bot, &fault).await?
    {
        return Ok(reply);
    }
    Ok(download::download(telegram, bot, path))
}

fn strike(bot: &Bot, method: &str) -> Option<(Fault, When)> {
    bot.lock().faults.strike(method, bot.clock.now_ms())
}

/// Lets a fault happen to a request. `None`: the request goes on.
async fn suffer(bot: &Bot, fault: &Fault) -> Result<Option<Reply>, Reset> {
    match fault {
        Fault::Reset => Err(Reset),
        Fault::Silence => {
            // Ends when the client or the sandbox closes the connection.
            let never: Infallible = std::future::pending().await;
            match never {}
        }
        Fault::Slow { ms } => {
            bot.clock.sleep(Duration::from_millis(ms.unsigned_abs())).await;
            Ok(None)
        }
        Fault::Unauthorized => Ok(Some(Reply::failure(&ApiError::unauthorized()))),
        Fault::Status { code, body: FaultBody::Html, .. } => Ok(Some(Reply::nginx_page(*code))),
        Fault::Status { code, body: FaultBody::Json, retry_after } => {
            Ok(Some(Reply::failure(&respond::planted_error(*code, *retry_after))))
        }
        // For deliveries only.
        Fault::Duplicate | Fault::Late { .. } => Ok(None),
    }
}
