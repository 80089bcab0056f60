//! A manager begins: somebody whose number the bot knows gets it in his Telegram chat, and nobody else is pretended to.

use serde_json::{Value, json};

use crate::support::{channel::Desk, until};

/// The client shares her own number with the bot.
async fn shares_her_number(desk: &Desk) -> anyhow::Result<()> {
    desk.shop.client_acts("contact", json!({ "own": true })).await?;
    let shared = |lines: &Vec<Value>| lines.iter().any(|line| line["type"] == "contact");
    until("her contact in amoCRM", async || desk.lines().await, shared).await.map(drop)
}

#[tokio::test]
async fn a_known_number_leads_to_the_clients_chat_and_her_answer_to_the_chat_that_was_used_last()
-> anyhow::Result<()> {
    let desk = Desk::open_with_a_chat().await?;
    shares_her_number(&desk).await?;
    let before = desk.lines().await?.len();

    // Another chat of the same person at amoCRM.
    let begun =
        desk.act("write-first", &json!({"phone": "8 (999) 000-11-22", "text": "Ваш заказ готов"})).await?;
    let message = begun["messages"][0].as_str().unwrap();
    desk.status(message, "delivered").await?;
    desk.shop.client_is_told(0, &["Ваш заказ готов"]).await?;
    desk.shop.client_says("Спасибо, еду").await?;
    let second = format!("{}#2", desk.conversation());
    let answered = |lines: &Vec<Value>| lines.iter().any(|line| line["text"] == "Спасибо, еду");
    until("her answer where it was begun", async || desk.lines_of(&second).await, answered).await?;
    assert_eq!(desk.lines().await?.len(), before, "the first chat has nothing of it");

    // He goes on in the first chat: so does she.
    let message = desk.writes("Ждём вас").await?;
    desk.status(&message, "delivered").await?;
    desk.shop.client_is_told(1, &["Ждём вас"]).await?;
    desk.shop.client_says("Уже рядом").await?;
    let answered = |lines: &Vec<Value>| lines.iter().any(|line| line["text"] == "Уже рядом");
    until("her answer in the first chat", async || desk.lines().await, answered).await?;
    assert!(!answered(&desk.lines_of(&second).await?));
    Ok(())
}

#[tokio::test]
async fn a_number_that_no_bot_knows_fails_with_a_sentence_for_the_manager() -> anyhow::Result<()> {
    let desk = Desk::open_with_a_chat().await?;
    let begun = desk.act("write-first", &json!({"phone": "+7 999 765-43-21", "text": "Добрый день"})).await?;
    let failed = desk.status(begun["messages"][0].as_str().unwrap(), "failed").await?;
    assert_eq!(failed["error"]["code"], 904, "{failed:#}");
    let words = failed["error"]["text"].as_str().unwrap();
    assert!(words.contains("t.me/witness_bot"), "it says what to do instead: {words}");
    assert_eq!(desk.shop.phone().await?, Vec::<String>::new());
    assert!(desk.held().await?.is_empty(), "nobody has to look at it");
    Ok(())
}
