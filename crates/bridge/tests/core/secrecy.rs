//! No token, secret or address with one in anything that is logged or shown.

use serde_json::json;
use tandem_bridge::{GuardPolicy, IntakeState, UpstreamMode};
use tandem_testkit::Log;

use crate::support::{NewRoute, Receiver, Stage, assert_no_secret, id, says, until};

#[tokio::test]
async fn nothing_secret_is_logged_or_shown_whatever_goes_wrong() {
    let (log, _guard) = Log::begin();
    let stage = Stage::new().await;
    let (service, bot, posted) = (stage.serve().await, stage.bot(), stage.bot());
    let mut receiver = Receiver::start().await;
    let nobody = format!("http://127.0.0.1:9/~external/hooks/telegram?t={}&", bot.token());
    let routes =
        [NewRoute::relay("crm", &receiver.url).secret("their-secret"), NewRoute::amocrm("amocrm", &nobody)];
    let fault = json!({"method": "setWebhook", "fault": {"kind": "reset"}, "times": 1});
    stage.act(&format!("/bots/{}/faults", posted.id()), fault).await;
    service.add_guarded(&bot, UpstreamMode::Polling, GuardPolicy::Alert, &routes).await;
    service.add(&posted, UpstreamMode::Webhook, &[]).await;
    says(&bot, 7, "w0rds of a client");
    receiver.next().await.reply(r#"{"method":"sendMessage","chat_id":7,"text":"w0rds of a CRM"}"#);
    stage
        .in_time("the webhook", async || {
            matches!(service.intake(&posted), IntakeState::Running { .. }).then_some(())
        })
        .await;
    says(&posted, 7, "w0rds of another");
    service.bodies(&posted, 1).await;
    let hook = service.bridge.vault().hook_secret(id(&posted)).await.unwrap().unwrap().expose().to_owned();
    // The bot is taken by a webhook with its token in the address, then its token is revoked.
    stage.bot_api(&bot, "setWebhook", json!({"url": nobody})).await;
    service.intake_is(&bot, "a conflict", |shown| matches!(shown, IntakeState::Conflict { .. })).await;
    let conflict = service.bridge.status(id(&bot)).unwrap();
    let old = bot.token();
    stage.sandbox.telegram().rotate_token(&bot, None).unwrap();
    stage
        .in_time("the revocation", async || {
            matches!(service.intake(&bot), IntakeState::Revoked { .. }).then_some(())
        })
        .await;
    let lanes = until("the fault", async || {
        let lanes = service.store.list_lanes(id(&bot), None, 9).await.unwrap();
        lanes.iter().any(|lane| lane.last_fault.is_some()).then_some(lanes)
    })
    .await;
    let secret = |token: String| token.split_once(':').unwrap().1.to_owned();
    let mut secrets = vec![secret(old), secret(bot.token()), secret(posted.token()), hook];
    secrets.extend(["their-secret", "s3cret-in-the-address", "w0rds"].map(str::to_owned));
    assert_no_secret(&lanes, &secrets);
    assert_no_secret(&(conflict, service.bridge.list_status(), &service.bridge), &secrets);
    service.stop().await;
    let logged = log.text();
    assert!(logged.contains("Telegram refuses the token of bot") && logged.contains("is not carried out"));
    assert_no_secret(&logged, &secrets);
}
