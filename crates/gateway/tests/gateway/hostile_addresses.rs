//! Webhooks at addresses where none may be: refused when they are set, and again when they are connected to.

use std::time::Duration;

use serde_json::{Value, json};
use tandem_gateway::{AppDocument, WebhookPolicy};
use tandem_journal::{App as AppRow, Document, SettingsChange};

use crate::support::{Client, Stage};

#[tokio::test]
async fn no_disguise_of_a_private_address_can_be_set() {
    let mut t = Stage::start_public().await;
    let reserved = |address: &str| format!("Bad Request: bad webhook: IP address {address} is reserved");
    let ipv6 = "Bad Request: bad webhook: IPv6-only addresses are not allowed".to_owned();
    for (url, ip_address, description) in [
        ("https://169.254.169.254/latest/meta-data", None, reserved("169.254.169.254")),
        ("https://0/", None, reserved("0.0.0.0")),
        ("https://0177.0.0.1/", None, reserved("127.0.0.1")),
        ("https://0x7f.1/", None, reserved("127.0.0.1")),
        ("https://127.1/", None, reserved("127.0.0.1")),
        ("https://３.0.0.1@10.0.0.1/", None, reserved("10.0.0.1")),
        ("https://100.64.0.1/", None, reserved("100.64.0.1")),
        ("https://224.0.0.1/", None, reserved("224.0.0.1")),
        ("https://[::ffff:10.0.0.1]/", None, ipv6.clone()),
        ("https://[::1]/", None, ipv6.clone()),
        ("https://localhost/", None, reserved("127.0.0.1")),
        ("https://bot.example/", Some("10.0.0.1"), reserved("10.0.0.1")),
        ("https://bot.example/", Some("0.0.0.0"), reserved("0.0.0.0")),
        ("https://bot.example/", Some("::ffff:10.0.0.1"), ipv6.clone()),
        ("https://bot.example/", Some("fd00::1"), ipv6.clone()),
        (
            "https://bot.example/",
            Some("0x7f000001"),
            "Bad Request: bad webhook: Invalid IP address specified".to_owned(),
        ),
    ] {
        t.clock.advance(Duration::from_secs(2));
        let mut params = json!({"url": url});
        if let Some(address) = ip_address {
            params["ip_address"] = Value::from(address);
        }
        let answer = t.main().call("setWebhook", params).await;
        assert_eq!((answer.status, answer.description()), (400, description), "{url} {ip_address:?}");
    }
    t.says(7, "hello").await;
    assert_eq!(t.main().texts(json!({})).await, ["hello"], "it polls as before");
}

#[tokio::test]
async fn a_webhook_that_may_be_no_longer_is_not_connected_to_and_the_app_is_told_why() {
    let t = Stage::start_public().await;
    let anywhere = AppDocument { webhooks: WebhookPolicy::Any, ..AppDocument::default() };
    let app = t.app("trusted", anywhere).await;
    app.result("setWebhook", json!({"url": "https://localhost:8443/"})).await;

    // The owner thinks better of it.
    let stored = t.app_of("trusted");
    let document = AppDocument { webhooks: WebhookPolicy::PublicHttps, ..(*stored.document()).clone() };
    let row = AppRow {
        bot: t.bot.id(),
        name: "trusted".to_owned(),
        lane: Some(stored.lane()),
        document: Document::of(&document).unwrap(),
    };
    t.store.change_settings(None, vec![SettingsChange::PutApp(row)]).await.unwrap();
    let mut t = t.restart().await;
    let app = Client { address: t.address, token: app.token };

    t.says(7, "hello").await;
    t.run_due().await;
    let info = app.result("getWebhookInfo", json!({})).await;
    assert_eq!(info["last_error_message"], "IP address is reserved: private addresses are not allowed here");
    assert_eq!(info["pending_update_count"], 1);
}
