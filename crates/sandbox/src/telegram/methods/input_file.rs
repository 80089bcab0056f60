//! Files given to a method: uploaded, attached, by URL or by `file_id`.
//!
//! URLs are fetched from the loopback interface over plain HTTP only: a sandbox must not reach out. Any other
//! address gets the answer Telegram has for a page it cannot load.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use super::Request;
use crate::telegram::ApiError;
use crate::telegram::files;
use crate::telegram::params::UploadedFile;
use crate::telegram::world::media::{Hints, MediaKind};

/// The largest file and the largest photo that Telegram fetches.
const URL_LIMIT: usize = 20 << 20;
const URL_PHOTO_LIMIT: usize = 5 << 20;

/// A file as a call gives it, before it is stored.
#[derive(Debug)]
pub(super) enum InputFile {
    /// New content.
    Content { bytes: Bytes, name: Option<String>, mime: Option<String> },
    /// A file of this bot.
    FileId(String),
}

/// Reads the file that `value` names, or that came in the part `part`.
pub(super) async fn read(
    request: Request<'_>,
    value: Option<&str>,
    part: &str,
    kind: MediaKind,
) -> Result<InputFile, ApiError> {
    let upload = match value {
        Some(value) => value.strip_prefix("attach://").and_then(|part| request.call.file(part)),
        None => request.call.file(part),
    };
    if let Some(upload) = upload {
        return uploaded(upload, kind);
    }
    let value = value.filter(|value| !value.starts_with("attach://"));
    let Some(value) = value.map(str::trim) else {
        return Err(ApiError::bad_request(format!("there is no {} in the request", part.replace('_', " "))));
    };
    if value.contains("://") {
        return fetch(value, kind).await;
    }
    Ok(InputFile::FileId(value.to_owned()))
}

fn uploaded(upload: &UploadedFile, kind: MediaKind) -> Result<InputFile, ApiError> {
    let size = u64::try_from(upload.bytes.len()).unwrap_or(u64::MAX);
    files::check_size(kind.file_kind(), size)?;
    let generic = |mime: &String| mime == "application/octet-stream" || mime.starts_with("text/plain");
    Ok(InputFile::Content {
        bytes: upload.bytes.clone(),
        name: Some(upload.file_name.clone()).filter(|name| !name.is_empty()),
        // What HTTP clients say for want of knowledge says nothing.
        mime: upload.content_type.clone().filter(|mime| !generic(mime)),
    })
}

/// The description of a file in a message, stored if it is new. A file sent again by `file_id` stays the kind
/// it was, as at Telegram.
pub(super) fn describe(
    request: Request<'_>,
    file: InputFile,
    kind: MediaKind,
    hints: &Hints,
) -> Result<(MediaKind, Value), ApiError> {
    let state = request.world();
    match file {
        InputFile::Content { bytes, name, mime } => {
            Ok((kind, state.shelf.add(request.bot, kind, bytes, name, mime, hints)?))
        }
        InputFile::FileId(id) => {
            let (real, value) = state
                .shelf
                .by_file_id(request.bot, &id)
                .ok_or_else(|| ApiError::bad_request("wrong file identifier/HTTP URL specified"))?;
            let alike = |kind: MediaKind| {
                matches!(
                    kind,
                    MediaKind::Document | MediaKind::Video | MediaKind::Animation | MediaKind::Audio
                )
            };
            if real == kind || (alike(real) && alike(kind)) {
                Ok((real, value))
            } else {
                let (real, kind) = (real.name(), kind.name());
                Err(ApiError::bad_request(format!("can't use file of type {real} as {kind}")))
            }
        }
    }
}

async fn fetch(address: &str, kind: MediaKind) -> Result<InputFile, ApiError> {
    let unloadable = || ApiError::bad_request("failed to get HTTP URL content");
    let url = url::Url::parse(address)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some())
        .ok_or_else(|| ApiError::bad_request("wrong file identifier/HTTP URL specified"))?;
    let loopback = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if !loopback || url.scheme() != "http" {
        return Err(unloadable());
    }
    let mut connector = HttpConnector::new();
    connector.set_connect_timeout(Some(std::time::Duration::from_secs(5)));
    let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build(connector);
    let uri: http::Uri = url.as_str().parse().map_err(|_no_uri| unloadable())?;
    let response = client.get(uri).await.map_err(|_error| unloadable())?;
    if !response.status().is_success() {
        return Err(unloadable());
    }
    let mime = response
        .headers()
        .get(http::header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .map(|value| value.trim().to_owned())
        .filter(|mime| !mime.is_empty());
    if mime.as_deref().is_some_and(|mime| !suits(mime, kind)) {
        return Err(ApiError::bad_request("wrong type of the web page content"));
    }
    let limit = if kind == MediaKind::Photo { URL_PHOTO_LIMIT } else { URL_LIMIT };
    let body = Limited::new(response.into_body(), limit).collect().await.map_err(|_error| unloadable())?;
    let name = url.path_segments().and_then(|mut parts| parts.next_back()).filter(|name| !name.is_empty());
    Ok(InputFile::Content { bytes: body.to_bytes(), name: name.map(str::to_owned), mime })
}

/// Whether a page of this type can be the wanted media at all.
fn suits(mime: &str, kind: MediaKind) -> bool {
    match kind {
        MediaKind::Photo => mime.starts_with("image/") || mime == "application/octet-stream",
        _ => mime != "text/html",
    }
}
