//! What runs follows what is stored.

use serde_json::json;
use tandem_bridge::{BotPhase, IntakeState, SyncError, UpstreamMode};
use tandem_gateway::{AppDocument, WhileManagerTalks};
use tandem_journal::{App, Document, Lane, SettingsChange};
use tandem_model::{Flags, Seq, Timestamp};
use tandem_sandbox::telegram::Bot;
use tandem_telegram::token::Token;

use crate::support::{NewRoute, Receiver, Service, Stage, id, says, text_of, until};

async fn lanes(service: &Service, bot: &Bot) -> Vec<Lane> {
    service.store.list_lanes(id(bot), None, 100).await.unwrap()
}

async fn names(service: &Service, bot: &Bot) -> Vec<String> {
    lanes(service, bot).await.into_iter().map(|lane| lane.name).collect()
}

async fn change(service: &Service, bot: &Bot, change: SettingsChange) -> Result<(), SyncError> {
    service.store.change_settings(None, vec![change]).await.unwrap();
    service.bridge.sync(id(bot)).await
}

fn app(bot: &Bot, name: &str, document: &AppDocument) -> SettingsChange {
    let document = Document::of(document).unwrap();
    SettingsChange::PutApp(App { bot: id(bot), name: name.to_owned(), lane: None, document })
}

#[tokio::test]
async fn apps_and_routes_get_lanes_and_lose_them() {
    let stage = Stage::new().await;
    let (service, bot) = (stage.serve().await, stage.bot());
    let receiver = Receiver::start().await;
    service.add(&bot, UpstreamMode::Polling, &[NewRoute::relay("crm", &receiver.url)]).await;
    assert_eq!(names(&service, &bot).await, ["app:main", "route:crm"]);
    change(&service, &bot, app(&bot, "orders", &AppDocument::default())).await.unwrap();
    assert_eq!(names(&service, &bot).await, ["app:main", "route:crm", "app:orders"]);
    let directory = &service.bridge.parts().directory;
    let known = || directory.list_apps(id(&bot)).iter().map(|app| app.name().to_owned()).collect::<Vec<_>>();
    assert_eq!(known(), ["main", "orders"]);
    assert_eq!(directory.find_by_token(&Token::parse(&bot.token()).unwrap()).unwrap().name(), "main");
    change(&service, &bot, SettingsChange::RemoveApp(id(&bot), "orders".to_owned())).await.unwrap();
    change(&service, &bot, SettingsChange::RemoveRoute(id(&bot), "crm".to_owned())).await.unwrap();
    assert_eq!(
        (names(&service, &bot).await, known()),
        (vec!["app:main".to_owned()], vec!["main".to_owned()])
    );
    service.stop().await;
}

#[tokio::test]
async fn following_settings_again_changes_nothing() {
    let stage = Stage::new().await;
    let (service, bot) = (stage.serve().await, stage.bot());
    let mut receiver = Receiver::start().await;
    service.add(&bot, UpstreamMode::Polling, &[NewRoute::relay("crm", &receiver.url)]).await;
    says(&bot, 7, "hello");
    let under_way = receiver.next().await;
    let (before, revision) = (lanes(&service, &bot).await, service.store.revision().await.unwrap());
    for _ in 0..3 {
        service.bridge.sync(id(&bot)).await.unwrap();
    }
    assert_eq!((lanes(&service, &bot).await, service.store.revision().await.unwrap()), (before, revision));
    under_way.ok();
    until("the delivery", async || {
        lanes(&service, &bot)
            .await
            .into_iter()
            .any(|lane| lane.kind == tandem_journal::LaneKind::Route && lane.acked > Seq::ZERO)
            .then_some(())
    })
    .await;
    assert!(receiver.arrived().is_none(), "a delivery that was under way was not broken off");
    service.stop().await;
}

#[tokio::test]
async fn a_changed_app_has_its_filter_from_then_on() {
    let stage = Stage::new().await;
    let (service, bot) = (stage.serve().await, stage.bot());
    service.add(&bot, UpstreamMode::Polling, &[]).await;
    let document = AppDocument { while_manager_talks: WhileManagerTalks::Skip, ..AppDocument::default() };
    let lane = lanes(&service, &bot).await.remove(0);
    let put = App {
        bot: id(&bot),
        name: "main".to_owned(),
        lane: Some(lane.id),
        document: Document::of(&document).unwrap(),
    };
    change(&service, &bot, SettingsChange::PutApp(put)).await.unwrap();
    assert_eq!(lanes(&service, &bot).await.remove(0).filter.without, Flags::MANAGER_TALKS);
    let app = service.bridge.parts().directory.find_app(id(&bot), "main").unwrap();
    assert_eq!(*app.document(), document);
    service.stop().await;
}

#[tokio::test]
async fn a_route_that_cannot_be_served_is_said_and_keeps_nothing_else_from_running() {
    let stage = Stage::new().await;
    let (service, bot) = (stage.serve().await, stage.bot());
    let mut receiver = Receiver::start().await;
    let broken = NewRoute::relay("a", "http://[").secret("right");
    let error = service
        .try_add(&bot, UpstreamMode::Polling, &[broken, NewRoute::relay("b", &receiver.url)])
        .await
        .unwrap_err();
    let SyncError::Route { name, source } = &error else { panic!("{error:?}") };
    assert_eq!(
        (name.as_str(), source.to_string()),
        ("a", "the route's address cannot be used: invalid webhook URL specified".to_owned())
    );
    says(&bot, 7, "hello");
    receiver.next().await.ok();
    // Its events wait for it: it has its lane.
    assert_eq!(names(&service, &bot).await, ["app:main", "route:a", "route:b"]);
    service.stop().await;
}

#[tokio::test]
async fn a_receivers_own_certificate_must_be_one() {
    let stage = Stage::new().await;
    let (service, bot) = (stage.serve().await, stage.bot());
    let route = NewRoute::relay("crm", "https://127.0.0.1:9/hook").certificate("no certificate");
    let error = service.try_add(&bot, UpstreamMode::Polling, &[route]).await.unwrap_err();
    let SyncError::Route { source, .. } = &error else { panic!("{error:?}") };
    assert_eq!(source.to_string(), "the route's client cannot be made");
    let route =
        NewRoute::relay("crm", "https://127.0.0.1:9/hook").certificate(include_str!("certificate.pem"));
    service.add(&bot, UpstreamMode::Polling, &[route]).await;
    service.stop().await;
}

#[tokio::test]
async fn a_bot_of_a_newer_version_is_left_alone_and_the_others_are_served() {
    let stage = Stage::new().await;
    let (bot, other) = (stage.bot(), stage.bot());
    let service = stage.serve().await;
    service.add(&bot, UpstreamMode::Polling, &[]).await;
    service.add(&other, UpstreamMode::Polling, &[]).await;
    let row = service.store.find_bot(id(&bot)).await.unwrap().unwrap();
    let newer = row.document.as_str().replacen('{', "{\"teleport\":true,", 1);
    let put = tandem_journal::Bot { bot: id(&bot), document: Document::parse(newer.clone()).unwrap() };
    let error = change(&service, &bot, SettingsChange::PutBot(put)).await.unwrap_err();
    assert!(matches!(error, SyncError::Document { .. }), "{error:?}");
    service.stop().await;
    let service = stage.serve().await;
    assert!(service.bridge.status(id(&bot)).is_none());
    says(&other, 7, "hello");
    assert_eq!(text_of(&service.bodies(&other, 1).await[0]), "hello");
    let kept = service.store.find_bot(id(&bot)).await.unwrap().unwrap();
    assert_eq!(kept.document.as_str(), newer, "nothing of it is lost");
    service.stop().await;
}

#[tokio::test]
async fn a_bot_that_was_given_back_is_known_to_nobody() {
    let stage = Stage::new().await;
    let (service, bot) = (stage.serve().await, stage.bot());
    let receiver = Receiver::start().await;
    service.add(&bot, UpstreamMode::Polling, &[NewRoute::relay("crm", &receiver.url)]).await;
    stage.is_asked().await;
    let since = Timestamp::from_secs(crate::support::START);
    service
        .bridge
        .change_bot(id(&bot), &[], |document| document.phase = BotPhase::Released { since })
        .await
        .unwrap();
    service.bridge.sync(id(&bot)).await.unwrap();
    assert!(service.bridge.status(id(&bot)).is_none());
    assert!(service.bridge.parts().directory.find_bot(id(&bot)).is_none());
    let answer = stage.bot_api(&bot, "getUpdates", json!({"offset": 1})).await;
    assert_eq!(answer["ok"], true, "nobody asks any more: {answer}");
    service.stop().await;
}

#[tokio::test]
async fn a_bot_that_was_marked_revoked_by_mistake_starts_again_with_the_same_token() {
    let stage = Stage::new().await;
    let (service, bot) = (stage.serve().await, stage.bot());
    let fault = json!({"method": "getUpdates", "fault": {"kind": "unauthorized"}, "times": 1});
    stage.act(&format!("/bots/{}/faults", bot.id()), fault).await;
    service.add(&bot, UpstreamMode::Polling, &[]).await;
    service.intake_is(&bot, "the revocation", |shown| matches!(shown, IntakeState::Revoked { .. })).await;
    service.bridge.change_bot(id(&bot), &[], |document| document.phase = BotPhase::Active).await.unwrap();
    service.bridge.sync(id(&bot)).await.unwrap();
    says(&bot, 7, "hello");
    assert_eq!(text_of(&service.bodies(&bot, 1).await[0]), "hello");
    service.stop().await;
}
