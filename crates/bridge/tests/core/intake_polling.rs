//! Asking Telegram for updates.

use std::time::Duration;

use serde_json::json;
use tandem_bridge::{IntakeState, UpstreamMode};
use tandem_model::EventKind;
use tandem_sandbox::telegram::Bot;

use crate::support::{Service, Stage, id, says, text_of, until};

fn questions(bot: &Bot) -> Vec<serde_json::Map<String, serde_json::Value>> {
    let calls = bot.calls_after(0).into_iter();
    calls.filter(|call| call.method == "getUpdates").map(|call| call.params).collect()
}

/// Waits until so many were taken and so many were repeated.
async fn counts(service: &Service, bot: &Bot, expected: (u64, u64)) {
    until("the counts", async || {
        let intake = service.bridge.status(id(bot)).unwrap().intake;
        ((intake.taken, intake.repeated) == expected).then_some(())
    })
    .await;
}

#[tokio::test]
async fn updates_are_committed_in_telegrams_own_bytes_and_then_confirmed() {
    let stage = Stage::new().await;
    let (service, bot) = (stage.serve().await, stage.bot());
    let next = says(&bot, 7, "hello") + 1;
    let strange = r#""brand_new_kind":{"x" : "\u00e9 é","n":1.0e5,"deep":[{}, null ]}}"#;
    bot.push_raw(&format!("{{{strange}")).unwrap();
    service.add(&bot, UpstreamMode::Polling, &[]).await;
    let bodies = service.bodies(&bot, 2).await;
    assert_eq!(text_of(&bodies[0]), "hello");
    assert_eq!(bodies[1], format!("{{\"update_id\":{next},\n{strange}"));
    until("the confirmation", async || (bot.pending() == 0).then_some(())).await;
    says(&bot, 7, "again");
    assert_eq!(text_of(&service.bodies(&bot, 3).await[2]), "again");
    let events = service.journal(&bot).await;
    assert!(events.iter().all(|event| event.kind == EventKind::Update && event.virtual_id.is_some()));
    counts(&service, &bot, (3, 0)).await;
    service.is_running(&bot).await;
    service.stop().await;
}

#[tokio::test]
async fn every_kind_is_asked_for_by_name() {
    let stage = Stage::new().await;
    let (service, bot) = (stage.serve().await, stage.bot());
    // Somebody before us asked for messages alone.
    stage.bot_api(&bot, "getUpdates", json!({"allowed_updates": ["message"]})).await;
    service.add(&bot, UpstreamMode::Polling, &[]).await;
    says(&bot, 7, "hello");
    service.bodies(&bot, 1).await;
    let asked = questions(&bot).pop().unwrap()["allowed_updates"].clone();
    let asked: Vec<String> = match asked {
        serde_json::Value::String(text) => serde_json::from_str(&text).unwrap(),
        other => serde_json::from_value(other).unwrap(),
    };
    assert_eq!(asked.len(), 27);
    for name in ["message", "chat_member", "message_reaction", "message_reaction_count", "subscription"] {
        assert!(asked.iter().any(|asked| asked == name), "{name}");
    }
    service.stop().await;
}

#[tokio::test]
async fn what_the_store_refuses_is_not_confirmed_and_comes_when_there_is_space() {
    let stage = Stage::new().await;
    let (service, bot) = (stage.serve().await, stage.bot());
    service.add(&bot, UpstreamMode::Polling, &[]).await;
    stage.is_asked().await;
    stage.disk.runs_low();
    says(&bot, 7, "kept at Telegram");
    let shown =
        service.intake_is(&bot, "a refusal", |state| matches!(state, IntakeState::StoreRefuses { .. })).await;
    let IntakeState::StoreRefuses { reason, .. } = shown else { unreachable!() };
    assert!(reason.contains("the disk is nearly full"), "{reason}");
    assert_eq!(bot.pending(), 1);
    assert!(service.journal(&bot).await.is_empty());
    assert!(questions(&bot).iter().all(|asked| !asked.contains_key("offset")));
    stage.disk.is_freed();
    // The store says itself that it takes again: no time has to pass.
    assert_eq!(text_of(&service.bodies(&bot, 1).await[0]), "kept at Telegram");
    until("the confirmation", async || (bot.pending() == 0).then_some(())).await;
    service.is_running(&bot).await;
    service.stop().await;
}

#[tokio::test]
async fn an_update_that_comes_twice_is_recognised_and_one_that_only_looks_so_is_kept() {
    let stage = Stage::new().await;
    let (service, bot) = (stage.serve().await, stage.bot());
    service.add(&bot, UpstreamMode::Polling, &[]).await;
    let update = r#"{"update_id":7000000,"message":{"message_id":1,"date":1800000000,"text":"a","chat":{"id":7,"type":"private"}}}"#;
    bot.push_raw(update).unwrap();
    service.bodies(&bot, 1).await;
    until("the confirmation", async || (bot.pending() == 0).then_some(())).await;
    bot.push_raw(update).unwrap();
    bot.push_raw(&update.replace("\"a\"", "\"b\"")).unwrap();
    let bodies = service.bodies(&bot, 2).await;
    assert_eq!(bodies.iter().map(|body| text_of(body)).collect::<Vec<_>>(), ["a", "b"]);
    counts(&service, &bot, (2, 1)).await;
    service.stop().await;
}

#[tokio::test]
async fn numbers_that_begin_anew_below_the_old_ones_lose_nothing() {
    let stage = Stage::new().await;
    let (service, bot) = (stage.serve().await, stage.bot());
    service.add(&bot, UpstreamMode::Polling, &[]).await;
    let last = says(&bot, 7, "before");
    service.bodies(&bot, 1).await;
    until("the confirmation", async || (bot.pending() == 0).then_some(())).await;
    // The old offset would confirm these unseen: it is within reach of the new numbers.
    bot.rebase(last - 5);
    for text in ["one", "two"] {
        says(&bot, 7, text);
    }
    let bodies = service.bodies(&bot, 3).await;
    assert_eq!(bodies.iter().map(|body| text_of(body)).collect::<Vec<_>>(), ["before", "one", "two"]);
    service.stop().await;
}

#[tokio::test]
async fn after_a_crash_what_was_not_confirmed_comes_again_and_stands_in_the_journal_once() {
    let stage = Stage::new().await;
    let bot = stage.bot();
    let service = stage.serve().await;
    service.add(&bot, UpstreamMode::Polling, &[]).await;
    says(&bot, 7, "hello");
    service.bodies(&bot, 1).await;
    service.kill().await;
    let service = stage.serve().await;
    says(&bot, 7, "more");
    let bodies = stage
        .in_time("both", async || {
            let events = service.journal(&bot).await;
            (events.len() >= 2).then_some(events)
        })
        .await;
    assert_eq!(bodies.iter().map(|event| text_of(&event.body)).collect::<Vec<_>>(), ["hello", "more"]);
    service.stop().await;
}

#[tokio::test]
async fn stopping_does_not_wait_for_a_question_that_waits() {
    let stage = Stage::new().await;
    let (service, bot) = (stage.serve().await, stage.bot());
    service.add(&bot, UpstreamMode::Polling, &[]).await;
    stage.is_asked().await;
    tokio::time::timeout(Duration::from_secs(5), service.stop()).await.unwrap();
}
