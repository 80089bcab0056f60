//! The pipe: what passes, what does not, and that nothing is held on the way.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode, header};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Empty, Full};
use tandem_telegram::{
    capture::tee,
    upstream::{DownloadError, Lost, PipeError, Settings, Target, Thread, Upstream},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::{Notify, mpsc},
};

use super::server::{Server, TOKEN, html, json, read_chunk, read_head, read_request, token};

const DONE: &str = r#"{"ok":true,"result":true}"#;

fn get(target: &str) -> Request<Empty<Bytes>> {
    Request::get(target).body(Empty::new()).unwrap()
}

/// A body fed by the test.
struct Fed(mpsc::Receiver<Result<Bytes, std::io::Error>>);

impl Body for Fed {
    type Data = Bytes;
    type Error = std::io::Error;
    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        self.0.poll_recv(cx).map(|next| next.map(|chunk| chunk.map(Frame::data)))
    }
}

/// A body of so many chunks, made as they are asked for.
struct Made {
    chunk: Bytes,
    left: u64,
    given: Arc<AtomicU64>,
}

impl Body for Made {
    type Data = Bytes;
    type Error = Infallible;
    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        self.left -= 1;
        self.given.fetch_add(self.chunk.len() as u64, Ordering::SeqCst);
        Poll::Ready(Some(Ok(Frame::data(self.chunk.clone()))))
    }
}

#[tokio::test]
async fn an_apps_request_arrives_as_it_was_but_for_its_connection() {
    let answer = "HTTP/1.1 403 Forbidden\r\nServer: nginx/1.18.0\r\nContent-Type: application/json\r\nConnection: keep-alive, X-Own\r\nX-Own: 1\r\nAccess-Control-Allow-Origin: *\r\nContent-Length: 2\r\n\r\n{}";
    let (server, seen) = Server::answering(answer).await;
    let request = Request::post("/bot42:virtual/SendMessage?parse_mode=HTML&a=%3C")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::HOST, "gateway:8080")
        .header(header::CONNECTION, "close")
        .header(header::ACCEPT_ENCODING, "gzip")
        .header(header::USER_AGENT, "aiogram/3")
        .header("X-Forwarded-For", "10.0.0.9")
        .header("X-App", "kept")
        .body(Full::new(Bytes::from_static(b"{\"chat_id\": 7}")))
        .unwrap();
    let response = server.upstream().pipe(&token(), Target::Method("SendMessage"), request).await.unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    let names: Vec<_> = response.headers().keys().map(header::HeaderName::as_str).collect();
    assert_eq!(names, ["server", "content-type", "access-control-allow-origin", "content-length"]);
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "{}");
    let asked = seen.only();
    assert_eq!(asked.line(), format!("POST /bot{TOKEN}/SendMessage?parse_mode=HTML&a=%3C HTTP/1.1"));
    assert_eq!(asked.text(), "{\"chat_id\": 7}");
    assert_eq!(asked.header("host"), Some(server.address.to_string().as_str()));
    assert_eq!((asked.header("user-agent"), asked.header("x-app")), (Some("aiogram/3"), Some("kept")));
    for gone in ["connection", "accept-encoding", "x-forwarded-for"] {
        assert_eq!(asked.header(gone), None, "{gone}");
    }
}

#[tokio::test]
async fn paths_of_methods_and_files_are_telegrams() {
    let (server, seen) = Server::answering(json("200 OK", DONE)).await;
    let upstream = server.upstream();
    for target in [
        Target::Method("test/getMe"),
        Target::Method("getMe/"),
        Target::File("photos/file_1.jpg"),
        Target::File("test/photos/a b.jpg"),
    ] {
        upstream.pipe(&token(), target, get("/")).await.unwrap().into_body().collect().await.unwrap();
    }
    let lines: Vec<_> = seen.all().iter().map(|asked| asked.line().replace(TOKEN, "T")).collect();
    assert_eq!(
        lines,
        [
            "GET /botT/test/getMe HTTP/1.1",
            "GET /botT/getMe%2F HTTP/1.1",
            "GET /file/botT/photos/file_1.jpg HTTP/1.1",
            "GET /file/botT/test/photos/a%20b.jpg HTTP/1.1",
        ]
    );
    let climbing = upstream.pipe(&token(), Target::File("../../etc/passwd"), get("/")).await.unwrap_err();
    assert_eq!(climbing.failure().code, 404);
    let long = format!("/?text={}", "a".repeat(65_000));
    let error = upstream.pipe(&token(), Target::Method(&"x".repeat(1000)), get(&long)).await.unwrap_err();
    assert_eq!(error.failure().code, 414);
}

#[tokio::test]
async fn both_directions_stream() {
    let (got, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (told, wait) = (Arc::clone(&got), Arc::clone(&go_on));
    let server = Server::start(move |mut stream| {
        let (told, wait) = (Arc::clone(&told), Arc::clone(&wait));
        async move {
            read_head(&mut stream).await.unwrap();
            assert_eq!(read_chunk(&mut stream).await.unwrap(), b"first");
            told.notify_one();
            while !read_chunk(&mut stream).await.unwrap().is_empty() {}
            stream
                .write_all(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\r\ntr",
                )
                .await
                .unwrap();
            wait.notified().await;
            stream.write_all(b"ue").await.unwrap();
        }
    })
    .await;
    let (sender, receiver) = mpsc::channel(1);
    let request = Request::post("/").body(Fed(receiver)).unwrap();
    let upstream = server.upstream();
    let piping =
        tokio::spawn(async move { upstream.pipe(&token(), Target::Method("sendPhoto"), request).await });
    sender.send(Ok(Bytes::from_static(b"first"))).await.unwrap();
    // The beginning is there before the app has sent the end.
    got.notified().await;
    sender.send(Ok(Bytes::from_static(b"second"))).await.unwrap();
    drop(sender);
    let mut body = piping.await.unwrap().unwrap().into_body();
    // And the beginning of the answer before Telegram has sent its end.
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "tr");
    go_on.notify_one();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "ue");
    assert!(body.frame().await.is_none());
}

/// The most memory this process ever had, in bytes.
#[cfg(target_os = "linux")]
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn fifty_megabytes_up_and_twenty_down_need_no_memory() {
    const CHUNK: usize = 64 * 1024;
    const UP: u64 = 50 << 20;
    const DOWN: u64 = 20 << 20;
    let server = Server::start(|mut stream| async move {
        let head = read_head(&mut stream).await.unwrap();
        let mut buffer = vec![0; 16 * 1024];
        if head.starts_with("POST") {
            let length: u64 =
                head.lines().find_map(|l| l.strip_prefix("content-length: ")).unwrap().parse().unwrap();
            let mut left = length;
            while left > 0 {
                left -= stream.read(&mut buffer).await.unwrap() as u64;
            }
            stream.write_all(json("200 OK", DONE).as_bytes()).await.unwrap();
        } else {
            let head =
                format!("HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: {DOWN}\r\n\r\n");
            stream.write_all(head.as_bytes()).await.unwrap();
            for _ in 0..DOWN / buffer.len() as u64 {
                stream.write_all(&buffer).await.unwrap();
            }
        }
    })
    .await;
    let upstream = server.upstream();
    // Once small, so that what is made on first use is there.
    let warm = Request::post("/")
        .header(header::CONTENT_LENGTH, 2)
        .body(Full::new(Bytes::from_static(b"{}")))
        .unwrap();
    upstream
        .pipe(&token(), Target::Method("sendDocument"), warm)
        .await
        .unwrap()
        .into_body()
        .collect()
        .await
        .unwrap();
    let before = peak_memory();

    let begin = b"--b\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n7\r\n--b\r\nContent-Disposition: form-data; name=\"document\"; filename=\"big.bin\"\r\n\r\n";
    let end = b"\r\n--b\r\nContent-Disposition: form-data; name=\"caption\"\r\n\r\nhere\r\n--b--\r\n";
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        sender.send(Ok(Bytes::from_static(begin))).await.unwrap();
        let chunk = Bytes::from(vec![b'x'; CHUNK]);
        for _ in 0..UP / CHUNK as u64 {
            sender.send(Ok(chunk.clone())).await.unwrap();
        }
        sender.send(Ok(Bytes::from_static(end))).await.unwrap();
    });
    let mut request = Request::post("/?disable_notification=true").body(()).unwrap();
    let length = begin.len() as u64 + UP + end.len() as u64;
    request.headers_mut().insert(header::CONTENT_LENGTH, length.into());
    request
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("multipart/form-data; boundary=b"));
    let (body, captured) = tee(request.uri().query(), request.headers(), Fed(receiver));
    let request = request.map(|()| body);
    let response = upstream.pipe(&token(), Target::Method("sendDocument"), request).await.unwrap();
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), DONE);
    let params = captured.finish();
    assert!(params.whole);
    assert_eq!((params.text("chat_id"), params.text("caption")), (Some("7"), Some("here")));
    assert_eq!(params.text("disable_notification"), Some("true"));
    assert_eq!((params.files()[0].file_name.as_str(), params.files()[0].size_bytes), ("big.bin", UP));

    let response = upstream.pipe(&token(), Target::File("documents/big.bin"), get("/")).await.unwrap();
    let mut body = response.into_body();
    let mut down = 0;
    while let Some(frame) = body.frame().await {
        down += frame.unwrap().into_data().unwrap().len() as u64;
    }
    assert_eq!(down, DOWN);
    let grown = peak_memory() - before;
    println!("memory grew by {} kB", grown / 1024);
    assert!(grown < 4 << 20, "{grown} bytes");
}

#[tokio::test]
async fn a_slow_server_sets_the_pace_of_an_upload() {
    let (reached, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (told, wait) = (Arc::clone(&reached), Arc::clone(&release));
    let server = Server::start(move |mut stream| {
        let (told, wait) = (Arc::clone(&told), Arc::clone(&wait));
        async move {
            read_head(&mut stream).await.unwrap();
            told.notify_one();
            wait.notified().await;
            while read_chunk(&mut stream).await.is_some_and(|chunk| !chunk.is_empty()) {}
            stream.write_all(json("200 OK", DONE).as_bytes()).await.unwrap();
        }
    })
    .await;
    let given = Arc::new(AtomicU64::new(0));
    let body = Made { chunk: Bytes::from(vec![b'x'; 64 * 1024]), left: 1600, given: Arc::clone(&given) };
    let request = Request::post("/").body(body).unwrap();
    let upstream = server.upstream();
    let piping =
        tokio::spawn(async move { upstream.pipe(&token(), Target::Method("sendVideo"), request).await });
    reached.notified().await;
    // What is taken meanwhile fits into socket buffers; wait until no more is.
    let mut last = u64::MAX;
    while given.load(Ordering::SeqCst) != last {
        last = given.load(Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    assert!(last < 20 << 20, "{last} bytes were taken from the app while nobody read them");
    release.notify_one();
    assert_eq!(piping.await.unwrap().unwrap().status(), StatusCode::OK);
    assert_eq!(given.load(Ordering::SeqCst), 1600 * 64 * 1024);
}

#[tokio::test]
async fn an_upload_that_moves_is_not_late_and_one_that_stands_still_is() {
    let server = Server::start(|mut stream| async move {
        read_head(&mut stream).await.unwrap();
        while read_chunk(&mut stream).await.is_some_and(|chunk| !chunk.is_empty()) {}
        let _sent = stream.write_all(json("200 OK", DONE).as_bytes()).await;
    })
    .await;
    let mut settings = server.settings();
    settings.limits.answer = Duration::from_secs(1);
    let upstream = Upstream::new(settings).unwrap();
    let (sender, receiver) = mpsc::channel(1);
    let feeding = tokio::spawn(async move {
        for _ in 0..12 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            sender.send(Ok(Bytes::from_static(b"x"))).await.unwrap();
        }
    });
    let request = Request::post("/").body(Fed(receiver)).unwrap();
    let response = upstream.pipe(&token(), Target::Method("sendVideo"), request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    feeding.await.unwrap();

    let (sender, receiver) = mpsc::channel(1);
    let request = Request::post("/").body(Fed(receiver)).unwrap();
    let error = upstream.pipe(&token(), Target::Method("sendVideo"), request).await.unwrap_err();
    assert!(matches!(error, PipeError::Lost(Lost::Timeout(_))), "{error:?}");
    assert_eq!(error.failure().code, 504);
    drop(sender);
}

#[tokio::test]
async fn an_app_that_gives_up_is_told_apart_from_a_lost_answer() {
    let server = Server::start(|mut stream| async move {
        let _broken = read_request(&mut stream).await;
    })
    .await;
    let (sender, receiver) = mpsc::channel(2);
    sender.send(Ok(Bytes::from_static(b"some"))).await.unwrap();
    sender.send(Err(std::io::Error::other("the app went away"))).await.unwrap();
    let request = Request::post("/").body(Fed(receiver)).unwrap();
    let error = server.upstream().pipe(&token(), Target::Method("sendVideo"), request).await.unwrap_err();
    let PipeError::Upload(error) = error else { panic!("{error:?}") };
    assert_eq!(error.to_string(), "the app went away");
}

#[tokio::test]
async fn pages_never_reach_an_app_as_a_false_401_404_or_409() {
    for (answer, target, told) in [
        (html("502 Bad Gateway", "<html>"), Target::Method("getMe"), 502),
        (html("404 Not Found", "<html>"), Target::Method("getMe"), 502),
        (html("401 Unauthorized", "<html>"), Target::Method("getMe"), 502),
        (html("409 Conflict", "<html>"), Target::Method("getMe"), 502),
        (html("200 OK", "<html>"), Target::Method("getMe"), 502),
        (html("504 Gateway Timeout", "<html>"), Target::Method("getMe"), 504),
        ("HTTP/1.1 413 X\r\nContent-Length: 0\r\n\r\n".to_owned(), Target::Method("sendPhoto"), 413),
        (html("404 Not Found", "<html>"), Target::File("photos/gone.jpg"), 404),
        (html("502 Bad Gateway", "<html>"), Target::File("photos/x.jpg"), 502),
    ] {
        let (server, _) = Server::answering(answer).await;
        let error = server.upstream().pipe(&token(), target, get("/")).await.unwrap_err();
        assert_eq!(error.failure().code, told, "{error:?}");
    }
    // What Telegram itself says is passed on, also for a file.
    let (server, _) = Server::answering(json(
        "404 Not Found",
        r#"{"ok":false,"error_code":404,"description":"Not Found"}"#,
    ))
    .await;
    let response = server.upstream().pipe(&token(), Target::File("x"), get("/")).await.unwrap();
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_download_that_stops_or_breaks_says_so() {
    for reset in [false, true] {
        let server = Server::start(move |mut stream| async move {
            read_head(&mut stream).await.unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf").await.unwrap();
            if reset {
                stream.set_zero_linger().unwrap();
            } else {
                std::future::pending::<()>().await;
            }
        })
        .await;
        let mut settings = server.settings();
        settings.limits.idle = Duration::from_millis(100);
        let upstream = Upstream::new(settings).unwrap();
        let response = upstream.pipe(&token(), Target::File("x"), get("/")).await;
        let error = match response {
            Ok(response) => response.into_body().collect().await.unwrap_err(),
            // The reset can overtake the head.
            Err(error) => {
                assert!(reset && matches!(error, PipeError::Lost(_)), "{error:?}");
                continue;
            }
        };
        assert_eq!(matches!(error, DownloadError::Broke(_)), reset, "{error:?}");
    }
}

#[tokio::test]
async fn a_piped_answer_holds_its_place_until_it_is_read() {
    let (server, _) = Server::answering(json("200 OK", DONE)).await;
    let mut settings = server.settings();
    settings.limits.max_connections = 1;
    settings.limits.connect = Duration::from_millis(100);
    let upstream = Upstream::new(settings).unwrap();
    let first = upstream.pipe(&token(), Target::Method("getMe"), get("/")).await.unwrap();
    let busy = upstream.pipe(&token(), Target::Method("getMe"), get("/")).await.unwrap_err();
    assert_eq!(busy.failure().code, 429);
    drop(first);
    upstream.pipe(&token(), Target::Method("getMe"), get("/")).await.unwrap();
}

#[tokio::test]
async fn each_thread_has_connections_of_its_own_and_reuses_them() {
    let (server, seen) = Server::answering(json("200 OK", DONE)).await;
    let upstream = Upstream::new(Settings { threads: 2, ..server.settings() }).unwrap();
    let pipe = async |thread: Option<Thread>| {
        let mut request = get("/");
        if let Some(thread) = thread {
            request.extensions_mut().insert(thread);
        }
        let response = upstream.pipe(&token(), Target::Method("getMe"), request).await.unwrap();
        response.into_body().collect().await.unwrap();
    };
    for (thread, connections) in
        [(Some(Thread(0)), 1), (Some(Thread(1)), 2), (Some(Thread(0)), 2), (Some(Thread(1)), 2), (None, 3)]
    {
        pipe(thread).await;
        assert_eq!(server.connections(), connections, "{thread:?}");
    }
    // One that there is none of is nobody's.
    pipe(Some(Thread(2))).await;
    assert_eq!((server.connections(), seen.all().len()), (3, 6));
}
