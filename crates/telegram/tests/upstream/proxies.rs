//! Through SOCKS5 and HTTP proxies, with and without credentials.

use std::sync::{Arc, Mutex};

use tandem_telegram::{
    params::Params,
    upstream::{CallError, NotSent, Proxy, ServerBase, Settings, Upstream},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::server::{Server, TOKEN, json, quick, read_head, token};

/// What a proxy was asked for.
type Log = Arc<Mutex<Vec<String>>>;

/// A SOCKS5 proxy (RFC 1928, 1929) that brings every destination to `target`.
async fn socks5(
    target: std::net::SocketAddr,
    credentials: Option<(&'static str, &'static str)>,
) -> (Server, Log) {
    let log = Log::default();
    let noted = Arc::clone(&log);
    let server = Server::start(move |mut stream| {
        let noted = Arc::clone(&noted);
        async move {
            let _ended = serve_socks5(&mut stream, target, credentials, &noted).await;
        }
    })
    .await;
    (server, log)
}

async fn serve_socks5(
    stream: &mut TcpStream,
    target: std::net::SocketAddr,
    credentials: Option<(&'static str, &'static str)>,
    log: &Log,
) -> std::io::Result<()> {
    let text = |length: u8, bytes: Vec<u8>| {
        assert_eq!(usize::from(length), bytes.len());
        String::from_utf8(bytes).unwrap()
    };
    assert_eq!(stream.read_u8().await?, 5);
    let mut methods = vec![0; stream.read_u8().await?.into()];
    stream.read_exact(&mut methods).await?;
    let wanted = if credentials.is_some() { 2 } else { 0 };
    if !methods.contains(&wanted) {
        return stream.write_all(&[5, 0xFF]).await;
    }
    stream.write_all(&[5, wanted]).await?;
    if let Some((user, password)) = credentials {
        assert_eq!(stream.read_u8().await?, 1);
        let mut given = Vec::new();
        for _ in 0..2 {
            let length = stream.read_u8().await?;
            let mut bytes = vec![0; length.into()];
            stream.read_exact(&mut bytes).await?;
            given.push(text(length, bytes));
        }
        let good = given == [user, password];
        stream.write_all(&[1, u8::from(!good)]).await?;
        if !good {
            return Ok(());
        }
    }
    let mut request = [0; 4];
    stream.read_exact(&mut request).await?;
    assert_eq!(request[..3], [5, 1, 0]);
    let host = match request[3] {
        1 => {
            let mut ip = [0; 4];
            stream.read_exact(&mut ip).await?;
            std::net::IpAddr::from(ip).to_string()
        }
        3 => {
            let length = stream.read_u8().await?;
            let mut bytes = vec![0; length.into()];
            stream.read_exact(&mut bytes).await?;
            text(length, bytes)
        }
        other => panic!("address type {other}"),
    };
    let port = stream.read_u16().await?;
    log.lock().unwrap().push(format!("{host}:{port}"));
    let mut onward = TcpStream::connect(target).await?;
    stream.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 80]).await?;
    tokio::io::copy_bidirectional(stream, &mut onward).await.map(drop)
}

/// An HTTP proxy that knows CONNECT only and brings every destination to `target`.
async fn connect(target: std::net::SocketAddr, authorization: Option<&'static str>) -> (Server, Log) {
    let log = Log::default();
    let noted = Arc::clone(&log);
    let server = Server::start(move |mut stream| {
        let noted = Arc::clone(&noted);
        async move {
            let Some(head) = read_head(&mut stream).await else { return };
            noted.lock().unwrap().push(head.lines().next().unwrap().to_owned());
            if authorization
                .is_some_and(|wanted| !head.contains(&format!("Proxy-Authorization: {wanted}\r\n")))
            {
                let answer = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n";
                let _closed = stream.write_all(answer).await;
                return;
            }
            let mut onward = TcpStream::connect(target).await.unwrap();
            stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.unwrap();
            let _ended = tokio::io::copy_bidirectional(&mut stream, &mut onward).await;
        }
    })
    .await;
    (server, log)
}

async fn call_through(proxy: &str, base: &str) -> Result<(), CallError> {
    let mut settings = quick(Settings::for_server(ServerBase::parse(base).unwrap()));
    settings.proxy = Some(Proxy::parse(proxy).unwrap());
    let upstream = Upstream::new(settings).unwrap();
    for _ in 0..2 {
        upstream.call(&token(), "getMe", &Params::of([])).await?;
    }
    Ok(())
}

#[tokio::test]
async fn socks5_gets_the_name_and_not_an_address_of_ours() {
    let (server, seen) = Server::answering(json("200 OK", r#"{"ok":true,"result":true}"#)).await;
    let (proxy, log) = socks5(server.address, None).await;
    call_through(&format!("socks5://{}", proxy.address), "http://telegram.test").await.unwrap();
    call_through(&format!("socks5h://{}", proxy.address), "http://10.1.2.3:8081").await.unwrap();
    assert_eq!(*log.lock().unwrap(), ["telegram.test:80", "10.1.2.3:8081"]);
    let asked = seen.all();
    assert_eq!(asked.len(), 4);
    assert_eq!(asked[0].line(), format!("POST /bot{TOKEN}/getMe HTTP/1.1"));
    assert_eq!(asked[0].header("host"), Some("telegram.test"));
}

#[tokio::test]
async fn socks5_credentials_are_given_and_refused_ones_send_nothing() {
    let (server, seen) = Server::answering(json("200 OK", r#"{"ok":true,"result":true}"#)).await;
    let (proxy, _) = socks5(server.address, Some(("us:er", "p@ss"))).await;
    call_through(&format!("socks5://us%3Aer:p%40ss@{}", proxy.address), "http://telegram.test")
        .await
        .unwrap();
    assert_eq!(seen.all().len(), 2);
    for wrong in ["us%3Aer:wrong@", ""] {
        let error = call_through(&format!("socks5://{wrong}{}", proxy.address), "http://telegram.test")
            .await
            .unwrap_err();
        assert!(matches!(error, CallError::NotSent(NotSent::Transport(_))), "{error:?}");
        assert!(!format!("{error:?}").contains("wrong"));
    }
    assert_eq!(seen.all().len(), 2);
}

#[tokio::test]
async fn connect_is_used_for_plain_servers_too() {
    let (server, seen) = Server::answering(json("200 OK", r#"{"ok":true,"result":true}"#)).await;
    let (proxy, log) = connect(server.address, None).await;
    call_through(&format!("http://{}", proxy.address), "http://telegram.test/sub").await.unwrap();
    assert_eq!(*log.lock().unwrap(), ["CONNECT telegram.test:80 HTTP/1.1"]);
    assert_eq!(seen.all()[0].line(), format!("POST /sub/bot{TOKEN}/getMe HTTP/1.1"));
}

#[tokio::test]
async fn connect_credentials_are_given_and_refused_ones_send_nothing() {
    let (server, seen) = Server::answering(json("200 OK", r#"{"ok":true,"result":true}"#)).await;
    let (proxy, _) = connect(server.address, Some("Basic dXM6ZXI6cEBzcw==")).await;
    call_through(&format!("http://us%3Aer:p%40ss@{}", proxy.address), "http://telegram.test").await.unwrap();
    assert!(seen.all().iter().all(|asked| asked.header("proxy-authorization").is_none()));
    let error =
        call_through(&format!("http://u:wrong@{}", proxy.address), "http://telegram.test").await.unwrap_err();
    let CallError::NotSent(NotSent::Transport(error)) = error else { panic!("{error:?}") };
    assert!(error.chain().contains("proxy authorization required"), "{}", error.chain());
    assert_eq!(seen.all().len(), 2);
}

#[tokio::test]
async fn a_proxy_that_is_not_there_sends_nothing() {
    let error = call_through("socks5://127.0.0.1:1", "http://telegram.test").await.unwrap_err();
    assert!(matches!(error, CallError::NotSent(_)), "{error:?}");
}
