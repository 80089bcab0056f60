//! Requests that are too large, ambiguous or no HTTP: each is refused for what it is, nothing of it reaches Telegram,
//! and the app goes on.

use tandem_gateway::Limits;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    hostile_connections::{ends, works},
    support::{
        Client, Stage,
        http::{Answer, get, read_answer, send},
    },
};

/// Sends bytes, lets the other side close, and gives all that it said.
async fn exchange(app: &Client, bytes: &[u8]) -> String {
    let (mut reading, mut writing) = TcpStream::connect(app.address).await.unwrap().into_split();
    let sending = async {
        // It may have heard enough before the end.
        let _ = writing.write_all(bytes).await;
        let _ = writing.shutdown().await;
    };
    let mut said = Vec::new();
    let (_, ()) = tokio::join!(reading.read_to_end(&mut said), sending);
    String::from_utf8(said).unwrap()
}

fn statuses(said: &str) -> Vec<u16> {
    said.split("HTTP/1.1 ").skip(1).map(|answer| answer[..3].parse().unwrap()).collect()
}

fn chunked(path: &str, chunk: usize, chunks: usize) -> Vec<u8> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: g\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Transfer-Encoding: chunked\r\n\r\n"
    );
    let chunk = [format!("{chunk:x}\r\n").as_bytes(), &vec![b'a'; chunk], b"\r\n"].concat();
    [head.as_bytes(), &chunk.repeat(chunks), b"0\r\n\r\n"].concat()
}

#[tokio::test]
async fn heads_beyond_every_measure_are_refused_without_being_kept() {
    let mut t = Stage::start().await;
    let app = t.main();
    let path = app.path("getMe");
    let with = |headers: &str| format!("GET {path} HTTP/1.1\r\nHost: g\r\n{headers}\r\n");
    let long = with(&format!("X: {}\r\n", "x".repeat(300 << 10)));
    let many_long = with(&format!("X: {}\r\n", "x".repeat(1000)).repeat(90).repeat(4));
    let many = with(&"X: y\r\n".repeat(1000));
    for head in [long, many_long, many] {
        assert_eq!(statuses(&exchange(&app, head.as_bytes()).await), [431], "{}", &head[head.len() - 20..]);
    }
    let endless = [format!("GET {path} HTTP/1.1\r\n").as_bytes(), &b"X".repeat(8 << 20)].concat();
    let said = exchange(&app, &endless).await;
    assert!(statuses(&said).iter().all(|status| *status == 431), "{said}");
    assert!(t.telegram.seen().is_empty());
    // As long as Telegram takes them.
    let headers = format!("X: {}\r\n", "x".repeat(60_000)).repeat(3);
    let large = format!("GET {} HTTP/1.1\r\nHost: g\r\n{headers}\r\n", app.path("getUpdates"));
    assert_eq!(send(app.address, large.as_bytes()).await.status, 200);
    t.clock.advance(std::time::Duration::from_secs(5));
    works(&mut t, &app).await;
}

#[tokio::test]
async fn bodies_over_the_limit_are_refused_announced_or_not_and_the_answer_arrives() {
    let mut t = Stage::start().await;
    let app = t.listen(Limits { body_bytes: 1 << 20, ..Limits::APPS }).await;
    let too_large = |answer: &Answer| {
        assert_eq!((answer.status, answer.description().as_str()), (413, "Request Entity Too Large"));
    };
    for method in ["sendMessage", "getUpdates", "getFile", ""] {
        let path = app.path(method);
        let announced = format!("POST {path} HTTP/1.1\r\nHost: g\r\nContent-Length: 2000000\r\n\r\n");
        too_large(&send(app.address, announced.as_bytes()).await);
        assert!(t.telegram.take_seen().is_empty(), "{method}");
        too_large(&send(app.address, &chunked(&path, 60_000, 40)).await);
        t.telegram.take_seen();
    }
    let fits = send(app.address, &chunked(&app.path("sendMessage"), 60_000, 10)).await;
    assert_eq!(fits.status, 200);
    works(&mut t, &app).await;
}

#[tokio::test]
async fn whoever_is_refused_while_still_sending_gets_the_answer() {
    let t = Stage::start().await;
    let path = format!("/bot{}/sendDocument", "700100:".to_owned() + &"A".repeat(35));
    for _ in 0..5 {
        let said = exchange(&t.main(), &chunked(&path, 100_000, 80)).await;
        assert_eq!(statuses(&said), [401], "{said}");
    }
    assert!(t.telegram.seen().is_empty());
}

#[tokio::test]
async fn a_request_that_names_its_length_in_two_ways_is_no_request() {
    let mut t = Stage::start().await;
    let app = t.main();
    let path = app.path("sendMessage");
    let smuggled = format!("GET {} HTTP/1.1\r\nHost: g\r\n\r\n", app.path("close"));
    let chunks = format!("0\r\n\r\n{smuggled}");
    let length = chunks.len();
    let both = [
        format!("Content-Length: {length}\r\nTransfer-Encoding: chunked"),
        format!("Transfer-Encoding: chunked\r\nContent-Length: {length}"),
        "transfer-encoding: Chunked\r\nX: y\r\ncontent-length: 4".to_owned(),
        "Content-Length: 5\r\nContent-Length: 6".to_owned(),
        "Content-Length: 5, 6".to_owned(),
        "Content-Length: +5".to_owned(),
        "Content-Length: 0x5".to_owned(),
        "Content-Length: 99999999999999999999".to_owned(),
        "Transfer-Encoding: chunked, identity".to_owned(),
        "Transfer-Encoding: xchunked".to_owned(),
        "Transfer-Encoding : chunked".to_owned(),
        "Transfer-Encoding: chunked\r\n folded".to_owned(),
    ];
    for headers in both {
        let request = format!("POST {path} HTTP/1.1\r\nHost: g\r\n{headers}\r\n\r\n{chunks}");
        let said = exchange(&app, request.as_bytes()).await;
        assert_eq!(statuses(&said), [400], "{headers}: {said}");
        assert!(t.telegram.take_seen().is_empty(), "{headers}");
    }
    works(&mut t, &app).await;
}

#[tokio::test]
async fn what_is_no_http_ends_its_connection_and_reaches_nobody() {
    let mut t = Stage::start().await;
    let app = t.main();
    let path = app.path("getMe");
    for (name, bytes) in [
        ("a NUL in a header", format!("GET {path} HTTP/1.1\r\nHost: g\r\nX: a\0b\r\n\r\n")),
        ("a NUL in the address", format!("GET {path}\0 HTTP/1.1\r\nHost: g\r\n\r\n")),
        ("a NUL in a name", format!("GET {path} HTTP/1.1\r\nHo\0st: g\r\n\r\n")),
        ("a CR alone in a header", format!("GET {path} HTTP/1.1\r\nX: a\rb\r\n\r\n")),
        ("a folded header", format!("GET {path} HTTP/1.1\r\n X: y\r\nHost: g\r\n\r\n")),
        ("a space before the colon", format!("GET {path} HTTP/1.1\r\nHost : g\r\n\r\n")),
        ("two spaces", format!("GET  {path} HTTP/1.1\r\nHost: g\r\n\r\n")),
        ("no version", format!("GET {path}\r\n\r\n")),
        ("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned()),
        ("HTTP/3.7", format!("GET {path} HTTP/3.7\r\n\r\n")),
        ("TLS", "\x16\x03\x01\x02\0\x01\0\x01\u{7f}\x03\x03".repeat(20)),
        (
            "chunks in HTTP/1.0",
            format!("POST {path} HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ),
        ("nothing", String::new()),
        ("lines without end", "\r\n".repeat(100_000)),
    ] {
        let said = exchange(&app, bytes.as_bytes()).await;
        assert!(said.is_empty() || statuses(&said) == [400], "{name}: {said}");
        assert!(t.telegram.take_seen().is_empty(), "{name}");
    }
    works(&mut t, &app).await;
}

#[tokio::test]
async fn broken_chunks_end_the_request_and_are_no_fault_of_telegrams() {
    let mut t = Stage::start().await;
    let app = t.main();
    for method in ["sendMessage", "getUpdates"] {
        let head =
            format!("POST {} HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n", app.path(method));
        for chunks in [
            "fffffffffffffffff\r\n".to_owned(),
            "-1\r\na\r\n".to_owned(),
            "zz\r\n".to_owned(),
            "1\r\nab\r\n0\r\n\r\n".to_owned(),
            "1\na\n0\n\n".to_owned(),
            format!("1;{}\r\na\r\n0\r\n\r\n", "x".repeat(1 << 20)),
            format!("1\r\na\r\n0\r\n{}\r\n", "X: y\r\n".repeat(100_000)),
        ] {
            let said = exchange(&app, format!("{head}{chunks}").as_bytes()).await;
            let all = statuses(&said);
            let text = &chunks[..chunks.len().min(30)];
            assert!(all.is_empty() || all == [400], "{method} {text:?}: {said}");
        }
    }
    works(&mut t, &app).await;
    assert!(t.sent().await.len() == 1, "nothing but the app's own message was sent");
}

#[tokio::test]
async fn requests_in_one_breath_are_answered_one_by_one() {
    let t = Stage::start().await;
    let mut stream = TcpStream::connect(t.address).await.unwrap();
    let wrong = get(&format!("/bot700100:{}/getMe", "A".repeat(35)));
    let right = get(&t.main().path("getMe"));
    let post = format!(
        "POST {} HTTP/1.1\r\nHost: g\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 9\r\n\r\nchat_id=7",
        t.main().path("sendMessage")
    );
    stream.write_all(&[right.as_slice(), &wrong, post.as_bytes(), &right].concat()).await.unwrap();
    for status in [200, 401, 200, 200] {
        assert_eq!(read_answer(&mut stream).await.unwrap().status, status);
    }
    assert_eq!(t.telegram.seen()[1].body, b"chat_id=7");
    stream.shutdown().await.unwrap();
    assert_eq!(ends(stream).await, "");
}

#[tokio::test]
async fn ten_thousand_refused_requests_in_one_breath_are_ten_thousand_answers() {
    let mut t = Stage::start().await;
    let app = t.main();
    let requests: Vec<u8> =
        (0..10_000).flat_map(|number| get(&format!("/bot{number}:{number:035}/getMe"))).collect();
    let said = exchange(&app, &requests).await;
    assert!(statuses(&said).iter().all(|status| matches!(status, 401 | 404)));
    works(&mut t, &app).await;
}

#[tokio::test]
async fn what_the_standard_lets_through_is_let_through() {
    let t = Stage::start().await;
    let path = t.main().path("getMe");
    for (name, head) in [
        ("bare line feeds", format!("GET {path} HTTP/1.1\nHost: g\n\n")),
        ("empty lines before it", format!("\r\n\r\nGET {path} HTTP/1.1\r\nHost: g\r\n\r\n")),
        ("HTTP/1.0", format!("GET {path} HTTP/1.0\r\n\r\n")),
        ("no host", format!("GET {path} HTTP/1.1\r\n\r\n")),
        (
            "the same length twice",
            format!("POST {path} HTTP/1.1\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n"),
        ),
    ] {
        assert_eq!(send(t.address, head.as_bytes()).await.status, 200, "{name}");
    }
    let absolute = send(t.address, &get(&format!("http://g{path}"))).await;
    assert_eq!(absolute.description(), "Not Found: absolute URI is specified in the Request-Line");
}
