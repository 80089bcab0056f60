//! Taking over bots that somebody holds.

use std::time::Duration;

use serde_json::json;
use tandem_bridge::{
    BotPhase, HolderKind, IntakeState, UpstreamMode,
    operations::{Adopt, AnotherPoller, Confidential, KeepHolder, RefusalCode, Request, Response},
};
use tandem_gateway::DropPending;

use crate::{
    people::{Shop, adopt, adopted, lane, secret_of, while_time_passes},
    support::{Receiver, Stage, id, says, soon, until},
};

#[tokio::test]
async fn a_bot_that_amocrm_holds_is_taken_over_and_amocrm_goes_on_getting_everything() {
    let stage = Stage::new().await;
    let service = stage.serve().await;
    let shop = Shop::open(&stage, json!({"allowed_updates": ["message", "callback_query"]})).await;
    shop.client_writes(&stage, "one").await;
    shop.amocrm_has(&stage, &["one"]).await;
    shop.client_is_kept_waiting(&stage, "two").await;

    let told = adopted(&service.bridge, adopt(&shop.bot)).await.unwrap();
    shop.amocrm_is_mended(&stage).await;
    assert_eq!(told.holder.kind, HolderKind::Amocrm);
    assert_eq!(told.holder.name, "amoCRM (127.0.0.1)");
    assert_eq!(told.holder.kinds.as_deref().unwrap(), ["message", "callback_query"]);
    let kept = told.kept.as_ref().unwrap();
    assert_eq!((kept.route.as_str(), kept.kind.as_str()), ("amocrm", "amocrm"));
    assert_eq!(told.upstream, UpstreamMode::Polling);
    assert!(told.reach.iter().all(|reach| !reach.needs_public_url), "{:?}", told.reach);
    assert_eq!(told.libraries.len(), 16);
    assert!(told.notes.iter().any(|note| note.contains("drop_pending_updates")), "{:?}", told.notes);
    assert!(told.app_token.as_ref().unwrap().expose().starts_with(&format!("{}:tandem_", shop.bot.id())));

    shop.client_writes(&stage, "three").await;
    while_time_passes(&stage, shop.amocrm_has(&stage, &["one", "two", "three"])).await;
    assert_eq!(shop.repeats(&stage).await, 0);
    assert_eq!(stage.webhook_info(&shop.bot).await["url"], "");
    while_time_passes(&stage, service.is_running(&shop.bot)).await;
    // The app has what came since; what the holder had got already was not ours.
    assert_eq!(lane(&service.bridge, "app:main").await.lag.events, 2);
    service.stop().await;
}

#[tokio::test]
async fn the_older_address_of_amocrm_is_known_too() {
    let stage = Stage::new().await;
    let service = stage.serve().await;
    let shop = Shop::open(&stage, json!({"account": 17})).await;
    let told = adopted(&service.bridge, adopt(&shop.bot)).await.unwrap();
    assert_eq!(told.holder.kind, HolderKind::Amocrm);
    shop.client_writes(&stage, "hello").await;
    shop.amocrm_has(&stage, &["hello"]).await;
    service.stop().await;
}

#[tokio::test]
async fn another_hosts_webhook_becomes_a_relay_that_shows_the_secret_the_owner_gave() {
    let stage = Stage::new().await;
    let (service, bot) = (stage.serve().await, stage.bot());
    let mut receiver = Receiver::start().await;
    let webhook = json!({"url": receiver.url, "max_connections": 3, "allowed_updates": ["message", "poll"]});
    assert_eq!(stage.bot_api(&bot, "setWebhook", webhook).await["ok"], true);
    let asked = Adopt { holder_secret: Some(Confidential::new("their-secret")), ..adopt(&bot) };
    let told = adopted(&service.bridge, asked).await.unwrap();
    assert_eq!(told.holder.kind, HolderKind::Other);
    assert_eq!(told.holder.max_connections, Some(3));
    let kept = told.kept.unwrap();
    assert_eq!((kept.route.as_str(), kept.kind.as_str()), ("relay", "relay"));
    assert!(kept.sentence.contains("message, poll"), "{}", kept.sentence);
    assert!(!told.notes.iter().any(|note| note.contains("secret_token")), "{:?}", told.notes);
    says(&bot, 7, "hello");
    let delivery = receiver.next().await;
    assert_eq!(delivery.text(), "hello");
    assert_eq!(secret_of(&delivery.head), Some("their-secret"));
    delivery.ok();
    service.stop().await;
}

#[tokio::test]
async fn a_receiver_whose_secret_is_not_known_is_named_in_the_answer() {
    let stage = Stage::new().await;
    let (service, bot) = (stage.serve().await, stage.bot());
    let receiver = Receiver::start().await;
    stage.bot_api(&bot, "setWebhook", json!({"url": receiver.url})).await;
    let told = adopted(&service.bridge, adopt(&bot)).await.unwrap();
    assert!(told.notes.iter().any(|note| note.contains("secret_token")), "{:?}", told.notes);
    // It can be given later; the app keeps its token.
    let asked = Adopt { holder_secret: Some(Confidential::new("late")), ..adopt(&bot) };
    let told = adopted(&service.bridge, asked).await.unwrap();
    assert!(told.app_token.is_none());
    let mut receiver = receiver;
    says(&bot, 7, "hello");
    let delivery = receiver.next().await;
    assert_eq!(secret_of(&delivery.head), Some("late"));
    delivery.ok();
    service.stop().await;
}

#[tokio::test]
async fn a_holder_can_be_left_without_anything() {
    let stage = Stage::new().await;
    let service = stage.serve().await;
    let shop = Shop::open(&stage, json!({})).await;
    let asked = Adopt { holder: KeepHolder::Leave, ..adopt(&shop.bot) };
    let told = adopted(&service.bridge, asked).await.unwrap();
    assert_eq!(told.holder.kind, HolderKind::Amocrm);
    assert!(told.kept.is_none());
    shop.client_writes(&stage, "hello").await;
    service.bodies(&shop.bot, 1).await;
    assert!(shop.amocrm_sees(&stage).await.is_empty());
    service.stop().await;
}

#[tokio::test]
async fn a_bot_that_nobody_holds_is_taken_over_with_what_is_pending() {
    let stage = Stage::new().await;
    let (service, bot) = (stage.serve().await, stage.bot());
    says(&bot, 7, "pending");
    let asked = Adopt { drop_pending: Some(DropPending::Ignore), ..adopt(&bot) };
    let told = while_time_passes(&stage, adopted(&service.bridge, asked)).await.unwrap();
    assert_eq!(told.holder.kind, HolderKind::Nobody);
    assert_eq!(told.holder.name, "nobody");
    assert_eq!((told.pending, told.drop_pending), (1, DropPending::Ignore));
    assert!(told.kept.is_none());
    service.bodies(&bot, 1).await;
    service.stop().await;
}

#[tokio::test]
async fn another_program_that_polls_is_noticed_before_anything_is_changed() {
    let stage = Stage::new().await;
    let (service, bot) = (stage.serve().await, stage.bot());
    let polls = async || stage.bot_api(&bot, "getUpdates", json!({"timeout": 50})).await;
    let program = async {
        loop {
            polls().await;
        }
    };
    let asked = while_time_passes(&stage, adopted(&service.bridge, adopt(&bot)));
    let refusal = tokio::select! {
        told = asked => told.unwrap_err(),
        () = program => unreachable!(),
    };
    assert_eq!(refusal.code, RefusalCode::AnotherPoller);
    assert!(refusal.sentence.contains("Another program is polling"), "{refusal}");
    assert!(refusal.what_to_do.contains("Stop that program"), "{}", refusal.what_to_do);
    assert!(service.store.find_bot(id(&bot)).await.unwrap().is_none());

    // Whoever wants to all the same is told what follows from it.
    let asked = Adopt { another_poller: AnotherPoller::Accept, ..adopt(&bot) };
    let program = async {
        loop {
            polls().await;
        }
    };
    let asked = while_time_passes(&stage, adopted(&service.bridge, asked));
    let told = tokio::select! {
        told = asked => told.unwrap(),
        () = program => unreachable!(),
    };
    assert_eq!(told.holder.kind, HolderKind::Poller);
    assert!(told.notes.iter().any(|note| note.contains("stop it")), "{:?}", told.notes);
    service.stop().await;
}

#[tokio::test]
async fn adopting_again_changes_nothing_and_shows_no_token() {
    let stage = Stage::new().await;
    let service = stage.serve().await;
    let shop = Shop::open(&stage, json!({})).await;
    let first = adopted(&service.bridge, adopt(&shop.bot)).await.unwrap();
    let before = service.store.revision().await.unwrap();
    let again = adopted(&service.bridge, adopt(&shop.bot)).await.unwrap();
    assert_eq!(service.store.revision().await.unwrap(), before);
    assert!(first.app_token.is_some() && again.app_token.is_none());
    assert_eq!((again.holder, again.kept), (first.holder, first.kept));
    assert!(again.notes.iter().any(|note| note.contains("apps rotate main")), "{:?}", again.notes);
    service.stop().await;
}

#[tokio::test]
async fn a_holder_that_took_the_stream_back_is_adopted_again_under_its_new_address() {
    let stage = Stage::new().await;
    let service = stage.serve().await;
    let shop = Shop::open(&stage, json!({})).await;
    adopted(&service.bridge, adopt(&shop.bot)).await.unwrap();
    let reconnect = format!("/amocrm/{}/reconnect", shop.bot.id());
    // Telegram takes one webhook a second.
    stage.clock.advance(Duration::from_secs(2));
    stage.act(&reconnect, json!({"new_address": true})).await;
    let told = adopted(&service.bridge, adopt(&shop.bot)).await.unwrap();
    assert!(told.app_token.is_none(), "somebody uses the token that the app has");
    assert_eq!(told.kept.unwrap().route, "amocrm");
    let routes = service.store.list_routes(id(&shop.bot)).await.unwrap();
    assert_eq!(routes.len(), 1);
    shop.client_writes(&stage, "hello").await;
    shop.amocrm_has(&stage, &["hello"]).await;
    service.stop().await;
}

#[tokio::test]
async fn a_rotated_token_brings_a_revoked_bot_back() {
    let stage = Stage::new().await;
    let service = stage.serve().await;
    let shop = Shop::open(&stage, json!({})).await;
    adopted(&service.bridge, adopt(&shop.bot)).await.unwrap();
    while_time_passes(&stage, service.is_running(&shop.bot)).await;
    let telegram = stage.sandbox.telegram();
    telegram.rotate_token(&shop.bot, None).unwrap();
    stage
        .in_time("a revoked bot", async || {
            matches!(service.intake(&shop.bot), IntakeState::Revoked { .. }).then_some(())
        })
        .await;
    let told = adopted(&service.bridge, adopt(&shop.bot)).await.unwrap();
    assert!(told.notes.iter().any(|note| note.contains("new token")), "{:?}", told.notes);
    while_time_passes(&stage, service.is_running(&shop.bot)).await;
    let phase = service.bridge.status(id(&shop.bot)).unwrap().phase;
    assert_eq!(phase, BotPhase::Active);
    service.stop().await;
}

#[tokio::test]
async fn with_a_public_address_telegram_posts_to_us() {
    let stage = Stage::new().await;
    let service = stage.serve().await;
    let shop = Shop::open(&stage, json!({})).await;
    shop.client_is_kept_waiting(&stage, "one").await;
    let asked = Adopt { upstream: Some(UpstreamMode::Webhook), ..adopt(&shop.bot) };
    let told = while_time_passes(&stage, adopted(&service.bridge, asked)).await.unwrap();
    shop.amocrm_is_mended(&stage).await;
    assert!(told.reach[0].needs_public_url, "{:?}", told.reach);
    let url = stage.webhook_info(&shop.bot).await["url"].as_str().unwrap().to_owned();
    assert_eq!(url, format!("{}/hooks/telegram/{}", service.public, shop.bot.id()));
    shop.client_writes(&stage, "two").await;
    while_time_passes(&stage, shop.amocrm_has(&stage, &["one", "two"])).await;
    service.stop().await;
}

#[tokio::test]
async fn without_a_public_address_a_webhook_is_refused_before_anything_is_changed() {
    let stage = Stage::new().await;
    let service = stage.serve_with(|config| config.public_url = None, |_| {}).await;
    let shop = Shop::open(&stage, json!({})).await;
    let asked = Adopt { upstream: Some(UpstreamMode::Webhook), ..adopt(&shop.bot) };
    let refusal = adopted(&service.bridge, asked).await.unwrap_err();
    assert_eq!(refusal.code, RefusalCode::NeedsPublicUrl);
    assert!(refusal.what_to_do.contains("server.public_url"));
    assert!(service.store.find_bot(id(&shop.bot)).await.unwrap().is_none());
    service.stop().await;
}

#[tokio::test]
async fn what_is_no_token_of_a_bot_is_said_so() {
    let stage = Stage::new().await;
    let (service, bot) = (stage.serve().await, stage.bot());
    let app = while_time_passes(&stage, adopted(&service.bridge, adopt(&bot))).await.unwrap();
    for (token, words) in [
        ("hello".to_owned(), "does not begin with a bot's id"),
        ("42:short".to_owned(), "cut off or mistyped"),
        (app.app_token.unwrap().expose().to_owned(), "a token that Tandem made"),
        ("42:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0".to_owned(), "Telegram does not accept"),
    ] {
        let asked = Adopt { token: Confidential::new(&*token), ..adopt(&bot) };
        let refusal = adopted(&service.bridge, asked).await.unwrap_err();
        assert_eq!(refusal.code, RefusalCode::BadToken, "{token}");
        assert!(refusal.sentence.contains(words), "{refusal}");
        assert!(!refusal.what_to_do.is_empty());
    }
    service.stop().await;
}

#[tokio::test]
async fn a_telegram_that_is_away_is_said_so_and_nothing_is_changed() {
    let stage = Stage::new().await;
    let service = stage.serve().await;
    let shop = Shop::open(&stage, json!({})).await;
    let fault = json!({"method": "getWebhookInfo", "fault": {"kind": "status", "code": 502, "body": "html"}, "times": 1});
    stage.act(&format!("/bots/{}/faults", shop.bot.id()), fault).await;
    let refusal = adopted(&service.bridge, adopt(&shop.bot)).await.unwrap_err();
    assert_eq!(refusal.code, RefusalCode::Telegram);
    assert!(!refusal.sentence.contains(&shop.bot.token()));
    assert!(service.store.find_bot(id(&shop.bot)).await.unwrap().is_none());
    service.stop().await;
}

#[tokio::test]
async fn no_secret_is_in_what_is_told_nor_in_what_is_stored() {
    let stage = Stage::new().await;
    let service = stage.serve().await;
    let shop = Shop::open(&stage, json!({})).await;
    let told = adopted(&service.bridge, adopt(&shop.bot)).await.unwrap();
    let real = shop.bot.token();
    let app = told.app_token.as_ref().unwrap().expose().to_owned();
    let json = serde_json::to_string(&told).unwrap();
    assert!(!json.contains(&real), "{json}");
    assert!(!format!("{told:?}").contains(&app));
    for request in [Request::Status, Request::Bots, Request::Apps { bot: None }, Request::Lanes { bot: None }]
    {
        let answer: Response = service.bridge.perform(request).await.unwrap();
        let answer = serde_json::to_string(&answer).unwrap();
        assert!(!answer.contains(&real) && !answer.contains(&app), "{answer}");
    }
    let rows = service.store.list_bots(None, 10).await.unwrap();
    assert!(!format!("{rows:?}").contains(&real));
    until("a quiet end", async || Some(())).await;
    soon("the end", service.stop()).await;
}
