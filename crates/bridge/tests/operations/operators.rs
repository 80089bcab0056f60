//! Apps, lanes, held events, replays, backups.

use serde_json::json;
use tandem_bridge::{
    Bridge, GuardPolicy,
    operations::{
        AppSettings, AppToken, AppView, BotRef, HeldAnswer, HeldQuery, HeldView, LaneRef, LaneStateView,
        Point, Refusal, RefusalCode, Replay, ReplayMode, Replayed, Request, Response, Serves, Status,
    },
};
use tandem_gateway::{DropPending, WhileManagerTalks};
use tandem_model::{HeldState, PauseReason, Seq, Timestamp};
use tandem_telegram::token::Token;

use crate::{
    people::{Shop, adopt, adopted, lane, while_time_passes},
    support::{START, Service, Stage, id, says, until},
};

/// A shop that was adopted.
async fn open_shop(stage: &Stage, service: &Service) -> Shop {
    let shop = Shop::open(stage, json!({})).await;
    adopted(&service.bridge, adopt(&shop.bot)).await.unwrap();
    shop
}

fn named(lane: &str) -> LaneRef {
    LaneRef { bot: None, lane: lane.to_owned() }
}

async fn held(bridge: &Bridge) -> Vec<HeldView> {
    match bridge.perform(Request::Held(HeldQuery::default())).await.unwrap() {
        Response::Held { held, more: false } => held,
        other => panic!("{other:?}"),
    }
}

async fn with_token(bridge: &Bridge, request: Request) -> Result<AppToken, Refusal> {
    match bridge.perform(request).await? {
        Response::AppToken(app) => Ok(app),
        other => panic!("{other:?}"),
    }
}

async fn apps(bridge: &Bridge) -> Vec<AppView> {
    match bridge.perform(Request::Apps { bot: None }).await.unwrap() {
        Response::Apps { apps } => apps,
        other => panic!("{other:?}"),
    }
}

async fn refused(bridge: &Bridge, request: Request) -> Refusal {
    let refusal = bridge.perform(request).await.unwrap_err();
    assert!(!refusal.sentence.is_empty() && !refusal.what_to_do.is_empty());
    refusal
}

#[tokio::test]
async fn an_app_is_made_changed_given_another_token_and_revoked() {
    let stage = Stage::new().await;
    let service = stage.serve().await;
    let bridge = &service.bridge;
    open_shop(&stage, &service).await;
    let name = || "orders".to_owned();
    let settings = AppSettings { drop_pending: Some(DropPending::Ignore), ..AppSettings::default() };
    let made = with_token(bridge, Request::AddApp { bot: None, name: name(), settings }).await.unwrap();
    assert_eq!((made.app.drop_pending, made.libraries.len()), (DropPending::Ignore, 16));
    let known = |token: &str| service.bridge.parts().directory.find_by_token(&Token::parse(token).unwrap());
    assert_eq!(known(made.token.expose()).unwrap().name(), "orders");

    let settings = AppSettings {
        backlog_secs: Some(60),
        while_manager_talks: Some(WhileManagerTalks::Skip),
        ..AppSettings::default()
    };
    bridge.perform(Request::SetApp { bot: None, name: name(), settings }).await.unwrap();
    let app = apps(bridge).await.into_iter().find(|app| app.name == "orders").unwrap();
    assert_eq!((app.backlog_secs, app.drop_pending), (60, DropPending::Ignore));
    assert_eq!(app.while_manager_talks, WhileManagerTalks::Skip);

    let rotated = with_token(bridge, Request::RotateApp { bot: None, name: name() }).await.unwrap();
    assert!(known(made.token.expose()).is_none());
    assert_eq!(known(rotated.token.expose()).unwrap().document().backlog_secs, 60);

    bridge.perform(Request::RevokeApp { bot: None, name: name() }).await.unwrap();
    assert!(known(rotated.token.expose()).is_none());
    assert_eq!(apps(bridge).await.len(), 1);
    let rows = service.store.list_apps(apps(bridge).await[0].bot).await.unwrap();
    assert!(!format!("{rows:?}").contains(rotated.token.expose()));
    service.stop().await;
}

#[tokio::test]
async fn what_does_not_fit_is_refused_in_sentences() {
    let stage = Stage::new().await;
    let service = stage.serve().await;
    let bridge = &service.bridge;
    let apps = |bot: Option<&str>| Request::Apps { bot: bot.map(|bot| BotRef(bot.to_owned())) };
    let add =
        |name: &str| Request::AddApp { bot: None, name: name.to_owned(), settings: AppSettings::default() };
    let revoke = |name: &str| Request::RevokeApp { bot: None, name: name.to_owned() };
    assert_eq!(refused(bridge, add("a")).await.code, RefusalCode::NoSuchBot);
    let shop = open_shop(&stage, &service).await;
    let unknown = refused(bridge, apps(Some("@nobody"))).await;
    assert_eq!(unknown.code, RefusalCode::NoSuchBot);
    assert!(unknown.what_to_do.contains(&shop.bot.username()), "{}", unknown.what_to_do);
    for named in [shop.bot.username(), format!("@{}", shop.bot.username()), shop.bot.id().to_string()] {
        bridge.perform(apps(Some(&named))).await.unwrap();
    }
    assert_eq!(refused(bridge, add("main")).await.code, RefusalCode::NameTaken);
    assert_eq!(refused(bridge, add("A b")).await.code, RefusalCode::BadRequest);
    assert_eq!(refused(bridge, revoke("gone")).await.code, RefusalCode::NoSuchApp);
    assert_eq!(refused(bridge, revoke("main")).await.code, RefusalCode::BadRequest);
    let lane = refused(bridge, Request::PauseLane { lane: named("gone") }).await;
    assert_eq!(lane.code, RefusalCode::NoSuchLane);
    assert!(lane.what_to_do.contains("route:amocrm"), "{}", lane.what_to_do);
    let skip = Request::SkipHeld { lane: named("amocrm"), seq: Seq::new(9).unwrap() };
    assert_eq!(refused(bridge, skip).await.code, RefusalCode::NoSuchEvent);
    open_shop(&stage, &service).await;
    assert_eq!(refused(bridge, add("a")).await.code, RefusalCode::WhichBot);
    service.stop().await;
}

#[tokio::test]
async fn a_lane_is_paused_shows_its_lag_and_is_resumed() {
    let stage = Stage::new().await;
    let service = stage.serve().await;
    let bridge = &service.bridge;
    let shop = open_shop(&stage, &service).await;
    let Response::Lane(paused) = bridge.perform(Request::PauseLane { lane: named("amocrm") }).await.unwrap()
    else {
        panic!("another answer");
    };
    let LaneStateView::Paused { reason, until: None, .. } = paused.state else { panic!("{paused:?}") };
    assert_eq!((reason, paused.serves), (PauseReason::Operator, Serves::Route));
    assert_eq!(paused.delivery, "amocrm native");
    shop.client_writes(&stage, "one").await;
    shop.client_writes(&stage, "two").await;
    service.bodies(&shop.bot, 2).await;
    let behind = lane(bridge, "route:amocrm").await;
    assert_eq!((behind.lag.events, behind.lag.counted), (2, true));
    assert!(behind.lag.oldest.unwrap() >= Timestamp::from_secs(START));
    assert!(shop.amocrm_sees(&stage).await.is_empty());
    bridge.perform(Request::ResumeLane { lane: named("route:amocrm") }).await.unwrap();
    shop.amocrm_has(&stage, &["one", "two"]).await;
    until("no lag", async || (lane(bridge, "route:amocrm").await.lag.events == 0).then_some(())).await;
    service.stop().await;
}

#[tokio::test]
async fn a_held_event_is_listed_with_its_attempts_retried_and_skipped() {
    let stage = Stage::new().await;
    let service = stage.serve().await;
    let bridge = &service.bridge;
    let shop = open_shop(&stage, &service).await;
    shop.amocrm_fails(&stage).await;
    shop.client_writes(&stage, "one").await;
    shop.client_writes(&stage, "two").await;
    let rows = until("a held event", async || Some(held(bridge).await).filter(|held| !held.is_empty())).await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    let row = &rows[0];
    assert_eq!((row.lane.as_str(), row.state), ("route:amocrm", HeldState::Retrying));
    assert!(row.reason.contains("503") && !row.attempts.is_empty() && row.next_at.is_some(), "{row:?}");
    service.bodies(&shop.bot, 2).await;
    // What waits behind it counts as not delivered.
    assert_eq!(lane(bridge, "route:amocrm").await.lag.events, 2);

    let skip = Request::SkipHeld { lane: named("amocrm"), seq: row.seq };
    let answer = bridge.perform(skip).await.unwrap();
    assert!(matches!(answer, Response::HeldAnswer(HeldAnswer::Skipped)), "{answer:?}");
    shop.amocrm_is_mended(&stage).await;
    let second = until("the next one", async || {
        let rows = held(bridge).await;
        if shop.amocrm_sees(&stage).await.len() == 1 {
            return Some(None);
        }
        rows.first().map(|row| Some(row.seq))
    })
    .await;
    if let Some(seq) = second {
        // The lane may have tried it by itself since it was listed.
        let answer = bridge.perform(Request::RetryHeld { lane: named("amocrm"), seq }).await;
        let gone = answer.as_ref().is_err_and(|refusal| refusal.code == RefusalCode::NoSuchEvent);
        assert!(answer.is_ok() || gone, "{answer:?}");
    }
    shop.amocrm_has(&stage, &["two"]).await;
    service.stop().await;
}

#[tokio::test]
async fn what_a_route_has_had_is_counted_and_delivered_again_by_number_and_by_time() {
    let stage = Stage::new().await;
    let service = stage.serve().await;
    let bridge = &service.bridge;
    let shop = open_shop(&stage, &service).await;
    shop.client_writes(&stage, "one").await;
    shop.amocrm_has(&stage, &["one"]).await;
    stage.clock.advance(std::time::Duration::from_mins(10));
    shop.client_writes(&stage, "two").await;
    shop.amocrm_has(&stage, &["one", "two"]).await;
    until("no lag", async || (lane(bridge, "route:amocrm").await.lag.events == 0).then_some(())).await;
    let replay = async |lane: &str, from, to, mode| -> Result<Replayed, Refusal> {
        let asked = Replay { lane: named(lane), from, to, mode };
        match bridge.perform(Request::Replay(asked)).await? {
            Response::Replayed(replayed) => Ok(replayed),
            other => panic!("{other:?}"),
        }
    };
    let first = Point::Seq(Seq::new(1).unwrap());
    let dry = replay("amocrm", first, None, ReplayMode::DryRun).await.unwrap();
    assert_eq!((dry.events, dry.delivered), (2, 0));
    assert_eq!(shop.repeats(&stage).await, 0);
    let later = Point::Time(Timestamp::from_secs(START + 300));
    let dry = replay("amocrm", later, None, ReplayMode::DryRun).await.unwrap();
    assert_eq!((dry.events, dry.from.get()), (1, 2));
    let dry = replay("amocrm", first, Some(later), ReplayMode::DryRun).await.unwrap();
    assert_eq!((dry.events, dry.to.get()), (1, 1));
    let done = replay("amocrm", later, None, ReplayMode::Deliver).await.unwrap();
    assert_eq!((done.events, done.delivered, done.failed), (1, 1, 0));
    assert_eq!(shop.repeats(&stage).await, 1);
    let refusal = replay("main", first, None, ReplayMode::DryRun).await.unwrap_err();
    assert!(refusal.sentence.contains("never comes back"), "{refusal}");
    service.stop().await;
}

#[tokio::test]
async fn the_status_names_what_is_wrong_with_a_bot_and_what_to_do() {
    let stage = Stage::new().await;
    let service = stage.serve().await;
    let bridge = &service.bridge;
    let shop = open_shop(&stage, &service).await;
    let status = async || -> Status {
        match bridge.perform(Request::Status).await.unwrap() {
            Response::Status(status) => status,
            other => panic!("{other:?}"),
        }
    };
    while_time_passes(&stage, service.is_running(&shop.bot)).await;
    let well = status().await;
    assert_eq!((well.bots[0].state.as_str(), &well.bots[0].trouble), ("active", &None));
    assert_eq!(
        (well.bots[0].apps.as_slice(), well.bots[0].routes.as_slice()),
        (&["main".to_owned()][..], &["amocrm".to_owned()][..])
    );
    bridge.perform(Request::SetGuard { bot: None, policy: GuardPolicy::Alert }).await.unwrap();
    stage.clock.advance(std::time::Duration::from_secs(2));
    stage.act(&format!("/amocrm/{}/reconnect", shop.bot.id()), json!({})).await;
    let trouble = stage.in_time("trouble", async || status().await.bots[0].trouble.clone()).await;
    assert!(trouble.sentence.contains("a webhook at 127.0.0.1"), "{trouble:?}");
    assert!(trouble.what_to_do.contains("tandem bots retake"), "{trouble:?}");
    service.stop().await;
}

#[tokio::test]
async fn a_backup_is_a_database_that_opens_and_overwrites_nothing() {
    let stage = Stage::new().await;
    let service = stage.serve().await;
    let bridge = &service.bridge;
    let shop = open_shop(&stage, &service).await;
    let directory = tandem_testkit::folder();
    let to = directory.path().join("copy.db").display().to_string();
    let answer = bridge.perform(Request::Backup { to: to.clone() }).await.unwrap();
    assert!(matches!(answer, Response::BackedUp { .. }));
    let again = refused(bridge, Request::Backup { to: to.clone() }).await;
    assert_eq!(again.code, RefusalCode::NameTaken);
    let relative = refused(bridge, Request::Backup { to: "copy.db".to_owned() }).await;
    assert_eq!(relative.code, RefusalCode::BadRequest);
    let clock = std::sync::Arc::new(crate::support::SandboxClock(stage.clock.clone()));
    let options = tandem_journal::sqlite::Options::new(&to);
    let copy = tandem_journal::sqlite::SqliteStore::open(options, clock).await.unwrap();
    let copy: std::sync::Arc<dyn tandem_journal::Store> = std::sync::Arc::new(copy);
    assert!(copy.find_bot(id(&shop.bot)).await.unwrap().is_some());
    copy.close().await;
    service.stop().await;
}

#[tokio::test]
async fn requests_and_answers_travel_as_json() {
    let stage = Stage::new().await;
    let (service, bot) = (stage.serve().await, stage.bot());
    says(&bot, 7, "pending");
    let request = serde_json::to_string(&Request::Adopt(adopt(&bot))).unwrap();
    let request: Request = serde_json::from_str(&request).unwrap();
    let answer = while_time_passes(&stage, service.bridge.perform(request)).await.unwrap();
    let text = serde_json::to_string(&answer).unwrap();
    let back: Response = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_string(&back).unwrap(), text);
    let minimal = r#"{"do": "adopt", "token": "42:x"}"#;
    assert!(matches!(serde_json::from_str(minimal), Ok(Request::Adopt(_))));
    service.stop().await;
}
