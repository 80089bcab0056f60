//! Multipart bodies that a client would write, against multer: names, file names and contents come out the same.

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, HeaderValue, header};
use tandem_telegram::params::Params;

use crate::bodies::ready;

const BOUNDARY: &str = "--Xb";

#[derive(Debug, PartialEq, Eq)]
struct Part {
    name: String,
    file_name: Option<String>,
    content: Vec<u8>,
}

pub(crate) fn hold(data: &[u8]) {
    let parts = parts(data);
    // A content that holds the delimiter makes parts without heads, which the standard lets one read in two ways, and
    // multer has the other one. No client writes it, since boundaries are random; `bodies` has such bytes.
    let delimiter = format!("--{BOUNDARY}");
    if parts.iter().any(|part| contains(&part.content, delimiter.as_bytes())) {
        return;
    }
    let body = written(&parts);
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(&kind).expect("a boundary is a header value"));
    let theirs = ready(read_by_multer(&body)).expect("multer reads what a client writes");
    assert_eq!(theirs, parts, "the writer and multer agree");
    let Ok(ours) = Params::read(None, &headers, &body) else {
        assert!(theirs.len() > 50 || body.len() > 1 << 20, "what multer reads, we read");
        return;
    };
    assert!(ours.whole);
    for part in &theirs {
        if part.file_name.is_none() {
            let first = theirs.iter().find(|other| other.name == part.name && other.file_name.is_none());
            let text = String::from_utf8_lossy(&first.expect("it is among them").content).into_owned();
            assert_eq!(ours.text(&part.name), Some(text.as_str()), "{}", part.name);
        }
    }
    let files: Vec<_> = theirs.iter().filter(|part| part.file_name.is_some()).collect();
    assert_eq!(ours.files().len(), files.len());
    for (ours, theirs) in ours.files().iter().zip(files) {
        assert_eq!((&ours.name, Some(&ours.file_name)), (&theirs.name, theirs.file_name.as_ref()));
        assert_eq!(ours.content, theirs.content);
    }
}

/// The input as parts: `name`, `file name` and content, each ended by a zero byte.
fn parts(data: &[u8]) -> Vec<Part> {
    let mut fields = data.split(|byte| *byte == 0);
    let mut parts = Vec::new();
    while let (Some(name), Some(file_name), Some(content)) = (fields.next(), fields.next(), fields.next()) {
        let file_name = (!file_name.is_empty()).then(|| plain(&file_name[1..]));
        parts.push(Part { name: plain(name), file_name, content: content.to_vec() });
    }
    parts.truncate(50);
    parts
}

/// What every client writes without an escape.
fn plain(bytes: &[u8]) -> String {
    let kept = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-. ;=:,/".contains(byte);
    let text: String = bytes.iter().filter(|byte| kept(byte)).map(|byte| char::from(*byte)).collect();
    format!("n{text}n")
}

fn written(parts: &[Part]) -> Vec<u8> {
    let mut body = Vec::new();
    for Part { name, file_name, content } in parts {
        let file = file_name.as_ref().map(|file| format!("; filename=\"{file}\"")).unwrap_or_default();
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\nX-Other: 1\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    body
}

async fn read_by_multer(body: &[u8]) -> Result<Vec<Part>, multer::Error> {
    let mut multipart =
        multer::Multipart::new(stream::iter([Ok::<_, Infallible>(Bytes::copy_from_slice(body))]), BOUNDARY);
    let mut parts = Vec::new();
    while let Some(field) = multipart.next_field().await? {
        let name = field.name().unwrap_or_default().to_owned();
        let file_name = field.file_name().map(str::to_owned);
        let content: Bytes = field.bytes().await?;
        parts.push(Part { name, file_name, content: content.to_vec() });
    }
    Ok(parts)
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}
