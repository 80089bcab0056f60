//! Invoices, checkout, refunds.

use serde_json::{Value, json};

use crate::stage::{Stage, message_id};

fn invoice(stage: &Stage, more: &Value) -> Value {
    let mut invoice = json!({
        "chat_id": stage.ann, "title": "Coffee", "description": "A cup", "payload": "order-7", "currency": "XTR",
        "prices": [{"label": "Coffee", "amount": 5}],
    });
    invoice.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    invoice
}

#[tokio::test]
async fn an_invoice_is_paid_after_the_bots_consent() {
    let stage = Stage::start().await;
    let sent = stage.ok("sendInvoice", invoice(&stage, &json!({}))).await;
    assert_eq!(sent["invoice"]["total_amount"], 5);
    assert_eq!(sent["reply_markup"]["inline_keyboard"][0][0]["pay"], true);
    assert!(sent["invoice"].get("payload").is_none(), "the payload is the bot's secret");
    let id = message_id(&sent);
    stage.acts("pay", json!({"message_id": id, "wait_ms": 0})).await;
    let query = stage.update("pre_checkout_query").await;
    assert_eq!(query["invoice_payload"], "order-7");
    assert_eq!((&query["currency"], &query["total_amount"]), (&json!("XTR"), &json!(5)));
    stage.ok("answerPreCheckoutQuery", json!({"pre_checkout_query_id": query["id"], "ok": true})).await;
    let paid = stage.update("message").await;
    let payment = &paid["successful_payment"];
    assert_eq!(payment["invoice_payload"], "order-7");
    assert_eq!(paid["from"]["id"], stage.ann);

    let refund =
        json!({"user_id": stage.ann, "telegram_payment_charge_id": payment["telegram_payment_charge_id"]});
    stage.ok("refundStarPayment", refund.clone()).await;
    assert_eq!(stage.update("message").await["refunded_payment"]["total_amount"], 5);
    assert_eq!(stage.refused("refundStarPayment", refund).await, "Bad Request: CHARGE_ALREADY_REFUNDED");
}

#[tokio::test]
async fn consent_after_ten_seconds_is_too_late() {
    let stage = Stage::start().await;
    let id = message_id(&stage.ok("sendInvoice", invoice(&stage, &json!({}))).await);
    let pay = stage.acts("pay", json!({"message_id": id, "wait_ms": 0})).await;
    stage.clock.advance(std::time::Duration::from_millis(10_001));
    let answer = json!({"pre_checkout_query_id": pay["query_id"], "ok": true});
    let words = stage.refused("answerPreCheckoutQuery", answer).await;
    assert_eq!(words, "Bad Request: query is too old and response timeout expired or query ID is invalid");
    assert_eq!(stage.last().await["kind"], "invoice", "nothing was paid");
}

#[tokio::test]
async fn a_refusal_says_why_and_no_money_moves() {
    let stage = Stage::start().await;
    let id = message_id(&stage.ok("sendInvoice", invoice(&stage, &json!({}))).await);
    let pay = stage.acts("pay", json!({"message_id": id, "wait_ms": 20_000}));
    let refuse = async {
        loop {
            let updates = stage.updates().await;
            let Some(query) = updates.iter().find_map(|update| update.get("pre_checkout_query")) else {
                continue;
            };
            let answer = json!({"pre_checkout_query_id": query["id"], "ok": false});
            let words = stage.refused("answerPreCheckoutQuery", answer.clone()).await;
            assert_eq!(words, "Bad Request: parameter \"error_message\" is required");
            let answer =
                json!({"pre_checkout_query_id": query["id"], "ok": false, "error_message": "Sold out"});
            stage.ok("answerPreCheckoutQuery", answer).await;
            return;
        }
    };
    let (pay, ()) = tokio::join!(pay, refuse);
    assert_eq!(pay["outcome"], json!({"ok": false, "error_message": "Sold out"}));
}

#[tokio::test]
async fn a_flexible_invoice_asks_for_the_delivery_first() {
    let stage = Stage::start().await;
    let more =
        json!({"currency": "RUB", "provider_token": "p", "is_flexible": true, "need_phone_number": true});
    let id = message_id(&stage.ok("sendInvoice", invoice(&stage, &more)).await);
    stage.acts("pay", json!({"message_id": id, "wait_ms": 0})).await;
    let query = stage.update("shipping_query").await;
    assert_eq!(query["shipping_address"]["country_code"], "RU");
    let options = json!([{"id": "post", "title": "Post", "prices": [{"label": "Post", "amount": 10}]}]);
    stage
        .ok(
            "answerShippingQuery",
            json!({"shipping_query_id": query["id"], "ok": true, "shipping_options": options}),
        )
        .await;
    let query = stage.update("pre_checkout_query").await;
    assert_eq!(query["shipping_option_id"], "post");
    assert_eq!(query["total_amount"], 15);
    assert_eq!(query["order_info"]["phone_number"], "+79990001122");
    stage.ok("answerPreCheckoutQuery", json!({"pre_checkout_query_id": query["id"], "ok": true})).await;
    assert_eq!(stage.update("message").await["successful_payment"]["total_amount"], 15);
}

#[tokio::test]
async fn invoices_that_cannot_be_are_refused() {
    let stage = Stage::start().await;
    let keyboard = json!({"inline_keyboard": [[{"text": "a", "callback_data": "a"}]]});
    for (more, words) in [
        (json!({"currency": "RUB"}), "PAYMENT_PROVIDER_INVALID"),
        (json!({"currency": "rubles"}), "CURRENCY_INVALID"),
        (json!({"prices": []}), "there must be at least one price"),
        (json!({"title": ""}), "parameter \"title\" is required"),
        (json!({"reply_markup": keyboard}), "first button must be a pay button"),
    ] {
        assert_eq!(
            stage.refused("sendInvoice", invoice(&stage, &more)).await,
            format!("Bad Request: {words}")
        );
    }
    let text = message_id(&stage.says("x").await);
    assert_eq!(
        stage.impossible("pay", json!({"message_id": text})).await["expected"],
        "the message of an invoice"
    );
    let link = stage.ok("createInvoiceLink", invoice(&stage, &json!({}))).await;
    assert!(link.as_str().unwrap().starts_with("https://t.me/$"));
}
