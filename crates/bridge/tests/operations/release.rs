//! Giving bots back.

use std::time::Duration;

use serde_json::json;
use tandem_bridge::{
    BotPhase, GuardPolicy, HolderKind, IntakeState, UpstreamMode,
    operations::{Adopt, Confidential, GiveBack, RefusalCode, Release, Undelivered},
};

use crate::{
    people::{Shop, adopt, adopted, cut_off_after, lane, release, released, secret_of, while_time_passes},
    support::{Receiver, Stage, id, says, until},
};

fn leaving() -> Release {
    Release { undelivered: Undelivered::Leave, ..release() }
}

#[tokio::test]
async fn amocrm_gets_its_webhook_back_as_it_was_and_works_without_us() {
    let stage = Stage::new().await;
    let service = stage.serve().await;
    let extra = json!({"allowed_updates": ["message", "edited_message"], "max_connections": 7});
    let shop = Shop::open(&stage, extra).await;
    let held = stage.webhook_info(&shop.bot).await;
    adopted(&service.bridge, adopt(&shop.bot)).await.unwrap();
    shop.client_writes(&stage, "one").await;
    shop.amocrm_has(&stage, &["one"]).await;
    until("a drained route", async || {
        (lane(&service.bridge, "route:amocrm").await.lag.events == 0).then_some(())
    })
    .await;
    let told = while_time_passes(&stage, released(&service.bridge, leaving())).await.unwrap();
    assert!(told.restored, "{told:?}");
    assert_eq!(told.holder.kind, HolderKind::Amocrm);
    // The app that nobody ever ran has not had it.
    assert_eq!(told.undelivered.len(), 1);
    assert_eq!((told.undelivered[0].lane.as_str(), told.undelivered[0].waiting), ("app:main", 1));
    let back = stage.webhook_info(&shop.bot).await;
    for field in ["url", "allowed_updates", "max_connections"] {
        assert_eq!(back[field], held[field], "{field}");
    }
    service.stop().await;
    shop.client_writes(&stage, "two").await;
    shop.amocrm_has(&stage, &["one", "two"]).await;
    assert_eq!(shop.repeats(&stage).await, 0);
}

#[tokio::test]
async fn a_holder_with_the_default_kinds_gets_the_default_back() {
    let stage = Stage::new().await;
    let service = stage.serve().await;
    let shop = Shop::open(&stage, json!({})).await;
    adopted(&service.bridge, adopt(&shop.bot)).await.unwrap();
    while_time_passes(&stage, service.is_running(&shop.bot)).await;
    while_time_passes(&stage, released(&service.bridge, leaving())).await.unwrap();
    assert!(stage.webhook_info(&shop.bot).await["allowed_updates"].is_null());
    service.stop().await;
}

#[tokio::test]
async fn undelivered_events_are_listed_and_the_bot_goes_on_unless_it_is_allowed_to_leave_them() {
    let stage = Stage::new().await;
    let service = stage.serve().await;
    let shop = Shop::open(&stage, json!({})).await;
    adopted(&service.bridge, adopt(&shop.bot)).await.unwrap();
    shop.amocrm_fails(&stage).await;
    shop.client_writes(&stage, "one").await;
    shop.client_writes(&stage, "two").await;
    until("a failure", async || lane(&service.bridge, "route:amocrm").await.last_fault).await;
    let asked = Release { wait_secs: 3, ..release() };
    let refusal = while_time_passes(&stage, released(&service.bridge, asked)).await.unwrap_err();
    assert_eq!(refusal.code, RefusalCode::Undelivered);
    assert!(refusal.sentence.contains("route:amocrm has 2 to come"), "{refusal}");
    assert!(refusal.sentence.contains("503"), "{refusal}");
    // It is ours as before.
    assert_eq!(service.bridge.status(id(&shop.bot)).unwrap().phase, BotPhase::Active);
    shop.client_writes(&stage, "three").await;
    service.bodies(&shop.bot, 3).await;
    let told = while_time_passes(&stage, released(&service.bridge, leaving())).await.unwrap();
    let route = told.undelivered.iter().find(|lane| lane.lane == "route:amocrm").unwrap();
    assert_eq!(route.waiting, 3);
    assert!(route.oldest.is_some() && route.reason.is_some());
    service.stop().await;
}

#[tokio::test]
async fn it_waits_for_a_crm_that_comes_back_in_time() {
    let stage = Stage::new().await;
    let service = stage.serve().await;
    let shop = Shop::open(&stage, json!({})).await;
    adopted(&service.bridge, adopt(&shop.bot)).await.unwrap();
    shop.amocrm_fails(&stage).await;
    shop.client_writes(&stage, "one").await;
    until("a failure", async || lane(&service.bridge, "route:amocrm").await.last_fault).await;
    let asked = Release { wait_secs: 30, ..leaving() };
    let mended = async {
        tokio::task::yield_now().await;
        shop.amocrm_is_mended(&stage).await;
        std::future::pending::<()>().await;
    };
    let told = tokio::select! {
        told = while_time_passes(&stage, released(&service.bridge, asked)) => told.unwrap(),
        () = mended => unreachable!(),
    };
    assert!(!told.undelivered.iter().any(|lane| lane.lane == "route:amocrm"), "{told:?}");
    shop.amocrm_has(&stage, &["one"]).await;
    service.stop().await;
}

#[tokio::test]
async fn what_was_taken_in_is_confirmed_so_that_the_holder_does_not_get_it_again() {
    let stage = Stage::new().await;
    let service = stage.serve().await;
    let shop = Shop::open(&stage, json!({})).await;
    adopted(&service.bridge, adopt(&shop.bot)).await.unwrap();
    shop.client_writes(&stage, "one").await;
    shop.amocrm_has(&stage, &["one"]).await;
    // The question that waits gets the next one; the question that would confirm it does not get through.
    let faults = format!("/bots/{}/faults", shop.bot.id());
    stage.act(&faults, json!({"method": "getUpdates", "fault": {"kind": "status", "code": 502}})).await;
    shop.client_writes(&stage, "two").await;
    shop.amocrm_has(&stage, &["one", "two"]).await;
    service
        .intake_is(&shop.bot, "a failed question", |state| matches!(state, IntakeState::Trouble { .. }))
        .await;
    assert_eq!(stage.webhook_info(&shop.bot).await["pending_update_count"], 1);
    let address = format!("{}{faults}", stage.sandbox.control_url());
    stage.http.delete(address).send().await.unwrap();

    while_time_passes(&stage, released(&service.bridge, leaving())).await.unwrap();
    shop.client_writes(&stage, "three").await;
    shop.amocrm_has(&stage, &["one", "two", "three"]).await;
    until("nothing pending", async || {
        (stage.webhook_info(&shop.bot).await["pending_update_count"] == 0).then_some(())
    })
    .await;
    assert_eq!(shop.repeats(&stage).await, 0);
    service.stop().await;
}

#[tokio::test]
async fn a_secret_that_is_not_known_is_named_and_one_that_is_given_is_set() {
    let stage = Stage::new().await;
    let (service, bot) = (stage.serve().await, stage.bot());
    let mut receiver = Receiver::start().await;
    stage.bot_api(&bot, "setWebhook", json!({"url": receiver.url, "secret_token": "theirs"})).await;
    adopted(&service.bridge, adopt(&bot)).await.unwrap();
    let told = while_time_passes(&stage, released(&service.bridge, leaving())).await.unwrap();
    assert!(told.notes.iter().any(|note| note.contains("without a secret_token")), "{:?}", told.notes);

    adopted(&service.bridge, adopt(&bot)).await.unwrap();
    let asked = Release { holder_secret: Some(Confidential::new("theirs")), ..leaving() };
    let told = while_time_passes(&stage, released(&service.bridge, asked)).await.unwrap();
    assert!(told.restored && told.notes.is_empty(), "{told:?}");
    says(&bot, 7, "hello");
    let delivery = receiver.next().await;
    assert_eq!(secret_of(&delivery.head), Some("theirs"));
    delivery.ok();
    service.stop().await;
}

#[tokio::test]
async fn a_bot_that_nobody_held_is_left_without_a_webhook_and_asks_for_the_default_kinds() {
    let stage = Stage::new().await;
    let (service, bot) = (stage.serve().await, stage.bot());
    let asked = Adopt { upstream: Some(UpstreamMode::Webhook), ..adopt(&bot) };
    while_time_passes(&stage, adopted(&service.bridge, asked)).await.unwrap();
    let told = while_time_passes(&stage, released(&service.bridge, release())).await.unwrap();
    assert!(!told.restored);
    assert_eq!(told.notes, ["The bot has no webhook, as before."]);
    let info = stage.webhook_info(&bot).await;
    assert_eq!(info["url"], "");
    assert!(info["allowed_updates"].is_null(), "{info}");
    service.stop().await;
}

#[tokio::test]
async fn the_webhook_can_be_left_away() {
    let stage = Stage::new().await;
    let service = stage.serve().await;
    let shop = Shop::open(&stage, json!({})).await;
    adopted(&service.bridge, adopt(&shop.bot)).await.unwrap();
    let asked = Release { webhook: GiveBack::Nothing, ..release() };
    let told = while_time_passes(&stage, released(&service.bridge, asked)).await.unwrap();
    assert!(!told.restored && told.notes[0].contains("was not set again"), "{told:?}");
    assert_eq!(stage.webhook_info(&shop.bot).await["url"], "");
    service.stop().await;
}

#[tokio::test]
async fn a_holder_that_has_set_another_webhook_meanwhile_keeps_it() {
    let stage = Stage::new().await;
    let service = stage.serve().await;
    let shop = Shop::open(&stage, json!({})).await;
    let asked = Adopt { guard: Some(GuardPolicy::Alert), ..adopt(&shop.bot) };
    adopted(&service.bridge, asked).await.unwrap();
    stage.clock.advance(Duration::from_secs(2));
    stage.act(&format!("/amocrm/{}/reconnect", shop.bot.id()), json!({"new_address": true})).await;
    let set = stage.webhook_info(&shop.bot).await["url"].clone();
    let told = while_time_passes(&stage, released(&service.bridge, release())).await.unwrap();
    assert!(told.restored && told.notes[0].contains("was left as it is"), "{told:?}");
    assert_eq!(stage.webhook_info(&shop.bot).await["url"], set);
    service.stop().await;
}

#[tokio::test]
async fn when_telegram_refuses_the_former_webhook_the_bot_stays_ours() {
    let stage = Stage::new().await;
    let service = stage.serve().await;
    let shop = Shop::open(&stage, json!({})).await;
    adopted(&service.bridge, adopt(&shop.bot)).await.unwrap();
    while_time_passes(&stage, service.is_running(&shop.bot)).await;
    let fault = json!({"method": "setWebhook", "fault": {"kind": "status", "code": 400}, "times": 1});
    stage.act(&format!("/bots/{}/faults", shop.bot.id()), fault).await;
    let refusal = while_time_passes(&stage, released(&service.bridge, release())).await.unwrap_err();
    assert_eq!(refusal.code, RefusalCode::Telegram);
    assert!(refusal.what_to_do.contains("goes on as before"), "{}", refusal.what_to_do);
    shop.client_writes(&stage, "hello").await;
    shop.amocrm_has(&stage, &["hello"]).await;
    service.stop().await;
}

#[tokio::test]
async fn a_bot_that_was_given_back_is_known_no_longer_and_can_be_taken_over_again() {
    let stage = Stage::new().await;
    let service = stage.serve().await;
    let shop = Shop::open(&stage, json!({})).await;
    adopted(&service.bridge, adopt(&shop.bot)).await.unwrap();
    while_time_passes(&stage, released(&service.bridge, release())).await.unwrap();
    assert!(service.bridge.status(id(&shop.bot)).is_none());
    let named = Release { bot: Some(tandem_bridge::operations::BotRef(shop.bot.username())), ..release() };
    let refusal = while_time_passes(&stage, released(&service.bridge, named)).await.unwrap_err();
    assert_eq!(refusal.code, RefusalCode::WrongState);
    assert_eq!(
        while_time_passes(&stage, released(&service.bridge, release())).await.unwrap_err().code,
        RefusalCode::NoSuchBot
    );
    service.stop().await;

    let service = stage.serve().await;
    let told = adopted(&service.bridge, adopt(&shop.bot)).await.unwrap();
    assert!(told.app_token.is_some());
    shop.client_writes(&stage, "hello").await;
    shop.amocrm_has(&stage, &["hello"]).await;
    service.stop().await;
}

#[tokio::test]
async fn an_interrupted_release_is_finished_by_running_it_again() {
    let stage = Stage::new().await;
    for waits in 1.. {
        let service = stage.serve().await;
        let shop = Shop::open(&stage, json!({"max_connections": 5})).await;
        let held = stage.webhook_info(&shop.bot).await;
        adopted(&service.bridge, adopt(&shop.bot)).await.unwrap();
        shop.client_writes(&stage, "one").await;
        shop.amocrm_has(&stage, &["one"]).await;
        let done =
            cut_off_after(waits, while_time_passes(&stage, released(&service.bridge, leaving()))).await;
        service.kill().await;
        shop.client_writes(&stage, "two").await;

        let service = stage.serve().await;
        let again = while_time_passes(&stage, released(&service.bridge, leaving())).await;
        match again {
            Ok(told) => assert!(told.restored, "{told:?} after {waits} waits"),
            Err(refusal) => assert_eq!(refusal.code, RefusalCode::NoSuchBot, "after {waits} waits"),
        }
        let back = stage.webhook_info(&shop.bot).await;
        for field in ["url", "max_connections"] {
            assert_eq!(back[field], held[field], "{field} after {waits} waits");
        }
        service.stop().await;
        shop.client_writes(&stage, "three").await;
        while_time_passes(&stage, shop.amocrm_has(&stage, &["one", "two", "three"])).await;
        if done.is_some() {
            assert!(waits > 10, "only {waits} moments were tried");
            return;
        }
    }
}
