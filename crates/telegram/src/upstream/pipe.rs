//! The pipe: an app's request to Telegram and the answer back, both streaming.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, Request, Response, StatusCode, Version, header};
use tracing::{Instrument, debug_span};

use super::{
    NotSent, PipeBody, PipeError, Upstream,
    address::{self, Environment},
    call::SendError,
};
use crate::token::Token;

/// What a piped request is for.
#[derive(Debug, Clone, Copy)]
pub enum Target<'a> {
    /// A method, by the name the app used, decoded. With `test/` before it, the test environment is meant.
    Method(&'a str),
    /// A file, by its path, decoded. With `test/` before it, the test environment is meant.
    File(&'a str),
}

/// Headers that concern one connection only (RFC 9110, 7.6.1), and those that its ends set for themselves.
const HOP_BY_HOP: [HeaderName; 9] = [
    header::CONNECTION,
    header::HOST,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::EXPECT,
];

/// More of them, which have no constant, and what tells Telegram about the app's whereabouts.
const PRIVATE: [&str; 5] = ["keep-alive", "proxy-connection", "forwarded", "via", "x-real-ip"];

impl Upstream {
    /// Sends a request on, as this bot. Method, query, headers and body are the app's; its address, connection headers
    /// and what is said about where it runs are not. Nothing is held in memory beyond the buffers of two connections:
    /// whichever side is slower sets the pace.
    ///
    /// Methods are asked for without compression, so that the answer can be read on its way; whatever is not JSON is
    /// an error ([`PipeError::BadGateway`]), because apps must not see it. Files come as they are, pages in their place do
    /// not.
    pub async fn pipe<B>(
        &self,
        token: &Token,
        target: Target<'_>,
        request: Request<B>,
    ) -> Result<Response<PipeBody>, PipeError>
    where
        B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (mut parts, body) = request.into_parts();
        let query = parts.uri.query();
        let name = match target {
            Target::Method(name) => name,
            Target::File(_) => "file",
        };
        let span = debug_span!("telegram.pipe", bot.id = %token.bot(), telegram.method = name);
        let uri = match target {
            Target::Method(method) => {
                let (environment, method) = environment(method);
                address::method(&self.0.api, token, environment, method, query)
            }
            Target::File(path) => {
                let (environment, path) = environment(path);
                let uri = address::file(&self.0.files, token, environment, path, query);
                Some(uri.ok_or(PipeError::NoFile)?)
            }
        };
        parts.uri = uri.ok_or(PipeError::NotSent(NotSent::Address))?;
        parts.version = Version::HTTP_11;
        strip(&mut parts.headers);
        if matches!(target, Target::Method(_)) {
            parts.headers.remove(header::ACCEPT_ENCODING);
        }
        let request = Request::from_parts(parts, body);
        let sending = self.send(request, self.0.limits.answer, &self.0.connections);
        let mut response = sending.instrument(span).await.map_err(|error| match error {
            SendError::NotSent(error) => PipeError::NotSent(error),
            SendError::Lost(error) => PipeError::Lost(error),
            SendError::Upload(error) => PipeError::Upload(error),
        })?;
        let status = response.status();
        let foreign = match target {
            Target::Method(_) => !is_json(response.headers()),
            Target::File(_) => !status.is_success() && !is_json(response.headers()),
        };
        if foreign {
            return Err(match (target, status) {
                (Target::File(_), StatusCode::NOT_FOUND) => PipeError::NoFile,
                _ => PipeError::BadGateway { status },
            });
        }
        strip(response.headers_mut());
        Ok(response)
    }
}

fn environment(path: &str) -> (Environment, &str) {
    match path.strip_prefix("test/") {
        Some(rest) => (Environment::Test, rest),
        None => (Environment::Production, path),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = crate::params::content_type(headers);
    kind.get(..16).is_some_and(|head| head.eq_ignore_ascii_case("application/json"))
}

/// Takes out what ends here: what the standard names, what `Connection` names, and what is private.
fn strip(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        // A sender cannot have its length or type taken away.
        .filter(|name| *name != header::CONTENT_LENGTH && *name != header::CONTENT_TYPE)
        .collect();
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
    let private: Vec<HeaderName> = headers
        .keys()
        .filter(|name| {
            let name = name.as_str();
            PRIVATE.contains(&name) || name.starts_with("x-forwarded-") || name.starts_with("tandem-")
        })
        .cloned()
        .collect();
    for name in private {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn headers_of_one_connection_end_here() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "close, X-Hop, Content-Length"),
            ("x-hop", "1"),
            ("keep-alive", "timeout=5"),
            ("transfer-encoding", "chunked"),
            ("host", "gateway:8080"),
            ("expect", "100-continue"),
            ("x-forwarded-for", "10.0.0.1"),
            ("x-real-ip", "10.0.0.1"),
            ("tandem-conversation", "manager"),
            ("content-length", "5"),
            ("content-type", "application/json"),
            ("user-agent", "aiogram"),
            ("x-custom", "kept"),
        ] {
            headers.append(name, HeaderValue::from_static(value));
        }
        strip(&mut headers);
        let mut left: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["content-length", "content-type", "user-agent", "x-custom"]);
    }

    #[test]
    fn json_is_known_by_its_type() {
        for (kind, json) in [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("text/html", false),
            ("", false),
            ("é", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(kind).unwrap());
            assert_eq!(is_json(&headers), json, "{kind}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }
}
