//! Keyboards, presses and their answers.

use serde_json::{Value, json};

use crate::stage::{Stage, message_id};

fn inline() -> Value {
    json!({"inline_keyboard": [[{"text": "Yes", "callback_data": "yes"}, {"text": "Site", "url": "https://example.com"}]]})
}

async fn ask(stage: &Stage) -> i64 {
    let sent = json!({"chat_id": stage.ann, "text": "Sure?", "reply_markup": inline()});
    message_id(&stage.ok("sendMessage", sent).await)
}

#[tokio::test]
async fn an_inline_press_is_answered_once_and_in_time() {
    let stage = Stage::start().await;
    let message = ask(&stage).await;
    let press = stage.acts("press", json!({"data": "yes", "wait_ms": 0})).await;
    assert_eq!(press["message_id"], message);
    assert_eq!(press["answer"], Value::Null);
    let query = stage.update("callback_query").await;
    assert_eq!(query["data"], "yes");
    assert_eq!(query["from"]["id"], stage.ann);
    assert_eq!(query["message"]["text"], "Sure?");
    assert!(query["chat_instance"].is_string());
    let answer = json!({"callback_query_id": query["id"], "text": "Noted", "show_alert": true});
    assert_eq!(stage.ok("answerCallbackQuery", answer.clone()).await, true);
    let seen = stage.chat().await["callback_answers"].clone();
    assert_eq!(
        seen,
        json!([{"text": "Noted", "show_alert": true, "user": stage.ann, "message_id": message, "data": "yes"}])
    );
    let late = "Bad Request: query is too old and response timeout expired or query ID is invalid";
    assert_eq!(stage.refused("answerCallbackQuery", answer).await, late, "a second answer");

    let press = stage.acts("press", json!({"text": "Yes", "wait_ms": 0})).await;
    stage.clock.advance(std::time::Duration::from_secs(61));
    let answer = json!({"callback_query_id": press["callback_query_id"]});
    assert_eq!(stage.refused("answerCallbackQuery", answer).await, late, "a late answer");
}

#[tokio::test]
async fn a_press_waits_for_the_bots_answer() {
    let stage = Stage::start().await;
    ask(&stage).await;
    let press = stage.acts("press", json!({"data": "yes", "wait_ms": 20_000}));
    let answer = async {
        loop {
            let updates = stage.updates().await;
            if let Some(query) = updates.iter().find_map(|update| update.get("callback_query")) {
                stage
                    .ok("answerCallbackQuery", json!({"callback_query_id": query["id"], "text": "Hi"}))
                    .await;
                return;
            }
        }
    };
    let (press, ()) = tokio::join!(press, answer);
    assert_eq!(press["answer"], json!({"text": "Hi", "show_alert": false}));
}

#[tokio::test]
async fn a_url_button_opens_without_the_bot_hearing_of_it() {
    let stage = Stage::start().await;
    ask(&stage).await;
    let pressed = stage.acts("press", json!({"text": "Site"})).await;
    assert_eq!(pressed, json!({"opened": {"url": "https://example.com/"}}));
    assert!(stage.updates().await.is_empty());
}

#[tokio::test]
async fn a_reply_keyboard_stays_until_it_is_replaced_removed_or_used_up() {
    let stage = Stage::start().await;
    let chat = stage.ann;
    let keyboard = |more: Value| {
        let mut markup = json!({"keyboard": [["Balance"], [{"text": "My phone", "request_contact": true}]]});
        markup.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"chat_id": chat, "text": "Menu", "reply_markup": markup})
    };
    let sent = stage.ok("sendMessage", keyboard(json!({"resize_keyboard": true}))).await;
    assert!(sent.get("reply_markup").is_none(), "Telegram never shows a reply keyboard in a result");
    stage.acts("press", json!({"text": "Balance"})).await;
    assert_eq!(stage.update("message").await["text"], "Balance");
    stage.says("it stays").await;
    assert_eq!(stage.chat().await["reply_keyboard"]["keyboard"][0][0]["text"], "Balance");

    stage.acts("press", json!({"text": "My phone"})).await;
    let contact = stage.update("message").await["contact"].clone();
    assert_eq!(contact, json!({"phone_number": "+79990001122", "first_name": "Ann", "user_id": chat}));

    stage.ok("sendMessage", keyboard(json!({"one_time_keyboard": true}))).await;
    stage.acts("press", json!({"text": "Balance"})).await;
    assert!(stage.chat().await.get("reply_keyboard").is_none(), "it hides after one press");

    stage.ok("sendMessage", keyboard(json!({}))).await;
    let remove = json!({"chat_id": chat, "text": "bye", "reply_markup": {"remove_keyboard": true}});
    stage.ok("sendMessage", remove).await;
    assert!(stage.chat().await.get("reply_keyboard").is_none());
    let refused = stage.impossible("press", json!({"text": "Balance"})).await;
    assert_eq!(refused["expected"], "a keyboard in the chat; it shows none");
}

#[tokio::test]
async fn a_press_on_what_is_not_there_names_what_is() {
    let stage = Stage::start().await;
    ask(&stage).await;
    let refused = stage.impossible("press", json!({"data": "no"})).await;
    assert_eq!(
        refused,
        json!({"error": "there is no such button", "expected": "one of the buttons shown: \"Yes\", \"Site\""})
    );
}

#[tokio::test]
async fn keyboards_that_telegram_would_refuse_are_refused() {
    let stage = Stage::start().await;
    let button = |button: Value| json!({"inline_keyboard": [[button]]}).to_string();
    for (markup, words) in [
        (button(json!({"text": "a", "callback_data": "x".repeat(65)})), "BUTTON_DATA_INVALID"),
        (button(json!({"text": "a", "callback_data": "я".repeat(33)})), "BUTTON_DATA_INVALID"),
        (
            button(json!({"text": "a"})),
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
        ),
        (
            button(json!({"callback_data": "x"})),
            "can't parse inline keyboard button: Can't find field \"text\"",
        ),
        (
            button(json!({"text": "a", "url": "nonsense"})),
            "inline keyboard button URL 'nonsense' is invalid: Wrong HTTP URL",
        ),
        ("{\"inline_keyboard\": [[{".to_owned(), "can't parse reply keyboard markup JSON object"),
        ("[]".to_owned(), "object expected as reply markup"),
    ] {
        let sent = json!({"chat_id": stage.ann, "text": "x", "reply_markup": markup});
        assert_eq!(stage.refused("sendMessage", sent).await, format!("Bad Request: {words}"));
    }
    let longest = json!({"chat_id": stage.ann, "text": "x", "reply_markup": button(json!({"text": "a", "callback_data": "я".repeat(32)}))});
    stage.ok("sendMessage", longest).await;
}
