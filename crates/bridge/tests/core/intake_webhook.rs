//! What Telegram posts to us.

use std::sync::Arc;

use reqwest::StatusCode;
use serde_json::json;
use tandem_bridge::{GuardPolicy, IntakeState, UpstreamMode};
use tandem_sandbox::telegram::{Bot, Fault, FaultSpec, When};

use crate::support::{Service, Stage, id, says, text_of, until};

const HEADER: &str = "X-Telegram-Bot-Api-Secret-Token";
const UPDATE: &str = r#"{"update_id":6000000,"message":{"message_id":1,"date":1800000000,"text":"hi","chat":{"id":7,"type":"private"}}}"#;

async fn with_webhook(stage: &Stage) -> (Service, Arc<Bot>) {
    let (service, bot) = (stage.serve().await, stage.bot());
    service.add(&bot, UpstreamMode::Webhook, &[]).await;
    service.is_running(&bot).await;
    (service, bot)
}

async fn secret(service: &Service, bot: &Bot) -> String {
    service.bridge.vault().hook_secret(id(bot)).await.unwrap().unwrap().expose().to_owned()
}

async fn post(
    stage: &Stage,
    service: &Service,
    bot: i64,
    secret: Option<&str>,
    body: impl Into<reqwest::Body>,
) -> reqwest::Response {
    let mut request = stage.http.post(format!("{}/hooks/telegram/{bot}", service.public)).body(body);
    if let Some(secret) = secret {
        request = request.header(HEADER, secret);
    }
    request.send().await.unwrap()
}

#[tokio::test]
async fn telegram_posts_to_us_with_our_secret_and_every_kind() {
    let stage = Stage::new().await;
    let (service, bot) = with_webhook(&stage).await;
    let info = stage.webhook_info(&bot).await;
    assert_eq!(info["url"], format!("{}/hooks/telegram/{}", service.public, bot.id()));
    assert_eq!(info["max_connections"], 40);
    assert_eq!(info["allowed_updates"].as_array().unwrap().len(), 27);
    says(&bot, 7, "hello");
    assert_eq!(text_of(&service.bodies(&bot, 1).await[0]), "hello");
    until("the confirmation", async || (bot.pending() == 0).then_some(())).await;
    assert_eq!(secret(&service, &bot).await.len(), 64);
    service.stop().await;
}

#[tokio::test]
async fn only_who_knows_the_secret_is_heard() {
    let stage = Stage::new().await;
    let (service, bot) = with_webhook(&stage).await;
    let right = secret(&service, &bot).await;
    let wrong = format!("{}x", &right[..63]);
    for (to, secret) in [
        (bot.id(), None),
        (bot.id(), Some("")),
        (bot.id(), Some(wrong.as_str())),
        (bot.id(), Some(&right[..32])),
        (bot.id() + 1, Some(right.as_str())),
        (0, Some(right.as_str())),
    ] {
        let answer = post(&stage, &service, to, secret, UPDATE).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{to} {secret:?}");
        assert_eq!(answer.text().await.unwrap(), "");
    }
    assert!(service.journal(&bot).await.is_empty());
    let answer = post(&stage, &service, bot.id(), Some(&right), UPDATE).await;
    assert_eq!((answer.status(), answer.text().await.unwrap()), (StatusCode::OK, String::new()));
    assert_eq!(service.journal(&bot).await[0].body, UPDATE);
    service.stop().await;
}

#[tokio::test]
async fn bodies_that_are_no_update_are_refused_and_strange_ones_are_kept() {
    let stage = Stage::new().await;
    let (service, bot) = with_webhook(&stage).await;
    let secret = secret(&service, &bot).await;
    for body in ["", "null", "[]", "{}", "{\"update_id\":\"7\"}", "{\"update_id\":7", "{\"update_id\":-7}"] {
        let answer = post(&stage, &service, bot.id(), Some(&secret), body).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{body}");
    }
    let large = format!("{{\"update_id\":7,\"x\":{{\"y\":\"{}\"}}}}", "a".repeat(5 << 20));
    let answer = post(&stage, &service, bot.id(), Some(&secret), large).await;
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert!(service.journal(&bot).await.is_empty());
    let strange = [
        b"{\"update_id\":8,\"nobody_knows\":{\"id\":1}}".as_slice(),
        b" {\"message\":{\"text\":\"\xff\xfe\",\"chat\":{\"id\":7}},\"update_id\":9} ",
    ];
    for body in strange {
        let answer = post(&stage, &service, bot.id(), Some(&secret), body).await;
        assert_eq!(answer.status(), StatusCode::OK);
    }
    let kept: Vec<_> = service.journal(&bot).await.into_iter().map(|event| event.new.body).collect();
    assert_eq!(kept, strange);
    service.stop().await;
}

#[tokio::test]
async fn a_delivery_that_is_repeated_stands_in_the_journal_once() {
    let stage = Stage::new().await;
    let (service, bot) = with_webhook(&stage).await;
    let secret = secret(&service, &bot).await;
    for _ in 0..3 {
        let answer = post(&stage, &service, bot.id(), Some(&secret), UPDATE).await;
        assert_eq!(answer.status(), StatusCode::OK);
    }
    assert_eq!(service.journal(&bot).await.len(), 1);
    assert_eq!(service.bridge.status(id(&bot)).unwrap().intake.repeated, 2);
    service.stop().await;
}

#[tokio::test]
async fn telegram_keeps_what_cannot_be_kept_now_and_brings_it_again() {
    let stage = Stage::new().await;
    let (service, bot) = with_webhook(&stage).await;
    let secret = secret(&service, &bot).await;
    stage.disk.runs_low();
    let answer = post(&stage, &service, bot.id(), Some(&secret), UPDATE).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers()["retry-after"], "30");
    says(&bot, 7, "hello");
    service.intake_is(&bot, "a refusal", |state| matches!(state, IntakeState::StoreRefuses { .. })).await;
    let error = until("Telegram's failure", async || {
        stage.webhook_info(&bot).await["last_error_message"].as_str().map(str::to_owned)
    })
    .await;
    assert_eq!(error, "Wrong response from the webhook: 503 Service Unavailable");
    stage.disk.is_freed();
    let event = stage.in_time("the delivery", async || service.journal(&bot).await.pop()).await;
    assert_eq!(text_of(&event.body), "hello");
    service.is_running(&bot).await;
    service.stop().await;
}

#[tokio::test]
async fn a_restart_keeps_the_secret_and_sets_the_webhook_again() {
    let stage = Stage::new().await;
    let (service, bot) = with_webhook(&stage).await;
    let before = secret(&service, &bot).await;
    service.stop().await;
    says(&bot, 7, "while we were away");
    let service = stage.serve().await;
    // Telegram allows one webhook a second.
    stage
        .in_time("a running intake", async || {
            matches!(service.intake(&bot), IntakeState::Running { .. }).then_some(())
        })
        .await;
    assert_eq!(secret(&service, &bot).await, before);
    let event = stage.in_time("the delivery", async || service.journal(&bot).await.pop()).await;
    assert_eq!(text_of(&event.body), "while we were away");
    let url = format!("{}/hooks/telegram/{}", service.public, bot.id());
    assert_eq!(stage.webhook_info(&bot).await["url"], url, "the new address");
    service.stop().await;
}

#[tokio::test]
async fn a_webhook_of_somebody_elses_is_not_overwritten() {
    let stage = Stage::new().await;
    let (service, bot) = (stage.serve().await, stage.bot());
    stage.act("/amocrm/connect", json!({"token": bot.token()})).await;
    service.add_guarded(&bot, UpstreamMode::Webhook, GuardPolicy::Alert, &[]).await;
    service.intake_is(&bot, "a conflict", |state| matches!(state, IntakeState::Conflict { .. })).await;
    let info = stage.webhook_info(&bot).await;
    assert!(info["url"].as_str().unwrap().contains("~external/hooks/telegram"));
    stage.bot_api(&bot, "deleteWebhook", json!({})).await;
    stage
        .in_time("a running intake", async || {
            matches!(service.intake(&bot), IntakeState::Running { .. }).then_some(())
        })
        .await;
    service.stop().await;
}

#[tokio::test]
async fn without_a_public_address_it_says_what_to_do() {
    let stage = Stage::new().await;
    let service = stage.serve_with(|config| config.public_url = None, |_| {}).await;
    let bot = stage.bot();
    service.add(&bot, UpstreamMode::Webhook, &[]).await;
    let shown =
        service.intake_is(&bot, "trouble", |state| matches!(state, IntakeState::Trouble { .. })).await;
    let IntakeState::Trouble { reason, .. } = shown else { unreachable!() };
    assert!(reason.contains("set server.public_url, or use polling"), "{reason}");
    service.stop().await;
}

#[tokio::test]
async fn the_webhooks_of_many_bots_are_not_all_set_at_the_same_time() {
    let stage = Stage::new().await;
    let service = stage.serve().await;
    let bots: Vec<_> = (0..40).map(|_| stage.bot()).collect();
    for bot in &bots {
        let (method, fault) = ("getWebhookInfo".to_owned(), Fault::Silence);
        let spec = FaultSpec { method, fault, times: None, for_ms: None, when: When::Before };
        bot.plant_fault(spec).unwrap();
        service.add(bot, UpstreamMode::Webhook, &[]).await;
    }
    let asked = || bots.iter().filter(|bot| !bot.calls_after(0).is_empty()).count();
    until("questions", async || (asked() >= 32).then_some(())).await;
    // Nobody is answered, so nobody else's turn comes, however much else goes on meanwhile.
    for _ in 0..20 {
        stage.bot_api(&stage.bot(), "getMe", json!({})).await;
    }
    assert_eq!(asked(), 32);
    service.kill().await;
}
