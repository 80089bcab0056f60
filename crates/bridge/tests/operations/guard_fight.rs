//! The quarrel: amoCRM is connected again every few seconds for minutes, clients go on writing. It ends, and what was
//! lost is exactly what Telegram gave to amoCRM itself, which is the number that Tandem tells.

use std::time::Duration;

use serde_json::json;
use tandem_bridge::{
    GuardPolicy, GuardState, UpstreamMode,
    operations::{Request, Response},
};

use crate::{
    guarded::{Guarded, to_amocrm},
    people::while_time_passes,
    support::{says, until},
};

#[tokio::test]
async fn a_quarrel_ends_and_what_it_cost_is_told_exactly_when_updates_are_asked_for() {
    quarrel(UpstreamMode::Polling).await;
}

#[tokio::test]
async fn a_quarrel_ends_and_what_it_cost_is_told_exactly_when_updates_are_posted() {
    quarrel(UpstreamMode::Webhook).await;
}

async fn quarrel(upstream: UpstreamMode) {
    let t = Guarded::new(upstream, GuardPolicy::Retake).await;
    t.tandem_hears("before").await;
    let (takes, begun_ms) = (t.takes().len(), t.stage.clock.now_ms());
    let insist = format!("/amocrm/{}/insist", t.bot.id());
    t.stage.act(&insist, json!({"every_ms": 5000, "new_address": upstream == UpstreamMode::Polling})).await;
    // Ten minutes of it, several clients at a time.
    for second in 0..1200_i64 {
        t.stage.clock.advance(Duration::from_millis(500));
        if second % 2 == 0 {
            says(&t.bot, 7 + second % 3, &format!("word {second}"));
        }
        tokio::time::sleep(Duration::from_millis(4)).await;
    }
    let view = t
        .in_time("a guard that stands down", |view| matches!(view.guard.state, GuardState::StoodDown { .. }))
        .await;
    assert_eq!((view.guard.retakes, t.takes().len() - takes), (6, 6), "six and no more");
    assert!(view.trouble.is_some());
    let quiet_ms = t.takes().last().unwrap() - begun_ms;
    assert!(quiet_ms < 300_000, "it took {quiet_ms} ms until the quarrel ended");
    let address = format!("{}{insist}", t.stage.sandbox.control_url());
    assert!(t.stage.http.delete(address).send().await.unwrap().status().is_success());
    // When the hour is over Tandem takes the stream back, and the next update shows what was missed.
    t.stage.clock.set(begun_ms + 3_700_000);
    t.in_time("the stream again", |view| view.guard.state == GuardState::Watching).await;
    t.tandem_hears("after").await;
    let past = t.lost_to_amocrm().await;
    t.in_time("the count", |view| to_amocrm(view) >= past.len() as u64).await;
    let Response::Bots { bots } = Box::pin(t.service.bridge.perform(Request::Bots)).await.unwrap() else {
        panic!()
    };
    let json = serde_json::to_value(&bots[0]).unwrap();
    assert_eq!(json["guard"]["went_past"], json!([{"to": "amocrm", "updates": past.len()}]));
    assert_eq!(json["guard"]["unexplained"], 0);
    assert_eq!(json["guard"]["retakes"], 7);
    // Lost are exactly those: everything else is in the journal, and in amoCRM is everything.
    let all: std::collections::BTreeSet<i64> =
        t.bot.updates_after(0).iter().map(|record| i64::from(record.update_id)).collect();
    let ours = t.numbers().await;
    let lost: Vec<i64> = all.iter().copied().filter(|id| !ours.contains(id)).collect();
    assert!(lost.iter().eq(&past), "{} and {}", lost.len(), past.len());
    let mut marked = t.marked().await;
    marked.sort_unstable();
    assert!(marked == lost, "{} and {}", marked.len(), lost.len());
    assert!(lost.len() > 300, "the stream stayed with amoCRM: {}", lost.len());
    assert!(ours.len() > 10, "Tandem had its part: {}", ours.len());
    let everything = until("everything in amoCRM", async || {
        let raw = t.stage.look(&format!("/amocrm/{}/raw?after=0", t.bot.id())).await;
        let seen: std::collections::BTreeSet<i64> = raw["deliveries"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|delivery| delivery["outcome"] == "taken" || delivery["outcome"] == "repeat")
            .filter_map(|delivery| delivery["update_id"].as_i64())
            .collect();
        (seen == all).then_some(())
    });
    while_time_passes(&t.stage, everything).await;
    t.service.stop().await;
}
