//! From a request's query and body to parameters and files (reference/telegram.md 1.2 and 1.3).

use std::io::Read as _;

use bytes::{Bytes, BytesMut};
use flate2::read::{DeflateDecoder, GzDecoder, ZlibDecoder};
use http::{HeaderMap, Request, header};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};

use super::{form, json, multipart};
use crate::telegram::params::{Params, UploadedFile};

/// Query string plus urlencoded or JSON body; likewise each multipart value.
pub(crate) const MAX_VALUE_BYTES: usize = 1 << 20;
/// A whole multipart body: one upload of the largest size, and room for its parameters.
const MAX_BODY_BYTES: usize = (50 << 20) + MAX_VALUE_BYTES;
/// How much of an oversize body is read and thrown away, so that its sender gets to read the answer.
const MAX_DRAINED_BYTES: u64 = 1 << 30;

/// What was read.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) params: Params,
    pub(crate) files: Vec<UploadedFile>,
    /// Whether all values are UTF-8; those that are not are missing in `params`.
    pub(crate) valid_utf8: bool,
}

impl Default for Parsed {
    fn default() -> Self {
        Self { params: Params::default(), files: Vec::new(), valid_utf8: true }
    }
}

impl Parsed {
    pub(super) fn add(&mut self, name: Vec<u8>, value: Vec<u8>) {
        match (String::from_utf8(name), String::from_utf8(value)) {
            (Ok(name), Ok(value)) => self.params.push(name, value),
            (Ok(_), Err(_)) => self.valid_utf8 = false,
            (Err(_), _) => {}
        }
    }
}

/// A request that cannot be read; the official server answers with a bare status line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("the request is malformed")]
    Malformed,
    #[error("the body is too large")]
    TooLarge,
    #[error("the content encoding is unknown")]
    UnknownEncoding,
    #[error("the headers of the parts are too large")]
    HeadersTooLarge,
    #[error("the transfer encoding is unknown")]
    UnknownTransfer,
}

impl ReadError {
    pub(crate) fn status(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::TooLarge => 413,
            Self::UnknownEncoding => 415,
            Self::HeadersTooLarge => 431,
            Self::UnknownTransfer => 501,
        }
    }
}

/// Reads a whole request.
pub(super) async fn read(request: Request<Incoming>) -> Result<Parsed, ReadError> {
    let (head, body) = request.into_parts();
    let query = head.uri.query().unwrap_or_default();
    let transfer = text(&head.headers, header::TRANSFER_ENCODING).unwrap_or_default();
    if !transfer.is_empty() && !transfer.eq_ignore_ascii_case("chunked") {
        return Err(ReadError::UnknownTransfer);
    }
    if query.len() > MAX_VALUE_BYTES {
        return Err(ReadError::TooLarge);
    }
    let body = if body.is_end_stream() { Bytes::new() } else { collect(body).await? };
    parse(query, &head.headers, body).await
}

/// Takes a query and a body of any form apart. Also for the answers of webhooks.
pub(crate) async fn parse(query: &str, headers: &HeaderMap, body: Bytes) -> Result<Parsed, ReadError> {
    let mut parsed = Parsed::default();
    form::read(query.as_bytes(), &mut parsed);
    if body.is_empty() {
        return Ok(parsed);
    }
    let body = decode(headers, body)?;
    let content_type = text(headers, header::CONTENT_TYPE).unwrap_or_default();
    let lower = content_type.to_ascii_lowercase();
    if lower.contains("multipart/form-data") {
        multipart::read(content_type, body, &mut parsed).await?;
    } else if multipart::is_form(&lower) || lower.contains("application/json") {
        if query.len() + body.len() > MAX_VALUE_BYTES {
            return Err(ReadError::TooLarge);
        }
        if multipart::is_form(&lower) {
            form::read(&body, &mut parsed);
        } else {
            json::read(&body, &mut parsed);
        }
    }
    Ok(parsed)
}

async fn collect(mut body: Incoming) -> Result<Bytes, ReadError> {
    let mut whole = BytesMut::new();
    let mut drained = 0_u64;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return Err(ReadError::Malformed) };
        let Ok(data) = frame.into_data() else { continue };
        if drained == 0 && whole.len() + data.len() <= MAX_BODY_BYTES {
            whole.extend_from_slice(&data);
            continue;
        }
        whole = BytesMut::new();
        drained += data.len() as u64;
        if drained > MAX_DRAINED_BYTES {
            break;
        }
    }
    if drained > 0 { Err(ReadError::TooLarge) } else { Ok(whole.freeze()) }
}

fn decode(headers: &HeaderMap, body: Bytes) -> Result<Bytes, ReadError> {
    match text(headers, header::CONTENT_ENCODING).map(str::trim).unwrap_or_default() {
        "" | "identity" => Ok(body),
        encoding if encoding.eq_ignore_ascii_case("gzip") => inflate(GzDecoder::new(&*body)),
        encoding if encoding.eq_ignore_ascii_case("deflate") => {
            // "deflate" means zlib, but some send the bare stream.
            match inflate(ZlibDecoder::new(&*body)) {
                Err(ReadError::Malformed) => inflate(DeflateDecoder::new(&*body)),
                inflated => inflated,
            }
        }
        _ => Err(ReadError::UnknownEncoding),
    }
}

fn inflate(decoder: impl std::io::Read) -> Result<Bytes, ReadError> {
    let mut whole = Vec::new();
    match decoder.take(MAX_BODY_BYTES as u64 + 1).read_to_end(&mut whole) {
        Ok(size) if size > MAX_BODY_BYTES => Err(ReadError::TooLarge),
        Ok(_) => Ok(whole.into()),
        Err(error) => {
            tracing::debug!(%error, "a compressed body cannot be read");
            Err(ReadError::Malformed)
        }
    }
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}
