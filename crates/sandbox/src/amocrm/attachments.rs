//! Files that amoCRM gives out: clients' ones after they were fetched from Telegram or from a channel's
//! integration, and those that managers put in.
//!
//! A manager's file can be told to misbehave, because whoever downloads it must be ready for that. Bounded by
//! bytes, oldest forgotten first; a large file of a manager is made up while it is sent.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, State as Shared};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::AmoCrm;
use super::bot_api::{BotApi, in_words};
use super::calls::{Call, Part};
use super::inbound::SeenFile;

const KEPT_BYTES: usize = 256 << 20;
const CHUNK: u64 = 64 << 10;

/// A file with how it is given out.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    /// How it begins; a longer file goes on with filler.
    beginning: Bytes,
    size_bytes: u64,
    content_type: String,
    manner: Manner,
}

/// How a file is given out when somebody asks for it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Manner {
    /// Instead of its own type.
    content_type: Option<String>,
    /// This status and nothing else.
    status: Option<u16>,
    /// A redirect to this address.
    redirect: Option<String>,
    /// A pause in the middle, by the sandbox's clock.
    slow_ms: Option<u64>,
    /// Without Content-Length.
    no_length: bool,
    /// The connection breaks off after so many bytes.
    cut_at: Option<u64>,
}

impl Stored {
    /// A file that is given out as it is.
    pub(crate) fn plain(bytes: Bytes, content_type: &str) -> Self {
        let size_bytes = bytes.len() as u64;
        let content_type = content_type.to_owned();
        Self { beginning: bytes, size_bytes, content_type, manner: Manner::default() }
    }

    /// A manager's file: longer than its beginning when `size_bytes` says so.
    pub(crate) fn of_manager(
        beginning: Bytes,
        size_bytes: Option<u64>,
        content_type: &str,
        manner: Manner,
    ) -> Self {
        let size_bytes = size_bytes.unwrap_or(beginning.len() as u64);
        Self { beginning, size_bytes, content_type: content_type.to_owned(), manner }
    }

    pub(crate) fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// The bytes from `at` on, at most a chunk of them and none past `end`.
    fn chunk(&self, at: u64, end: u64) -> Bytes {
        let until = end.min(at.saturating_add(CHUNK));
        let begins = self.beginning.len() as u64;
        let index = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX);
        if at < begins {
            return self.beginning.slice(index(at)..index(until.min(begins)));
        }
        // The low byte of the place: any part of the file can be checked on its own.
        (at..until).map(|place| place.to_le_bytes()[0]).collect()
    }
}

/// The files by attachment id.
#[derive(Debug, Default)]
pub(crate) struct Attachments {
    files: BTreeMap<String, Stored>,
    order: VecDeque<String>,
    bytes: usize,
}

impl Attachments {
    fn find(&self, id: &str) -> Option<Stored> {
        self.files.get(id).cloned()
    }

    pub(crate) fn keep(&mut self, id: String, file: Stored) {
        self.bytes += file.beginning.len();
        self.order.push_back(id.clone());
        self.files.insert(id, file);
        while self.bytes > KEPT_BYTES
            && let Some(oldest) = self.order.pop_front()
        {
            self.bytes -= self.files.remove(&oldest).map_or(0, |file| file.beginning.len());
        }
    }
}

/// The address of a file.
pub(crate) fn link(base_url: &str, id: &str, file_name: &str) -> String {
    let name = percent_encoding::utf8_percent_encode(file_name, percent_encoding::NON_ALPHANUMERIC);
    format!("{base_url}/attachments/{id}/{name}")
}

/// `GET /attachments/{id}/{file_name}`: no authorisation, as with the real one.
pub(crate) async fn serve(
    Shared(amocrm): Shared<AmoCrm>,
    Path((id, _file_name)): Path<(String, String)>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let file = {
        let now_ms = amocrm.clock().now_ms();
        let mut state = amocrm.lock();
        let file = state.attachments.find(&id);
        let mut call =
            Call::new(Part::Attachments, "attachment", now_ms, &method, &uri, &headers, Bytes::new());
        call.status = Some(file.as_ref().map_or(404, Stored::status));
        state.calls.add(call);
        file
    };
    match file {
        Some(file) => file.answer(amocrm),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

impl Stored {
    fn status(&self) -> u16 {
        let redirect = self.manner.redirect.as_ref().map(|_| 302);
        self.manner.status.or(redirect).unwrap_or(200)
    }

    fn answer(self, amocrm: AmoCrm) -> Response {
        let status = StatusCode::from_u16(self.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if let Some(to) = self.manner.redirect {
            return (status, [(header::LOCATION, to)]).into_response();
        }
        if status != StatusCode::OK {
            return status.into_response();
        }
        let content_type = self.manner.content_type.clone().unwrap_or_else(|| self.content_type.clone());
        let mut answer = Response::new(Body::empty());
        if let Ok(value) = header::HeaderValue::from_str(&content_type) {
            answer.headers_mut().insert(header::CONTENT_TYPE, value);
        }
        if !self.manner.no_length {
            answer.headers_mut().insert(header::CONTENT_LENGTH, self.size_bytes.into());
        }
        *answer.body_mut() = Body::from_stream(self.stream(amocrm));
        answer
    }

    /// The bytes, with the pause in the middle and the end where they are to break off.
    ///
    /// A body that ends before its length was sent makes the server cut the connection.
    fn stream(self, amocrm: AmoCrm) -> impl stream::Stream<Item = Result<Bytes, Infallible>> {
        let end = self.manner.cut_at.map_or(self.size_bytes, |cut_at| cut_at.min(self.size_bytes));
        let middle = self.size_bytes / 2;
        stream::unfold((self, amocrm, 0_u64), move |(file, amocrm, at)| async move {
            if at >= end {
                // A pause lets the server send what it has before it notices that the rest is missing.
                tokio::task::yield_now().await;
                return None;
            }
            let mut until = end;
            if let Some(ms) = file.manner.slow_ms {
                if at < middle {
                    until = end.min(middle);
                } else if at == middle {
                    amocrm.clock().sleep(Duration::from_millis(ms)).await;
                }
            }
            let chunk = file.chunk(at, until);
            let next = at + chunk.len() as u64;
            Some((Ok(chunk), (file, amocrm, next)))
        })
    }
}

/// Fetches a file of the built-in integration and notes on the message how that went.
pub(crate) async fn fetch(amocrm: AmoCrm, api: BotApi, chat_id: String, message_id: String, file: SeenFile) {
    let fetched = api.file(&file.file_id).await;
    let mut state = amocrm.lock();
    let state = &mut *state;
    let Some(line) =
        state.account.chats.get_mut(&chat_id).and_then(|chat| chat.find_message_mut(&message_id))
    else {
        return;
    };
    let Some(attachment) = &mut line.attachment else { return };
    match fetched {
        Ok(bytes) => {
            attachment.size_bytes = Some(bytes.len() as u64);
            attachment.sha256 = Some(super::ids::hex(&Sha256::digest(&bytes)));
            state.attachments.keep(attachment.id.clone(), Stored::plain(bytes, "application/octet-stream"));
        }
        Err(error) => attachment.error = Some(in_words(&error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_file_goes_on_after_its_beginning() {
        let file = Stored::of_manager(Bytes::from_static(b"abc"), Some(300), "image/png", Manner::default());
        assert_eq!(file.chunk(0, 300), b"abc".as_slice());
        let rest = file.chunk(3, 300);
        assert_eq!((rest.len(), rest[0], rest[296]), (297, 3, 43));
        assert_eq!(file.chunk(1, 2), b"b".as_slice());
    }
}
