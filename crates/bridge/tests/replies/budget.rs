//! How fast is sent, by the clock.

use std::time::Duration;

use serde_json::json;
use tandem_model::{HeldState, message::ReplyResult};

use crate::{
    desk::{Desk, client, messages, text},
    support::until,
};

#[tokio::test]
async fn a_chat_gets_one_message_a_second_and_nobody_waits_for_another_chat() {
    let desk = Desk::open().await;
    let other = client(&desk.stage, &desk.bot, "Bob").await;
    for number in 1..=3 {
        desk.does(&format!("m{number}"), text(&format!("{number}"))).await;
    }
    desk.does_in(other, "b1", text("to Bob")).await;
    desk.outcome_now("m1").await;
    desk.outcome_now("b1").await;
    let began = desk.stage.clock.now_ms();
    desk.outcome("m3").await;
    let sent: Vec<_> =
        desk.sent().into_iter().filter(|call| call.params["chat_id"] != json!(other.to_string())).collect();
    let times: Vec<_> = sent.iter().map(|call| call.at_ms - began).collect();
    assert_eq!(
        desk.texts().iter().filter(|text| *text != "to Bob").cloned().collect::<Vec<_>>(),
        ["1", "2", "3"]
    );
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= 1000), "{times:?}");
    desk.service.stop().await;
}

#[tokio::test]
async fn a_bot_sends_thirty_messages_a_second() {
    let desk = Desk::open().await;
    let route = desk.lane("route:crm").await.id;
    let mut events = Vec::new();
    for number in 0..35 {
        let chat = client(&desk.stage, &desk.bot, "Ann").await;
        let document = tandem_model::message::ReplyDocument {
            chat,
            ..crate::desk::document(&format!("m{number}"), text("hello"))
        };
        events.push(crate::desk::reply(&document, route));
    }
    let began = desk.stage.clock.now_ms();
    desk.append(events).await;
    until("thirty", async || (desk.sent().len() >= 30).then_some(())).await;
    until("those that wait", async || (desk.held().await.len() >= 5).then_some(())).await;
    assert_eq!(desk.sent().len(), 30);
    let sent = desk.until_sent(35).await;
    assert!(sent[..30].iter().all(|call| call.at_ms == began));
    assert!(sent[30..].iter().all(|call| call.at_ms >= began + 1000));
    desk.service.stop().await;
}

#[tokio::test]
async fn what_telegram_asks_for_is_kept_to_and_nothing_is_lost() {
    let desk = Desk::open().await;
    let other = client(&desk.stage, &desk.bot, "Bob").await;
    let flood = json!({"kind": "status", "code": 429, "retry_after": 30});
    desk.fault(json!({"method": "sendMessage", "fault": flood, "times": 1})).await;
    desk.does("m1", text("hello")).await;
    let held = until("the wait", async || {
        desk.held().await.into_iter().find(|row| row.state == HeldState::Retrying)
    })
    .await;
    assert_eq!(held.next_at.as_millis() - desk.stage.clock.now_ms(), 30_000);
    desk.does_in(other, "b1", text("to Bob")).await;
    desk.outcome_now("b1").await;
    desk.stage.clock.advance(Duration::from_secs(29));
    assert!(desk.outcomes("m1").await.is_empty());
    desk.stage.clock.advance(Duration::from_secs(1));
    assert_eq!(messages(&desk.outcome_now("m1").await), 1);
    desk.service.stop().await;
}

#[tokio::test]
async fn telegram_out_of_reach_loses_nothing_and_tells_nobody_of_a_failure() {
    let desk = Desk::open().await;
    let body = json!({"kind": "status", "code": 429, "retry_after": 2});
    desk.fault(json!({"method": "sendMessage", "fault": body, "times": 3})).await;
    desk.does("m1", text("one")).await;
    desk.does("m2", text("two")).await;
    assert!(matches!(desk.outcome("m2").await, ReplyResult::Sent { .. }));
    assert_eq!(desk.texts(), ["one", "two"]);
    desk.service.stop().await;
}
