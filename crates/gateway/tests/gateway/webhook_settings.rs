//! `setWebhook`, `deleteWebhook`, `getWebhookInfo`: Telegram's texts, refusals and bookkeeping.

use std::time::Duration;

use serde_json::json;

use crate::support::{
    Stage,
    http::{multipart, post, send},
    server::{Reply, Server},
};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn the_four_descriptions_are_telegrams() {
    let t = Stage::start().await;
    let url = "http://127.0.0.1:9/";
    for (method, params, description) in [
        ("setWebhook", json!({"url": url}), "Webhook was set"),
        ("setWebhook", json!({"url": url}), "Webhook is already set"),
        ("setWebhook", json!({"url": url, "max_connections": 40}), "Webhook is already set"),
        ("setWebhook", json!({"url": url, "max_connections": 41}), "Webhook was set"),
        ("setWebhook", json!({"url": url, "secret_token": "a"}), "Webhook was set"),
        ("setWebhook", json!({"url": url, "secret_token": "a"}), "Webhook is already set"),
        ("setWebhook", json!({"url": url, "secret_token": "b"}), "Webhook was set"),
        (
            "setWebhook",
            json!({"url": url, "secret_token": "b", "drop_pending_updates": true}),
            "Webhook was set",
        ),
        ("setWebhook", json!({"url": url, "ip_address": "127.0.0.1"}), "Webhook was set"),
        ("setWebhook", json!({"url": ""}), "Webhook was deleted"),
        ("setWebhook", json!({}), "Webhook is already deleted"),
        ("setWebhook", json!({"url": url}), "Webhook was set"),
        ("deleteWebhook", json!({}), "Webhook was deleted"),
        ("deleteWebhook", json!({}), "Webhook is already deleted"),
    ] {
        t.clock.advance(SECOND);
        let answer = t.main().call(method, params.clone()).await;
        let expected = format!("{{\"ok\":true,\"result\":true,\"description\":\"{description}\"}}");
        assert_eq!(answer.text(), expected, "{method} {params}");
    }
    assert!(t.telegram.seen().is_empty());
}

#[tokio::test]
async fn what_telegram_refuses_is_refused_in_its_words() {
    let t = Stage::start_public().await;
    for (params, description) in [
        (json!({"url": "http://example.com"}), "bad webhook: An HTTPS URL must be provided for webhook"),
        (
            json!({"url": "https://example.com:8080"}),
            "bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443",
        ),
        (json!({"url": "https://127.0.0.1/"}), "bad webhook: IP address 127.0.0.1 is reserved"),
        (json!({"url": "https://[::1]/"}), "bad webhook: IPv6-only addresses are not allowed"),
        (json!({"url": "https://localhost/"}), "bad webhook: IP address 127.0.0.1 is reserved"),
        (
            json!({"url": "https://no-such-host.invalid/"}),
            "bad webhook: Failed to resolve host: Name or service not known",
        ),
        (
            json!({"url": "https://example.com", "ip_address": "10.0.0.1"}),
            "bad webhook: IP address 10.0.0.1 is reserved",
        ),
        (
            json!({"url": "https://example.com", "ip_address": "x"}),
            "bad webhook: Invalid IP address specified",
        ),
        (json!({"url": "ftp://example.com"}), "invalid webhook URL specified"),
        (json!({"url": "https://8.8.8.8", "secret_token": "a".repeat(257)}), "secret token is too long"),
        (
            json!({"url": "https://8.8.8.8", "secret_token": "a b"}),
            "secret token contains unallowed characters",
        ),
    ] {
        t.clock.advance(SECOND);
        let answer = t.main().call("setWebhook", params.clone()).await;
        let expected = format!("Bad Request: {description}");
        assert_eq!((answer.status, answer.description()), (400, expected), "{params}");
    }
    t.clock.advance(SECOND);
    let big = vec![b'x'; (3 << 20) + 1];
    let body = multipart(&[("url", None, b"https://8.8.8.8"), ("certificate", Some("c.pem"), &big)]);
    let request = post(&t.main().path("setWebhook"), "multipart/form-data; boundary=b", &body);
    let answer = send(t.address, &request).await;
    assert_eq!(answer.description(), "Bad Request: certificate size is too big (3145729 bytes)");
    let info = t.main().result("getWebhookInfo", json!({})).await;
    assert_eq!(info["url"], "", "nothing was set");
}

#[tokio::test]
async fn a_webhook_can_be_set_once_a_second() {
    let t = Stage::start().await;
    let set = |port: u16| json!({"url": format!("http://127.0.0.1:{port}/")});
    t.main().result("setWebhook", set(1)).await;
    let answer = t.main().call("setWebhook", set(2)).await;
    assert_eq!((answer.status, answer.description().as_str()), (429, "Too Many Requests: retry after 1"));
    t.main().result("deleteWebhook", json!({})).await;
    t.clock.advance(SECOND);
    t.main().result("setWebhook", set(2)).await;
}

#[tokio::test]
async fn webhook_info_shows_what_was_set_and_the_latest_failure_until_it_is_set_anew() {
    let mut t = Stage::start().await;
    let receiver = Server::start().await;
    let url = format!("http://{}/hook", receiver.address);
    let set = json!({"url": url, "max_connections": 500, "allowed_updates": ["message"]});
    t.main().result("setWebhook", set.clone()).await;
    let quiet = json!({
        "url": url, "has_custom_certificate": false, "pending_update_count": 0, "max_connections": 100,
        "ip_address": "127.0.0.1", "allowed_updates": ["message"],
    });
    assert_eq!(t.main().result("getWebhookInfo", json!({})).await, quiet);
    receiver.next([Reply::html("500 Internal Server Error"), Reply::html("503 Service Unavailable")]);
    t.says(7, "one").await;
    t.run_due().await;
    let failed_at = t.now_secs();
    let info = t.main().result("getWebhookInfo", json!({})).await;
    assert_eq!(info["pending_update_count"], 1);
    assert_eq!(info["last_error_message"], "Wrong response from the webhook: 503 Service Unavailable");
    assert_eq!(info["last_error_date"], failed_at);
    t.later(Duration::from_mins(1)).await;
    let info = t.main().result("getWebhookInfo", json!({})).await;
    assert_eq!((&info["pending_update_count"], &info["last_error_date"]), (&json!(0), &json!(failed_at)));
    let t = t.restart().await;
    assert_eq!(t.main().result("getWebhookInfo", json!({})).await, info);
    t.clock.advance(SECOND);
    t.main().result("setWebhook", json!({"url": "http://127.0.0.1:9/"})).await;
    let info = t.main().result("getWebhookInfo", json!({})).await;
    assert_eq!((info.get("last_error_date"), info.get("last_error_message")), (None, None));
}

#[tokio::test]
async fn dropping_with_a_new_webhook_drops_what_waits_and_nothing_else() {
    let mut t = Stage::start().await;
    let receiver = Server::start().await;
    let url = format!("http://{}/hook", receiver.address);
    t.says(7, "old").await;
    t.main().result("setWebhook", json!({"url": url, "drop_pending_updates": true})).await;
    t.says(7, "new").await;
    t.run_due().await;
    let seen = receiver.seen();
    assert_eq!(seen.len(), 1);
    assert!(seen[0].text().contains("new"));
}

#[tokio::test]
async fn pending_updates_survive_setting_and_deleting() {
    let mut t = Stage::start().await;
    t.says(7, "one").await;
    t.main().result("setWebhook", json!({"url": "http://127.0.0.1:9/"})).await;
    t.says(7, "two").await;
    t.run_due().await;
    t.main().result("deleteWebhook", json!({})).await;
    assert_eq!(t.main().texts(json!({})).await, ["one", "two"]);
}

#[tokio::test]
async fn an_uploaded_certificate_is_kept_and_shown() {
    let t = Stage::start().await;
    let pem = b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    let url = b"https://127.0.0.1:8443/".as_slice();
    let good = include_bytes!("certificate.pem").as_slice();
    for (certificate, status) in [(b"DER".as_slice(), 400), (pem, 400), (good, 200)] {
        t.clock.advance(SECOND);
        let body = multipart(&[("url", None, url), ("certificate", Some("c.pem"), certificate)]);
        let request = post(&t.main().path("setWebhook"), "multipart/form-data; boundary=b", &body);
        let answer = send(t.address, &request).await;
        assert_eq!(answer.status, status, "{}", answer.text());
    }
    let t = t.restart().await;
    let info = t.main().result("getWebhookInfo", json!({})).await;
    assert_eq!(info["has_custom_certificate"], true);
    t.clock.advance(SECOND);
    let body = multipart(&[("url", None, url), ("certificate", Some("c.pem"), good)]);
    let request = post(&t.main().path("setWebhook"), "multipart/form-data; boundary=b", &body);
    assert_eq!(send(t.address, &request).await.description(), "Webhook was set", "never already set");
}
