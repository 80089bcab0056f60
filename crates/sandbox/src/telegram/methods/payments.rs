//! Invoices and their checkout (reference/telegram.md 4.3).

use serde_json::{Map, Value, json};

use super::Request;
use super::target::Envelope;
use crate::telegram::ApiError;
use crate::telegram::world::State;
use crate::telegram::world::message::{Author, Content, Draft};
use crate::telegram::world::queries::{Asked, InvoiceRef, Question};

/// The visible and the hidden part of an invoice.
fn invoice(request: Request<'_>) -> Result<(Value, Map<String, Value>), ApiError> {
    let params = request.params();
    let title = params.required("title")?;
    let description = params.required("description")?;
    let payload = params.required("payload")?;
    let currency = params.required("currency")?;
    if payload.len() > 128 {
        return Err(ApiError::bad_request("INVOICE_PAYLOAD_INVALID"));
    }
    if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(ApiError::bad_request("CURRENCY_INVALID"));
    }
    // Stars need no payment provider, real money does.
    if currency != "XTR" && params.text("provider_token").is_none() {
        return Err(ApiError::bad_request("PAYMENT_PROVIDER_INVALID"));
    }
    let prices = params.json("prices");
    let prices = prices
        .as_ref()
        .and_then(Value::as_array)
        .filter(|prices| !prices.is_empty())
        .ok_or_else(|| ApiError::bad_request("there must be at least one price"))?;
    let amounts: Option<Vec<i64>> = prices
        .iter()
        .map(|price| price.get("label").filter(|label| label.is_string()).and(price.get("amount")?.as_i64()))
        .collect();
    let amounts = amounts.ok_or_else(|| ApiError::bad_request("can't parse labeled price"))?;
    let total: i64 = amounts.iter().sum();
    if total <= 0 || (currency == "XTR" && amounts.len() > 1) {
        return Err(ApiError::bad_request("CURRENCY_TOTAL_AMOUNT_INVALID"));
    }
    let shown = json!({
        "title": title,
        "description": description,
        "start_parameter": params.text("start_parameter").unwrap_or_default(),
        "currency": currency,
        "total_amount": total,
    });
    let mut hidden = Map::new();
    hidden.insert("payload".into(), json!(payload));
    for wish in ["is_flexible", "need_name", "need_phone_number", "need_email", "need_shipping_address"] {
        if params.bool(wish) {
            hidden.insert(wish.into(), json!(true));
        }
    }
    Ok((shown, hidden))
}

pub(super) fn send_invoice(request: Request<'_>) -> Result<Value, ApiError> {
    let mut state = request.world();
    let envelope = Envelope::read(&state, request)?;
    let (shown, hidden) = invoice(request)?;
    let key = envelope.key;
    let envelope = envelope.with_pay_button(&shown)?;
    let id = envelope.post_hidden(&mut state, Content::of("invoice", shown), hidden);
    Ok(state.message_json(key, id, request.bot).unwrap_or(Value::Null))
}

pub(super) fn create_link(request: Request<'_>) -> Result<Value, ApiError> {
    invoice(request)?;
    let state = request.world();
    Ok(json!(format!("https://t.me/${}", state.random.word(22))))
}

pub(super) fn answer_shipping(request: Request<'_>) -> Result<Value, ApiError> {
    let params = request.params();
    let id = params.text("shipping_query_id").unwrap_or_default();
    let ok = params.bool("ok");
    let options = params.json("shipping_options").filter(Value::is_array);
    if ok && options.as_ref().and_then(Value::as_array).is_none_or(Vec::is_empty) {
        return Err(ApiError::bad_request("there must be at least one shipping option"));
    }
    let error = if ok { None } else { Some(params.required("error_message")?.to_owned()) };
    let mut state = request.world();
    let now = state.clock.now_ms();
    let query = state.queries.take(request.bot, id, Asked::Shipping, now)?;
    let Question::Shipping { invoice } = query.question else { return Ok(json!(true)) };
    if let Some(error) = error {
        query.answer.send(json!({"ok": false, "error_message": error})).ok();
        return Ok(json!(true));
    }
    // A query that was pushed raw has no invoice to go on with.
    let chat = state.chats.get(&invoice.chat);
    if chat.is_none_or(|chat| chat.find_message(invoice.message_id).is_none()) {
        query.answer.send(json!({"ok": true})).ok();
        return Ok(json!(true));
    }
    // The person takes the first delivery offered.
    let option = options.as_ref().and_then(|options| options.get(0));
    let option_id = option.and_then(|option| option.get("id")).and_then(Value::as_str);
    let prices = option.and_then(|option| option.get("prices")).and_then(Value::as_array);
    let cost: i64 = prices.into_iter().flatten().filter_map(|price| price.get("amount")?.as_i64()).sum();
    state.ask_checkout(request.bot, query.user, invoice, option_id, cost, query.answer);
    Ok(json!(true))
}

pub(super) fn answer_checkout(request: Request<'_>) -> Result<Value, ApiError> {
    let params = request.params();
    let id = params.text("pre_checkout_query_id").unwrap_or_default();
    let ok = params.bool("ok");
    let error = if ok { None } else { Some(params.required("error_message")?.to_owned()) };
    let mut state = request.world();
    let now = state.clock.now_ms();
    let query = state.queries.take(request.bot, id, Asked::Checkout, now)?;
    let Question::Checkout { invoice } = query.question else { return Ok(json!(true)) };
    let outcome = match error {
        Some(error) => json!({"ok": false, "error_message": error}),
        None => match pay(&mut state, query.user, invoice) {
            Some(message_id) => json!({"ok": true, "message_id": message_id}),
            None => json!({"ok": true}),
        },
    };
    query.answer.send(outcome).ok();
    Ok(json!(true))
}

/// The money has moved: `successful_payment`. A query that was pushed raw has no invoice to tell of.
fn pay(state: &mut State, user: i64, invoice: InvoiceRef) -> Option<i64> {
    let chat = state.chats.get(&invoice.chat)?;
    let mut payment = chat.find_message(invoice.message_id)?.hidden.get("order")?.clone();
    payment["telegram_payment_charge_id"] = json!(state.random.word(32));
    payment["provider_payment_charge_id"] = json!(state.new_id());
    let mut draft = Draft::new(user, Author::Account(user), Content::of("successful_payment", payment));
    draft.reply_to = Some(invoice.message_id);
    Some(state.post(invoice.chat, draft))
}

pub(super) fn refund(request: Request<'_>) -> Result<Value, ApiError> {
    let charge = request.params().required("telegram_payment_charge_id")?;
    let mut state = request.world();
    let user = super::target::user(&state, request)?;
    let key = state.open_private(request.bot, user);
    let chat = state.chats.get(&key).ok_or_else(|| ApiError::bad_request("chat not found"))?;
    let paid = |content: &Content| {
        content
            .fields
            .get("successful_payment")
            .filter(|payment| payment.get("telegram_payment_charge_id").is_some_and(|id| id == charge))
            .cloned()
    };
    let payment = chat.messages.values().find_map(|message| paid(&message.content));
    let payment = payment.ok_or_else(|| ApiError::bad_request("CHARGE_NOT_FOUND"))?;
    let again = chat.messages.values().any(|message| {
        let refunded = message.content.fields.get("refunded_payment");
        refunded.and_then(|refund| refund.get("telegram_payment_charge_id")).is_some_and(|id| id == charge)
    });
    if again {
        return Err(ApiError::bad_request("CHARGE_ALREADY_REFUNDED"));
    }
    let refund = json!({
        "currency": payment.get("currency"),
        "total_amount": payment.get("total_amount"),
        "invoice_payload": payment.get("invoice_payload"),
        "telegram_payment_charge_id": charge,
    });
    state.post_service(key, request.bot, "refunded_payment", refund);
    Ok(json!(true))
}
