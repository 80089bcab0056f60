//! Each kind of message in both directions.

use serde_json::{Value, json};

use crate::support::{channel::Desk, until};

/// How many files Telegram was sent, one by one.
async fn files_sent(desk: &Desk) -> anyhow::Result<usize> {
    let mut sent = 0;
    for method in ["sendPhoto", "sendDocument", "sendVideo", "sendVoice", "sendAudio", "sendSticker"] {
        sent += desk.shop.calls_of(method).await?;
    }
    Ok(sent)
}

#[tokio::test]
async fn each_kind_of_a_clients_message_is_shown_in_amocrm_as_what_it_is() -> anyhow::Result<()> {
    let desk = Desk::open_with_a_chat().await?;
    let mut shown = 1;
    for (act, with, kind) in [
        ("photo", json!({ "caption": "вид" }), "picture"),
        ("document", json!({ "file_name": "счёт.pdf" }), "file"),
        ("video", json!({}), "video"),
        ("voice", json!({}), "voice"),
        ("audio", json!({}), "audio"),
        ("location", json!({ "latitude": 55.75, "longitude": 37.61 }), "location"),
        ("contact", json!({ "own": true }), "contact"),
        ("album", json!({ "count": 2 }), "picture"),
    ] {
        desk.shop.client_acts(act, with).await?;
        shown += if act == "album" { 2 } else { 1 };
        let arrived = |lines: &Vec<Value>| lines.len() == shown;
        let lines = until(act, async || desk.lines().await, arrived).await?;
        let last = lines.last().unwrap();
        assert_eq!((&last["type"], &last["speaker"]), (&json!(kind), &json!("client")), "{act}: {last:#}");
    }
    let said = desk.shop.client_acts("text", json!({ "text": "с опечаткой" })).await?;
    let arrived = |lines: &Vec<Value>| lines.last().is_some_and(|line| line["text"] == "с опечаткой");
    until("her words", async || desk.lines().await, arrived).await?;
    let edit = json!({ "message_id": said["message_id"], "text": "без опечатки" });
    desk.shop.client_acts("edit", edit).await?;
    let edited = |lines: &Vec<Value>| {
        lines.last().is_some_and(|line| line["text"] == "без опечатки" && line["edited"] == true)
    };
    until("the edit", async || desk.lines().await, edited).await?;
    let all_fetched = async || {
        let lines = desk.lines().await?;
        let files: Vec<Value> = lines.iter().map(|line| line["media"]["fetched"].clone()).collect();
        Ok(files.into_iter().filter(|file| !file.is_null() && file["state"] == "waiting").count())
    };
    until("all files", all_fetched, |waiting| *waiting == 0).await?;
    assert_eq!(desk.complaints().await?, Vec::<Value>::new(), "amoCRM stumbles over nothing");
    Ok(())
}

#[tokio::test]
async fn each_kind_of_a_managers_message_comes_to_the_client_as_what_it_is() -> anyhow::Result<()> {
    let desk = Desk::open_with_a_chat().await?;
    // What a client of Telegram would not take as a voice message, say, goes as a file: so it does with samples.
    for kind in ["picture", "file", "video", "voice", "audio", "sticker"] {
        let before = files_sent(&desk).await?;
        let id = desk.says(json!({ "media": kind })).await?.remove(0);
        desk.status(&id, "delivered").await?;
        assert_eq!(files_sent(&desk).await?, before + 1, "{kind}");
        if kind == "picture" {
            assert_eq!(desk.shop.calls_of("sendPhoto").await?, 1);
        }
    }
    let album = desk.says(json!({"album": ["picture", "picture"]})).await?;
    for id in &album {
        desk.status(id, "delivered").await?;
    }
    assert_eq!(desk.shop.calls_of("sendMediaGroup").await?, 1);
    let her = desk.lines().await?.remove(0);
    let quoting = desk.says(json!({"text": "на это", "quote": her["id"]})).await?.remove(0);
    desk.status(&quoting, "delivered").await?;
    let react = json!({"chat": desk.conversation(), "message": her["id"], "emoji": "👍"});
    desk.act("react", &react).await?;
    desk.act("typing", &json!({"chat": desk.conversation()})).await?;
    for method in ["setMessageReaction", "sendChatAction"] {
        until(method, async || desk.shop.calls_of(method).await, |calls| *calls > 0).await?;
    }
    let asks = desk
        .says(json!({"text": "Удобно?", "buttons": [[{"text": "Да"}, {"text": "Нет"}]]}))
        .await?
        .remove(0);
    desk.status(&asks, "delivered").await?;
    desk.shop.client_acts("press", json!({ "text": "Да" })).await?;
    let pressed = |lines: &Vec<Value>| {
        lines.last().is_some_and(|line| line["text"] == "Да" && line["speaker"] == "client")
    };
    until("the press as her words", async || desk.lines().await, pressed).await?;
    Ok(())
}
