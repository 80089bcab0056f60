//! A Telegram that knows nothing but files and pictures: with ranges, as Telegram's own has them.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::stream;
use tokio::net::TcpListener;

/// How long its file is.
pub(super) const SIZE: usize = 20 << 20;
/// How much of it is in one piece.
const PIECE: usize = 64 << 10;

#[derive(Debug, Default)]
pub(super) struct Behaviour {
    /// It gives parts of files where they are asked for.
    pub(super) ranges: bool,
    /// The part it gives is another one.
    pub(super) wrong_part: bool,
    /// It has lost the file, so many times.
    pub(super) lost: u32,
    /// What `getUserProfilePhotos` answers.
    pub(super) pictures: Option<&'static str>,
    /// What it was asked, without tokens.
    pub(super) seen: Vec<String>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct FileServer(Arc<Mutex<Behaviour>>);

impl FileServer {
    pub(super) async fn start(behaviour: Behaviour) -> (Self, String) {
        let server = Self(Arc::new(Mutex::new(behaviour)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (server, url)
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut self.0.lock().unwrap());
    }

    /// What of this kind it was asked since somebody looked last.
    pub(super) fn take_seen(&self, what: &str) -> Vec<String> {
        let mut behaviour = self.0.lock().unwrap();
        let seen = std::mem::take(&mut behaviour.seen);
        seen.into_iter().filter(|line| line.starts_with(what)).collect()
    }
}

/// The byte at this place.
pub(super) fn byte(at: usize) -> u8 {
    u8::try_from(at % 251).unwrap()
}

async fn answer(State(server): State<FileServer>, request: Request) -> Response {
    let range = request.headers().get(header::RANGE).map(|range| range.to_str().unwrap().to_owned());
    let path = request.uri().path().to_owned();
    let name = path.rsplit('/').next().unwrap().to_owned();
    let mut behaviour = server.0.lock().unwrap();
    if !path.starts_with("/file/") {
        behaviour.seen.push(name.clone());
        let result = match name.as_str() {
            "getFile" => format!(
                r#"{{"file_id":"F","file_unique_id":"u","file_size":{SIZE},"file_path":"videos/file_1.mp4"}}"#
            ),
            "getUserProfilePhotos" => {
                let Some(pictures) = behaviour.pictures else {
                    let refusal = r#"{"ok":false,"error_code":500,"description":"Internal Server Error"}"#;
                    return json(StatusCode::INTERNAL_SERVER_ERROR, refusal.to_owned());
                };
                pictures.to_owned()
            }
            _ => "true".to_owned(),
        };
        return json(StatusCode::OK, format!(r#"{{"ok":true,"result":{result}}}"#));
    }
    behaviour.seen.push(format!("file {name} {}", range.as_deref().unwrap_or("whole")));
    if behaviour.lost > 0 {
        behaviour.lost -= 1;
        return (StatusCode::NOT_FOUND, "<html>404</html>").into_response();
    }
    let Some((first, last)) = range.filter(|_| behaviour.ranges).and_then(|range| part(&range)) else {
        return ([(header::CONTENT_LENGTH, SIZE.to_string())], piecewise(0, SIZE)).into_response();
    };
    let first = if behaviour.wrong_part { first + 1 } else { first };
    let headers = [
        (header::CONTENT_LENGTH, (last + 1 - first).to_string()),
        (header::CONTENT_RANGE, format!("bytes {first}-{last}/{SIZE}")),
    ];
    (StatusCode::PARTIAL_CONTENT, headers, piecewise(first, last + 1)).into_response()
}

fn json(status: StatusCode, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

fn part(range: &str) -> Option<(usize, usize)> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    if first.is_empty() {
        return Some((SIZE - last.parse::<usize>().ok()?, SIZE - 1));
    }
    Some((first.parse().ok()?, last.parse().unwrap_or(SIZE - 1).min(SIZE - 1)))
}

/// Made as it is sent.
fn piecewise(start: usize, end: usize) -> Body {
    Body::from_stream(stream::iter((start..end).step_by(PIECE).map(move |at| {
        let piece: Bytes = (at..end.min(at + PIECE)).map(byte).collect();
        Ok::<_, std::io::Error>(piece)
    })))
}
