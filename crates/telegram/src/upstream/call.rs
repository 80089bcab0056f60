//! Calls of our own: small, answered whole, their errors sorted by what to do next.

use std::{sync::Arc, time::Duration};

use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderValue, Method, Request, Response, header};
use http_body::Body as _;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::{Instrument, debug_span};

use super::{
    CallError, Lost, NotSent, PipeBody, RequestBody, Thread, TransportError, UploadError, Upstream,
    address::{self, Environment},
    body::{Progress, Upload},
};
use crate::{
    envelope::{Answer, NotAnAnswer},
    params::Params,
    token::{Token, redact},
};

pub(super) const USER_AGENT: HeaderValue =
    HeaderValue::from_static(concat!("tandem/", env!("CARGO_PKG_VERSION")));
/// How much of a foreign answer is shown.
const EXCERPT_BYTES: usize = 200;

/// Why there is no answer to look at.
#[derive(Debug)]
pub(super) enum SendError {
    NotSent(NotSent),
    Lost(Lost),
    Upload(UploadError),
}

impl Upstream {
    /// Calls a method and gives the bytes of its result.
    ///
    /// Dropping the future before it is ready leaves open whether Telegram did it.
    pub async fn call(&self, token: &Token, method: &str, params: &Params) -> Result<Bytes, CallError> {
        self.answer_to(token, method, params, self.0.limits.answer, &self.0.connections).await
    }

    /// The same for a call that Telegram may hold back for a while.
    pub(super) async fn poll(
        &self,
        token: &Token,
        method: &str,
        params: &Params,
        timeout: Duration,
    ) -> Result<Bytes, CallError> {
        self.answer_to(token, method, params, timeout + self.0.limits.poll_margin, &self.0.polls).await
    }

    async fn answer_to(
        &self,
        token: &Token,
        method: &str,
        params: &Params,
        limit: Duration,
        permits: &Arc<Semaphore>,
    ) -> Result<Bytes, CallError> {
        let span = debug_span!("telegram.call", bot.id = %token.bot(), telegram.method = method);
        let calling = async {
            let request = self.request_for(token, method, params)?;
            let response = self.send(request, limit, permits).await.map_err(|error| match error {
                SendError::NotSent(error) => CallError::NotSent(error),
                SendError::Lost(error) => CallError::Lost(error),
                SendError::Upload(_) => unreachable!("a body that is here whole does not break off"),
            })?;
            self.read_answer(response).await
        };
        calling.instrument(span).await
    }

    fn request_for(
        &self,
        token: &Token,
        method: &str,
        params: &Params,
    ) -> Result<Request<Full<Bytes>>, CallError> {
        let uri = address::method(&self.0.api, token, Environment::Production, method, None)
            .ok_or(CallError::NotSent(NotSent::Address))?;
        let (content_type, body) = encode(params);
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri;
        request.headers_mut().insert(header::CONTENT_TYPE, content_type);
        request.headers_mut().insert(header::USER_AGENT, USER_AGENT);
        Ok(request)
    }

    /// Sends a request and waits for the beginning of its answer.
    pub(super) async fn send<B>(
        &self,
        request: Request<B>,
        limit: Duration,
        permits: &Arc<Semaphore>,
    ) -> Result<Response<PipeBody>, SendError>
    where
        B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let permit = self.permit(permits).await.ok_or(SendError::NotSent(NotSent::Busy))?;
        let progress = Progress::start();
        let watched = progress.clone();
        let sent = self.0.traffic.sent.clone();
        let thread = request.extensions().get::<Thread>();
        let client = thread.and_then(|thread| self.0.clients.get(thread.0)).unwrap_or(&self.0.client);
        let request = request.map(|body| RequestBody::new(Upload { body, progress: watched, sent }));
        let mut answering = std::pin::pin!(client.request(request));
        let answered = loop {
            let deadline = progress.last() + limit;
            match tokio::time::timeout_at(deadline, &mut answering).await {
                Ok(answered) => break answered,
                // An upload that still moves is no answer that is late.
                Err(_) if progress.last() + limit > deadline => {}
                Err(_) => return Err(SendError::Lost(Lost::Timeout(limit))),
            }
        };
        match answered {
            Ok(response) => {
                let (idle, received) = (self.0.limits.idle, self.0.traffic.received.clone());
                Ok(response.map(|body| PipeBody::new(body, idle, received, permit)))
            }
            Err(error) => Err(match progress.take_broken() {
                Some(broken) => SendError::Upload(broken),
                None => sort(error),
            }),
        }
    }

    async fn permit(&self, permits: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
        let waiting = Arc::clone(permits).acquire_owned();
        tokio::time::timeout(self.0.limits.connect, waiting).await.ok()?.ok()
    }

    pub(super) async fn read_answer(&self, response: Response<PipeBody>) -> Result<Bytes, CallError> {
        let status = response.status();
        let body = self.read_whole(response.into_body()).await.map_err(CallError::Lost)?;
        match Answer::parse(&body) {
            Ok(Answer::Done { result }) => Ok(result),
            Ok(Answer::Refused(refusal)) => Err(CallError::of_refusal(refusal)),
            // A success that is cut short or garbled is no gateway's page.
            Err(what) => Err(CallError::BadGateway { status, what, excerpt: excerpt(&body, what) }),
        }
    }

    async fn read_whole(&self, mut body: PipeBody) -> Result<Bytes, Lost> {
        let limit = self.0.limits.max_answer_bytes;
        let expected = body.size_hint().exact().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
        let mut whole = BytesMut::with_capacity(expected.min(limit));
        while let Some(frame) = body.frame().await {
            if let Ok(data) = frame.map_err(Lost::Answer)?.into_data() {
                if whole.len() + data.len() > limit {
                    return Err(Lost::TooLong);
                }
                whole.put(data);
            }
        }
        Ok(whole.freeze())
    }
}

/// Whether the request can have arrived. hyper gives a request back, as "cancelled", only when it never began to write
/// it; everything else after connecting counts as sent.
fn sort(error: legacy::Error) -> SendError {
    let never_begun = std::error::Error::source(&error)
        .and_then(|source| source.downcast_ref::<hyper::Error>())
        .is_some_and(hyper::Error::is_canceled);
    let not_sent = error.is_connect() || never_begun;
    let error = TransportError::of_request(error);
    if not_sent {
        SendError::NotSent(NotSent::Transport(error))
    } else {
        SendError::Lost(Lost::Transport(error))
    }
}

fn excerpt(body: &[u8], what: NotAnAnswer) -> String {
    if what == NotAnAnswer::Empty {
        return String::new();
    }
    // A token that the cut would leave half of is still found: it is looked for before.
    let head = String::from_utf8_lossy(&body[..body.len().min(4 * EXCERPT_BYTES)]);
    let text = redact(&head).split_whitespace().collect::<Vec<_>>().join(" ");
    text.chars().take(EXCERPT_BYTES).collect()
}

/// Parameters as a body: urlencoded, or multipart where there are files.
fn encode(params: &Params) -> (HeaderValue, Bytes) {
    if params.files().is_empty() {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(params.texts());
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        return (kind, form.finish().into());
    }
    let boundary = boundary_for(params);
    let mut body = BytesMut::new();
    let head = |body: &mut BytesMut, name: &str, file_name: Option<&str>| {
        let file_name = file_name.map_or_else(String::new, |file| format!("; filename=\"{}\"", quoted(file)));
        let name = quoted(name);
        let head =
            format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"{file_name}\r\n\r\n");
        body.put_slice(head.as_bytes());
    };
    for (name, value) in params.texts() {
        head(&mut body, name, None);
        body.put_slice(value.as_bytes());
        body.put_slice(b"\r\n");
    }
    for file in params.files() {
        head(&mut body, &file.name, Some(&file.file_name));
        body.put_slice(&file.content);
        body.put_slice(b"\r\n");
    }
    body.put_slice(format!("--{boundary}--\r\n").as_bytes());
    let kind = HeaderValue::try_from(format!("multipart/form-data; boundary={boundary}"))
        .expect("a boundary of letters and digits is a header value");
    (kind, body.freeze())
}

/// A boundary that stands in none of the parts.
fn boundary_for(params: &Params) -> String {
    let mut number = 0_u64;
    loop {
        let boundary = format!("tandem{number:016x}");
        let inside = |bytes: &[u8]| memchr::memmem::find(bytes, boundary.as_bytes()).is_some();
        let taken = params.texts().any(|(_, value)| inside(value.as_bytes()))
            || params.files().iter().any(|file| inside(&file.content));
        if !taken {
            return boundary;
        }
        number += 1;
    }
}

pub(super) fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace(['\r', '\n'], " ")
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;
    use crate::params::FilePart;

    #[test]
    fn what_is_written_is_read_back() {
        let mut params = Params::of([
            ("a", "x&y=\u{e9} \"z\"\r\n".to_owned()),
            ("b", "tandem0000000000000000".to_owned()),
        ]);
        for files in 0..2 {
            let (kind, body) = encode(&params);
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, kind);
            let read = Params::read(None, &headers, &body).unwrap();
            assert_eq!(read, params);
            assert_eq!(read.files().len(), files);
            params.attach(FilePart {
                name: "c\"d".to_owned(),
                file_name: "e\\f\".pem".to_owned(),
                content_type: None,
                size_bytes: 4,
                content: Bytes::from_static(b"\r\n--"),
            });
        }
    }

    #[test]
    fn an_excerpt_is_short_and_has_no_token() {
        let page = format!(
            "<html>\n <a href=\"/bot1:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0/x\">{}",
            "long ".repeat(300)
        );
        let text = excerpt(page.as_bytes(), NotAnAnswer::Html);
        assert!(text.starts_with("<html> <a href=\"/bot1:../x\">long"), "{text}");
        assert_eq!(text.chars().count(), EXCERPT_BYTES);
    }
}
