//! Calls of our own that carry files: streamed, with nothing held in memory beyond what is on its way.
//!
//! A body that breaks off, because whoever gives the file does, is no call: Telegram carries out nothing that did not
//! arrive whole. So the same call can be made again.

use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_util::Stream;
use http::{HeaderValue, Method, Request, header};
use http_body::{Body, Frame, SizeHint};
use tracing::{Instrument, debug_span};

use super::{
    CallError, NotSent, UploadError, Upstream,
    address::{self, Environment},
    call::{SendError, USER_AGENT, quoted},
};
use crate::{params::Params, token::Token};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A file as it comes.
pub type FileStream = Pin<Box<dyn Stream<Item = Result<Bytes, BoxError>> + Send>>;

/// A part of a body that carries a file.
pub struct FileUpload {
    /// Its name.
    pub name: String,
    /// The name of the file.
    pub file_name: String,
    /// How long the file is. A stream of another length breaks the body off.
    pub size_bytes: u64,
    /// The file.
    pub content: FileStream,
}

/// What became of an upload that was not simply done.
#[derive(Debug, thiserror::Error)]
pub enum UploadCallError {
    /// Whoever gives the file broke off: nothing was done.
    #[error("the file broke off")]
    File(#[source] UploadError),
    /// As of any other call.
    #[error(transparent)]
    Call(#[from] CallError),
}

/// A stream was longer or shorter than was said.
#[derive(Debug, thiserror::Error)]
#[error("the file has another length than was said")]
struct WrongLength;

impl Upstream {
    /// Calls a method with files and gives the bytes of its result. `boundary` is a text of letters and digits that
    /// nobody can guess, so that no file contains it.
    ///
    /// Dropping the future before it is ready leaves open whether Telegram did it.
    pub async fn upload(
        &self,
        token: &Token,
        method: &str,
        params: &Params,
        files: Vec<FileUpload>,
        boundary: &str,
    ) -> Result<Bytes, UploadCallError> {
        let span = debug_span!("telegram.upload", bot.id = %token.bot(), telegram.method = method);
        let calling = async {
            let uri = address::method(&self.0.api, token, Environment::Production, method, None)
                .ok_or(CallError::NotSent(NotSent::Address))?;
            let kind = HeaderValue::try_from(format!("multipart/form-data; boundary={boundary}"))
                .map_err(|_invalid| CallError::NotSent(NotSent::Address))?;
            let mut request = Request::new(Multipart::new(params, files, boundary));
            *request.method_mut() = Method::POST;
            *request.uri_mut() = uri;
            request.headers_mut().insert(header::CONTENT_TYPE, kind);
            request.headers_mut().insert(header::USER_AGENT, USER_AGENT);
            let sent = self.send(request, self.0.limits.answer, &self.0.connections).await;
            let response = sent.map_err(|error| match error {
                SendError::NotSent(error) => UploadCallError::Call(CallError::NotSent(error)),
                SendError::Lost(error) => UploadCallError::Call(CallError::Lost(error)),
                SendError::Upload(error) => UploadCallError::File(error),
            })?;
            Ok(self.read_answer(response).await?)
        };
        calling.instrument(span).await
    }
}

/// A multipart body whose files come as they come.
struct Multipart {
    pieces: VecDeque<Piece>,
    length: u64,
}

enum Piece {
    Bytes(Bytes),
    File { content: FileStream, left: u64 },
}

impl Multipart {
    fn new(params: &Params, files: Vec<FileUpload>, boundary: &str) -> Self {
        let mut body = Self { pieces: VecDeque::new(), length: 0 };
        for (name, value) in params.texts() {
            let name = quoted(name);
            body.text(format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            ));
        }
        for file in files {
            let (name, file_name) = (quoted(&file.name), quoted(&file.file_name));
            body.text(format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{file_name}\"\r\n\r\n"
            ));
            body.length += file.size_bytes;
            body.pieces.push_back(Piece::File { content: file.content, left: file.size_bytes });
            body.text("\r\n".to_owned());
        }
        body.text(format!("--{boundary}--\r\n"));
        body
    }

    fn text(&mut self, text: String) {
        self.length += text.len() as u64;
        self.pieces.push_back(Piece::Bytes(text.into()));
    }
}

impl Body for Multipart {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        loop {
            let data = match self.pieces.front_mut() {
                None => return Poll::Ready(None),
                Some(Piece::Bytes(bytes)) => {
                    let bytes = std::mem::take(bytes);
                    self.pieces.pop_front();
                    bytes
                }
                Some(Piece::File { content, left }) => match ready!(content.as_mut().poll_next(cx)) {
                    Some(Ok(data)) => {
                        let Some(after) = left.checked_sub(data.len() as u64) else {
                            return Poll::Ready(Some(Err(WrongLength.into())));
                        };
                        *left = after;
                        data
                    }
                    Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                    None if *left > 0 => return Poll::Ready(Some(Err(WrongLength.into()))),
                    None => {
                        self.pieces.pop_front();
                        continue;
                    }
                },
            };
            if !data.is_empty() {
                self.length -= data.len() as u64;
                return Poll::Ready(Some(Ok(Frame::data(data))));
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length)
    }
}

impl fmt::Debug for FileUpload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileUpload")
            .field("name", &self.name)
            .field("size_bytes", &self.size_bytes)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use http_body_util::BodyExt;

    use super::*;

    fn file(name: &str, size_bytes: u64, chunks: &[&'static str]) -> FileUpload {
        let chunks: Vec<Result<Bytes, BoxError>> =
            chunks.iter().map(|chunk| Ok(Bytes::from_static(chunk.as_bytes()))).collect();
        FileUpload {
            name: name.to_owned(),
            file_name: format!("{name} \"1\".txt"),
            size_bytes,
            content: Box::pin(futures_util::stream::iter(chunks)),
        }
    }

    #[tokio::test]
    async fn a_body_is_what_was_said_and_as_long_as_was_said() {
        let params = Params::of([("chat_id", "7".to_owned()), ("caption", "é\r\n--b".to_owned())]);
        let files = vec![file("a", 6, &["abc", "", "def"]), file("b", 0, &[])];
        let body = Multipart::new(&params, files, "tandem0");
        let length = body.size_hint().exact().unwrap();
        let bytes = body.collect().await.unwrap().to_bytes();
        assert_eq!(bytes.len() as u64, length);
        let mut headers = HeaderMap::new();
        headers
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("multipart/form-data; boundary=tandem0"));
        let read = Params::read(None, &headers, &bytes).unwrap();
        assert_eq!((read.text("chat_id"), read.text("caption")), (Some("7"), Some("é\r\n--b")));
        let files: Vec<_> =
            read.files().iter().map(|file| (file.file_name.as_str(), &file.content[..])).collect();
        assert_eq!(files, [("a \"1\".txt", b"abcdef".as_slice()), ("b \"1\".txt", b"")]);
    }

    #[tokio::test]
    async fn a_file_of_another_length_breaks_the_body_off() {
        for size in [2, 4] {
            let body = Multipart::new(&Params::of([]), vec![file("a", size, &["abc"])], "tandem0");
            let error = body.collect().await.unwrap_err();
            assert!(error.is::<WrongLength>(), "{error}");
        }
    }
}
