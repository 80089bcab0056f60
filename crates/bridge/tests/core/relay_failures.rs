//! What becomes of deliveries to a foreign webhook that fails.

use std::time::Duration;

use serde_json::json;
use tandem_bridge::UpstreamMode;
use tandem_journal::{HeldStates, LaneState};
use tandem_model::{PauseReason, Seq};

use crate::support::{NewRoute, Receiver, START, Service, Stage, assert_no_secret, id, says, until};

async fn lane(service: &Service, bot: &tandem_sandbox::telegram::Bot, name: &str) -> tandem_journal::Lane {
    let lanes = service.store.list_lanes(id(bot), None, 100).await.unwrap();
    lanes.into_iter().find(|lane| lane.name == name).unwrap()
}

#[tokio::test]
async fn one_conversation_that_fails_waits_in_order_and_stops_no_other() {
    let stage = Stage::new().await;
    let (service, bot) = (stage.serve().await, stage.bot());
    let mut receiver = Receiver::start().await;
    service.add(&bot, UpstreamMode::Polling, &[NewRoute::relay("crm", &receiver.url)]).await;
    for (chat, text) in [(7, "7a"), (8, "8a"), (7, "7b"), (8, "8b")] {
        says(&bot, chat, text);
    }
    let (mut got, mut refused) = (Vec::new(), 0);
    while got.len() < 4 {
        stage.clock.advance(Duration::from_secs(1));
        let Some(delivery) = receiver.arrived() else {
            tokio::task::yield_now().await;
            continue;
        };
        if delivery.text() == "7a" && refused < 3 {
            refused += 1;
            delivery.answer_with("500 Internal Server Error", "");
        } else {
            got.push(delivery.text());
            delivery.ok();
        }
    }
    assert_eq!(refused, 3);
    let of = |chat: &str| got.iter().filter(|text| text.starts_with(chat)).cloned().collect::<Vec<_>>();
    assert_eq!(
        (of("7"), of("8")),
        (vec!["7a".to_owned(), "7b".to_owned()], vec!["8a".to_owned(), "8b".to_owned()])
    );
    assert!(got.iter().position(|text| text == "8b") < got.iter().position(|text| text == "7a"), "{got:?}");
    service.stop().await;
}

#[tokio::test]
async fn a_press_that_fails_holds_a_crms_conversation_and_no_relays() {
    let stage = Stage::new().await;
    let (service, bot) = (stage.serve().await, stage.bot());
    let (mut relay, mut crm) = (Receiver::start().await, Receiver::start().await);
    let routes = [NewRoute::relay("relay", &relay.url), NewRoute::amocrm("amocrm", &crm.url)];
    service.add(&bot, UpstreamMode::Polling, &routes).await;
    let chat = json!({"id": 7, "type": "private"});
    let message = json!({"message_id": 1, "date": START, "chat": chat});
    let from = json!({"id": 7, "is_bot": false, "first_name": "Ann"});
    let press = json!({"id": "9", "from": from, "chat_instance": "1", "data": "yes", "message": message});
    bot.push("callback_query", &press);
    says(&bot, 7, "hello");
    let asked = "Retry-After: 60\r\n";
    let mut texts = Vec::new();
    for _ in 0..2 {
        let delivery = relay.next().await;
        texts.push(delivery.text());
        if delivery.text().is_empty() {
            delivery.answer_with("500 Internal Server Error", asked);
        } else {
            delivery.ok();
        }
    }
    assert!(texts.contains(&"hello".to_owned()), "another family goes on: {texts:?}");
    let press = crm.next().await;
    assert_eq!(press.text(), "");
    press.answer_with("500 Internal Server Error", asked);
    let lane = lane(&service, &bot, "route:amocrm").await;
    until("the wait", async || {
        service.store.list_held(id(&bot), lane.id, HeldStates::ALL, Seq::ZERO, 9).await.unwrap().pop()
    })
    .await;
    assert!(crm.arrived().is_none(), "the conversation waits");
    stage.clock.advance(Duration::from_mins(1));
    for expected in ["", "hello"] {
        let delivery = crm.next().await;
        assert_eq!(delivery.text(), expected);
        delivery.ok();
    }
    relay.next().await.ok();
    service.stop().await;
}

#[tokio::test]
async fn a_receivers_own_wish_when_to_come_again_is_kept() {
    let stage = Stage::new().await;
    let (service, bot) = (stage.serve().await, stage.bot());
    let mut receiver = Receiver::start().await;
    service.add(&bot, UpstreamMode::Polling, &[NewRoute::relay("crm", &receiver.url)]).await;
    says(&bot, 7, "hello");
    receiver.next().await.answer_with("503 Service Unavailable", "Retry-After: 77\r\n");
    let lane = lane(&service, &bot, "route:crm").await;
    let due = until("the wait", async || {
        service.store.list_held(id(&bot), lane.id, HeldStates::ALL, Seq::ZERO, 9).await.unwrap().pop()
    })
    .await;
    assert_eq!(due.next_at.as_millis() - stage.clock.now_ms(), 77_000);
    assert_eq!(due.reason, "Wrong response from the webhook: 503 Service Unavailable");
    stage.clock.advance(Duration::from_secs(76));
    assert!(receiver.arrived().is_none());
    stage.clock.advance(Duration::from_secs(1));
    receiver.next().await.ok();
    service.stop().await;
}

#[tokio::test]
async fn a_receiver_that_is_down_pauses_its_own_lane_and_delays_no_other() {
    let stage = Stage::new().await;
    let (service, bot) = (stage.serve().await, stage.bot());
    let mut receiver = Receiver::start().await;
    let nobody = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}/hook?t={}&", listener.local_addr().unwrap(), bot.token())
    };
    let routes = [NewRoute::amocrm("amocrm", &nobody), NewRoute::relay("other", &receiver.url)];
    service.add(&bot, UpstreamMode::Polling, &routes).await;
    for number in 0..20 {
        says(&bot, number, &format!("from {number}"));
    }
    for _ in 0..20 {
        receiver.next().await.ok();
    }
    let paused = until("the pause", async || {
        let lane = lane(&service, &bot, "route:amocrm").await;
        matches!(&lane.state, LaneState::Paused { reason: PauseReason::Down, .. }).then_some(lane)
    })
    .await;
    assert_eq!(paused.acked, Seq::ZERO);
    assert_no_secret(&paused, &[bot.token()]);
    let fault = paused.last_fault.unwrap().text;
    assert!(fault.contains("Connection refused"), "{fault}");
    service.stop().await;
}

#[tokio::test]
async fn a_receiver_that_hangs_delays_neither_the_stop_nor_what_it_gets_after_a_restart() {
    let stage = Stage::new().await;
    let (service, bot) = (stage.serve().await, stage.bot());
    let mut receiver = Receiver::start().await;
    service.add(&bot, UpstreamMode::Polling, &[NewRoute::relay("crm", &receiver.url)]).await;
    says(&bot, 7, "one");
    let hanging = receiver.next().await;
    service.kill().await;
    drop(hanging);
    says(&bot, 7, "two");
    let service = stage.serve().await;
    let mut got = Vec::new();
    for _ in 0..2 {
        let delivery = receiver.next().await;
        got.push(delivery.text());
        delivery.ok();
    }
    assert_eq!(got, ["one", "two"]);
    service.stop().await;
}
