//! Files of messages, given out at `file_url` without asking who wants them (reference 8.1).
//!
//! Bounded by bytes, oldest forgotten first.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use axum::Extension;
use axum::extract::{Path, State as Shared};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;

use super::Wahelp;
use super::api::bad_answer;
use super::fault::Fault;
use super::record::Call;
use super::state::State;
use crate::amocrm::door::Kill;
use crate::amocrm::ids::hex;

const KEPT_BYTES: usize = 256 << 20;
const ENDPOINT: &str = "file";

/// A file of a message.
#[derive(Debug, Clone)]
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) content_type: String,
    pub(crate) bytes: Bytes,
}

impl File {
    /// The type of the message that carries it.
    pub(crate) fn message_type(&self) -> &'static str {
        match self.content_type.split('/').next() {
            Some("image") => "image",
            Some("audio") => "audio",
            Some("video") => "video",
            _ => "document",
        }
    }
}

/// All files that are kept.
#[derive(Debug, Default)]
pub(crate) struct Files {
    by_id: BTreeMap<String, File>,
    oldest_first: VecDeque<String>,
    bytes: usize,
}

impl Files {
    fn keep(&mut self, id: &str, file: File) {
        self.bytes += file.bytes.len();
        self.by_id.insert(id.to_owned(), file);
        self.oldest_first.push_back(id.to_owned());
        while self.bytes > KEPT_BYTES {
            let Some(forgotten) = self.oldest_first.pop_front().and_then(|id| self.by_id.remove(&id)) else {
                break;
            };
            self.bytes -= forgotten.bytes.len();
        }
    }

    /// By its address.
    pub(crate) fn at(&self, url: &str) -> Option<&File> {
        let id = url.rsplit('/').nth(1)?;
        self.by_id.get(id)
    }
}

impl Wahelp {
    /// Keeps a file; the answer is its address.
    pub(crate) fn keep_file(&self, state: &mut State, file: File) -> String {
        let id = hex(&state.random.bytes::<16>());
        let name = percent_encoding::utf8_percent_encode(&file.name, percent_encoding::NON_ALPHANUMERIC);
        let url = format!("{}/files/{id}/{name}", self.url());
        state.files.keep(&id, file);
        url
    }
}

/// `GET /files/{file}/{name}`.
pub(crate) async fn serve(
    Shared(wahelp): Shared<Wahelp>,
    Extension(kill): Extension<Kill>,
    Path((id, _name)): Path<(String, String)>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let now_ms = wahelp.clock().now_ms();
    let (file, fault) = {
        let mut state = wahelp.lock();
        let fault = state.next_fault(ENDPOINT, now_ms);
        let file = state.files.by_id.get(&id).cloned();
        let mut call = Call::new(ENDPOINT, now_ms, &method, &uri, &headers, Bytes::new());
        let found = if file.is_some() { 200 } else { 404 };
        call.status = fault.is_none().then_some(found);
        call.fault.clone_from(&fault);
        state.calls.add(call);
        (file, fault)
    };
    let answer = match file {
        Some(file) => ([(header::CONTENT_TYPE, file.content_type)], file.bytes).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    };
    match fault {
        None => answer,
        Some(Fault::Slow { ms }) => {
            wahelp.clock().sleep(Duration::from_millis(ms)).await;
            answer
        }
        Some(fault) => bad_answer(fault, kill).await,
    }
}
