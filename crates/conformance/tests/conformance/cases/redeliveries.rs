//! Group 11: when a failed delivery is tried again (3.3).

use std::ops::RangeInclusive;

use crate::{
    stage::{Delivery, Stage, anything, until},
    table::{Case, case},
};

pub(crate) const CASES: &[Case] = &[
    case!(
        the_retry_ladder,
        "3.3, 10.11",
        "Failures are followed by attempts at once, then after 2, 4, 8, 16, 32 and about 60 s."
    ),
    case!(beyond_the_ladder_waits_are_random, "3.3", "From then on each wait is 60 to 120 s."),
    case!(
        retry_after_overrides_the_ladder,
        "3.3, 10.11",
        "`Retry-After: 17` makes it 17 s; what is no integer does not count."
    ),
    case!(retry_after_is_0_to_3600, "3.3", "0 means at once, 99999 acts as 3600."),
    case!(
        what_would_come_too_late_is_dropped,
        "3.3, 2.4",
        "When the next attempt would fall after the update's life it is dropped, and the next of the chat follows."
    ),
    case!(
        success_begins_the_ladder_anew,
        "3.3",
        "The next update of a chat that has failed is tried at once again after its first failure."
    ),
];

async fn the_retry_ladder(t: &mut Stage) {
    let mut receiver = t.receiver().await;
    t.says(7, "hello").await;
    receiver.next().await.status("500 Internal Server Error");
    for secs in [2, 4, 8, 16, 32] {
        receiver.next().await.status("500 Internal Server Error");
        t.sleeps_ms(secs * 1000).await;
        t.later_ms(secs.unsigned_abs() * 1000 - 1).await;
        assert!(receiver.arrived().is_none(), "not before {secs} s");
        t.later_ms(1).await;
    }
    let wait_ms = fails_and_waits(t, receiver.next().await, 58_000..=66_000).await;
    t.later_ms(wait_ms).await;
    receiver.next().await.ok();
}

/// Lets a delivery fail; how long the next attempt is waited for.
async fn fails_and_waits(t: &Stage, delivery: Delivery, range: RangeInclusive<i64>) -> u64 {
    // The time limit of this delivery ends before any wait that is looked for.
    t.later_ms(3).await;
    let now_ms = t.clock.now_ms();
    let before = t.clock.sleeping_until();
    delivery.status("500 Internal Server Error");
    let mut wait_ms = 0;
    until("a wait for the next attempt", async || {
        let fresh = t.clock.sleeping_until().into_iter().filter(|at| !before.contains(at));
        let waits: Vec<_> = fresh.map(|at| at - now_ms).filter(|wait| range.contains(wait)).collect();
        wait_ms = waits.first().copied().unwrap_or_default();
        !waits.is_empty()
    })
    .await;
    wait_ms.unsigned_abs()
}

async fn beyond_the_ladder_waits_are_random(t: &mut Stage) {
    let mut receiver = t.receiver().await;
    t.says(7, "hello").await;
    receiver.next().await.status("500 Internal Server Error");
    for secs in [2, 4, 8, 16, 32] {
        receiver.next().await.status("500 Internal Server Error");
        t.sleeps_ms(secs * 1000).await;
        t.later(secs.unsigned_abs()).await;
    }
    let mut waits = Vec::new();
    for _ in 0..5 {
        let wait_ms = fails_and_waits(t, receiver.next().await, 58_000..=120_000).await;
        t.later_ms(wait_ms).await;
        waits.push(wait_ms);
    }
    receiver.next().await.ok();
    // The first of them is the end of the ladder.
    assert!(waits[1..].iter().all(|wait| *wait >= 60_000), "{waits:?}");
    assert!(waits[2..].iter().any(|wait| *wait != waits[1]), "{waits:?}");
}

async fn retry_after_overrides_the_ladder(t: &mut Stage) {
    let mut receiver = t.receiver().await;
    t.says(7, "hello").await;
    receiver.next().await.status_with("429 Too Many Requests", "Retry-After: 17\r\n");
    t.sleeps_ms(17_000).await;
    t.later_ms(16_999).await;
    assert!(receiver.arrived().is_none());
    t.later_ms(1).await;
    receiver.next().await.status_with("503 Service Unavailable", "Retry-After: soon\r\n");
    t.sleeps_ms(2000).await;
    t.later(2).await;
    receiver.next().await.ok();
}

async fn retry_after_is_0_to_3600(t: &mut Stage) {
    let mut receiver = t.receiver().await;
    t.says(7, "hello").await;
    receiver.next().await.status("500 Internal Server Error");
    for _ in 0..3 {
        receiver.next().await.status_with("503 Service Unavailable", "Retry-After: 0\r\n");
    }
    receiver.next().await.status_with("503 Service Unavailable", "Retry-After: 99999\r\n");
    t.sleeps_ms(3_600_000).await;
    t.later(3600).await;
    receiver.next().await.ok();
}

async fn what_would_come_too_late_is_dropped(t: &mut Stage) {
    let mut receiver = t.receiver().await;
    t.push("callback_query", &anything(7, t.clock.now_secs())).await;
    t.push("callback_query", &anything(7, t.clock.now_secs())).await;
    let first = receiver.next().await;
    let id = first.update_id();
    first.status_with("503 Service Unavailable", "Retry-After: 149\r\n");
    t.sleeps_ms(149_000).await;
    t.later_ms(148_999).await;
    t.push("callback_query", &anything(7, t.clock.now_secs())).await;
    t.later_ms(1).await;
    let again = receiver.next().await;
    assert_eq!(again.update_id(), id);
    again.status_with("503 Service Unavailable", "Retry-After: 149\r\n");
    let next = receiver.next().await;
    assert!(next.update_id() > id, "the next of that queue");
    next.ok();
    let last = receiver.next().await;
    last.ok();
    t.is_delivered().await;
}

async fn success_begins_the_ladder_anew(t: &mut Stage) {
    let mut receiver = t.receiver().await;
    t.says(7, "one").await;
    t.says(7, "two").await;
    receiver.next().await.status("500 Internal Server Error");
    receiver.next().await.status("500 Internal Server Error");
    t.sleeps_ms(2000).await;
    t.later(2).await;
    receiver.next().await.ok();
    let second = receiver.next().await;
    assert_eq!(second.text(), "two");
    second.status("500 Internal Server Error");
    receiver.next().await.ok();
    t.is_delivered().await;
}
