//! What one app sends reaches another only if that one has asked for it, and then as nothing a client could have sent.

use serde_json::{Value, json};
use tandem_gateway::{AppDocument, Sees};

use crate::support::{
    Client, Stage, message,
    server::{Reply, Server},
};

async fn sends(t: &Stage, app: &Client, text: &str) {
    t.telegram.on("sendMessage", Reply::ok(&message(5, 7, text)));
    app.result("sendMessage", json!({"chat_id": 7, "text": text})).await;
}

fn said(update: &Value) -> String {
    let of = |update: &Value| update["text"].as_str().map(str::to_owned);
    of(&update["message"]).or_else(|| of(&update["tandem_sent"]["result"])).unwrap()
}

#[tokio::test]
async fn only_who_asks_by_name_is_shown_it_and_never_who_sent_it() {
    let mut t = Stage::start().await;
    let orders = t.app("orders", AppDocument::default()).await;
    let watch = t.app("watch", AppDocument::default()).await;
    sends(&t, &orders, "before").await;
    let asked = json!({"allowed_updates": ["message", "tandem_sent"]});
    assert!(watch.updates(asked).await.is_empty());
    sends(&t, &orders, "one").await;
    sends(&t, &watch, "its own").await;
    t.says(7, "two").await;
    sends(&t, &t.main(), "three").await;
    let updates = watch.updates(json!({"offset": 1})).await;
    assert_eq!(updates.iter().map(said).collect::<Vec<_>>(), ["one", "two", "three"]);
    let mut members: Vec<_> = updates[0].as_object().unwrap().keys().collect();
    members.sort();
    assert_eq!(members, ["tandem_sent", "update_id"]);
    let sent = &updates[0]["tandem_sent"];
    assert_eq!((&sent["by"], &sent["method"]), (&json!({"app": "orders"}), &json!("sendMessage")));
    assert_eq!(sent["parameters"]["texts"], json!({"chat_id": "7", "text": "one"}));
    for app in [&orders, &t.main()] {
        assert_eq!(app.texts(json!({})).await, ["two"]);
    }
    let info = watch.result("getWebhookInfo", json!({})).await;
    assert_eq!(info["allowed_updates"], json!(["message", "tandem_sent"]));
    watch.updates(json!({"offset": 2, "allowed_updates": []})).await;
    sends(&t, &orders, "after").await;
    let last = updates[2]["update_id"].as_i64().unwrap();
    assert!(watch.updates(json!({"offset": last + 1})).await.is_empty());
}

#[tokio::test]
async fn the_owners_word_holds_whatever_the_app_asks_for() {
    let t = Stage::start().await;
    let sees = [Sees::Sent].into();
    let watch = t.app("watch", AppDocument { sees, ..AppDocument::default() }).await;
    watch.updates(json!({"allowed_updates": ["message"]})).await;
    sends(&t, &t.main(), "one").await;
    assert_eq!(watch.updates(json!({"offset": 1})).await.iter().map(said).collect::<Vec<_>>(), ["one"]);
}

#[tokio::test]
async fn numbers_rise_for_everybody_and_offsets_confirm_what_they_say() {
    let mut t = Stage::start().await;
    let sees = [Sees::Sent].into();
    let watch = t.app("watch", AppDocument { sees, ..AppDocument::default() }).await;
    let mut asked = 0;
    for round in 0..5 {
        t.says(7, &format!("said {round}")).await;
        sends(&t, &t.main(), &format!("sent {round}")).await;
        asked += 1;
    }
    let updates = watch.updates(json!({})).await;
    assert_eq!(updates.len(), 2 * asked);
    let numbers = |updates: &[Value]| {
        updates.iter().map(|update| update["update_id"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    let all = numbers(&updates);
    assert!(all.is_sorted_by(|a, b| a < b), "{all:?}");
    let of_main = numbers(&t.main().updates(json!({})).await);
    assert!(of_main.iter().all(|number| all.contains(number)));
    // A sent one is confirmed like any other, and a negative offset counts it.
    let rest = watch.updates(json!({"offset": all[1] + 1})).await;
    assert_eq!(numbers(&rest), all[2..]);
    assert_eq!(said(&watch.updates(json!({"offset": -1})).await[0]), "sent 4");
    let t = t.restart().await;
    let watch = Client { address: t.address, ..watch };
    assert_eq!(numbers(&watch.updates(json!({})).await), all[9..]);
}

#[tokio::test]
async fn a_webhook_is_posted_it_in_order_with_what_clients_say() {
    let mut t = Stage::start().await;
    let receiver = Server::start().await;
    let watch = t.app("watch", AppDocument::default()).await;
    let url = format!("http://{}/hook", receiver.address);
    sends(&t, &t.main(), "before").await;
    watch.result("setWebhook", json!({"url": url, "allowed_updates": ["message", "tandem_sent"]})).await;
    for round in 0..3 {
        t.says(7, &format!("said {round}")).await;
        sends(&t, &t.main(), &format!("sent {round}")).await;
    }
    t.run_due().await;
    let seen: Vec<Value> =
        receiver.seen().iter().map(|asked| serde_json::from_str(asked.text()).unwrap()).collect();
    assert_eq!(
        seen.iter().map(said).collect::<Vec<_>>(),
        ["said 0", "sent 0", "said 1", "sent 1", "said 2", "sent 2"]
    );
    let info = watch.result("getWebhookInfo", json!({})).await;
    assert_eq!(info["pending_update_count"], 0);
}
