//! HTTP byte by byte: what a client library would tidy up on its way (`%2F`, chunks, encodings, odd verbs) is sent as
//! it is written.

use std::{io::Write as _, net::SocketAddr};

use flate2::{
    Compression,
    write::{GzEncoder, ZlibEncoder},
};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::soon;

pub(crate) const FORM: &str = "application/x-www-form-urlencoded";
pub(crate) const JSON: &str = "application/json";
pub(crate) const MULTIPART: &str = "multipart/form-data; boundary=b";

/// An answer.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("no JSON: {}{}", self.head, String::from_utf8_lossy(&self.body)))
    }

    pub(crate) fn result(&self) -> Value {
        let json = self.json();
        assert_eq!((self.status, &json["ok"]), (200, &Value::Bool(true)), "{json}");
        json["result"].clone()
    }

    pub(crate) fn description(&self) -> String {
        self.json()["description"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    /// An error in the envelope, whose status is its code.
    #[track_caller]
    pub(crate) fn is_refusal(&self, code: u16, description: &str) {
        let json = self.json();
        let found = (self.status, json["ok"].as_bool(), json["error_code"].as_u64(), self.description());
        assert_eq!(found, (code, Some(false), Some(code.into()), description.to_owned()));
    }

    /// A status line and nothing more.
    #[track_caller]
    pub(crate) fn is_bare(&self, status: u16) {
        assert_eq!((self.status, self.body.len()), (status, 0), "{}", String::from_utf8_lossy(&self.body));
    }
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.head, String::from_utf8_lossy(&self.body))
    }
}

/// Sends bytes on a connection of their own and reads one answer.
pub(crate) async fn exchange(address: SocketAddr, request: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // A server may answer before it has read everything, and close.
    let _ = stream.write_all(request).await;
    soon("an answer", read_answer(&mut stream)).await.expect("the connection ended before an answer")
}

/// The next answer on a connection; `None` when it ends before.
pub(crate) async fn read_answer(stream: &mut TcpStream) -> Option<Answer> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let rest = bytes.split_off(end);
    let head = String::from_utf8(bytes).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let mut answer = Answer { status, head, body: rest };
    if answer.header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
        answer.body = read_chunks(stream, std::mem::take(&mut answer.body)).await?;
    } else {
        let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
        while answer.body.len() < length {
            if stream.read_buf(&mut answer.body).await.ok()? == 0 {
                return None;
            }
        }
    }
    Some(answer)
}

async fn read_chunks(stream: &mut TcpStream, mut bytes: Vec<u8>) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = loop {
            if let Some(line) = bytes.windows(2).position(|window| window == b"\r\n") {
                break line;
            }
            if stream.read_buf(&mut bytes).await.ok()? == 0 {
                return None;
            }
        };
        let size = usize::from_str_radix(std::str::from_utf8(&bytes[..line]).ok()?.trim(), 16).ok()?;
        while bytes.len() < line + 2 + size + 2 {
            if stream.read_buf(&mut bytes).await.ok()? == 0 {
                return None;
            }
        }
        body.extend_from_slice(&bytes[line + 2..line + 2 + size]);
        bytes.drain(..line + 2 + size + 2);
        if size == 0 {
            return Some(body);
        }
    }
}

/// A request with these headers, each a whole line without its end.
pub(crate) fn request(verb: &str, path: &str, headers: &[&str], body: &[u8]) -> Vec<u8> {
    let mut head = format!("{verb} {path} HTTP/1.1\r\nHost: telegram\r\n");
    for header in headers {
        head.push_str(header);
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    [head.as_bytes(), body].concat()
}

pub(crate) fn get(path: &str) -> Vec<u8> {
    request("GET", path, &[], b"")
}

pub(crate) fn post(path: &str, content_type: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    encoded(path, content_type, &[], body)
}

/// A POST with more headers.
pub(crate) fn encoded(path: &str, content_type: &str, more: &[&str], body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let (kind, length) = (format!("Content-Type: {content_type}"), format!("Content-Length: {}", body.len()));
    let headers: Vec<_> = [kind.as_str(), &length].into_iter().chain(more.iter().copied()).collect();
    request("POST", path, &headers, body)
}

/// A POST whose body comes in these chunks.
pub(crate) fn chunked(path: &str, content_type: &str, chunks: &[&[u8]]) -> Vec<u8> {
    let mut body = Vec::new();
    for chunk in chunks {
        body.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        body.extend_from_slice(chunk);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"0\r\n\r\n");
    let kind = format!("Content-Type: {content_type}");
    request("POST", path, &[&kind, "Transfer-Encoding: chunked"], &body)
}

/// A part of a multipart body with the boundary `b`.
pub(crate) struct Part<'a> {
    pub(crate) name: &'a str,
    pub(crate) file_name: Option<&'a str>,
    /// More header lines, each with its end.
    pub(crate) headers: &'a str,
    pub(crate) content: &'a [u8],
}

pub(crate) fn text<'a>(name: &'a str, content: &'a str) -> Part<'a> {
    Part { name, file_name: None, headers: "", content: content.as_bytes() }
}

pub(crate) fn file<'a>(name: &'a str, file_name: &'a str, content: &'a [u8]) -> Part<'a> {
    Part { name, file_name: Some(file_name), headers: "", content }
}

pub(crate) fn multipart(parts: &[Part<'_>]) -> Vec<u8> {
    let mut body = Vec::new();
    for Part { name, file_name, headers, content } in parts {
        let file_name = file_name.map(|name| format!("; filename=\"{name}\"")).unwrap_or_default();
        let head =
            format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"{file_name}\r\n{headers}\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--b--\r\n");
    body
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Percent-encodes everything but letters and digits.
pub(crate) fn escape(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}
