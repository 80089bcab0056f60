//! Strangers who open connections and are slow, many, or refused: they reach a limit, and the app does not notice.

use std::{io::ErrorKind, net::SocketAddr, time::Duration};

use serde_json::json;
use tandem_gateway::Limits;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{
    Client, REAL, Stage,
    http::{get, read_answer, send},
    message,
    server::Reply,
};

/// Longer than any test may take: a limit that must not be the one that is met.
const NEVER: Duration = Duration::from_hours(1);
/// Waited out by the tests that are about it.
const SOON: Duration = Duration::from_millis(100);

/// What a bot does all day, on the listener that is attacked.
pub(crate) async fn works(t: &mut Stage, app: &Client) {
    let id = t.says(7, "hello").await;
    t.clock.advance(Duration::from_secs(5));
    let updates = app.updates(json!({"timeout": 50})).await;
    assert_eq!(updates.last().unwrap()["message"]["text"], "hello");
    let next = updates.last().unwrap()["update_id"].as_i64().unwrap() + 1;
    t.telegram.on("sendMessage", Reply::ok(&message(11, 7, "good day")));
    let sent = app.result("sendMessage", json!({"chat_id": 7, "text": "good day"})).await;
    assert_eq!(sent["text"], "good day", "after update {id}");
    t.clock.advance(Duration::from_secs(5));
    assert!(app.updates(json!({"offset": next})).await.is_empty());
}

/// The peer ends the connection, within a limit, and says nothing more than this.
pub(crate) async fn ends(mut stream: TcpStream) -> String {
    let mut said = Vec::new();
    let reading = async {
        match stream.read_to_end(&mut said).await {
            Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("{error}"),
            Ok(_) | Err(_) => {}
        }
    };
    tokio::time::timeout(Duration::from_secs(20), reading).await.expect("the connection ends");
    String::from_utf8(said).unwrap()
}

async fn begin(address: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream
}

/// Writes a byte again and again until the peer has had enough.
async fn trickle(mut stream: TcpStream, byte: u8) -> TcpStream {
    let trickling = async {
        while stream.write_all(&[byte]).await.is_ok() {
            tokio::time::sleep(SOON / 10).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), trickling).await.expect("the peer has enough");
    stream
}

fn wrong(number: usize) -> String {
    format!("700100:{number:035}")
}

#[tokio::test]
async fn a_head_that_is_not_whole_in_time_ends_its_connection() {
    let mut t = Stage::start().await;
    let app = t.listen(Limits { head: SOON, idle: NEVER, ..Limits::APPS }).await;
    let head = get(&app.path("getMe"));
    let mut slow = vec![TcpStream::connect(app.address).await.unwrap()];
    for length in [1, 10, head.len() - 1] {
        slow.push(begin(app.address, &head[..length]).await);
    }
    let trickled = trickle(begin(app.address, b"GET /").await, b'x').await;
    works(&mut t, &app).await;
    for stream in slow.into_iter().chain([trickled]) {
        assert_eq!(ends(stream).await, "");
    }
}

#[tokio::test]
async fn whoever_knows_no_token_is_not_kept_as_long_as_an_app() {
    let t = Stage::start().await;
    let app = t.listen(Limits { head: SOON, idle: NEVER, ..Limits::APPS }).await;
    let mut known = begin(app.address, &get(&app.path("getMe"))).await;
    assert_eq!(read_answer(&mut known).await.unwrap().status, 200);
    let mut stranger = begin(app.address, &get(&format!("/bot{}/getMe", wrong(1)))).await;
    assert_eq!(read_answer(&mut stranger).await.unwrap().status, 401);
    assert_eq!(ends(stranger).await, "");
    known.write_all(&get(&app.path("getMe"))).await.unwrap();
    assert_eq!(read_answer(&mut known).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_quiet_app_is_let_go_in_the_end() {
    let t = Stage::start().await;
    let app = t.listen(Limits { head: NEVER, idle: SOON, ..Limits::APPS }).await;
    let mut quiet = begin(app.address, &get(&app.path("getMe"))).await;
    assert_eq!(read_answer(&mut quiet).await.unwrap().status, 200);
    assert_eq!(ends(quiet).await, "");
}

#[tokio::test]
async fn strangers_in_every_place_give_way_to_an_app() {
    let mut t = Stage::start().await;
    let app = t.listen(Limits { connections: 4, head: NEVER, idle: NEVER, ..Limits::APPS }).await;
    let mut strangers = Vec::new();
    for _ in 0..12 {
        strangers.push(begin(app.address, b"GET /bot").await);
    }
    works(&mut t, &app).await;
    let mut gone = 0;
    for mut stranger in strangers {
        let mut byte = [0];
        let read = tokio::time::timeout(SOON, stranger.read(&mut byte)).await;
        gone += usize::from(matches!(read, Ok(Ok(0) | Err(_))));
    }
    assert!(gone >= 8, "{gone}");
}

#[tokio::test]
async fn apps_that_wait_keep_their_places() {
    let mut t = Stage::start().await;
    let app = t.listen(Limits { connections: 2, head: NEVER, idle: NEVER, ..Limits::APPS }).await;
    let mut waiting = begin(app.address, &get(&format!("{}?timeout=50", app.path("getUpdates")))).await;
    for _ in 0..6 {
        drop(begin(app.address, b"GET /bot").await);
        let answer = send(app.address, &get(&format!("/bot{}/getMe", wrong(1)))).await;
        assert_eq!(answer.status, 401);
    }
    t.says(7, "hello").await;
    assert!(read_answer(&mut waiting).await.unwrap().text().contains("hello"));
}

#[tokio::test]
async fn a_body_that_does_not_come_ends_and_is_no_fault_of_telegrams() {
    let mut t = Stage::start().await;
    let app = t.listen(Limits { stall: SOON, ..Limits::APPS }).await;
    let attack = async |method: &str| {
        let path = app.path(method);
        let head = format!("POST {path} HTTP/1.1\r\nHost: g\r\nContent-Length: 100\r\n\r\nchat_id=7");
        let silent = begin(app.address, head.as_bytes()).await;
        let head = format!("POST {path} HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n");
        let trickling = begin(app.address, head.as_bytes()).await;
        let (said, trickled) = tokio::join!(ends(silent), trickle(trickling, b'a'));
        assert!(said.starts_with("HTTP/1.1 400 "), "{method}: {said}");
        assert!(said.contains("can't parse request body"), "{method}: {said}");
        // What it is told may be lost: it still sends.
        ends(trickled).await;
    };
    tokio::join!(attack("sendMessage"), attack("getUpdates"), attack("getFile"));
    works(&mut t, &app).await;
}

#[tokio::test]
async fn a_slow_body_that_keeps_coming_passes() {
    let t = Stage::start().await;
    let app = t.listen(Limits { stall: SOON, bytes_per_sec: 1, ..Limits::APPS }).await;
    let body = b"chat_id=7&text=slowly";
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: g\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n",
        app.path("sendMessage"),
        body.len()
    );
    let mut slow = begin(app.address, head.as_bytes()).await;
    for byte in body {
        // Altogether longer than a pause may be.
        tokio::time::sleep(SOON / 10).await;
        slow.write_all(&[*byte]).await.unwrap();
    }
    assert_eq!(read_answer(&mut slow).await.unwrap().status, 200);
    assert_eq!(t.telegram.seen()[0].body, body);
}

#[tokio::test]
async fn an_answer_that_nobody_takes_is_given_up() {
    let t = Stage::start().await;
    let app = t.listen(Limits { stall: SOON, ..Limits::APPS }).await;
    t.telegram.on("x.bin", Reply::Stream(256 << 20));
    let stream = begin(app.address, &get(&format!("/file/bot{REAL}/x.bin"))).await;
    // Nothing is read: that the connection is gone shows when something is written.
    let closed = async {
        while stream.try_write(b"x").is_ok() {
            tokio::time::sleep(SOON / 10).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), closed).await.expect("it is given up");
}

#[tokio::test]
async fn a_peer_that_is_refused_too_often_is_told_to_come_back_later() {
    let mut t = Stage::start().await;
    let app = t.listen(Limits { refused_per_minute: 3, ..Limits::APPS }).await;
    let ask = async |peer: &str, path: &str| {
        let request = format!("GET {path} HTTP/1.1\r\nHost: g\r\nX-Forwarded-For: {peer}\r\n\r\n");
        send(app.address, request.as_bytes()).await
    };
    for number in 0..3 {
        assert_eq!(ask("192.0.2.7", &format!("/bot{}/getMe", wrong(number))).await.status, 401);
    }
    for path in [format!("/bot{}/getMe", wrong(4)), "/wp-login.php".to_owned()] {
        let answer = ask("192.0.2.7", &path).await;
        assert_eq!(answer.status, 429);
        assert!(answer.description().starts_with("Too Many Requests: retry after "), "{}", answer.text());
        assert!(answer.header("retry-after").is_some());
        assert_eq!(answer.header("connection"), Some("close"));
    }
    assert_eq!(ask("192.0.2.8", "/wp-login.php").await.status, 404, "another peer is another peer");
    assert_eq!(ask("192.0.2.7", &app.path("getMe")).await.status, 200, "a right token is right");
    works(&mut t, &app).await;
}

#[tokio::test]
async fn tokens_of_strangers_cost_no_look_into_the_store() {
    let t = Stage::start().await;
    t.store.close().await;
    let mut stream = TcpStream::connect(t.address).await.unwrap();
    for number in 0..500 {
        let token = if number % 2 == 0 { wrong(number) } else { format!("{number}:{number:035}") };
        stream.write_all(&get(&format!("/bot{token}/getUpdates"))).await.unwrap();
        let answer = read_answer(&mut stream).await.unwrap();
        assert_eq!(answer.status, 401, "{}", answer.text());
    }
    assert!(t.telegram.seen().is_empty());
}

#[tokio::test]
async fn a_connection_ends_in_good_order_after_so_many_requests() {
    let t = Stage::start().await;
    let app = t.listen(Limits { requests_per_connection: 3, ..Limits::APPS }).await;
    let mut stream = TcpStream::connect(app.address).await.unwrap();
    for number in 1..=3 {
        stream.write_all(&get(&app.path("getMe"))).await.unwrap();
        let answer = read_answer(&mut stream).await.unwrap();
        assert_eq!((answer.status, answer.header("connection")), (200, (number == 3).then_some("close")));
    }
    assert_eq!(ends(stream).await, "");
}

#[tokio::test]
async fn half_closed_connections_give_their_places_back() {
    let mut t = Stage::start().await;
    let app = t.listen(Limits { head: NEVER, idle: NEVER, ..Limits::APPS }).await;
    let head = get(&format!("{}?timeout=50", app.path("getUpdates")));
    for length in [0, 5, head.len()] {
        let mut stream = begin(app.address, &head[..length]).await;
        stream.shutdown().await.unwrap();
        let said = ends(stream).await;
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 400 "), "{length}: {said}");
    }
    works(&mut t, &app).await;
}
