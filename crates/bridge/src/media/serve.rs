//! Serving a file by its address.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{Extension, Request, State},
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use http_body::Body as _;
use http_body_util::Empty;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tandem_gateway::Proof;
use tandem_model::Timestamp;
use tandem_telegram::{
    token::Token,
    upstream::{CallError, NotSent, PipeBody, PipeError, Target},
};
use tokio::sync::OwnedSemaphorePermit;

use super::{
    Media,
    link::Linked,
    path::{Found, Freshness},
    range::{OutOfRange, Part, Wanted},
    slice::Slice,
};
use crate::bridge::Chain;

/// How long somebody waits for a place among those that are fetched.
const PATIENCE: Duration = Duration::from_secs(5);
/// After how long to come again when there was none.
const AGAIN: Duration = Duration::from_secs(5);
/// What stands for itself in `filename*` (RFC 8187).
const EXTENDED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Why there is no file in the answer.
#[derive(Debug)]
enum NoFile {
    /// There is none, or none that whoever asks was given the address of.
    NotFound,
    /// He has it already.
    NotModified,
    /// It has no such part.
    OutOfRange { total: u64 },
    /// Telegram does not answer, or not as it should.
    BadGateway,
    /// Not now.
    Later(Duration),
}

impl Media {
    /// The routes of the public listener.
    pub fn routes(&self) -> Router {
        Router::new().route("/media/{*signed}", get(fetch)).with_state(self.clone())
    }

    async fn serve(&self, linked: &Linked, request: &Asked) -> Result<Response, NoFile> {
        let etag = etag(&linked.file.unique_id);
        if etag.as_ref().is_some_and(|etag| request.has(etag)) {
            return Err(NoFile::NotModified);
        }
        let bot = self.0.directory.find_bot(linked.bot).ok_or(NoFile::NotFound)?;
        let token = bot.token();
        let wanted = request.wanted(etag.as_ref());
        let mut answer = match request.method {
            Method::HEAD => self.describe(&token, linked, wanted).await?,
            _ => self.stream(&token, linked, wanted).await?,
        };
        if let Some(etag) = etag {
            answer.headers_mut().insert(header::ETAG, etag);
        }
        Ok(answer)
    }

    /// What the file is like, without fetching it.
    async fn describe(
        &self,
        token: &Token,
        linked: &Linked,
        wanted: Option<Wanted>,
    ) -> Result<Response, NoFile> {
        let (found, _) = self.look(token, linked).await?;
        let part = part(wanted, found.size)?;
        let length = part.map(|part| part.length).or(found.size);
        Ok(answer(part, length, Body::new(Empty::new())))
    }

    async fn stream(
        &self,
        token: &Token,
        linked: &Linked,
        wanted: Option<Wanted>,
    ) -> Result<Response, NoFile> {
        let waiting = tokio::time::timeout(PATIENCE, self.0.places.clone().acquire_owned());
        let Ok(Ok(place)) = waiting.await else { return Err(NoFile::Later(AGAIN)) };
        loop {
            let (found, freshness) = self.look(token, linked).await?;
            part(wanted, found.size)?;
            match self.open(token, &found.path, wanted).await {
                Ok(response) => return cut(response, wanted, found.size, place),
                // Telegram has let go of the path sooner than it said.
                Err(NoFile::NotFound) if freshness == Freshness::Remembered => {
                    self.forget_path(linked.bot, &linked.file.id);
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn look(&self, token: &Token, linked: &Linked) -> Result<(Arc<Found>, Freshness), NoFile> {
        self.find_path(token, &linked.file.id).await.map_err(|error| {
            let answer = match &error {
                // It is too big, or was never this bot's: in any case there is none to be had.
                CallError::Refused(_) => return NoFile::NotFound,
                CallError::RetryAfter { after, .. } => NoFile::Later(*after),
                CallError::Unauthorized(_) | CallError::NotSent(NotSent::Busy) => NoFile::Later(AGAIN),
                _ => NoFile::BadGateway,
            };
            note(linked, &error);
            answer
        })
    }

    async fn open(
        &self,
        token: &Token,
        path: &str,
        wanted: Option<Wanted>,
    ) -> Result<http::Response<PipeBody>, NoFile> {
        let mut request = http::Request::new(Empty::<Bytes>::new());
        if let Some(wanted) = wanted {
            request.headers_mut().insert(header::RANGE, wanted.header());
        }
        let response = self.0.upstream.pipe(token, Target::File(path), request).await;
        match response {
            Ok(response) if response.status().is_success() => Ok(response),
            // A refusal in JSON.
            Ok(response) => Err(match response.status() {
                StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND | StatusCode::GONE => NoFile::NotFound,
                StatusCode::UNAUTHORIZED | StatusCode::TOO_MANY_REQUESTS => NoFile::Later(AGAIN),
                _ => NoFile::BadGateway,
            }),
            Err(PipeError::NoFile) => Err(NoFile::NotFound),
            Err(PipeError::NotSent(NotSent::Busy)) => Err(NoFile::Later(AGAIN)),
            Err(error) => {
                tracing::warn!(bot.id = %token.bot(), "a file of bot {} could not be fetched: {}", token.bot(), Chain(&error));
                Err(NoFile::BadGateway)
            }
        }
    }
}

fn note(linked: &Linked, error: &CallError) {
    tracing::warn!(bot.id = %linked.bot, "a file of bot {} could not be found: {}", linked.bot, Chain(error));
}

/// What of a request counts.
struct Asked {
    method: Method,
    headers: HeaderMap,
}

impl Asked {
    /// Whether whoever asks has this one already.
    fn has(&self, etag: &HeaderValue) -> bool {
        let known = self.headers.get_all(header::IF_NONE_MATCH);
        let Ok(etag) = etag.to_str() else { return false };
        known.iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).any(|value| {
            let value = value.trim();
            value == "*" || value.trim_start_matches("W/") == etag
        })
    }

    /// Which part is asked for, if the file is still the one of which he has the rest.
    fn wanted(&self, etag: Option<&HeaderValue>) -> Option<Wanted> {
        match self.headers.get(header::IF_RANGE) {
            Some(known) if Some(known) != etag => None,
            _ => Wanted::of(&self.headers),
        }
    }
}

async fn fetch(State(media): State<Media>, proof: Option<Extension<Proof>>, request: Request) -> Response {
    let now = media.0.clock.now();
    // Before anything else is done: whoever guesses costs nothing and learns nothing.
    let Some(linked) = Linked::read(request.uri().path(), &media.0.sealer, now) else {
        return NoFile::NotFound.into_response();
    };
    if let Some(Extension(proof)) = proof {
        proof.is_given();
    }
    let (parts, _) = request.into_parts();
    let asked = Asked { method: parts.method, headers: parts.headers };
    let mut response = match media.serve(&linked, &asked).await {
        Ok(response) => response,
        Err(NoFile::NotModified) => {
            let mut response = NoFile::NotModified.into_response();
            if let Some(etag) = etag(&linked.file.unique_id) {
                response.headers_mut().insert(header::ETAG, etag);
            }
            response
        }
        Err(error) => return error.into_response(),
    };
    describe(response.headers_mut(), &linked, now);
    response
}

/// What is said of a file whichever part of it is given.
fn describe(headers: &mut HeaderMap, linked: &Linked, now: Timestamp) {
    let mime = linked.mime.as_deref().unwrap_or("application/octet-stream");
    let kind = HeaderValue::try_from(mime).unwrap_or(HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::CONTENT_TYPE, kind);
    if let Ok(disposition) = HeaderValue::try_from(disposition(mime, &linked.name)) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    let age = linked.until.since(now).as_secs();
    if let Ok(caching) = HeaderValue::try_from(format!("private, max-age={age}, immutable")) {
        headers.insert(header::CACHE_CONTROL, caching);
    }
    // A stranger has made it: it is looked at and never run.
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; media-src 'self'; style-src 'unsafe-inline'; sandbox"),
    );
}

/// Shown where it can do no harm, otherwise saved; under its name in both forms (RFC 6266).
fn disposition(mime: &str, name: &str) -> String {
    let shown = ["image/", "audio/", "video/"].iter().any(|kind| mime.starts_with(kind));
    let shown = if shown && !mime.contains("svg") { "inline" } else { "attachment" };
    let plain: String = name
        .chars()
        .map(
            |letter| {
                if letter.is_ascii_graphic() && !matches!(letter, '"' | '\\' | '%') { letter } else { '_' }
            },
        )
        .collect();
    format!("{shown}; filename=\"{plain}\"; filename*=UTF-8''{}", utf8_percent_encode(name, EXTENDED))
}

fn etag(unique_id: &str) -> Option<HeaderValue> {
    let plain = unique_id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    plain.then(|| HeaderValue::try_from(format!("\"{unique_id}\"")).ok()).flatten()
}

/// The part of a file that is asked for, where its size is known.
fn part(wanted: Option<Wanted>, total: Option<u64>) -> Result<Option<Part>, NoFile> {
    let (Some(wanted), Some(total)) = (wanted, total) else { return Ok(None) };
    wanted.part_of(total).map(Some).map_err(|OutOfRange| NoFile::OutOfRange { total })
}

/// What Telegram sends, or the part of it that is asked for where Telegram sends the whole.
fn cut(
    response: http::Response<PipeBody>,
    wanted: Option<Wanted>,
    size: Option<u64>,
    place: OwnedSemaphorePermit,
) -> Result<Response, NoFile> {
    let (parts, body) = response.into_parts();
    if parts.status == StatusCode::PARTIAL_CONTENT {
        let part = Part::of(&parts.headers).ok_or(NoFile::BadGateway)?;
        if wanted.and_then(|wanted| wanted.part_of(part.total).ok()) != Some(part) {
            return Err(NoFile::BadGateway);
        }
        let body = Body::new(Slice::new(body, 0, Some(part.length), place));
        return Ok(answer(Some(part), Some(part.length), body));
    }
    let total = body.size_hint().exact().or(size);
    let part = part(wanted, total)?;
    let (skip, length) = part.map_or((0, total), |part| (part.start, Some(part.length)));
    Ok(answer(part, length, Body::new(Slice::new(body, skip, length, place))))
}

fn answer(part: Option<Part>, length: Option<u64>, body: Body) -> Response {
    let mut response = Response::new(body);
    if let Some(part) = part {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        response.headers_mut().insert(header::CONTENT_RANGE, part.header());
    }
    if let Some(length) = length {
        response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    response
}

impl IntoResponse for NoFile {
    fn into_response(self) -> Response {
        let status = match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::NotModified => StatusCode::NOT_MODIFIED,
            Self::OutOfRange { .. } => StatusCode::RANGE_NOT_SATISFIABLE,
            Self::BadGateway => StatusCode::BAD_GATEWAY,
            Self::Later(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        let mut response = status.into_response();
        match self {
            Self::OutOfRange { total } => {
                let range = HeaderValue::try_from(format!("bytes */{total}"));
                response.headers_mut().extend(range.ok().map(|range| (header::CONTENT_RANGE, range)));
            }
            Self::Later(after) => {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(after.as_secs().max(1)));
            }
            Self::NotFound | Self::NotModified | Self::BadGateway => {}
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_given_in_both_forms_and_strangers_code_is_saved_and_not_shown() {
        for (mime, name, expected) in [
            ("image/jpeg", "photo.jpg", "inline; filename=\"photo.jpg\"; filename*=UTF-8''photo.jpg"),
            (
                "application/pdf",
                "прайс \"1\".pdf",
                "attachment; filename=\"_______1_.pdf\"; filename*=UTF-8''%D0%BF%D1%80%D0%B0%D0%B9%D1%81%20%221%22.pdf",
            ),
            ("image/svg+xml", "x.svg", "attachment; filename=\"x.svg\"; filename*=UTF-8''x.svg"),
            ("text/html", "a\r\nb", "attachment; filename=\"a__b\"; filename*=UTF-8''a%0D%0Ab"),
        ] {
            assert_eq!(disposition(mime, name), expected);
            assert!(HeaderValue::try_from(disposition(mime, name)).is_ok());
        }
    }
}
