//! What each policy does, other pollers, standing down and taking up again, and the pace of it all.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use tandem_bridge::{
    GuardMark, GuardPolicy, GuardState, HolderKind, IntakeState, UpstreamMode,
    operations::{BotView, RefusalCode, Request},
};

use crate::{
    guarded::Guarded,
    people::while_time_passes,
    support::{Stage, id, says, until},
};

const BOTH: [UpstreamMode; 2] = [UpstreamMode::Polling, UpstreamMode::Webhook];

#[tokio::test]
async fn under_alert_and_stand_down_nothing_is_taken_back_and_it_goes_on_when_the_stream_is_free() {
    for (upstream, policy) in BOTH
        .into_iter()
        .flat_map(|upstream| [(upstream, GuardPolicy::Alert), (upstream, GuardPolicy::StandDown)])
    {
        let t = Guarded::new(upstream, policy).await;
        let takes = t.takes().len();
        t.amocrm_is_connected_again(json!({})).await;
        let view = t
            .in_time("trouble", |view| view.trouble.is_some() && view.guard.state != GuardState::Watching)
            .await;
        match (policy, &view.guard.state) {
            (GuardPolicy::Alert, GuardState::Taken { by, .. })
            | (GuardPolicy::StandDown, GuardState::StoodDown { by: Some(by), next_try: None, .. }) => {
                assert_eq!(by.kind, HolderKind::Amocrm);
            }
            other => panic!("{other:?}"),
        }
        let advice = view.trouble.unwrap().what_to_do;
        assert!(advice.contains(policy.as_str()) && advice.contains("tandem bots retake"), "{advice}");
        // Two hours later it is as it was, and little was asked for it.
        let asked = t.bot.calls_after(0).len();
        for _ in 0..120 {
            t.stage.clock.advance(Duration::from_mins(1));
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        assert_eq!((t.takes().len(), t.webhook().await), (takes, t.hook().await));
        assert!(t.bot.calls_after(0).len() - asked < 300, "{}", t.bot.calls_after(0).len() - asked);
        t.stage.bot_api(&t.bot, "deleteWebhook", json!({})).await;
        t.in_time("a guard that watches", |view| view.guard.state == GuardState::Watching).await;
        t.tandem_hears("free again").await;
        assert!(t.marks().await.contains(&GuardMark::Free), "{:?}", t.marks().await);
        let stood_down = t.marks().await.iter().any(|mark| matches!(mark, GuardMark::StoodDown { .. }));
        assert_eq!(stood_down, policy == GuardPolicy::StandDown);
        t.service.stop().await;
    }
}

#[tokio::test]
async fn a_person_has_the_stream_taken_back_whatever_the_policy() {
    for upstream in BOTH {
        let t = Guarded::new(upstream, GuardPolicy::StandDown).await;
        let refusal = Box::pin(t.service.bridge.perform(Request::Retake { bot: None })).await.unwrap_err();
        assert_eq!(refusal.code, RefusalCode::WrongState);
        t.amocrm_is_connected_again(json!({"new_address": true})).await;
        t.in_time("a guard that stands down", |view| {
            matches!(view.guard.state, GuardState::StoodDown { .. })
        })
        .await;
        t.retake().await;
        t.in_time("a guard that watches", |view| view.guard.state == GuardState::Watching).await;
        t.tandem_hears("ours").await;
        assert_eq!(t.view().await.guard.retakes, 1);
        t.service.stop().await;
    }
}

#[tokio::test]
async fn a_changed_policy_begins_at_once() {
    let t = Guarded::new(UpstreamMode::Polling, GuardPolicy::Alert).await;
    t.amocrm_is_connected_again(json!({})).await;
    t.in_time("trouble", |view| view.trouble.is_some()).await;
    let request = Request::SetGuard { bot: None, policy: GuardPolicy::Retake };
    Box::pin(t.service.bridge.perform(request)).await.unwrap();
    until("a retake without waiting", async || {
        (t.view().await.guard.state == GuardState::Watching).then_some(())
    })
    .await;
    t.service.stop().await;
}

#[tokio::test]
async fn after_six_retakes_it_stands_down_over_restarts_too_and_tries_once_when_the_hour_is_over() {
    for upstream in BOTH {
        let t = Guarded::new(upstream, GuardPolicy::Retake).await;
        let first = t.takes().len();
        for nth in 1..=6 {
            t.amocrm_is_connected_again(json!({})).await;
            t.is_retaken(nth).await;
        }
        t.amocrm_is_connected_again(json!({})).await;
        let is_down = |view: &BotView| matches!(view.guard.state, GuardState::StoodDown { .. });
        let view = t.in_time("a guard that stands down", is_down).await;
        let GuardState::StoodDown { since, next_try: Some(next), .. } = view.guard.state else { panic!() };
        assert_eq!(next.since(since), Duration::from_hours(1));
        let trouble = t.in_time("trouble", |view| view.trouble.is_some()).await.trouble.unwrap();
        assert!(trouble.what_to_do.contains("saves or connects the bot in amoCRM again"), "{trouble:?}");
        let t = t.killed_and_started().await;
        for _ in 0..10 {
            t.stage.clock.advance(Duration::from_mins(5));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!((t.takes().len() - first, t.webhook().await), (6, t.hook().await));
        t.stage.clock.set(next.as_millis());
        t.is_retaken(7).await;
        t.tandem_hears("ours again").await;
        assert!(t.takes()[first + 6] >= next.as_millis());
        // Taken once more within the hour, it does not try six times again.
        t.amocrm_is_connected_again(json!({})).await;
        let view = t.in_time("a guard that stands down at once", is_down).await;
        let GuardState::StoodDown { since, next_try: Some(next), .. } = view.guard.state else { panic!() };
        assert_eq!((view.guard.retakes, next.since(since)), (7, Duration::from_hours(2)));
        t.service.stop().await;
    }
}

#[tokio::test]
async fn another_poller_is_said_with_what_to_do_shared_with_and_its_part_is_counted() {
    let t = Guarded::new(UpstreamMode::Polling, GuardPolicy::Retake).await;
    t.tandem_hears("before").await;
    let takes = t.takes().len();
    let other = poller(&t);
    let view =
        t.in_time("trouble", |view| view.trouble.is_some() && view.guard.state != GuardState::Watching).await;
    assert_eq!(view.trouble.as_ref().unwrap().sentence, "Another program polls it.");
    let advice = view.trouble.unwrap().what_to_do;
    for part in ["cannot be sent away by asking", "let it ask Tandem", "revoke the token in @BotFather"] {
        assert!(advice.contains(part), "{advice}");
    }
    assert!(matches!(view.guard.state, GuardState::Taken { .. }), "{:?}", view.guard);
    // What the other program takes and confirms never comes to us; what we get is kept.
    for number in 0..6 {
        says(&t.bot, 7, &format!("word {number}"));
        t.stage.clock.advance(Duration::from_secs(20));
        until("nothing left", async || (t.bot.pending() <= 1).then_some(())).await;
    }
    other.abort();
    until("its end", async || other.is_finished().then_some(())).await;
    t.tandem_hears("after").await;
    let missing: Vec<i64> = {
        let all = t.bot.updates_after(0);
        let ours = t.numbers().await;
        all.iter().map(|record| i64::from(record.update_id)).filter(|id| !ours.contains(id)).collect()
    };
    let went_past = |view: &BotView| view.guard.went_past.iter().map(|past| past.updates).sum::<u64>();
    let view = t.in_time("the count", |view| went_past(view) == missing.len() as u64).await;
    assert_eq!(t.marked().await, missing);
    assert!(view.guard.went_past.iter().all(|past| past.to == HolderKind::Poller), "{:?}", view.guard);
    t.in_time("a guard that watches, some minutes later", |view| view.guard.state == GuardState::Watching)
        .await;
    assert_eq!((t.takes().len(), view.guard.retakes), (takes, 0), "it was not fought");
    t.service.stop().await;
}

/// Another program that polls, confirming what it takes.
fn poller(t: &Guarded) -> tokio::task::JoinHandle<()> {
    let (http, base) =
        (t.stage.http.clone(), format!("{}/bot{}", t.stage.sandbox.telegram_url(), t.bot.token()));
    tokio::spawn(async move {
        let mut offset = 0;
        loop {
            let address = format!("{base}/getUpdates?timeout=50&offset={offset}");
            let answer: serde_json::Value = http.get(address).send().await.unwrap().json().await.unwrap();
            for update in answer["result"].as_array().into_iter().flatten() {
                offset = update["update_id"].as_i64().unwrap() + 1;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
}

#[tokio::test]
async fn under_stand_down_another_poller_is_left_alone_until_nobody_fetches_any_more() {
    let t = Guarded::new(UpstreamMode::Polling, GuardPolicy::StandDown).await;
    let other = poller(&t);
    t.in_time("a guard that stands down", |view| matches!(view.guard.state, GuardState::StoodDown { .. }))
        .await;
    let asked = || t.bot.calls_after(0).iter().filter(|call| call.method == "getUpdates" && !call.ok).count();
    let conflicts = asked();
    for number in 0..10 {
        says(&t.bot, 7, &format!("word {number}"));
        t.stage.clock.advance(Duration::from_secs(30));
        until("nothing left", async || (t.bot.pending() == 0).then_some(())).await;
    }
    // Telegram holds back a 409 that follows another one.
    assert!(asked() <= conflicts + 3, "it asks no more, so nobody is disturbed");
    other.abort();
    says(&t.bot, 7, "left");
    while_time_passes(&t.stage, t.comes_in("left")).await;
    t.in_time("a guard that watches", |view| view.guard.state == GuardState::Watching).await;
    t.service.stop().await;
}

#[tokio::test]
async fn all_checks_together_stay_under_twenty_calls_a_second() {
    let stage = Stage::new().await;
    let service = stage.serve().await;
    let bots: Vec<_> = (0..400).map(|_| stage.bot()).collect();
    for bot in &bots {
        service.add(bot, UpstreamMode::Webhook, &[]).await;
    }
    let running = async || {
        let running = |bot: &Arc<_>| matches!(service.intake(bot), IntakeState::Running { .. });
        bots.iter().all(running).then_some(())
    };
    let tick = async |seconds: u64| {
        for _ in 0..seconds * 4 {
            stage.clock.advance(Duration::from_millis(250));
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
    };
    until("all of them", async || {
        tick(1).await;
        running().await
    })
    .await;
    let begin_ms = stage.clock.now_ms();
    tick(120).await;
    let mut looks: Vec<i64> = bots
        .iter()
        .flat_map(|bot| bot.calls_after(0))
        .filter(|call| call.method == "getWebhookInfo" && call.at_ms > begin_ms)
        .map(|call| call.at_ms)
        .collect();
    looks.sort_unstable();
    let most = (0..looks.len())
        .map(|first| looks[first..].iter().take_while(|at| **at < looks[first] + 1000).count());
    // The clock stands in steps of 250 ms: a call may be made a step later than its turn.
    assert!(most.max().unwrap() < 25, "{looks:?}");
    assert!((600..20 * 120).contains(&looks.len()), "{} looks in two minutes", looks.len());
    let seen = bots
        .iter()
        .filter(|bot| service.bridge.guard_counters().iter().any(|one| one.bot == id(bot) && one.checks > 1));
    assert_eq!(seen.count(), 400, "every bot is looked at in its turn");
    service.stop().await;
}

#[tokio::test]
async fn a_bot_that_is_oddly_quiet_is_looked_at_sooner() {
    let t = Guarded::new(UpstreamMode::Webhook, GuardPolicy::Retake).await;
    let takes = t.takes().len();
    for number in 0..10 {
        says(&t.bot, 7, &format!("word {number}"));
        t.comes_in(&format!("word {number}")).await;
        t.stage.clock.advance(Duration::from_millis(500));
    }
    t.stage.act(&format!("/amocrm/{}/reconnect", t.bot.id()), json!({})).await;
    // Longer than four times what is usual, and then time stands still.
    t.stage.clock.advance(Duration::from_secs(5));
    until("a retake", async || (t.takes().len() > takes).then_some(())).await;
    t.service.stop().await;
}
