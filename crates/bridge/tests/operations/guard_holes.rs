//! What went past is counted, once each, and taken back when it comes late.

use std::time::Duration;

use serde_json::json;
use tandem_bridge::{GuardMark, GuardPolicy, HolderKind, UpstreamMode};

use crate::{
    guarded::{Guarded, to_amocrm},
    support::{id, says, until},
};

/// amoCRM takes the stream, gets so many updates, and is sent away.
async fn amocrm_takes(t: &Guarded, updates: usize) {
    let before = t.went_to_amocrm().len();
    let retakes = t.view().await.guard.retakes;
    t.amocrm_is_connected_again(json!({})).await;
    for number in 0..updates {
        says(&t.bot, 7, &format!("past {number}"));
    }
    t.is_retaken(retakes + 1).await;
    // Some of them may have come after the retake: those are ours.
    assert!(t.went_to_amocrm().len() <= before + updates);
}

/// The same while Telegram cannot be asked who has the stream, so that everything goes to amoCRM.
async fn amocrm_takes_all(t: &Guarded, updates: usize) {
    let before = t.went_to_amocrm().len();
    let retakes = t.view().await.guard.retakes;
    let fault = json!({"method": "getWebhookInfo", "fault": {"kind": "status", "code": 502}});
    t.stage.act(&format!("/bots/{}/faults", t.bot.id()), fault).await;
    t.amocrm_is_connected_again(json!({})).await;
    for number in 0..updates {
        says(&t.bot, 7, &format!("past {number}"));
    }
    until("all of them at amoCRM", async || {
        (t.went_to_amocrm().len() == before + updates && t.bot.pending() == 0).then_some(())
    })
    .await;
    let address = format!("{}/bots/{}/faults", t.stage.sandbox.control_url(), t.bot.id());
    t.stage.http.delete(address).send().await.unwrap();
    t.is_retaken(retakes + 1).await;
}

#[tokio::test]
async fn what_went_past_to_amocrm_is_counted_and_noted_once() {
    for upstream in [UpstreamMode::Polling, UpstreamMode::Webhook] {
        let t = Guarded::new(upstream, GuardPolicy::Retake).await;
        t.tandem_hears("before").await;
        amocrm_takes_all(&t, 3).await;
        assert_eq!(to_amocrm(&t.view().await), 0, "nothing is known before the next update");
        t.tandem_hears("after").await;
        t.in_time("the count", |view| to_amocrm(view) == 3).await;
        let past: Vec<i64> = t.went_to_amocrm().into_iter().collect();
        assert_eq!(t.marked().await, past);
        t.tandem_hears("and on").await;
        // Neither a restart nor the next look tells it again.
        let t = t.killed_and_started().await;
        t.tandem_hears("after the restart").await;
        amocrm_takes_all(&t, 2).await;
        t.tandem_hears("the end").await;
        t.in_time("the count of all", |view| to_amocrm(view) == 5).await;
        assert_eq!(t.marked().await, t.went_to_amocrm().into_iter().collect::<Vec<_>>());
        let counters = until("the same in numbers", async || {
            Some(t.service.bridge.guard_counters()).filter(|counters| counters[0].holes == 5)
        })
        .await;
        assert_eq!((counters[0].bot, counters[0].retakes), (id(&t.bot), 2));
        assert_eq!((counters[0].state, counters[0].alerts), ("watching", 2));
        assert!(counters[0].checks > 0);
        t.service.stop().await;
    }
}

#[tokio::test]
async fn a_retake_at_once_loses_little_and_what_is_lost_is_told() {
    let t = Guarded::new(UpstreamMode::Polling, GuardPolicy::Retake).await;
    t.tandem_hears("before").await;
    amocrm_takes(&t, 5).await;
    t.tandem_hears("after").await;
    let past = t.lost_to_amocrm().await;
    t.in_time("the count", |view| to_amocrm(view) == past.len() as u64).await;
    assert_eq!(t.marked().await, past.into_iter().collect::<Vec<_>>());
    t.service.stop().await;
}

#[tokio::test]
async fn what_amocrm_took_while_tandem_was_down_is_counted_too() {
    let t = Guarded::new(UpstreamMode::Polling, GuardPolicy::Retake).await;
    t.tandem_hears("before").await;
    let Guarded { stage, service, bot } = t;
    service.kill().await;
    stage.clock.advance(Duration::from_secs(2));
    stage.act(&format!("/amocrm/{}/reconnect", bot.id()), json!({})).await;
    for number in 0..4 {
        says(&bot, 7, &format!("past {number}"));
    }
    until("all of them at amoCRM", async || (bot.pending() == 0).then_some(())).await;
    let service = stage.serve().await;
    let t = Guarded { stage, service, bot };
    t.is_retaken(1).await;
    t.tandem_hears("after").await;
    t.in_time("the count", |view| to_amocrm(view) == 4).await;
    t.service.stop().await;
}

#[tokio::test]
async fn a_crash_between_the_note_and_the_count_is_mended() {
    let t = Guarded::new(UpstreamMode::Polling, GuardPolicy::Retake).await;
    t.tandem_hears("before").await;
    amocrm_takes_all(&t, 3).await;
    t.tandem_hears("after").await;
    t.in_time("the count", |view| to_amocrm(view) == 3).await;
    // As a crash leaves it: the mark stands in the journal and is not counted.
    let uncount = t.service.bridge.change_bot(id(&t.bot), &[], |document| {
        document.guard.went_past.clear();
        document.guard.counted_to = None;
    });
    uncount.await.unwrap();
    let t = t.killed_and_started().await;
    t.tandem_hears("after the crash").await;
    t.in_time("the count", |view| to_amocrm(view) == 3).await;
    assert_eq!(t.marked().await.len(), 3);
    t.service.stop().await;
}

#[tokio::test]
async fn an_update_that_is_posted_late_is_no_hole_any_more() {
    let t = Guarded::new(UpstreamMode::Webhook, GuardPolicy::Retake).await;
    t.tandem_hears("before").await;
    // One chat's update is on its way for far longer than holes are waited for (so that it does not come before the
    // machine has found the time to count it), others overtake it.
    let late = json!({"method": "webhook", "fault": {"kind": "late", "ms": 18_000_000}, "times": 1});
    t.stage.act(&format!("/bots/{}/faults", t.bot.id()), late).await;
    let number = i64::from(says(&t.bot, 8, "late"));
    until("the delay", async || {
        let due = t.stage.clock.now_ms() + 17_000_000;
        t.stage.clock.sleeping_until().iter().any(|at| *at > due && *at < i64::MAX).then_some(())
    })
    .await;
    t.tandem_hears("overtakes").await;
    assert_eq!(t.view().await.guard.unexplained, 0, "it may still come");
    t.stage.clock.advance(Duration::from_mins(11));
    t.in_time("the count", |view| view.guard.unexplained == 1).await;
    t.stage.clock.advance(Duration::from_hours(5));
    t.in_time("the count taken back", |view| view.guard.unexplained == 0).await;
    let marks = t.marks().await;
    assert!(matches!(&marks[0], GuardMark::Hole { from, by: None, .. } if *from == number), "{marks:?}");
    assert_eq!(marks[1], GuardMark::CameLate { by: None, update_id: number });
    assert!(t.numbers().await.contains(&number));
    t.service.stop().await;
}

#[tokio::test]
async fn what_outlived_its_time_while_tandem_was_down_is_nobodys_theft() {
    let t = Guarded::new(UpstreamMode::Polling, GuardPolicy::Retake).await;
    t.tandem_hears("before").await;
    let Guarded { stage, service, bot } = t;
    service.kill().await;
    for number in 0..2 {
        says(&bot, 7, &format!("nobody was there {number}"));
    }
    stage.clock.advance(Duration::from_hours(25));
    let service = stage.serve().await;
    let t = Guarded { stage, service, bot };
    let message = json!({"message": {"message_id": 9, "date": t.stage.clock.now_secs(), "text": "today",
        "chat": {"id": 7, "type": "private", "first_name": "Ann"}, "from": {"id": 7, "is_bot": false, "first_name": "Ann"}}});
    t.stage.act(&format!("/bots/{}/updates", t.bot.id()), message).await;
    let view = t.in_time("the count", |view| view.guard.unexplained == 2).await;
    assert_eq!((view.guard.went_past.len(), view.guard.alerts), (0, 0));
    t.service.stop().await;
}

#[tokio::test]
async fn a_sequence_that_begins_anew_is_no_hole() {
    let t = Guarded::new(UpstreamMode::Polling, GuardPolicy::Retake).await;
    t.tandem_hears("before").await;
    for next in [7_000_000, 900_000_000, 2_000_500] {
        t.stage.act(&format!("/bots/{}/rebase", t.bot.id()), json!({"next_update_id": next})).await;
        t.tandem_hears(&format!("in sequence {next}")).await;
        t.tandem_hears(&format!("and on in sequence {next}")).await;
    }
    assert_eq!((t.view().await.guard.unexplained, t.marks().await.len()), (0, 0));
    t.service.stop().await;
}

#[tokio::test]
async fn what_came_between_a_release_and_the_next_adopt_is_no_hole() {
    let t = Guarded::new(UpstreamMode::Polling, GuardPolicy::Retake).await;
    t.tandem_hears("before").await;
    let asked = tandem_bridge::operations::Release {
        undelivered: tandem_bridge::operations::Undelivered::Leave,
        ..crate::people::release()
    };
    let released = crate::people::released(&t.service.bridge, asked);
    crate::people::while_time_passes(&t.stage, released).await.unwrap();
    for number in 0..3 {
        says(&t.bot, 7, &format!("to its owner {number}"));
    }
    until("all of them at amoCRM", async || (t.bot.pending() == 0).then_some(())).await;
    let adopted = crate::people::adopted(&t.service.bridge, crate::people::adopt(&t.bot));
    crate::people::while_time_passes(&t.stage, adopted).await.unwrap();
    t.tandem_hears("after").await;
    t.tandem_hears("and on").await;
    let guard = t.view().await.guard;
    assert_eq!((guard.unexplained, guard.went_past.len(), t.marks().await.len()), (0, 0, 0));
    assert_ne!(guard.policy, GuardPolicy::Alert);
    assert!(guard.went_past.iter().all(|past| past.to == HolderKind::Amocrm));
    t.service.stop().await;
}
