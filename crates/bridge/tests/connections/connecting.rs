//! Being connected, and what is said when one is not.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::json;
use tandem_bridge::{
    ConnectionState, Unusable,
    operations::{RefusalCode, Request, Response},
};
use tandem_model::{Blame, ConnectionId, PauseReason, Verdict};
use tandem_vendor::FailureKind;

use crate::{
    crm::SECRET,
    support::{assert_no_secret, until},
    world::{Shop, put_connection},
};

const LATER: FailureKind = FailureKind::Later { after: None, blame: Blame::Destination };

#[tokio::test]
async fn a_connection_is_connected_again_and_again_until_it_works() {
    let shop = Shop::new().await;
    shop.crm.fails_to_connect(3, &LATER, "the account does not answer");
    let open = shop.open().await;
    until("trouble", async || matches!(open.state(), ConnectionState::Trouble { .. }).then_some(())).await;
    let Err(unusable) = open.bridge.connections().account(open.connection) else { panic!("it is usable") };
    assert!(
        matches!(&unusable, Unusable::Unconnected { reason: Some(reason), .. } if reason.contains("answer"))
    );
    assert!(matches!(unusable.verdict(), Verdict::Retry { blame: Blame::Destination, .. }));
    shop.stage
        .in_time("a connection", async || (open.state() == ConnectionState::Connected).then_some(()))
        .await;
    assert_eq!(shop.crm.connects("shop.crm.example"), 4);
    open.bridge.connections().account(open.connection).unwrap();
    open.stop().await;
}

#[tokio::test]
async fn what_needs_somebody_is_said_with_what_to_do_and_tried_every_five_minutes_or_when_he_says_so() {
    let shop = Shop::new().await;
    shop.crm.fails_to_connect(2, &FailureKind::Stop(PauseReason::Refused), "the token was withdrawn");
    let open = shop.open().await;
    let bot = shop.bot();
    open.add_bot(&bot).await;
    until("a refusal", async || matches!(open.state(), ConnectionState::Refused { .. }).then_some(())).await;
    let view = open.views().remove(0);
    assert_eq!((view.name.as_str(), view.account.as_deref()), ("shop", Some("shop.crm.example")));
    let sentence = view.sentence.unwrap();
    assert!(
        sentence.contains("withdrawn") && sentence.contains("tandem connections connect shop"),
        "{sentence}"
    );
    let Err(unusable) = open.bridge.connections().account(open.connection) else { panic!("it is usable") };
    assert!(matches!(unusable.verdict(), Verdict::Stop { reason: PauseReason::Refused, .. }));
    let Response::Bots { bots } = open.bridge.perform(Request::Bots).await.unwrap() else { panic!() };
    assert!(bots[0].route_troubles[0].contains("shop") && bots[0].route_troubles[0].contains("withdrawn"));
    shop.stage.clock.advance(Duration::from_mins(4));
    assert_eq!(shop.crm.connects("shop.crm.example"), 1);
    let connect = Request::Connect { name: "shop".to_owned() };
    open.bridge.perform(connect).await.unwrap();
    until("another attempt", async || (shop.crm.connects("shop.crm.example") == 2).then_some(())).await;
    shop.stage
        .in_time("a connection", async || (open.state() == ConnectionState::Connected).then_some(()))
        .await;
    open.stop().await;
}

#[tokio::test]
async fn a_connection_that_was_switched_off_is_asked_nothing_until_somebody_says_so() {
    let shop = Shop::new().await;
    let open = shop.open().await;
    let bot = shop.bot();
    open.add_bot(&bot).await;
    open.is_connected().await;
    assert_eq!(shop.hook(&open, &json!({"word": "disabled"})).await, StatusCode::OK);
    let ConnectionState::Disabled { .. } = open.state() else { panic!("{:?}", open.state()) };
    let sentence = open.views().remove(0).sentence.unwrap();
    assert!(sentence.contains("disabled: connect again"), "{sentence}");
    let Err(unusable) = open.bridge.connections().account(open.connection) else { panic!("it is usable") };
    assert!(matches!(unusable.verdict(), Verdict::Stop { reason: PauseReason::Refused, .. }));
    open.stop().await;
    let open = shop.reopen().await;
    shop.stage.clock.advance(Duration::from_mins(30));
    assert!(matches!(open.state(), ConnectionState::Disabled { .. }), "over a restart, too");
    assert_eq!(shop.crm.connects("shop.crm.example"), 1);
    open.bridge.perform(Request::Connect { name: "shop".to_owned() }).await.unwrap();
    open.is_connected().await;
    assert_eq!(shop.crm.connects("shop.crm.example"), 2);
    open.stop().await;
}

#[tokio::test]
async fn changed_settings_open_it_anew_and_the_same_do_not() {
    let shop = Shop::new().await;
    let open = shop.open().await;
    open.is_connected().await;
    put_connection(&open, "shop", "shop.crm.example").await;
    assert_eq!(shop.crm.opened().len(), 1);
    put_connection(&open, "shop", "moved.crm.example").await;
    assert_eq!(shop.crm.opened().len(), 2);
    open.is_connected().await;
    assert_eq!(shop.crm.connects("moved.crm.example"), 1);
    let gone = shop.post(&open, "shop.crm.example/x", Some(SECRET), "{}").await;
    assert_eq!(gone.status(), StatusCode::NOT_FOUND);
    assert_no_secret(&open.views(), &[SECRET.to_owned()]);
    assert_no_secret(&shop.crm.opened(), &[SECRET.to_owned()]);
    open.stop().await;
}

#[tokio::test]
async fn a_connection_goes_only_when_no_route_uses_it() {
    let shop = Shop::new().await;
    let open = shop.open().await;
    let bot = shop.bot();
    open.add_bot(&bot).await;
    let remove = |name: &str| Request::RemoveConnection { name: name.to_owned() };
    let refused = open.bridge.perform(remove("shop")).await.unwrap_err();
    assert_eq!(refused.code, RefusalCode::Conflict);
    assert!(refused.sentence.contains("/crm"), "{}", refused.sentence);
    let refused = open.bridge.perform(remove("shed")).await.unwrap_err();
    assert_eq!(
        (refused.code, refused.what_to_do.as_str()),
        (RefusalCode::NoSuchConnection, "Name one of these: shop.")
    );
    put_connection(&open, "shed", "shed.crm.example").await;
    open.bridge.perform(remove("shed")).await.unwrap();
    assert_eq!(open.views().len(), 1);
    let never = ConnectionId::new(99).unwrap();
    assert_eq!(open.bridge.connections().account(never).unwrap_err(), Unusable::Missing);
    open.stop().await;
}
