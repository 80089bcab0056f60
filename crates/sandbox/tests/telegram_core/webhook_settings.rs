//! `setWebhook`, `deleteWebhook`, `getWebhookInfo`.

use serde_json::json;
use tandem_sandbox::telegram::NewBot;

use crate::stage::{Answer, Receiver, Stage, post};

fn description(answer: &Answer) -> String {
    answer.json()["description"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn the_four_descriptions() {
    let stage = Stage::start().await;
    let receiver = Receiver::start().await;
    let set = format!("url={}", receiver.url);
    let first = stage.call("setWebhook", &set).await;
    assert_eq!(first.json(), json!({"ok": true, "result": true, "description": "Webhook was set"}));
    stage.advance(1);
    assert_eq!(description(&stage.call("setWebhook", &set).await), "Webhook is already set");
    for (method, form) in [("deleteWebhook", ""), ("setWebhook", ""), ("setWebhook", "url=")] {
        stage.advance(1);
        stage.call("setWebhook", &set).await;
        assert_eq!(description(&stage.call(method, form).await), "Webhook was deleted", "{method} {form}");
        assert_eq!(
            description(&stage.call(method, form).await),
            "Webhook is already deleted",
            "{method} {form}"
        );
    }
}

#[tokio::test]
async fn a_webhook_is_the_same_only_with_the_same_settings() {
    let stage = Stage::start().await;
    let receiver = Receiver::start().await;
    let url = &receiver.url;
    stage.call("setWebhook", &format!("url={url}")).await;
    let changes = [
        format!("url={url}&max_connections=7"),
        format!("url={url}&max_connections=7&secret_token=abc"),
        format!("url={url}&max_connections=7&secret_token=abc&ip_address=127.0.0.1"),
        format!("url={url}/2"),
        format!("url={url}/2&drop_pending_updates=true"),
    ];
    for form in changes {
        stage.advance(1);
        assert_eq!(description(&stage.call("setWebhook", &form).await), "Webhook was set", "{form}");
    }
    stage.advance(1);
    assert_eq!(
        description(&stage.call("setWebhook", &format!("url={url}/2")).await),
        "Webhook is already set"
    );
}

#[tokio::test]
async fn set_webhook_is_taken_once_a_second() {
    let stage = Stage::start().await;
    let receiver = Receiver::start().await;
    let set = format!("url={}", receiver.url);
    stage.call("setWebhook", &set).await;
    let hasty = stage.call("setWebhook", &set).await;
    assert_eq!((hasty.status, hasty.header("retry-after")), (429, Some("1")));
    assert_eq!(description(&hasty), "Too Many Requests: retry after 1");
    assert_eq!(stage.call("deleteWebhook", "").await.status, 200, "deleting is free");
    stage.advance(1);
    assert_eq!(description(&stage.call("setWebhook", &set).await), "Webhook was set");
}

#[tokio::test]
async fn secrets_urls_and_certificates_are_checked() {
    let stage = Stage::start().await;
    let certificate = |size: usize| {
        let part = "--b\r\nContent-Disposition: form-data; name=\"certificate\"; filename=\"c.pem\"\r\n\r\n";
        [part.as_bytes(), &vec![b'x'; size], b"\r\n--b--\r\n"].concat()
    };
    let cases = [
        (format!("url=http://127.0.0.1:1/&secret_token={}", "a".repeat(257)), "secret token is too long"),
        ("url=http://127.0.0.1:1/&secret_token=a.b".to_owned(), "secret token contains unallowed characters"),
        ("url=ftp://127.0.0.1/".to_owned(), "invalid webhook URL specified"),
        ("url=http://127.0.0.1:1/&ip_address=x".to_owned(), "bad webhook: Invalid IP address specified"),
    ];
    for (form, reason) in cases {
        let answer = stage.call("setWebhook", &form).await;
        assert_eq!((answer.status, description(&answer)), (400, format!("Bad Request: {reason}")));
        stage.advance(1);
    }
    let path = format!("/bot{}/setWebhook?url=https://127.0.0.1:1/", stage.token());
    let answer = stage.post(&path, "multipart/form-data; boundary=b", certificate((3 << 20) + 1)).await;
    assert_eq!(description(&answer), "Bad Request: certificate size is too big (3145729 bytes)");
    stage.advance(1);
    let answer = stage.post(&path, "multipart/form-data; boundary=b", certificate(100)).await;
    assert_eq!(description(&answer), "Webhook was set");
    assert_eq!(stage.webhook_info().await["has_custom_certificate"], true);
    stage.advance(1);
    let again = stage.call("setWebhook", "url=https://127.0.0.1:1/").await;
    assert_eq!(description(&again), "Webhook was set", "with a certificate on one side it is another one");
}

#[tokio::test]
async fn the_cloud_refuses_http_odd_ports_and_reserved_addresses() {
    let stage = Stage::with(|config| config.strict_webhooks = true).await;
    let cases = [
        ("http://127.0.0.1:8443/", "An HTTPS URL must be provided for webhook"),
        ("https://127.0.0.1:8080/", "Webhook can be set up only on ports 80, 88, 443 or 8443"),
        ("https://127.0.0.1:8443/", "IP address 127.0.0.1 is reserved"),
        ("https://[::1]:8443/", "IPv6-only addresses are not allowed"),
        ("localhost", "IP address 127.0.0.1 is reserved"),
    ];
    for (url, reason) in cases {
        let answer = stage.call("setWebhook", &format!("url={url}")).await;
        assert_eq!(
            (answer.status, description(&answer)),
            (400, format!("Bad Request: bad webhook: {reason}"))
        );
        stage.advance(1);
    }
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_refused() {
    let stage = Stage::start().await;
    let answer = stage.call("setWebhook", "url=http://no-such-host.invalid/").await;
    assert_eq!(answer.status, 400);
    assert!(
        description(&answer).starts_with("Bad Request: bad webhook: Failed to resolve host: "),
        "{answer:?}"
    );
}

#[tokio::test]
async fn webhook_info_shows_what_is_set_and_nothing_else() {
    let stage = Stage::start().await;
    let nothing = json!({"url": "", "has_custom_certificate": false, "pending_update_count": 0});
    assert_eq!(stage.webhook_info().await, nothing);
    let receiver = Receiver::start().await;
    let form = format!(r#"url={}&max_connections=1000&allowed_updates=["poll"]"#, receiver.url);
    stage.call("setWebhook", &form).await;
    let expected = json!({
        "url": receiver.url, "has_custom_certificate": false, "pending_update_count": 0,
        "max_connections": 100, "ip_address": "127.0.0.1", "allowed_updates": ["poll"],
    });
    assert_eq!(stage.webhook_info().await, expected);
}

#[tokio::test]
async fn pending_updates_survive_both_calls_unless_they_are_dropped() {
    let stage = Stage::start().await;
    let other = stage.sandbox.telegram().create_bot(NewBot::default()).unwrap();
    other.push("message", &crate::stage::message(1, "other bot's", crate::stage::START));
    stage.message(1, "one");
    let mut receiver = Receiver::start().await;
    stage.call("setWebhook", &format!("url={}", receiver.url)).await;
    let in_flight = receiver.next().await;
    assert_eq!(stage.webhook_info().await["pending_update_count"], 1);
    stage.call("deleteWebhook", "").await;
    in_flight.abandoned().await;
    assert_eq!(stage.updates("").await.len(), 1, "in flight at deleteWebhook, so not acknowledged");
    assert_eq!(
        description(&stage.call("deleteWebhook", "drop_pending_updates=true").await),
        "Webhook is already deleted"
    );
    assert_eq!(stage.updates("offset=1").await, [0; 0]);
    assert_eq!(other.pending(), 1, "only the caller's are dropped");
    stage.message(1, "two");
    stage.advance(1);
    stage.call("setWebhook", &format!("url={}&drop_pending_updates=True", receiver.url)).await;
    let id = stage.message(1, "three");
    assert_eq!(receiver.next().await.update_id(), id);
}

#[tokio::test]
async fn a_set_webhook_that_fails_leaves_no_webhook() {
    let stage = Stage::start().await;
    let receiver = Receiver::start().await;
    stage.call("setWebhook", &format!("url={}", receiver.url)).await;
    stage.advance(1);
    assert_eq!(stage.call("setWebhook", "url=ftp://x/").await.status, 400);
    assert_eq!(stage.webhook_info().await["url"], "");
    assert_eq!(stage.call("getUpdates", "").await.status, 200);
}

#[tokio::test]
async fn parameters_come_in_any_form() {
    let stage = Stage::start().await;
    let receiver = Receiver::start().await;
    let path = format!("/bot{}/setwebhook", stage.token());
    let body = json!({"url": receiver.url, "max_connections": "3", "drop_pending_updates": false});
    let answer = stage.raw(post(&path, "application/json", body.to_string())).await;
    assert_eq!(description(&answer), "Webhook was set");
    assert_eq!(stage.webhook_info().await["max_connections"], 3);
}
