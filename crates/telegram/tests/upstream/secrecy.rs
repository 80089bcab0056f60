//! No token and no secret in anything that can be logged.

use std::{error::Error, time::Duration};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use tandem_telegram::{
    params::Params,
    upstream::{Proxy, ServerBase, Settings, Target, Upstream},
};
use tandem_testkit::Log;
use tokio::io::AsyncWriteExt;

use super::server::{Server, TOKEN, html, json, quick, read_request, token};

/// An error in every form it can be shown in.
fn shown(error: &(dyn Error + 'static)) -> String {
    let mut text = format!("{error} {error:?} {error:#?}");
    let mut next = error.source();
    while let Some(source) = next {
        text.extend(["\n", &format!("{source} {source:?}")]);
        next = source.source();
    }
    text
}

async fn every_error_of(upstream: &Upstream) -> String {
    let mut text = format!("{upstream:?}\n");
    match upstream.call(&token(), "sendMessage", &Params::of([("text", "private words".to_owned())])).await {
        Ok(_) => {}
        Err(error) => text += &shown(&error),
    }
    for target in [Target::Method("sendMessage"), Target::File("photos/file_1.jpg"), Target::File("../x")] {
        let request =
            Request::post("/x?text=private").body(Full::new(Bytes::from_static(b"private words"))).unwrap();
        match upstream.pipe(&token(), target, request).await {
            Ok(response) => {
                text.extend([format!("{response:?}")]);
                if let Err(error) = response.into_body().collect().await {
                    text += &shown(&error);
                }
            }
            Err(error) => text.extend([shown(&error), format!("{:?}", error.failure())]),
        }
    }
    text
}

#[tokio::test]
async fn no_token_and_no_password_is_in_any_error_any_debug_or_any_span() {
    let (log, _guard) = Log::begin();

    let mut shown = String::new();
    let echo = format!(r#"{{"ok":false,"error_code":400,"description":"no /bot{TOKEN}/x"}}"#);
    let page =
        format!("<html>404 for /bot{TOKEN}/sendMessage and /bot{}/x</html>", TOKEN.replace(':', "%3A"));
    for answer in [
        json("400 Bad Request", &echo),
        html("404 Not Found", &page),
        html("502 X", &page),
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf".to_owned(),
        "nonsense".to_owned(),
    ] {
        let server = Server::start(move |mut stream| {
            let answer = answer.clone();
            async move {
                read_request(&mut stream).await;
                let _sent = stream.write_all(answer.as_bytes()).await;
            }
        })
        .await;
        shown += &every_error_of(&server.upstream()).await;
    }
    let silent = Server::start(|mut stream| async move {
        read_request(&mut stream).await;
        std::future::pending::<()>().await;
    })
    .await;
    let mut settings = silent.settings();
    settings.limits.answer = Duration::from_millis(50);
    shown += &every_error_of(&Upstream::new(settings).unwrap()).await;

    for proxy in ["socks5://user:hunter2@127.0.0.1:1", "http://user:hunter2@127.0.0.1:1"] {
        let mut settings = quick(Settings::for_server(ServerBase::parse("http://telegram.test").unwrap()));
        settings.proxy = Some(Proxy::parse(proxy).unwrap());
        shown.extend([format!("{settings:?}")]);
        shown += &every_error_of(&Upstream::new(settings).unwrap()).await;
    }

    let log = log.text();
    assert!(log.contains("telegram.call") && log.contains("telegram.pipe"), "the spans were seen");
    assert!(log.contains("123456789"), "they name the bot");
    let secret = TOKEN.split_once(':').unwrap().1;
    for (place, text) in [("errors", &shown), ("log", &log)] {
        for hidden in [secret, "hunter2", "private"] {
            assert!(!text.contains(hidden), "{hidden} is in the {place}:\n{text}");
        }
    }
}
