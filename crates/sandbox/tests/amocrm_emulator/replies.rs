//! A manager's answers and the Salesbot.

use serde_json::{Value, json};

use crate::stage::{Stage, eventually};

fn kinds(messages: &[Value]) -> Vec<(&str, &str)> {
    let word = |message: &'static str| message;
    messages
        .iter()
        .map(|message| (message[word("from")].as_str().unwrap(), message[word("kind")].as_str().unwrap()))
        .collect()
}

#[tokio::test]
async fn a_managers_text_photo_and_document_reach_the_client() {
    let stage = Stage::new().await;
    let bot = stage.connected_bot().await;
    let anna = stage.client("Анна").await;
    stage.client_acts(anna, &bot, "text", json!({"text": "есть меню?"})).await;
    stage.lines_when(&bot, anna, 1).await;
    let reply = format!("/amocrm/{}/reply", bot.id);
    for body in [
        json!({"user": anna, "text": "да, сейчас"}),
        json!({"user": anna, "photo": true, "caption": "вот"}),
        json!({"user": anna, "document": {"base64": "0LzQtdC90Y4=", "file_name": "меню.txt"}}),
    ] {
        let said = stage.act(&reply, body).await;
        assert_eq!(said["delivery"]["state"], "sent", "{said}");
        assert!(said["telegram_message_id"].is_i64());
    }
    let seen = stage.client_sees(anna, &bot).await;
    assert_eq!(kinds(&seen), [("client", "text"), ("bot", "text"), ("bot", "photo"), ("bot", "document")]);
    assert_eq!(seen[2]["caption"], "вот");
    assert_eq!(seen[3]["media"]["size"], 8);
    let lines = stage.lines(&bot, anna).await;
    let authors: Vec<&str> = lines.iter().map(|(author, ..)| author.as_str()).collect();
    assert_eq!(authors, ["client", "manager", "manager", "manager"]);
}

#[tokio::test]
async fn a_failure_is_shown_on_the_message_itself() {
    let stage = Stage::new().await;
    let bot = stage.connected_bot().await;
    let anna = stage.client("Анна").await;
    stage.client_acts(anna, &bot, "text", json!({"text": "пока"})).await;
    stage.lines_when(&bot, anna, 1).await;
    stage.client_acts(anna, &bot, "block", json!({})).await;
    let said =
        stage.act(&format!("/amocrm/{}/reply", bot.id), json!({"user": anna, "text": "стойте!"})).await;
    let delivery = &said["delivery"];
    assert_eq!((&delivery["state"], &delivery["code"]), (&json!("failed"), &json!(403)), "{said}");
    assert!(delivery["error"].as_str().unwrap().contains("bot was blocked by the user"), "{said}");
    let chat = stage.chat(&bot, anna).await;
    let lines = chat["messages"].as_array().unwrap();
    assert!(
        lines.iter().any(|line| line["text"] == "стойте!" && line["delivery"]["state"] == "failed"),
        "{chat}"
    );
}

#[tokio::test]
async fn the_salesbot_asks_with_buttons_and_answers_their_presses_only() {
    let stage = Stage::new().await;
    let bot = stage.connected_bot().await;
    let anna = stage.client("Анна").await;
    let flow = json!({"on": {"text": "Услуги"}, "question": "Что именно?", "prefix": "sb:",
        "buttons": [{"text": "Стрижка", "answer": "1500 ₽"}, {"text": "Окраска", "answer": "4000 ₽"}]});
    stage.act(&format!("/amocrm/{}/salesbot", bot.id), flow).await;

    stage.client_acts(anna, &bot, "text", json!({"text": "Услуги"})).await;
    let question = eventually("the question", async || {
        stage.client_sees(anna, &bot).await.into_iter().find(|message| message["from"] == "bot")
    })
    .await;
    assert_eq!(question["text"], "Что именно?");
    assert!(question["keyboard"].to_string().contains(r#""callback_data":"sb:1""#), "{question}");

    stage.client_acts(anna, &bot, "press", json!({"data": "sb:1"})).await;
    let lines = stage.lines_when(&bot, anna, 4).await;
    let lines: Vec<_> = lines.iter().map(|(author, _, text)| (author.as_str(), text.as_str())).collect();
    assert_eq!(
        lines,
        [("client", "Услуги"), ("salesbot", "Что именно?"), ("client", "sb:1"), ("salesbot", "4000 ₽")]
    );
    let chat = stage.look(&format!("/users/{anna}/bots/{}/chat", bot.id)).await;
    assert_eq!(chat["callback_answers"].as_array().unwrap().len(), 1, "{chat}");

    // A button of the owner's code: amoCRM sees the press and leaves it alone.
    let keyboard = json!({"inline_keyboard": [[{"text": "Баланс", "callback_data": "app:1"}]]});
    stage
        .bot_api(&bot, "sendMessage", json!({"chat_id": anna, "text": "меню", "reply_markup": keyboard}))
        .await;
    let press = json!({"update_id": 900_000_001, "callback_query": {"id": "1", "data": "app:1",
        "from": {"id": anna, "first_name": "Анна"}, "message": {"message_id": 1, "chat": {"id": anna, "type": "private"}}}});
    stage.deliver(&bot, &press).await.unwrap();
    stage.client_acts(anna, &bot, "text", json!({"text": "дальше"})).await;
    let lines = stage.lines_when(&bot, anna, 6).await;
    let lines: Vec<_> = lines[4..]
        .iter()
        .map(|(author, kind, text)| (author.as_str(), kind.as_str(), text.as_str()))
        .collect();
    assert_eq!(lines, [("client", "press", "app:1"), ("client", "text", "дальше")]);
}

#[tokio::test]
async fn the_salesbot_can_greet_at_the_first_contact() {
    let stage = Stage::new().await;
    let bot = stage.connected_bot().await;
    let anna = stage.client("Анна").await;
    stage
        .act(
            &format!("/amocrm/{}/salesbot", bot.id),
            json!({"on": "first_contact", "question": "Чем помочь?"}),
        )
        .await;
    stage.client_acts(anna, &bot, "start", json!({})).await;
    stage.lines_when(&bot, anna, 2).await;
    stage.client_acts(anna, &bot, "text", json!({"text": "ничем"})).await;
    let lines = stage.lines_when(&bot, anna, 3).await;
    let authors: Vec<&str> = lines.iter().map(|(author, ..)| author.as_str()).collect();
    assert_eq!(authors, ["client", "salesbot", "client"], "only the first contact starts it");
}
