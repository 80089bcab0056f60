//! Files down and up, streaming, with the real token swapped in.

use std::fs;

use serde_json::json;
use tandem_gateway::AppDocument;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{
    REAL, Stage,
    http::{get, read_answer, send},
    message,
    server::Reply,
};

const MEBIBYTE: usize = 1 << 20;
/// What the buffers of two connections and a test may take.
const FLAT_BYTES: usize = 12 * MEBIBYTE;

#[tokio::test]
async fn a_file_comes_from_telegram_with_the_bots_own_token() {
    let t = Stage::start().await;
    let orders = t.app("orders", AppDocument::default()).await;
    t.telegram.on("file_1.jpg", Reply::typed("200 OK", "image/jpeg", "JPEG"));
    for path in ["photos/file_1.jpg", "photos%2Ffile_1.jpg"] {
        let answer = send(t.address, &get(&format!("/file/bot{}/{path}", orders.token))).await;
        assert_eq!((answer.status, answer.text()), (200, "JPEG"));
        assert_eq!(answer.header("content-type"), Some("image/jpeg"));
        assert_eq!(t.telegram.take_seen()[0].path(), format!("/file/bot{REAL}/photos/file_1.jpg"));
    }
}

#[tokio::test]
async fn a_file_that_is_not_there_is_a_404_in_json_and_nobody_climbs_out() {
    let t = Stage::start().await;
    t.telegram.on("none.jpg", Reply::html("404 Not Found"));
    for path in ["none.jpg", "..%2F..%2Fetc/passwd", "photos/../../x"] {
        let answer = send(t.address, &get(&format!("/file/bot{REAL}/{path}"))).await;
        assert_eq!((answer.status, answer.description().as_str()), (404, "Not Found"), "{path}");
    }
    assert_eq!(t.telegram.seen().len(), 1);
}

#[tokio::test]
async fn a_download_of_twenty_megabytes_takes_no_memory() {
    let t = Stage::start().await;
    t.telegram.on("video.mp4", Reply::Stream(20 * MEBIBYTE));
    let before = resident();
    let mut stream = TcpStream::connect(t.address).await.unwrap();
    stream.write_all(&get(&format!("/file/bot{REAL}/video.mp4"))).await.unwrap();
    let mut piece = vec![0; 64 << 10];
    let mut read = 0;
    while read < 20 * MEBIBYTE {
        let now = stream.read(&mut piece).await.unwrap();
        assert_ne!(now, 0, "after {read} bytes");
        read += now;
    }
    let grown = peak().saturating_sub(before);
    assert!(grown < FLAT_BYTES, "{} KiB", grown >> 10);
}

#[tokio::test]
async fn an_upload_of_fifty_megabytes_takes_no_memory_and_is_kept_by_its_size() {
    let t = Stage::start().await;
    t.telegram.on("sendVideo", Reply::ok(&message(5, 7, "")));
    let before = resident();
    let head = "--b\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n7\r\n--b\r\nContent-Disposition: form-data; name=\"video\"; filename=\"a.mp4\"\r\n\r\n";
    let tail = "\r\n--b--\r\n";
    let size = 50 * MEBIBYTE;
    let length = head.len() + size + tail.len();
    let mut stream = TcpStream::connect(t.address).await.unwrap();
    let request = format!(
        "POST {} HTTP/1.1\r\nHost: gateway\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: {length}\r\n\r\n{head}",
        t.main().path("sendVideo")
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let piece = vec![b'v'; 64 << 10];
    for _ in 0..size / piece.len() {
        stream.write_all(&piece).await.unwrap();
    }
    stream.write_all(tail.as_bytes()).await.unwrap();
    let answer = read_answer(&mut stream).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    let grown = peak().saturating_sub(before);
    assert!(grown < FLAT_BYTES, "{} KiB", grown >> 10);
    assert_eq!(t.telegram.seen()[0].body_bytes, length);
    let files = t.sent().await[0].1["parameters"]["files"].clone();
    assert_eq!(files, json!([{"name": "video", "file_name": "a.mp4", "size_bytes": size}]));
}

fn resident() -> usize {
    status("VmRSS:")
}

fn peak() -> usize {
    status("VmHWM:")
}

/// A line of what the system says of this process.
fn status(name: &str) -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() << 10
}
