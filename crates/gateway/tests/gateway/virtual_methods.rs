//! Each virtual method, in every form a request can have (reference/telegram.md 1 and 10).

use serde_json::json;
use tandem_gateway::{AppDocument, DropPending, MarkDocument};
use tandem_model::EventKind;

use crate::support::{
    REAL, Stage,
    http::{get, multipart, post, send},
};

#[tokio::test]
async fn close_and_log_out_are_true_for_the_caller_and_reach_nobody() {
    let t = Stage::start().await;
    for method in ["close", "logOut", "LOGOUT"] {
        assert_eq!(t.main().result(method, json!({})).await, json!(true));
    }
    assert!(t.telegram.seen().is_empty());
}

#[tokio::test]
async fn a_call_may_have_any_form_and_the_query_wins() {
    let mut t = Stage::start().await;
    for text in ["one", "two", "three"] {
        t.says(7, text).await;
    }
    let path = t.main().path("getUpdates");
    let encoded = path.replace(':', "%3A");
    let form = "application/x-www-form-urlencoded";
    let parts = multipart(&[("limit", None, b"2")]);
    for (count, request) in [
        (3, get(&path)),
        (2, get(&format!("{path}?limit=2"))),
        (2, post(&path, form, b"limit=2")),
        (2, post(&path, "application/json", b"{\"limit\":2}")),
        (2, post(&path, "Application/JSON; charset=utf-8", b"{\"limit\":\"2\",\"allowed_updates\":null}")),
        (2, post(&path, "multipart/form-data; boundary=b", &parts)),
        (1, post(&format!("{path}?limit=1"), form, b"limit=2")),
        (3, post(&path, "multipart/form-data; boundary=b", b"")),
        (3, post(&path, "text/plain", b"limit=2")),
        (3, get(&encoded)),
        (2, get(&format!("/bot{REAL}/GETupdates?limit=2"))),
        (2, get(&format!("/bot{REAL}/?method=getUpdates&limit=2"))),
        (2, post(&format!("/bot{REAL}/"), "application/json", b"{\"method\":\"getUpdates\",\"limit\":2}")),
    ] {
        t.clock.advance(std::time::Duration::from_secs(5));
        let answer = send(t.address, &request).await;
        let shown = String::from_utf8_lossy(&request).into_owned();
        assert_eq!(answer.status, 200, "{shown}: {}", answer.text());
        assert_eq!(answer.json()["result"].as_array().unwrap().len(), count, "{shown}");
    }
    assert!(t.telegram.seen().is_empty());
}

#[tokio::test]
async fn answers_have_telegrams_envelope() {
    let t = Stage::start().await;
    let answer = t.main().call("getUpdates", json!({})).await;
    assert_eq!(answer.text(), r#"{"ok":true,"result":[]}"#);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
}

#[tokio::test]
async fn get_webhook_info_without_a_webhook_has_three_fields() {
    let mut t = Stage::start().await;
    t.says(7, "one").await;
    let info = t.main().result("getWebhookInfo", json!({})).await;
    assert_eq!(info, json!({"url": "", "has_custom_certificate": false, "pending_update_count": 1}));
}

#[tokio::test]
async fn delete_webhook_succeeds_at_any_time() {
    let t = Stage::start().await;
    for _ in 0..2 {
        let answer = t.main().call("deleteWebhook", json!({})).await;
        assert_eq!(answer.text(), r#"{"ok":true,"result":true,"description":"Webhook is already deleted"}"#);
    }
    assert!(t.telegram.seen().is_empty());
}

#[tokio::test]
async fn dropping_what_is_pending_is_obeyed_and_noted() {
    let mut t = Stage::start().await;
    for text in ["one", "two"] {
        t.says(7, text).await;
    }
    t.main().result("deleteWebhook", json!({"drop_pending_updates": true})).await;
    assert!(t.main().updates(json!({})).await.is_empty());
    let marks = t.journal(EventKind::Mark).await;
    let mark: MarkDocument<'_> = serde_json::from_slice(&marks[0].body).unwrap();
    assert_eq!(mark, MarkDocument::Dropped { app: "main".into(), events: 2 });
    t.says(7, "three").await;
    t.clock.advance(std::time::Duration::from_secs(5));
    assert_eq!(t.main().texts(json!({})).await, ["three"]);
}

#[tokio::test]
async fn an_app_that_drops_on_every_start_keeps_its_backlog_when_it_is_set_so() {
    let mut t = Stage::start().await;
    let document = AppDocument { drop_pending: DropPending::Ignore, ..AppDocument::default() };
    let orders = t.app("orders", document).await;
    t.says(7, "one").await;
    assert_eq!(orders.result("deleteWebhook", json!({"drop_pending_updates": true})).await, json!(true));
    assert_eq!(orders.texts(json!({})).await, ["one"]);
    assert!(t.journal(EventKind::Mark).await.is_empty());
}

#[tokio::test]
async fn the_kinds_an_app_asks_for_hold_for_what_comes_and_are_remembered() {
    let mut t = Stage::start().await;
    let poll = json!({"id": "1", "question": "?", "options": []});
    t.says(7, "one").await;
    t.update("poll", &poll).await;
    assert_eq!(t.main().updates(json!({"allowed_updates": ["MESSAGE", "nonsense"]})).await.len(), 2);
    t.update("poll", &poll).await;
    t.says(7, "two").await;
    let info = t.main().result("getWebhookInfo", json!({})).await;
    assert_eq!(info["allowed_updates"], json!(["message"]));
    let mut t = t.restart().await;
    t.update("poll", &poll).await;
    for unchanged in [json!({}), json!({"allowed_updates": "null"}), json!({"allowed_updates": "message"})] {
        t.clock.advance(std::time::Duration::from_secs(5));
        let texts = t.main().texts(unchanged).await;
        assert_eq!(texts, ["one", "?", "two"], "what was queued before stays");
    }
    t.clock.advance(std::time::Duration::from_secs(5));
    t.main().updates(json!({"allowed_updates": []})).await;
    t.update("poll", &poll).await;
    t.update("chat_member", &json!({"chat": {"id": 7}, "from": {"id": 7}, "date": t.now_secs()})).await;
    t.clock.advance(std::time::Duration::from_secs(5));
    assert_eq!(t.main().texts(json!({})).await, ["one", "?", "two", "?"]);
    let info = t.main().result("getWebhookInfo", json!({})).await;
    assert_eq!(info.get("allowed_updates"), None, "the default is not shown");
}

#[tokio::test]
async fn an_update_is_telegrams_bytes_but_for_its_number() {
    let t = Stage::start().await;
    let update = "{\"update_id\":5,\n\"message\":{\"message_id\":1,\"date\":1800000000, \"chat\":{\"id\":7},\"text\":\"\\u041f\",\"thumb\":1e0}}";
    t.append(update).await;
    let answer = t.main().call("getUpdates", json!({})).await;
    let id = answer.json()["result"][0]["update_id"].as_i64().unwrap();
    let expected = update.replace("\"update_id\":5", &format!("\"update_id\":{id}"));
    assert_eq!(answer.text(), format!("{{\"ok\":true,\"result\":[{expected}]}}"));
}
