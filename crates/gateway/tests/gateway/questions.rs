//! What only one app can answer is shown to one app.

use serde_json::{Value, json};
use tandem_gateway::{AppDocument, Owners, Question};

use crate::support::{Client, Stage, server::Server};

/// One of each question.
async fn asked(t: &mut Stage) {
    let from = json!({"id": 7, "is_bot": false, "first_name": "Ann"});
    let chat = json!({"id": -5, "type": "supergroup"});
    for (kind, object) in [
        ("inline_query", json!({"id": "1", "from": from, "query": "", "offset": ""})),
        (
            "chosen_inline_result",
            json!({"result_id": "1", "from": from, "query": "", "inline_message_id": "in"}),
        ),
        ("shipping_query", json!({"id": "2", "from": from, "invoice_payload": "p", "shipping_address": {}})),
        (
            "pre_checkout_query",
            json!({"id": "3", "from": from, "currency": "XTR", "total_amount": 1, "invoice_payload": "p"}),
        ),
        ("chat_join_request", json!({"chat": chat, "from": from, "user_chat_id": 7, "date": t.now_secs()})),
        (
            "guest_message",
            json!({"message_id": 1, "date": t.now_secs(), "chat": chat, "from": from, "guest_query_id": "4"}),
        ),
    ] {
        t.update(kind, &object).await;
    }
}

async fn kinds(app: &Client) -> Vec<String> {
    let kind = |update: &Value| {
        update.as_object().unwrap().keys().find(|key| *key != "update_id").unwrap().to_owned()
    };
    app.updates(json!({})).await.iter().map(kind).collect()
}

#[tokio::test]
async fn without_a_choice_main_answers_everything() {
    let mut t = Stage::start().await;
    let shop = t.app("shop", AppDocument::default()).await;
    asked(&mut t).await;
    assert_eq!(kinds(&t.main()).await.len(), 6);
    assert!(kinds(&shop).await.is_empty());
}

#[tokio::test]
async fn each_question_goes_to_the_app_chosen_for_it_polling_or_not() {
    let mut t = Stage::start().await;
    let receiver = Server::start().await;
    let shop = t.app("shop", AppDocument::default()).await;
    shop.result("setWebhook", json!({"url": format!("http://{}/hook", receiver.address)})).await;
    let mut owners = Owners::default();
    owners.choose(Question::Shipping, Some("shop".to_owned()));
    owners.choose(Question::PreCheckout, Some("shop".to_owned()));
    owners.choose(Question::JoinRequests, Some("gone".to_owned()));
    t.bot.set_owners(owners);
    asked(&mut t).await;
    t.run_due().await;
    let main = ["inline_query", "chosen_inline_result", "chat_join_request", "guest_message"];
    assert_eq!(kinds(&t.main()).await, main);
    let seen = receiver.seen();
    assert_eq!(seen.len(), 2);
    assert!(
        seen.iter()
            .all(|asked| asked.text().contains("shipping_query\"") || asked.text().contains("pre_checkout"))
    );
}

#[tokio::test]
async fn presses_under_a_chosen_inline_result_are_for_the_app_that_offered_it() {
    let mut t = Stage::start().await;
    let find = t.app("find", AppDocument::default()).await;
    let owners = Owners { inline: Some("find".to_owned()), ..Owners::default() };
    t.bot.set_owners(owners);
    asked(&mut t).await;
    let press = json!({
        "id": "9", "from": {"id": 8, "is_bot": false, "first_name": "Bob"}, "data": "d", "inline_message_id": "in",
    });
    t.update("callback_query", &press).await;
    assert_eq!(kinds(&find).await, ["inline_query", "chosen_inline_result", "callback_query"]);
    assert_eq!(kinds(&t.main()).await.len(), 4, "and no press");
}
