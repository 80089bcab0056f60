//! An HTTP server that can misbehave on the level of the connection: reset it, close it, end an answer in the middle,
//! listen no more.

use std::{convert::Infallible, future::Future, io, net::SocketAddr, time::Duration};

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::{Request, Response, StatusCode, header, request::Parts};
use http_body::Frame;
use http_body_util::{BodyExt as _, Full, StreamBody, combinators::BoxBody};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::watch,
};
use tokio_util::sync::CancellationToken;

/// What to do with a request.
#[derive(Debug)]
pub(crate) enum Reply {
    /// Answer.
    Whole(Response<Bytes>),
    /// Promise all of it, send so many bytes of the body, and close.
    Cut(Response<Bytes>, usize),
    /// Reset the connection.
    Reset,
}

impl Reply {
    /// An answer of a status and nothing else.
    pub(crate) fn status(status: StatusCode) -> Self {
        Self::whole(status, "text/plain", Bytes::new())
    }

    pub(crate) fn whole(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let mut response = Response::new(body.into());
        *response.status_mut() = status;
        response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(content_type));
        Self::Whole(response)
    }
}

/// Whether anybody listens.
#[derive(Debug, Clone)]
pub(crate) struct Door(watch::Sender<bool>);

impl Door {
    pub(crate) fn open() -> Self {
        Self(watch::Sender::new(true))
    }

    /// Connections are refused from now on, and those that are open end.
    pub(crate) fn shut(&self) {
        self.0.send_replace(false);
    }

    pub(crate) fn reopen(&self) {
        self.0.send_replace(true);
    }
}

/// Listens on a free port of this machine and answers with `handle` for as long as the program runs.
pub(crate) async fn listen<H, F>(door: Door, handle: H) -> io::Result<SocketAddr>
where
    H: Fn(Parts, Bytes) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Reply> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(accept(listener, address, door, handle));
    Ok(address)
}

async fn accept<H, F>(listener: TcpListener, address: SocketAddr, door: Door, handle: H)
where
    H: Fn(Parts, Bytes) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Reply> + Send + 'static,
{
    let mut listener = Some(listener);
    let mut state = door.0.subscribe();
    let mut opening = CancellationToken::new();
    loop {
        if *state.borrow_and_update() {
            let Some(open) = &listener else {
                // The port is kept bound all the time, so that nobody else gets it.
                listener = reopened(address).await;
                continue;
            };
            tokio::select! {
                accepted = open.accept() => match accepted {
                    Ok((stream, _)) => {
                        tokio::spawn(serve(stream, handle.clone(), opening.child_token()));
                    }
                    Err(_too_many_files) => tokio::time::sleep(Duration::from_millis(10)).await,
                },
                changed = state.changed() => if changed.is_err() { return },
            }
        } else {
            opening.cancel();
            opening = CancellationToken::new();
            listener = None;
            if state.changed().await.is_err() {
                return;
            }
        }
    }
}

async fn reopened(address: SocketAddr) -> Option<TcpListener> {
    let open = || -> io::Result<TcpListener> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(1024)
    };
    match open() {
        Ok(listener) => Some(listener),
        Err(_taken) => {
            tokio::time::sleep(Duration::from_millis(10)).await;
            None
        }
    }
}

async fn serve<H, F>(stream: TcpStream, handle: H, kill: CancellationToken)
where
    H: Fn(Parts, Bytes) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Reply> + Send + 'static,
{
    let reset_now = kill.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let (handle, reset_now) = (handle.clone(), reset_now.clone());
        async move {
            let (parts, body) = request.into_parts();
            let Ok(body) = body.collect().await else { return Ok(never(&reset_now).await) };
            Ok::<_, Infallible>(match handle(parts, body.to_bytes()).await {
                Reply::Whole(response) => {
                    response.map(|body| Full::new(body).map_err(|never| match never {}).boxed())
                }
                Reply::Cut(response, bytes) => cut(response, bytes),
                Reply::Reset => never(&reset_now).await,
            })
        }
    });
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        biased;
        () = kill.cancelled() => {
            let stream = connection.into_parts().io.into_inner();
            // If it cannot be reset it is closed, which is bad enough.
            let _ = stream.set_zero_linger();
        }
        _ended = &mut connection => {}
    }
}

type Body = BoxBody<Bytes, io::Error>;

/// Ends the connection under whoever waits here.
async fn never(reset_now: &CancellationToken) -> Response<Body> {
    reset_now.cancel();
    std::future::pending().await
}

fn cut(response: Response<Bytes>, bytes: usize) -> Response<Body> {
    let (mut parts, body) = response.into_parts();
    parts.headers.insert(header::CONTENT_LENGTH, body.len().into());
    let beginning = body.slice(..bytes.min(body.len()));
    let frames = futures_util::stream::iter([Ok(Frame::data(beginning))])
        .chain(futures_util::stream::iter([Err(io::Error::from(io::ErrorKind::BrokenPipe))]));
    Response::from_parts(parts, http_body_util::BodyExt::boxed(StreamBody::new(frames)))
}
