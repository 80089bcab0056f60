//! What nobody can say: whether a message arrived.

use serde_json::json;
use tandem_journal::Settlement;
use tandem_lanes::LeaseSource as _;
use tandem_model::{Conversation, Held, HeldState, Timestamp, message::ReplyResult};

use crate::{
    desk::{Desk, client, messages, text},
    support::{id, until},
};

fn tries(desk: &Desk) -> usize {
    desk.bot.calls_after(0).iter().filter(|call| call.method == "sendMessage").count()
}

#[tokio::test]
async fn a_lost_answer_is_told_as_unknown_and_nothing_is_sent_again() {
    for fault in [json!({"kind": "reset"}), json!({"kind": "status", "code": 502, "body": "html"})] {
        let desk = Desk::open().await;
        desk.fault(json!({"method": "sendMessage", "fault": fault, "when": "after", "times": 1})).await;
        desk.does("m1", text("hello")).await;
        desk.does("m2", text("after it")).await;
        let ReplyResult::Unknown { words } = desk.outcome("m1").await else { panic!() };
        assert!(!words.is_empty());
        assert_eq!(messages(&desk.outcome("m2").await), 1);
        assert_eq!(tries(&desk), 2);
        until("one row for people", async || {
            let states: Vec<_> = desk.held().await.iter().map(|row| row.state).collect();
            (states == [HeldState::Unknown]).then_some(())
        })
        .await;
        desk.service.stop().await;
    }
}

#[tokio::test]
async fn what_a_kill_interrupted_is_told_as_unknown_once_however_often_it_is_killed() {
    let mut desk = Desk::open().await;
    desk.fault(json!({"method": "sendMessage", "fault": {"kind": "silence"}})).await;
    let seq = desk.does("m1", text("hello")).await;
    desk.does("m2", text("after it")).await;
    until("the attempt", async || {
        desk.held().await.iter().any(|row| row.seq == seq && row.state == HeldState::Sending).then_some(())
    })
    .await;
    desk = desk.reopen().await;
    let ReplyResult::Unknown { words } = desk.outcome("m1").await else { panic!() };
    assert_eq!(words, "the service stopped while it was sent; whether it arrived is not known");
    assert_eq!(messages(&desk.outcome("m2").await), 1);
    for _ in 0..2 {
        desk = desk.reopen().await;
        desk.does("next", text("next")).await;
        desk.until_sent(1).await;
        assert_eq!(desk.outcomes("m1").await.len(), 1);
    }
    let sent: Vec<_> = desk.texts();
    assert!(!sent.contains(&"hello".to_owned()), "{sent:?}");
    desk.service.stop().await;
}

#[tokio::test]
async fn an_operator_can_have_it_sent_again_and_what_was_sent_is_not() {
    let desk = Desk::open().await;
    desk.fault(json!({"method": "sendMessage", "fault": {"kind": "reset"}, "times": 1})).await;
    let seq = desk.does("m1", text("hello")).await;
    assert!(matches!(desk.outcome("m1").await, ReplyResult::Unknown { .. }));
    let lane = tandem_lanes::LaneAddress { bot: id(&desk.bot), lane: desk.lane("telegram").await.id };
    let lanes = &desk.service.bridge.parts().lanes;
    until("the row", async || {
        desk.held().await.iter().any(|row| row.state == HeldState::Unknown).then_some(())
    })
    .await;
    assert_eq!(lanes.retry(lane, seq).await.unwrap(), tandem_lanes::Answer::Delivered);
    assert_eq!(desk.texts(), ["hello"]);
    assert!(matches!(desk.outcomes("m1").await[..], [ReplyResult::Unknown { .. }, ReplyResult::Sent { .. }]));
    let replayed = lanes.replay(lane, seq..=seq, tandem_lanes::ReplayMode::Deliver).await.unwrap();
    assert_eq!((replayed.events, replayed.delivered), (1, 1));
    assert_eq!(desk.texts(), ["hello"], "it was sent before");
    desk.service.stop().await;
}

#[tokio::test]
async fn a_long_text_that_was_interrupted_between_two_messages_goes_on_where_it_was() {
    let mut desk = Desk::open().await;
    let long = "word ".repeat(1500);
    desk.does("m1", text(&long)).await;
    until("the first message", async || (desk.texts().len() == 1).then_some(())).await;
    until("the wait", async || {
        desk.held().await.iter().any(|row| row.state == HeldState::Retrying).then_some(())
    })
    .await;
    desk = desk.reopen().await;
    assert_eq!(messages(&desk.outcome("m1").await), 2);
    assert_eq!(desk.texts().concat(), long);
    desk.service.stop().await;
}

#[tokio::test]
async fn what_telegram_took_or_refused_just_before_a_kill_is_known_and_neither_sent_again_nor_a_riddle() {
    let mut desk = Desk::open().await;
    let sent = desk.does("m1", text("hello")).await;
    assert_eq!(messages(&desk.outcome("m1").await), 1);
    desk.fault(json!({"method": "sendMessage", "fault": {"kind": "status", "code": 400}, "times": 1})).await;
    let bob = client(&desk.stage, &desk.bot, "Bob").await;
    let refused = desk.does_in(bob, "m2", text("too much")).await;
    assert!(matches!(desk.outcome("m2").await, ReplyResult::Failed { .. }));
    // The commit of the attempt is there, that of its end is not.
    let (bot, lane) = (id(&desk.bot), desk.lane("telegram").await.id);
    let parts = desk.service.bridge.parts();
    parts.lanes.detach(tandem_lanes::LaneAddress { bot, lane }).await.unwrap();
    let row = |seq, chat| Held {
        seq,
        conversation: Conversation::chat(chat),
        family: None,
        state: HeldState::Sending,
        tries: 0,
        attempts: Vec::new(),
        next_at: Timestamp::from_secs(0),
        reason: String::new(),
    };
    let put = vec![row(sent, desk.client), row(refused, bob)];
    let settlement = Settlement { put, ..Settlement::default() };
    let lease = parts.ownership.lease(bot).unwrap();
    desk.service.store.settle(lease, bot, lane, settlement).await.unwrap();
    desk = desk.reopen().await;
    desk.does("m3", text("after it")).await;
    assert_eq!(messages(&desk.outcome("m3").await), 1);
    let only_the_refused_one = async || {
        let states: Vec<_> = desk.held().await.iter().map(|row| (row.seq, row.state)).collect();
        (states == [(refused, HeldState::Dead)]).then_some(())
    };
    desk.stage.in_time("the end of both", only_the_refused_one).await;
    assert_eq!(desk.texts(), ["hello", "after it"]);
    assert_eq!((desk.outcomes("m1").await.len(), desk.outcomes("m2").await.len()), (1, 1));
    desk.service.stop().await;
}
