//! `kill -9` while a manager's reply is on its way: amoCRM was told 200 and never repeats the hook, and Telegram cannot
//! recognise a message that comes twice. So it arrives once, or is shown as unknown.

use std::time::Duration;

use serde_json::{Value, json};
use tandem_bridge::operations::HeldView;
use tandem_model::HeldState;

use crate::support::{channel::Desk, until};

/// How long after the answer to a hook the service is killed: before it has begun, and when it may have done all.
const MOMENTS_MS: [u64; 8] = [0, 0, 1, 2, 4, 8, 15, 40];

fn times(phone: &[String], text: &str) -> usize {
    phone.iter().filter(|told| *told == text).count()
}

/// The rows of replies whose fate nobody knows.
async fn unknown(desk: &Desk) -> anyhow::Result<Vec<HeldView>> {
    let held = desk.held().await?;
    anyhow::ensure!(held.iter().all(|row| row.state != HeldState::Dead), "given up: {held:#?}");
    Ok(held.into_iter().filter(|row| row.state == HeldState::Unknown).collect())
}

/// What was written in the client's card beside the chat.
async fn notes(desk: &Desk) -> anyhow::Result<Vec<String>> {
    let calls = desk.shop.control.get("/amocrm/calls?on=rest").await?;
    let is_note =
        |call: &&Value| call["method"] == "POST" && call["target"].as_str().unwrap().ends_with("/notes");
    let notes = calls["calls"].as_array().unwrap().iter().filter(is_note);
    Ok(notes.map(|call| call["body"].as_str().unwrap().to_owned()).collect())
}

#[tokio::test]
async fn a_reply_arrives_once_or_is_shown_as_unknown_however_soon_after_the_hooks_answer_the_service_is_killed()
-> anyhow::Result<()> {
    let mut desk = Desk::open_with_a_chat().await?;
    let mut said = Vec::new();
    for (number, moment) in MOMENTS_MS.into_iter().enumerate() {
        let text = format!("Ответ {number}");
        let id = desk.writes(&text).await?;
        desk.hook_is_taken(&id).await?;
        tokio::time::sleep(Duration::from_millis(moment)).await;
        desk.shop.tandem.kill().await?;
        desk.shop.tandem.revive().await?;
        said.push((text, id));
        // Each has its fate before the next kill: reported as delivered, or set aside.
        let open = async || {
            let mut open = 0;
            for (_, id) in &said {
                open += usize::from(desk.message(id).await?["delivery_status"] == "sent");
            }
            Ok((open, unknown(&desk).await?.len()))
        };
        until("the fate of each reply", open, |(open, unknown)| open == unknown).await?;
    }
    // What is written now is behind all of them: what should come again would have come before.
    let last = desk.writes("Последний").await?;
    desk.status(&last, "delivered").await?;
    let phone = desk.shop.phone().await?;
    for (text, id) in &said {
        let message = desk.message(id).await?;
        match message["delivery_status"].as_str() {
            Some("delivered") => assert_eq!(times(&phone, text), 1, "{text}: {phone:?}"),
            Some("sent") => assert!(times(&phone, text) <= 1, "{text}: {phone:?}"),
            other => panic!("{text}: {other:?} {message:#}"),
        }
    }
    let order: Vec<_> = phone.iter().filter(|text| text.starts_with("Ответ")).collect();
    assert!(order.is_sorted(), "{order:?}");
    Ok(())
}

#[tokio::test]
async fn a_reply_that_telegram_stalls_at_the_kill_is_unknown_and_never_sent_again() -> anyhow::Result<()> {
    let mut desk = Desk::open_with_a_chat().await?;
    desk.shop.telegram_is_silent_about("sendMessage", "before").await?;
    let stalled = desk.writes("Один").await?;
    let behind = desk.writes("Два").await?;
    desk.hook_is_taken(&behind).await?;
    let begun = |held: &Vec<HeldView>| held.iter().any(|row| row.state == HeldState::Sending);
    until("an attempt", async || desk.held().await, begun).await?;
    desk.shop.tandem.kill().await?;
    desk.shop.tandem.revive().await?;
    desk.status(&behind, "delivered").await?;
    until("an unknown reply", async || unknown(&desk).await, |rows| rows.len() == 1).await?;
    assert_eq!(desk.shop.phone().await?, ["Два"], "what was behind it has gone on, it has not come again");
    assert_eq!(desk.message(&stalled).await?["delivery_status"], "sent", "nobody claims what nobody knows");
    let noted = |notes: &Vec<String>| notes.iter().any(|note| note.contains("Неизвестно"));
    until("a note on the card", async || notes(&desk).await, noted).await?;
    Ok(())
}

#[tokio::test]
async fn a_reply_that_telegram_took_and_the_journal_did_not_see_is_unknown_and_came_once()
-> anyhow::Result<()> {
    let mut desk = Desk::open_with_a_chat().await?;
    desk.shop.telegram_is_silent_about("sendMessage", "after").await?;
    let taken = desk.writes("Один").await?;
    desk.shop.client_is_told(0, &["Один"]).await?;
    for _ in 0..2 {
        desk.shop.tandem.kill().await?;
        desk.shop.tandem.revive().await?;
    }
    until("an unknown reply", async || unknown(&desk).await, |rows| rows.len() == 1).await?;
    let behind = desk.writes("Два").await?;
    desk.status(&behind, "delivered").await?;
    assert_eq!(desk.shop.phone().await?, ["Один", "Два"]);
    assert_eq!(desk.message(&taken).await?["delivery_status"], "sent");
    let any = |notes: &Vec<String>| !notes.is_empty();
    let notes = until("a note on the card", async || notes(&desk).await, any).await?;
    assert_eq!(notes.len(), 1, "however often it is started again: {notes:#?}");
    Ok(())
}

#[tokio::test]
async fn replies_that_wait_for_their_turn_at_the_kill_all_arrive_in_order() -> anyhow::Result<()> {
    let mut desk = Desk::open_with_a_chat().await?;
    // One a second goes to a chat: the others stand in the journal.
    let texts = ["Раз", "Два", "Три"];
    let mut last = String::new();
    for text in texts {
        last = desk.writes(text).await?;
    }
    desk.hook_is_taken(&last).await?;
    until("the first one", async || desk.shop.phone().await, |phone| !phone.is_empty()).await?;
    desk.shop.tandem.kill().await?;
    desk.shop.tandem.revive().await?;
    desk.status(&last, "delivered").await?;
    let (phone, unknown) = (desk.shop.phone().await?, unknown(&desk).await?);
    let come: Vec<&str> = texts.into_iter().filter(|text| times(&phone, text) == 1).collect();
    assert_eq!(phone, come, "in order, and each of them once");
    assert!(unknown.len() <= 1, "at most the one that was under way: {unknown:#?}");
    assert!(texts.len() - come.len() <= unknown.len(), "{phone:?} {unknown:#?}");
    Ok(())
}

#[tokio::test]
async fn a_reply_whose_file_is_being_fetched_at_the_kill_comes_at_most_once() -> anyhow::Result<()> {
    let mut desk = Desk::open_with_a_chat().await?;
    let picture = json!({"type": "picture", "slow_ms": 3_000});
    let picture = desk.says(json!({"media": picture, "text": "Вот"})).await?.remove(0);
    desk.hook_is_taken(&picture).await?;
    let begun = |held: &Vec<HeldView>| held.iter().any(|row| row.state == HeldState::Sending);
    until("an attempt", async || desk.held().await, begun).await?;
    desk.shop.tandem.kill().await?;
    desk.shop.tandem.revive().await?;
    let behind = desk.writes("Потом").await?;
    desk.status(&behind, "delivered").await?;
    let photos = desk.shop.calls_of("sendPhoto").await?;
    let fate = desk.message(&picture).await?["delivery_status"].clone();
    let unknown = unknown(&desk).await?.len();
    assert!(photos <= 1 && (fate == "delivered") == (unknown == 0), "{photos} {fate} {unknown}");
    Ok(())
}
