//! Groups 12 and 13: crashes, and ids that begin anew (2.6).

use serde_json::json;

use crate::{
    stage::{Stage, ids, shown},
    table::{Case, case},
};

const NOTHING_KEPT: &str = "keeps nothing across a restart: the bot itself is unknown";

pub(crate) const CRASHES: &[Case] = &[
    case!(
        a_crash_loses_nothing_and_keeps_ids,
        "10.12, 2.2",
        "What was stored and not confirmed comes again after a crash, under the same ids."
    )
    .sandbox_differs(NOTHING_KEPT),
    case!(
        what_was_confirmed_does_not_come_back_after_a_crash,
        "10.12, 2.2",
        "An offset that was answered holds across a crash."
    )
    .sandbox_differs(NOTHING_KEPT),
    case!(
        ids_go_on_after_a_crash,
        "10.12, 2.6",
        "What comes after a crash has a higher id than all before it."
    )
    .sandbox_differs(NOTHING_KEPT),
    case!(
        a_crash_during_a_delivery_delivers_again,
        "10.12, 3.3",
        "What was being posted at a crash is posted again."
    )
    .sandbox_differs(NOTHING_KEPT),
    case!(
        a_crash_during_a_retry_keeps_the_order,
        "10.12, 3.3",
        "After a crash a failing chat's updates come in their order, once each."
    )
    .sandbox_differs(NOTHING_KEPT),
    case!(
        what_came_during_a_crash_is_not_lost,
        "2.4, 10.12",
        "What happens while the server is down is there when it is back."
    )
    .sandbox_differs(NOTHING_KEPT),
];

pub(crate) const REBASED: &[Case] = &[
    case!(a_first_id_is_between_2_million_and_a_billion, "2.6", "The first `update_id` is in 2,000,001 … 1,000,000,000, and each further one is one more."),
    case!(ids_that_begin_lower_are_still_delivered, "2.6, 10.13", "After the sequence began anew at a lower number, a poll with the old offset gets the update, under a lower id.")
        .tandem_differs("ids handed to an app never go down (the rule of 2.6): under a higher id"),
    case!(ids_that_begin_lower_are_still_posted, "2.6, 10.13", "The same by webhook.")
        .tandem_differs("ids handed to an app never go down (the rule of 2.6): under a higher id"),
    case!(ids_begin_anew_after_a_quiet_week, "2.6", "After a week without updates the sequence goes on at a random number; nothing is lost.")
        .tandem_differs("ids handed to an app never go down (the rule of 2.6): under a higher id"),
    case!(a_sequence_ends_at_2_billion, "2.6", "At 2,000,000,000 the queue is emptied and the numbers begin anew.")
        .tandem_differs("the app's backlog stays, and its ids go on where they were"),
];

async fn three(t: &Stage) -> Vec<i64> {
    for text in ["one", "two", "three"] {
        t.says(7, text).await;
    }
    ids(&t.updates(json!({})).await)
}

/// Whether nothing was kept, as declared.
async fn forgets(t: &Stage) -> bool {
    if t.differs() {
        t.app.call("getUpdates", json!({})).await.is_refusal(401, "Unauthorized");
    }
    t.differs()
}

async fn a_crash_loses_nothing_and_keeps_ids(t: &mut Stage) {
    let before = three(t).await;
    t.restart().await;
    if forgets(t).await {
        return;
    }
    let updates = t.updates(json!({})).await;
    assert_eq!(ids(&updates), before);
    assert_eq!(updates.iter().map(shown).collect::<Vec<_>>(), ["one", "two", "three"]);
}

async fn what_was_confirmed_does_not_come_back_after_a_crash(t: &mut Stage) {
    let before = three(t).await;
    t.updates(json!({"offset": before[2]})).await;
    t.restart().await;
    if forgets(t).await {
        return;
    }
    for offset in [0, before[0], 1] {
        assert_eq!(t.texts(json!({"offset": offset})).await, ["three"], "offset {offset}");
    }
}

async fn ids_go_on_after_a_crash(t: &mut Stage) {
    let before = three(t).await;
    t.updates(json!({"offset": before[2] + 1})).await;
    t.restart().await;
    if forgets(t).await {
        return;
    }
    t.says(7, "four").await;
    let after = t.updates(json!({"offset": before[2] + 1})).await;
    assert!(ids(&after)[0] > before[2], "{} after {}", ids(&after)[0], before[2]);
}

async fn a_crash_during_a_delivery_delivers_again(t: &mut Stage) {
    let mut receiver = t.receiver().await;
    t.says(7, "hello").await;
    let hanging = receiver.next().await;
    let id = hanging.update_id();
    t.restart().await;
    if forgets(t).await {
        return;
    }
    let again = receiver.next().await;
    assert_eq!((again.text().as_str(), again.update_id()), ("hello", id));
    again.ok();
}

async fn a_crash_during_a_retry_keeps_the_order(t: &mut Stage) {
    let mut receiver = t.receiver().await;
    t.says(7, "one").await;
    receiver.next().await.status("500 Internal Server Error");
    receiver.next().await.status("500 Internal Server Error");
    t.sleeps_ms(2000).await;
    t.says(7, "two").await;
    t.says(7, "three").await;
    t.restart().await;
    if forgets(t).await {
        return;
    }
    t.later(3).await;
    for text in ["one", "two", "three"] {
        let delivery = receiver.next().await;
        assert_eq!(delivery.text(), text);
        delivery.ok();
    }
}

async fn what_came_during_a_crash_is_not_lost(t: &mut Stage) {
    let before = three(t).await;
    t.restart_after(|bot, now| {
        bot.push("message", &crate::stage::message(7, "meanwhile", now));
    })
    .await;
    if forgets(t).await {
        return;
    }
    let params = json!({"offset": before[2] + 1});
    t.arrived().await;
    assert_eq!(t.texts(params).await, ["meanwhile"]);
}

async fn a_first_id_is_between_2_million_and_a_billion(t: &mut Stage) {
    let ids = three(t).await;
    assert!((2_000_001..=1_000_000_000).contains(&ids[0]), "{ids:?}");
    assert_eq!(ids, [ids[0], ids[0] + 1, ids[0] + 2]);
}

async fn ids_that_begin_lower_are_still_delivered(t: &mut Stage) {
    let before = three(t).await;
    let offset = before[2] + 1;
    t.updates(json!({"offset": offset})).await;
    t.bot.rebase(1_500_000);
    t.later(4).await;
    let waiting = t.waits(&t.app, json!({"offset": offset, "timeout": 30}), 30).await;
    t.says(7, "lower").await;
    let updates = waiting.answer().await.result().as_array().unwrap().clone();
    assert_eq!(updates.iter().map(shown).collect::<Vec<_>>(), ["lower"]);
    if t.differs() {
        assert!(ids(&updates)[0] >= offset);
    } else {
        assert_eq!(ids(&updates), [1_500_000]);
    }
}

async fn ids_that_begin_lower_are_still_posted(t: &mut Stage) {
    let before = three(t).await;
    t.updates(json!({"offset": before[2] + 1})).await;
    let mut receiver = t.receiver().await;
    t.bot.rebase(1_500_000);
    t.says(7, "lower").await;
    let delivery = receiver.next().await;
    assert_eq!(delivery.text(), "lower");
    if t.differs() {
        assert!(delivery.update_id() > before[2]);
    } else {
        assert_eq!(delivery.update_id(), 1_500_000);
    }
    delivery.ok();
}

async fn ids_begin_anew_after_a_quiet_week(t: &mut Stage) {
    let before = three(t).await;
    t.updates(json!({"offset": before[2] + 1})).await;
    t.later(8 * 24 * 3600).await;
    t.settles().await;
    t.says(7, "a week later").await;
    let updates = t.updates(json!({})).await;
    assert_eq!(updates.iter().map(shown).collect::<Vec<_>>(), ["a week later"]);
    let id = ids(&updates)[0];
    if t.differs() {
        assert!(id > before[2]);
    } else {
        assert_ne!(id, before[2] + 1, "at a random place");
        assert!((2_000_001..=1_000_000_000).contains(&id), "{id}");
    }
}

async fn a_sequence_ends_at_2_billion(t: &mut Stage) {
    t.bot.rebase(1_999_999_999);
    let mut seen = Vec::new();
    for text in ["last", "first", "second"] {
        t.says(7, text).await;
        seen.push(ids(&t.updates(json!({})).await));
    }
    let texts = t.texts(json!({})).await;
    if t.differs() {
        assert_eq!(texts, ["last", "first", "second"]);
        let ids = &seen[2];
        assert!(ids.is_sorted() && ids[0] < ids[2], "{ids:?}");
    } else {
        assert_eq!(texts, ["first", "second"]);
        assert_eq!(seen[0], [1_999_999_999]);
        assert!(seen[1][0] <= 1_000_000_000, "{seen:?}");
    }
}
