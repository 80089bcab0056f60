//! What becomes of asking when Telegram has trouble, refuses the token, or somebody else takes the stream.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use tandem_bridge::{
    BotDocument, BotPhase, Config, GuardPolicy, HolderKind, IntakeState, UpstreamMode, secrets,
};
use tandem_journal::SecretOwner;
use tandem_sandbox::telegram::{Bot, Fault, FaultBody, FaultSpec, When};

use crate::support::{Service, Stage, assert_no_secret, id, says, text_of, until};

fn fault(fault: Fault, times: u32) -> FaultSpec {
    FaultSpec { method: "getUpdates".to_owned(), fault, times: Some(times), for_ms: None, when: When::Before }
}

fn status(code: u16, body: FaultBody, retry_after: Option<u32>) -> Fault {
    Fault::Status { code, body, retry_after }
}

/// Waits until the service has failed so often, and gives what it shows.
async fn trouble(service: &Service, bot: &Bot, count: u32) -> (String, i64) {
    let shown = service
        .intake_is(
            bot,
            "trouble",
            |state| matches!(state, IntakeState::Trouble { failures, .. } if *failures == count),
        )
        .await;
    let IntakeState::Trouble { reason, retry_at, .. } = shown else { unreachable!() };
    (reason, retry_at.as_millis())
}

async fn document(service: &Service, bot: &Bot) -> BotDocument {
    service.store.find_bot(id(bot)).await.unwrap().unwrap().document.read().unwrap()
}

/// Lets the time come at which it is tried again.
async fn wait_out(stage: &Stage, retry_at: i64) {
    until("the wait", async || stage.clock.sleeping_until().contains(&retry_at).then_some(())).await;
    stage.clock.set(retry_at);
}

#[tokio::test]
async fn html_resets_and_errors_are_survived_with_longer_and_longer_waits() {
    let stage = Stage::new().await;
    let (service, bot) = (stage.serve().await, stage.bot());
    let faults = [
        (status(502, FaultBody::Html, None), "an HTML page"),
        (status(200, FaultBody::Html, None), "an HTML page"),
        (status(401, FaultBody::Html, None), "an HTML page"),
        (status(500, FaultBody::Json, None), "500"),
        (Fault::Reset, "connection"),
        (status(404, FaultBody::Json, None), "404"),
    ];
    for (planted, _) in &faults {
        bot.plant_fault(fault(planted.clone(), 1)).unwrap();
    }
    says(&bot, 7, "hello");
    service.add(&bot, UpstreamMode::Polling, &[]).await;
    let mut waits = Vec::new();
    for (failures, (_, expected)) in (1..).zip(&faults) {
        let (reason, retry_at) = trouble(&service, &bot, failures).await;
        assert!(reason.contains(expected), "{reason}");
        assert_no_secret(&reason, &[bot.token()]);
        waits.push(retry_at - stage.clock.now_ms());
        wait_out(&stage, retry_at).await;
    }
    assert_eq!(text_of(&service.bodies(&bot, 1).await[0]), "hello");
    service.is_running(&bot).await;
    for (wait, most) in waits.iter().zip([1000, 2000, 4000, 8000, 16_000, 32_000]) {
        assert!((most / 2..=most).contains(wait), "{waits:?}");
    }
    assert_eq!(document(&service, &bot).await.phase, BotPhase::Active);
    service.stop().await;
}

#[tokio::test]
async fn a_wait_that_telegram_asks_for_is_kept() {
    let stage = Stage::new().await;
    let (service, bot) = (stage.serve().await, stage.bot());
    bot.plant_fault(fault(status(429, FaultBody::Json, Some(17)), 1)).unwrap();
    says(&bot, 7, "hello");
    service.add(&bot, UpstreamMode::Polling, &[]).await;
    let (_, retry_at) = trouble(&service, &bot, 1).await;
    assert_eq!(retry_at - stage.clock.now_ms(), 17_000);
    wait_out(&stage, retry_at).await;
    service.bodies(&bot, 1).await;
    service.stop().await;
}

#[tokio::test]
async fn silence_ends_after_the_poll_and_its_margin() {
    let stage = Stage::new().await;
    let service = stage
        .serve_with(
            |config| config.poll_timeout = Duration::from_secs(1),
            |limits| limits.poll_margin = Duration::from_millis(50),
        )
        .await;
    let bot = stage.bot();
    bot.plant_fault(fault(Fault::Silence, 1)).unwrap();
    says(&bot, 7, "hello");
    service.add(&bot, UpstreamMode::Polling, &[]).await;
    let (reason, retry_at) = trouble(&service, &bot, 1).await;
    assert!(reason.contains("no answer within 1 s"), "{reason}");
    wait_out(&stage, retry_at).await;
    service.bodies(&bot, 1).await;
    service.stop().await;
}

#[tokio::test]
async fn a_revoked_token_stops_its_bot_alone_and_a_new_one_starts_it_again() {
    let stage = Stage::new().await;
    let (service, bot, other) = (stage.serve().await, stage.bot(), stage.bot());
    service.add(&bot, UpstreamMode::Polling, &[]).await;
    service.add(&other, UpstreamMode::Polling, &[]).await;
    says(&bot, 7, "before");
    service.bodies(&bot, 1).await;
    let new = stage.sandbox.telegram().rotate_token(&bot, None).unwrap();
    stage
        .in_time("the revocation", async || {
            matches!(service.intake(&bot), IntakeState::Revoked { .. }).then_some(())
        })
        .await;
    until("the note", async || {
        matches!(document(&service, &bot).await.phase, BotPhase::Revoked { .. }).then_some(())
    })
    .await;
    says(&other, 8, "still here");
    assert_eq!(text_of(&service.bodies(&other, 1).await[0]), "still here");
    says(&bot, 7, "meanwhile");
    let asked = bot.calls_after(0).len();
    let vault = service.bridge.vault();
    let token = [vault.put(SecretOwner::Bot(id(&bot)), secrets::TOKEN, &new.into())];
    let change = service.bridge.change_bot(id(&bot), &token, |document| document.phase = BotPhase::Active);
    change.await.unwrap();
    assert_eq!(bot.calls_after(0).len(), asked, "nothing is asked with a token that is refused");
    service.bridge.sync(id(&bot)).await.unwrap();
    assert_eq!(text_of(&service.bodies(&bot, 2).await[1]), "meanwhile");
    service.stop().await;
}

#[tokio::test]
async fn a_foreign_webhook_is_named_left_alone_and_looked_at_again() {
    let stage = Stage::new().await;
    let amocrm = |config: &mut Config| config.amocrm_hosts = vec!["127.0.0.1".to_owned()];
    let (service, bot) = (stage.serve_with(amocrm, |_| {}).await, stage.bot());
    stage.act("/amocrm/connect", json!({"token": bot.token()})).await;
    service.add_guarded(&bot, UpstreamMode::Polling, GuardPolicy::Alert, &[]).await;
    let shown =
        service.intake_is(&bot, "a conflict", |state| matches!(state, IntakeState::Conflict { .. })).await;
    let IntakeState::Conflict { holder, host, advice, .. } = &shown else { unreachable!() };
    assert_eq!((*holder, host.as_deref()), (HolderKind::Amocrm, Some("127.0.0.1")));
    assert!(advice.contains("tandem bots retake"), "{advice}");
    assert_no_secret(&shown, &[bot.token()]);
    let info = stage.webhook_info(&bot).await;
    assert!(info["url"].as_str().unwrap().contains("~external/hooks/telegram"), "it is left alone");
    stage.bot_api(&bot, "deleteWebhook", json!({})).await;
    says(&bot, 7, "free again");
    let is_update = |event: &tandem_model::Event| event.kind == tandem_model::EventKind::Update;
    stage.in_time("the update", async || service.journal(&bot).await.into_iter().find(is_update)).await;
    service.is_running(&bot).await;
    service.stop().await;
}

#[tokio::test]
async fn another_poller_is_noticed_and_not_fought() {
    let stage = Stage::new().await;
    let (service, bot) = (stage.serve().await, stage.bot());
    service.add(&bot, UpstreamMode::Polling, &[]).await;
    stage.is_asked().await;
    let other = {
        let (http, bot) = (stage.http.clone(), Arc::clone(&bot));
        let address = format!("{}/bot{}/getUpdates?timeout=50", stage.sandbox.telegram_url(), bot.token());
        tokio::spawn(async move { http.get(address).send().await.unwrap().status().as_u16() })
    };
    let shown =
        service.intake_is(&bot, "a conflict", |state| matches!(state, IntakeState::Conflict { .. })).await;
    let IntakeState::Conflict { holder, host, advice, .. } = shown else { unreachable!() };
    assert_eq!((holder, host), (HolderKind::Poller, None));
    assert!(advice.contains("stop the program that polls"), "{advice}");
    assert!(advice.contains("revoke the token in @BotFather"), "{advice}");
    assert!(!other.is_finished(), "it was not fought");
    says(&bot, 7, "to the other");
    assert_eq!(other.await.unwrap(), 200);
    stage.in_time("the update", async || service.journal(&bot).await.pop()).await;
    service.stop().await;
}

#[tokio::test]
async fn our_own_webhook_from_before_is_taken_away_when_a_bot_is_asked_for() {
    let stage = Stage::new().await;
    let (service, bot) = (stage.serve().await, stage.bot());
    let own = format!("http://10.0.0.9/old/hooks/telegram/{}", bot.id());
    stage.bot_api(&bot, "setWebhook", json!({"url": own})).await;
    says(&bot, 7, "pending");
    service.add(&bot, UpstreamMode::Polling, &[]).await;
    assert_eq!(text_of(&service.bodies(&bot, 1).await[0]), "pending");
    assert_eq!(stage.webhook_info(&bot).await["url"], "");
    service.stop().await;
}
