//! Several apps, each with kinds, a backlog and a speed of its own, and one of them away for a day.

use std::time::Duration;

use serde_json::{Value, json};
use tandem_gateway::AppDocument;

use crate::{
    presses::pressed,
    support::{Stage, server::Server},
};

/// What somebody said or pressed, or what happened.
fn what(update: &Value) -> String {
    let at = ["/message/text", "/callback_query/data", "/poll/id"];
    at.iter().find_map(|at| update.pointer(at)?.as_str()).unwrap_or("?").to_owned()
}

#[tokio::test]
async fn each_is_complete_and_in_order_by_its_own_filter_and_one_is_away_for_a_day() {
    let mut t = Stage::start().await;
    let receiver = Server::start().await;
    let backlog = |hours: u64| AppDocument { backlog_secs: hours * 3600, ..AppDocument::default() };
    let hook = t.app("hook", backlog(24)).await;
    let away = t.app("patient", backlog(72)).await;
    let short = t.app("short", backlog(24)).await;
    let url = format!("http://{}/hook", receiver.address);
    hook.result("setWebhook", json!({"url": url, "allowed_updates": ["message"]})).await;
    away.updates(json!({"allowed_updates": ["message", "poll"]})).await;

    let (mut texts, mut polls, mut of_main, mut offset) = (Vec::new(), Vec::new(), Vec::new(), 0);
    let chat = json!({"id": 7, "type": "private"});
    for hour in 0..26 {
        t.says(7 + hour % 3, &format!("text {hour}")).await;
        t.update("poll", &json!({"id": format!("poll {hour}"), "options": []})).await;
        pressed(&mut t, &hour.to_string(), &chat, 5, &format!("press {hour}")).await;
        texts.push(format!("text {hour}"));
        polls.push(format!("poll {hour}"));
        t.run_due().await;
        // One polls as slowly as it can, an update at a time.
        loop {
            t.clock.advance(Duration::from_secs(4));
            let updates = t.main().updates(json!({"offset": offset, "limit": 1})).await;
            let Some(update) = updates.first() else { break };
            offset = update["update_id"].as_i64().unwrap() + 1;
            of_main.push(what(update));
        }
        t.clock.advance(Duration::from_hours(1));
    }
    let all = (0..26).flat_map(|hour| ["text", "poll", "press"].map(|kind| format!("{kind} {hour}")));
    assert_eq!(of_main, all.collect::<Vec<_>>());
    let posted: Vec<_> =
        receiver.seen().iter().map(|asked| what(&serde_json::from_str(asked.text()).unwrap())).collect();
    assert_eq!(posted, texts);

    let t = t.restart().await;
    let at = |client: crate::support::Client| crate::support::Client { address: t.address, ..client };
    let back: Vec<_> = at(away).updates(json!({})).await.iter().map(what).collect();
    let both = texts.iter().zip(&polls).flat_map(|(text, poll)| [text.clone(), poll.clone()]);
    assert_eq!(back, both.collect::<Vec<_>>(), "with three days of backlog nothing is missing");
    let late: Vec<_> = at(short).updates(json!({})).await.iter().map(what).collect();
    assert!(late.iter().all(|what| !what.starts_with("press")), "nobody can answer them any more");
    let left = 26 - late.iter().filter(|what| what.starts_with("text")).count();
    assert!((1..=3).contains(&left), "the last day is there, and no more: {late:?}");
    assert!(late.ends_with(&["text 25".to_owned(), "poll 25".to_owned()]));
}
