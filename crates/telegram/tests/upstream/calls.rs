//! Calls of our own, and what their errors say.

use std::{net::IpAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use tandem_model::UpstreamId;
use tandem_telegram::{
    allowed,
    envelope::NotAnAnswer,
    params::Params,
    upstream::{
        AddressGuard, CallError, Conflict, GetUpdates, Lost, NotSent, ServerBase, SetWebhook, Settings,
        Upstream,
    },
    webhook::SecretToken,
};
use tokio::{io::AsyncWriteExt, sync::Notify};

use super::server::{Server, TOKEN, html, json, quick, read_request, token};

async fn call(upstream: &Upstream) -> Result<Bytes, CallError> {
    upstream.call(&token(), "sendMessage", &Params::of([("chat_id", "7".to_owned())])).await
}

const DONE: &str = r#"{"ok":true,"result":true}"#;

fn poll(timeout: Duration) -> GetUpdates {
    GetUpdates { offset: None, limit: 100, timeout, allowed_updates: None }
}

#[tokio::test]
async fn a_call_is_one_post_and_its_result_is_given_as_it_stands() {
    let (server, seen) = Server::answering(json("200 OK", r#"{"ok":true,"result":{"a": [1,  2]}}"#)).await;
    let params = Params::of([("chat_id", "7".to_owned()), ("text", "a&b=\u{e9} +".to_owned())]);
    let result = server.upstream().call(&token(), "sendMessage", &params).await.unwrap();
    assert_eq!(result, r#"{"a": [1,  2]}"#);
    let asked = seen.only();
    assert_eq!(asked.line(), format!("POST /bot{TOKEN}/sendMessage HTTP/1.1"));
    assert_eq!(asked.header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(asked.text(), "chat_id=7&text=a%26b%3D%C3%A9+%2B");
    assert_eq!(asked.header("host"), Some(server.address.to_string().as_str()));
}

#[tokio::test]
async fn updates_are_given_as_the_bytes_that_came_also_in_chunks() {
    let updates = ["{\"update_id\":1,\n\"message\":{\"text\":\"\\u00e9\"}}", "{\"update_id\":2, \"x\":{}}"];
    let body = format!("{{\"ok\":true,\"result\":[{}]}}", updates.join(","));
    let mut answer =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned();
    for chunk in body.as_bytes().chunks(7) {
        answer.extend([
            format!("{:x}\r\n", chunk.len()),
            String::from_utf8_lossy(chunk).into_owned(),
            "\r\n".to_owned(),
        ]);
    }
    let (server, seen) = Server::answering(answer + "0\r\n\r\n").await;
    let request = GetUpdates {
        offset: Some(UpstreamId::new(5).unwrap()),
        limit: 50,
        timeout: Duration::from_secs(99),
        allowed_updates: Some(allowed::every_name()),
    };
    assert_eq!(server.upstream().get_updates(&token(), &request).await.unwrap(), updates);
    let asked = seen.only();
    assert!(asked.text().contains("limit=50&offset=5&timeout=50"), "{}", asked.text());
    assert!(asked.text().contains("%22chat_member%22"));
}

#[tokio::test]
async fn a_poll_may_last_longer_than_a_call_and_ends_some_time_after_its_own_timeout() {
    let server = Server::start(|mut stream| async move {
        read_request(&mut stream).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        stream.write_all(json("200 OK", r#"{"ok":true,"result":[]}"#).as_bytes()).await.unwrap();
        std::future::pending::<()>().await;
    })
    .await;
    let mut settings = server.settings();
    settings.limits.answer = Duration::from_millis(50);
    settings.limits.poll_margin = Duration::from_millis(20);
    let upstream = Upstream::new(settings).unwrap();
    assert!(upstream.get_updates(&token(), &poll(Duration::from_secs(2))).await.unwrap().is_empty());
    let late = upstream.get_updates(&token(), &poll(Duration::ZERO)).await.unwrap_err();
    assert!(matches!(late, CallError::Lost(Lost::Timeout(_))), "{late:?}");
    let late = call(&upstream).await.unwrap_err();
    assert!(matches!(late, CallError::Lost(Lost::Timeout(_))), "{late:?}");
}

#[tokio::test]
async fn what_telegram_says_is_sorted_by_what_to_do_next() {
    let refusal =
        |code: u16, text: &str| format!(r#"{{"ok":false,"error_code":{code},"description":"{text}"}}"#);
    let said = |status: &'static str, body: String| async move {
        let (server, _) = Server::answering(json(status, &body)).await;
        call(&server.upstream()).await.unwrap_err()
    };
    let refused = said("403 Forbidden", refusal(403, "Forbidden: bot was blocked by the user")).await;
    assert_eq!(refused.to_string(), "refused: 403 Forbidden: bot was blocked by the user");
    assert!(matches!(refused, CallError::Refused(_)) && refused.conflict().is_none());
    for (text, conflict) in [
        (
            "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
            Conflict::Webhook,
        ),
        ("terminated by setWebhook request", Conflict::Webhook),
        (
            "terminated by other getUpdates request; make sure that only one bot instance is running",
            Conflict::Poller,
        ),
    ] {
        let error = said("409 Conflict", refusal(409, &format!("Conflict: {text}"))).await;
        assert_eq!(error.conflict(), Some(conflict));
    }
    assert!(matches!(
        said("401 Unauthorized", refusal(401, "Unauthorized")).await,
        CallError::Unauthorized(_)
    ));
    assert!(matches!(
        said("500 X", refusal(500, "Internal Server Error: restart")).await,
        CallError::ServerError(_)
    ));
    let flood = r#"{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 9","parameters":{"retry_after":9}}"#;
    let CallError::RetryAfter { after, .. } = said("429 Too Many Requests", flood.to_owned()).await else {
        panic!()
    };
    assert_eq!(after, Duration::from_secs(9));
    let moved =
        r#"{"ok":false,"error_code":400,"description":"moved","parameters":{"migrate_to_chat_id":-1001}}"#;
    let CallError::Refused(refusal) = said("400 Bad Request", moved.to_owned()).await else { panic!() };
    assert_eq!(refusal.migrate_to_chat_id, Some(-1001));
}

#[tokio::test]
async fn pages_and_silence_in_place_of_an_answer_are_told_apart() {
    for (answer, expected_status, expected) in [
        (html("502 Bad Gateway", "<html><h1>502</h1></html>"), 502, NotAnAnswer::Html),
        ("HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 0\r\n\r\n".to_owned(), 504, NotAnAnswer::Empty),
        (json("200 OK", "{\"ok\":true,\"res"), 200, NotAnAnswer::Other),
        (html("401 Unauthorized", "<html>login to the hotel's network</html>"), 401, NotAnAnswer::Html),
    ] {
        let (server, _) = Server::answering(answer).await;
        let error = call(&server.upstream()).await.unwrap_err();
        let CallError::BadGateway { status, what, .. } = error else { panic!("{error:?}") };
        assert_eq!((status.as_u16(), what), (expected_status, expected));
    }
}

#[tokio::test]
async fn a_server_that_nobody_reaches_got_nothing() {
    let server = Server::start(|_| async {}).await;
    let closed = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    };
    for base in [format!("http://{closed}"), "http://no-such-host.invalid".to_owned()] {
        let upstream = Upstream::new(quick(Settings::for_server(ServerBase::parse(&base).unwrap()))).unwrap();
        let error = call(&upstream).await.unwrap_err();
        assert!(matches!(error, CallError::NotSent(NotSent::Transport(_))), "{base}: {error:?}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_connection_that_breaks_after_the_request_loses_it() {
    for part in
        ["", "HTTP/1.1 200 OK\r\nContent-Ty", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"ok\":true,"]
    {
        let server = Server::start(move |mut stream| async move {
            read_request(&mut stream).await;
            stream.write_all(part.as_bytes()).await.unwrap();
            // Dropped with a linger of zero: a reset instead of an orderly end.
            stream.set_zero_linger().unwrap();
        })
        .await;
        let error = call(&server.upstream()).await.unwrap_err();
        assert!(matches!(error, CallError::Lost(_)), "{part:?}: {error:?}");
        assert_eq!(server.connections(), 1, "a lost request is never repeated");
    }
}

#[tokio::test]
async fn an_answer_that_stops_in_the_middle_is_given_up() {
    let server = Server::start(|mut stream| async move {
        read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"ok\":true,").await.unwrap();
        std::future::pending::<()>().await;
    })
    .await;
    let mut settings = server.settings();
    settings.limits.idle = Duration::from_millis(50);
    let error = call(&Upstream::new(settings).unwrap()).await.unwrap_err();
    assert!(matches!(error, CallError::Lost(Lost::Answer(_))), "{error:?}");
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_not_held() {
    let (server, _) =
        Server::answering(json("200 OK", &format!("{{\"ok\":true,\"result\":\"{}\"}}", "x".repeat(100_000))))
            .await;
    let mut settings = server.settings();
    settings.limits.max_answer_bytes = 50_000;
    let error = call(&Upstream::new(settings).unwrap()).await.unwrap_err();
    assert!(matches!(error, CallError::Lost(Lost::TooLong)), "{error:?}");
}

#[tokio::test]
async fn connections_are_reused_and_one_that_closed_meanwhile_costs_nothing() {
    let (server, seen) = Server::answering(json("200 OK", DONE)).await;
    let upstream = server.upstream();
    for _ in 0..5 {
        call(&upstream).await.unwrap();
    }
    assert_eq!((server.connections(), seen.all().len()), (1, 5));

    let closed = Arc::new(Notify::new());
    let told = Arc::clone(&closed);
    let closing = Server::start(move |mut stream| {
        let told = Arc::clone(&told);
        async move {
            read_request(&mut stream).await;
            stream.write_all(json("200 OK", DONE).as_bytes()).await.unwrap();
            drop(stream);
            told.notify_one();
        }
    })
    .await;
    let upstream = closing.upstream();
    for count in 1..=3 {
        call(&upstream).await.unwrap();
        closed.notified().await;
        assert_eq!(closing.connections(), count);
    }
}

#[tokio::test]
async fn calls_are_bounded_and_polls_have_a_bound_of_their_own() {
    let (reached, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (told, wait) = (Arc::clone(&reached), Arc::clone(&release));
    let server = Server::start(move |mut stream| {
        let (told, wait) = (Arc::clone(&told), Arc::clone(&wait));
        async move {
            let asked = read_request(&mut stream).await.unwrap();
            if asked.line().contains("getUpdates") {
                stream.write_all(json("200 OK", r#"{"ok":true,"result":[]}"#).as_bytes()).await.unwrap();
            } else {
                told.notify_one();
                wait.notified().await;
                stream.write_all(json("200 OK", DONE).as_bytes()).await.unwrap();
            }
        }
    })
    .await;
    let mut settings = server.settings();
    settings.limits.max_connections = 1;
    settings.limits.connect = Duration::from_millis(200);
    let upstream = Upstream::new(settings).unwrap();
    let first = tokio::spawn({
        let upstream = upstream.clone();
        async move { call(&upstream).await }
    });
    reached.notified().await;
    let busy = call(&upstream).await.unwrap_err();
    assert!(matches!(busy, CallError::NotSent(NotSent::Busy)), "{busy:?}");
    upstream.get_updates(&token(), &poll(Duration::ZERO)).await.unwrap();
    release.notify_one();
    first.await.unwrap().unwrap();
    release.notify_one();
    call(&upstream).await.unwrap();
}

#[tokio::test]
async fn a_webhook_is_set_with_its_certificate_and_taken_away_without_dropping_anything() {
    let (server, seen) =
        Server::answering(json("200 OK", r#"{"ok":true,"result":true,"description":"Webhook was set"}"#))
            .await;
    let upstream = server.upstream();
    let mut request = SetWebhook {
        url: "https://amojo.example/?t=1&".to_owned(),
        certificate: None,
        ip_address: None,
        max_connections: Some(40),
        allowed_updates: Some(vec!["message".to_owned()]),
        secret_token: Some(SecretToken::parse("s-1").unwrap()),
    };
    upstream.set_webhook(&token(), &request).await.unwrap();
    request.certificate = Some(Bytes::from_static(b"-----BEGIN CERTIFICATE-----\n"));
    upstream.set_webhook(&token(), &request).await.unwrap();
    upstream.delete_webhook(&token()).await.unwrap();
    let asked = seen.all();
    assert_eq!(
        asked[0].text(),
        "allowed_updates=%5B%22message%22%5D&max_connections=40&secret_token=s-1&url=https%3A%2F%2Famojo.example%2F%3Ft%3D1%26"
    );
    let multipart = asked[1].text();
    assert!(multipart.contains(
        "name=\"certificate\"; filename=\"certificate.pem\"\r\n\r\n-----BEGIN CERTIFICATE-----\n\r\n"
    ));
    assert!(asked[2].line().contains("/deleteWebhook "));
    assert_eq!(asked[2].text(), "drop_pending_updates=false");
}

#[tokio::test]
async fn who_holds_the_stream_and_whose_token_it_is_can_be_asked() {
    let info = r#"{"ok":true,"result":{"url":"https://amojo.example/?t=secret","has_custom_certificate":false,"pending_update_count":3,"last_error_date":1,"last_error_message":"Wrong","max_connections":40,"new":{}}}"#;
    let (server, _) = Server::answering(json("200 OK", info)).await;
    let info = server.upstream().get_webhook_info(&token()).await.unwrap();
    assert_eq!(
        (info.url.as_str(), info.pending_update_count, info.allowed_updates.as_ref()),
        ("https://amojo.example/?t=secret", 3, None)
    );
    assert!(!format!("{info:?}").contains("secret") && format!("{info:?}").contains("amojo.example"));

    let me = r#"{"ok":true,"result":{"id":123456789,"is_bot":true,"first_name":"Shop","username":"ShopBot","new":1}}"#;
    let (server, _) = Server::answering(json("200 OK", me)).await;
    let me = server.upstream().get_me(&token()).await.unwrap();
    assert_eq!((me.id, me.username.as_deref()), (token().bot(), Some("ShopBot")));
    assert!(me.result.ends_with(b"\"new\":1}"));

    let (server, _) = Server::answering(json("200 OK", DONE)).await;
    let upstream = server.upstream();
    assert!(matches!(upstream.get_me(&token()).await, Err(CallError::UnexpectedResult)));
    assert!(matches!(
        upstream.get_updates(&token(), &poll(Duration::ZERO)).await,
        Err(CallError::UnexpectedResult)
    ));
}

#[derive(Debug)]
struct NoLoopback;

impl AddressGuard for NoLoopback {
    fn allows(&self, address: IpAddr) -> bool {
        !address.is_loopback()
    }
}

#[tokio::test]
async fn addresses_are_guarded_as_numbers_and_as_names() {
    let (server, _) = Server::answering(json("200 OK", DONE)).await;
    for host in ["127.0.0.1", "localhost"] {
        let base = ServerBase::parse(&format!("http://{host}:{}", server.address.port())).unwrap();
        let mut settings = quick(Settings::for_server(base));
        settings.guard = Some(Arc::new(NoLoopback));
        let error = call(&Upstream::new(settings).unwrap()).await.unwrap_err();
        let CallError::NotSent(NotSent::Transport(error)) = error else { panic!("{error:?}") };
        assert!(error.chain().contains("not allowed"), "{}", error.chain());
    }
    assert_eq!(server.connections(), 0);
}
