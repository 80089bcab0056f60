//! Group 10: what `getWebhookInfo` tells (3.2).

use serde_json::json;

use crate::{
    stage::{Receiver, START, Stage, ids, until},
    table::{Case, case},
};

pub(crate) const CASES: &[Case] = &[
    case!(
        without_a_webhook_there_are_three_fields,
        "3.2",
        "`url` is empty, `has_custom_certificate` false, `pending_update_count` a number, and nothing else."
    ),
    case!(
        with_a_webhook_there_are_address_and_connections,
        "3.2",
        "`url` as it was given, `ip_address`, `max_connections`."
    ),
    case!(
        pending_updates_are_counted,
        "3.2",
        "What is neither confirmed nor delivered is pending, whichever way it goes."
    ),
    case!(
        after_success_nothing_is_wrong,
        "3.2, 10.10",
        "A delivered update leaves no error and nothing pending."
    ),
    case!(
        after_a_500_the_reason_is_shown,
        "3.2, 10.10",
        "`Wrong response from the webhook: 500 …` with the reason phrase as received, and when."
    ),
    case!(
        an_error_is_cleared_by_a_new_webhook_and_not_by_success,
        "3.2",
        "A later success leaves the last error, a new `setWebhook` clears it."
    ),
    case!(
        after_a_timeout_it_says_so,
        "3.2, 3.3, 10.10",
        "No answer within 60 s is `Read timeout expired`, and the update is sent again."
    ),
    case!(after_a_refused_connection_it_says_so, "3.2", "`Connection refused`."),
    case!(
        after_a_reset_it_says_so,
        "3.2",
        "A connection that ends without an answer is a failure that is shown."
    ),
    case!(
        after_bad_tls_it_says_so,
        "3.2",
        "An https address that speaks no TLS is `SSL error {…}` or a broken connection."
    ),
    case!(
        gone_for_23_hours_removes_the_webhook,
        "3.2, 10.10",
        "410 and nothing else for more than 23 hours removes the webhook; the updates are still there."
    ),
    case!(another_answer_resets_the_23_hours, "3.2", "One 500 in between, and the 23 hours begin anew."),
];

async fn without_a_webhook_there_are_three_fields(t: &mut Stage) {
    let info = json!({"url": "", "has_custom_certificate": false, "pending_update_count": 0});
    assert_eq!(t.webhook_info().await, info);
    t.says(7, "hello").await;
    let info = json!({"url": "", "has_custom_certificate": false, "pending_update_count": 1});
    assert_eq!(t.webhook_info().await, info);
}

async fn with_a_webhook_there_are_address_and_connections(t: &mut Stage) {
    let receiver = t.receiver().await;
    let info = json!({
        "url": receiver.url, "has_custom_certificate": false, "pending_update_count": 0,
        "ip_address": "127.0.0.1", "max_connections": 40,
    });
    assert_eq!(t.webhook_info().await, info);
}

async fn pending_updates_are_counted(t: &mut Stage) {
    for text in ["one", "two", "three"] {
        t.says(7, text).await;
    }
    assert_eq!(t.webhook_info().await["pending_update_count"], 3);
    let first = ids(&t.updates(json!({})).await)[0];
    t.updates(json!({"offset": first + 1})).await;
    assert_eq!(t.webhook_info().await["pending_update_count"], 2);
    let mut receiver = t.receiver().await;
    receiver.next().await.ok();
    let hanging = receiver.next().await;
    t.later(2).await;
    until("what is in flight is pending", async || t.webhook_info().await["pending_update_count"] == 1).await;
    hanging.ok();
    until("nothing is pending", async || t.webhook_info().await["pending_update_count"] == 0).await;
}

async fn after_success_nothing_is_wrong(t: &mut Stage) {
    let mut receiver = t.receiver().await;
    let before = t.webhook_info().await;
    t.says(7, "hello").await;
    receiver.next().await.ok();
    until("nothing is pending", async || t.webhook_info().await == before).await;
}

/// Waits until an error is shown, and gives when and what.
async fn error(t: &Stage) -> (i64, String) {
    until("an error is shown", async || t.webhook_info().await.get("last_error_message").is_some()).await;
    let info = t.webhook_info().await;
    (
        info["last_error_date"].as_i64().unwrap() - START,
        info["last_error_message"].as_str().unwrap().to_owned(),
    )
}

async fn after_a_500_the_reason_is_shown(t: &mut Stage) {
    let mut receiver = t.receiver().await;
    t.says(7, "hello").await;
    let at = t.clock.now_secs() - START;
    for (status, shown) in [
        ("500 Internal Server Error", "Wrong response from the webhook: 500 Internal Server Error"),
        ("503 Out Of Coffee", "Wrong response from the webhook: 503 Out Of Coffee"),
        ("302 Found", "Wrong response from the webhook: 302 Found"),
    ] {
        receiver.next().await.status(status);
        until(shown, async || t.webhook_info().await["last_error_message"] == shown).await;
        let (date, _) = error(t).await;
        assert!((at..at + 10).contains(&date), "{date}");
        t.later(4).await;
    }
    assert_eq!(t.webhook_info().await["pending_update_count"], 1);
}

async fn an_error_is_cleared_by_a_new_webhook_and_not_by_success(t: &mut Stage) {
    let mut receiver = t.receiver().await;
    t.says(7, "hello").await;
    receiver.next().await.status("500 Internal Server Error");
    receiver.next().await.ok();
    until("delivered", async || t.webhook_info().await["pending_update_count"] == 0).await;
    error(t).await;
    assert_eq!(t.set_webhook(json!({"url": receiver.url})).await, "Webhook is already set");
    error(t).await;
    let said = t.set_webhook(json!({"url": receiver.url, "max_connections": 3})).await;
    assert_eq!(said, "Webhook was set");
    assert!(t.webhook_info().await.get("last_error_date").is_none());
    assert!(t.webhook_info().await.get("last_error_message").is_none());
}

async fn after_a_timeout_it_says_so(t: &mut Stage) {
    let mut receiver = t.receiver().await;
    t.says(7, "hello").await;
    let hanging = receiver.next().await;
    t.sleeps_ms(60_000).await;
    t.later_ms(59_999).await;
    t.settles().await;
    assert!(t.webhook_info().await.get("last_error_message").is_none());
    t.later_ms(1).await;
    hanging.abandoned().await;
    let again = receiver.next().await;
    assert_eq!(again.text(), "hello");
    again.ok();
    assert_eq!(error(t).await.1, "Read timeout expired");
}

async fn after_a_refused_connection_it_says_so(t: &mut Stage) {
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", nobody.local_addr().unwrap());
    drop(nobody);
    assert_eq!(t.set_webhook(json!({"url": url})).await, "Webhook was set");
    t.says(7, "hello").await;
    assert_eq!(error(t).await.1, "Connection refused");
}

async fn after_a_reset_it_says_so(t: &mut Stage) {
    let mut receiver = t.receiver().await;
    t.says(7, "hello").await;
    receiver.next().await.hang_up();
    let again = receiver.next().await;
    assert_eq!(again.text(), "hello", "it is sent again");
    let (_, words) = error(t).await;
    assert!(words == "Connection reset by peer" || words == "Connection closed", "{words}");
    again.ok();
}

async fn after_bad_tls_it_says_so(t: &mut Stage) {
    use tokio::io::AsyncWriteExt as _;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await;
            tokio::spawn(async move {
                std::future::pending::<()>().await;
                drop(stream);
            });
        }
    });
    assert_eq!(t.set_webhook(json!({"url": url})).await, "Webhook was set");
    t.says(7, "hello").await;
    let (_, words) = error(t).await;
    assert!(words.starts_with("SSL error {") && words.ends_with('}'), "{words}");
}

/// A day of an update that is tried every hour, the last time after 23 and a half; answered with this in each hour.
async fn tried_every_hour(t: &Stage, receiver: &mut Receiver, status: impl Fn(u32) -> &'static str) {
    t.says(7, "hello").await;
    for hour in 0..=23 {
        let next_secs = if hour == 23 { 1800 } else { 3600 };
        receiver.next().await.status_with(status(hour), &format!("Retry-After: {next_secs}\r\n"));
        t.sleeps_ms(next_secs * 1000).await;
        assert_eq!(t.webhook_info().await["url"], receiver.url.as_str(), "after {hour} hours");
        t.later(next_secs.unsigned_abs()).await;
    }
    receiver.next().await.status(status(24));
}

async fn gone_for_23_hours_removes_the_webhook(t: &mut Stage) {
    let mut receiver = t.receiver().await;
    tried_every_hour(t, &mut receiver, |_| "410 Gone").await;
    until("the webhook is removed", async || t.webhook_info().await["url"] == "").await;
    assert_eq!(t.texts(json!({})).await, ["hello"]);
}

async fn another_answer_resets_the_23_hours(t: &mut Stage) {
    let mut receiver = t.receiver().await;
    let status = |hour| if hour == 12 { "500 Internal Server Error" } else { "410 Gone" };
    tried_every_hour(t, &mut receiver, status).await;
    t.settles().await;
    assert_eq!(t.webhook_info().await["url"], receiver.url.as_str());
}
