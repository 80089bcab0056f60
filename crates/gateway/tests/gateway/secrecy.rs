//! No token and no secret in anything that is logged or shown.

use serde_json::json;
use tandem_crashfs::{Access, Disk};
use tandem_gateway::AppDocument;
use tandem_testkit::Log;

use crate::support::{
    REAL, Stage,
    http::{get, send},
    server::{Reply, Server},
};

#[tokio::test]
async fn no_token_no_secret_and_no_words_are_in_any_log_line() {
    let (log, _guard) = Log::begin();

    let mut t = Stage::start_on(Disk::new(3)).await;
    let orders = t.app("orders", AppDocument::default()).await;
    let receiver = Server::start().await;
    let url = format!("http://user:p4ssw0rd@{}/hook?key=k3y", receiver.address);
    orders.result("setWebhook", json!({"url": url, "secret_token": "s3cr3t"})).await;
    receiver.next([
        Reply::typed("200 OK", "application/json", r#"{"method":"sendMessage","chat_id":7,"text":"w0rds"}"#),
        Reply::html("500 Internal Server Error"),
    ]);
    let echo = format!("{{\"ok\":false,\"error_code\":400,\"description\":\"no {REAL}\"}}");
    t.telegram.next([Reply::json("400 Bad Request", &echo), Reply::Reset, Reply::html("502 Bad Gateway")]);
    for _ in 0..3 {
        t.says(7, "w0rds").await;
        t.run_due().await;
    }
    for client in [&t.main(), &orders] {
        for method in
            ["sendMessage", "getMe", "getUpdates", "getWebhookInfo", "noSuchMethod", "deleteWebhook"]
        {
            client.call(method, json!({"chat_id": 7, "text": "w0rds"})).await;
        }
        send(t.address, &get(&format!("/file/bot{}/photos/x.jpg", client.token))).await;
    }
    send(t.address, &get("/bot700100:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw1/getMe")).await;
    t.telegram.on("getMe", Reply::json("401 Unauthorized", &echo.replace("400", "401")));
    t.disk().unwrap().set_access(Access::ReadOnly);
    for method in ["sendMessage", "setWebhook", "getMe"] {
        t.main().call(method, json!({"chat_id": 7, "text": "w0rds", "url": url})).await;
    }

    let shown = format!("{:?} {:?} {:?}", t.gateway, t.bot, t.recorder);
    let log = log.text() + &shown;
    assert!(log.contains("700100") && log.contains("orders"), "something was logged:\n{log}");
    let own = orders.token.split_once(':').unwrap().1;
    for secret in ["AAHdqTcv", own, "s3cr3t", "p4ssw0rd", "k3y", "w0rds"] {
        if let Some(at) = log.find(secret) {
            let from = log[..at].rfind('\n').map_or(0, |newline| newline + 1);
            panic!("{secret} in: {}", log[from..].lines().next().unwrap());
        }
    }
}

#[tokio::test]
async fn a_webhooks_address_secret_and_certificate_stand_nowhere_in_clear() {
    let t = Stage::start_on(Disk::new(4)).await;
    t.main().result("setWebhook", json!({"url": "http://127.0.0.1:9/t0k3n", "secret_token": "s3cr3t"})).await;
    assert_eq!(t.main().result("getWebhookInfo", json!({})).await["url"], "http://127.0.0.1:9/t0k3n");
    let lane = t.lane_of("main");
    assert!(t.lanes.is_attached(lane));
    t.store.close().await;
    let image = t.disk().unwrap().image();
    for (name, _) in image.sizes() {
        let file = image.file(name).unwrap();
        for secret in [&b"s3cr3t"[..], b"t0k3n"] {
            assert!(!tandem_testkit::contains(file, secret), "{name}");
        }
    }
}
