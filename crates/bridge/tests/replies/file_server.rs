//! A vendor's server of files: says what the test has it say, byte for byte.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// Answers by path; each request takes the next one, and the last one stays.
type Answers = Arc<Mutex<HashMap<String, Vec<Answer>>>>;

#[derive(Clone)]
struct Answer {
    bytes: Vec<u8>,
    hangs: bool,
}

pub(crate) struct FileServer {
    pub(crate) url: String,
    answers: Answers,
    asked: Arc<Mutex<Vec<String>>>,
}

impl FileServer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = Self { url, answers: Answers::default(), asked: Arc::default() };
        let (answers, asked) = (Arc::clone(&server.answers), Arc::clone(&server.asked));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&answers), Arc::clone(&asked)));
            }
        });
        server
    }

    /// Where a file with these contents is.
    pub(crate) fn file(&self, path: &str, contents: &[u8]) -> String {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", contents.len());
        self.raw(path, &[head.as_bytes(), contents].concat())
    }

    /// The same without a length.
    pub(crate) fn chunked(&self, path: &str, contents: &[u8]) -> String {
        let mut answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        for chunk in contents.chunks(10_000) {
            answer.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
            answer.extend_from_slice(chunk);
            answer.extend_from_slice(b"\r\n");
        }
        answer.extend_from_slice(b"0\r\n\r\n");
        self.raw(path, &answer)
    }

    pub(crate) fn status(&self, path: &str, status: &str, headers: &str) -> String {
        self.raw(path, format!("HTTP/1.1 {status}\r\n{headers}Content-Length: 0\r\n\r\n").as_bytes())
    }

    /// Where these bytes are said, after which the connection ends.
    pub(crate) fn raw(&self, path: &str, bytes: &[u8]) -> String {
        self.answer(path, Answer { bytes: bytes.to_vec(), hangs: false })
    }

    /// Where these bytes are said and nothing after them.
    pub(crate) fn hanging(&self, path: &str, bytes: &[u8]) -> String {
        self.answer(path, Answer { bytes: bytes.to_vec(), hangs: true })
    }

    fn answer(&self, path: &str, answer: Answer) -> String {
        self.answers.lock().unwrap().entry(path.to_owned()).or_default().push(answer);
        format!("{}{path}", self.url)
    }

    /// The paths that were asked for.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn serve(mut stream: TcpStream, answers: Answers, asked: Arc<Mutex<Vec<String>>>) -> Option<()> {
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n") {
        read.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(read).ok()?;
    let path = head.split(' ').nth(1)?.to_owned();
    asked.lock().unwrap().push(path.clone());
    let answer = {
        let mut answers = answers.lock().unwrap();
        let queue = answers.get_mut(&path)?;
        if queue.len() > 1 { queue.remove(0) } else { queue.first()?.clone() }
    };
    stream.write_all(&answer.bytes).await.ok()?;
    if answer.hangs {
        std::future::pending::<()>().await;
    }
    stream.shutdown().await.ok()
}

/// A picture of these sides, as far as anybody looks.
pub(crate) fn png(width: u32, height: u32, size: usize) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    bytes.extend(width.to_be_bytes());
    bytes.extend(height.to_be_bytes());
    bytes.extend(b"\x08\x02\0\0\0");
    bytes.resize(size.max(bytes.len()), 7);
    bytes
}
