//! Asking for a file, following where it is, and reading its beginning.

use std::error::Error;

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use http::{Response, StatusCode, header};
use http_body::Body as _;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tandem_telegram::{
    reply::HEAD_BYTES,
    upstream::{FetchError, FileStream},
};
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::{FileTrouble, Files, OpenFile, Source};

/// How often a file may be somewhere else.
const REDIRECTS: usize = 3;

impl Files {
    /// A file, on its way if its length is known.
    pub(in crate::replies) async fn open(&self, source: Source<'_>) -> Result<OpenFile, FileTrouble> {
        let (body, size, ends) = self.ask(source).await?;
        let incoming = self.stream(body, ends);
        match size {
            Some(size_bytes) => with_head(incoming, size_bytes).await,
            None => self.spool(incoming).await,
        }
    }

    /// A file that is here whole.
    pub(in crate::replies) async fn open_whole(&self, source: Source<'_>) -> Result<OpenFile, FileTrouble> {
        let (body, _size, ends) = self.ask(source).await?;
        self.spool(self.stream(body, ends)).await
    }

    /// Asks for a file wherever it is: its body, its length and until when it may come.
    async fn ask(&self, source: Source<'_>) -> Result<(Incoming, Option<u64>, Instant), FileTrouble> {
        let ends = Instant::now() + self.config.whole;
        let response = timeout_at(ends.min(Instant::now() + self.config.idle), self.follow(source)).await;
        let response =
            response.unwrap_or_else(|_late| Err(FileTrouble::later("the file's server does not answer")))?;
        let encoded = response.headers().get(header::CONTENT_ENCODING);
        if encoded.is_some_and(|encoding| encoding.as_bytes() != b"identity") {
            return Err(FileTrouble::never("the file's server sends something else than the file"));
        }
        let size = response.body().size_hint().exact();
        if size.is_some_and(|size| size > self.config.max_bytes) {
            return Err(self.too_large());
        }
        Ok((response.into_body(), size, ends))
    }

    async fn follow(&self, source: Source<'_>) -> Result<Response<Incoming>, FileTrouble> {
        let fetcher = self.fetcher().map_err(|error| FileTrouble::Later(error.to_string()))?;
        let unusable = || FileTrouble::never("the file's address cannot be used");
        let mut url = Url::parse(source.url).map_err(|_malformed| unusable())?;
        for _ in 0..=REDIRECTS {
            let address = self.admit(source, &url)?;
            let response = fetcher.get(address).await.map_err(|error| match error {
                FetchError::NotAllowed => {
                    FileTrouble::never("the file's address is not one of the public internet")
                }
                FetchError::Transport(error) => FileTrouble::Later(format!("the file's server: {error}")),
            })?;
            let status = response.status();
            if status.is_success() {
                return Ok(response);
            }
            if !status.is_redirection() {
                return Err(of_status(status));
            }
            let location = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
            let location = location.ok_or_else(|| of_status(status))?;
            url = url.join(location).map_err(|_malformed| unusable())?;
        }
        Err(FileTrouble::never("the file is somewhere else again and again"))
    }

    /// A body within its time.
    fn stream(&self, body: Incoming, ends: Instant) -> FileStream {
        let idle = self.config.idle;
        Box::pin(stream::try_unfold(body, move |mut body| async move {
            let late = |_elapsed| Box::<dyn Error + Send + Sync>::from("the file takes too long");
            let frame = timeout_at(ends.min(Instant::now() + idle), body.frame()).await.map_err(late)?;
            Ok(frame.transpose()?.map(|frame| (frame.into_data().unwrap_or_default(), body)))
        }))
    }

    pub(super) fn too_large(&self) -> FileTrouble {
        FileTrouble::Never(format!("the file is larger than {} MB", self.config.max_bytes >> 20))
    }
}

/// Reads the beginning of a file and puts it before the rest.
async fn with_head(mut content: FileStream, size_bytes: u64) -> Result<OpenFile, FileTrouble> {
    let mut head = BytesMut::new();
    while head.len() < HEAD_BYTES {
        match content.next().await {
            Some(Ok(data)) => head.extend_from_slice(&data),
            Some(Err(error)) => return Err(broke(&*error)),
            None => break,
        }
    }
    let head: Bytes = head.freeze();
    let beginning = stream::iter([Ok(head.clone())]);
    Ok(OpenFile { head, size_bytes, content: Box::pin(beginning.chain(content)) })
}

/// What is said of a file that broke off.
pub(super) fn broke(error: &(dyn Error + Send + Sync + 'static)) -> FileTrouble {
    FileTrouble::Later(format!("the file broke off: {error}"))
}

fn of_status(status: StatusCode) -> FileTrouble {
    let words = format!("the file's server answered {}", status.as_u16());
    match status {
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => {
            FileTrouble::Later(words)
        }
        status if status.is_server_error() => FileTrouble::Later(words),
        _ => FileTrouble::Never(words),
    }
}
