//! The offset table (reference/telegram.md 2.1, 2.2) and lifetimes (2.4).

use std::time::Duration;

use serde_json::{Value, json};
use tandem_gateway::AppDocument;

use crate::support::{Client, Stage, texts};

/// Three messages; the id of the first as the app sees it.
async fn three(t: &mut Stage) -> i64 {
    for text in ["one", "two", "three"] {
        t.says(7, text).await;
    }
    let updates = ask(t, &t.main(), json!({})).await;
    let ids: Vec<_> = updates.iter().map(|update| update["update_id"].as_i64().unwrap()).collect();
    assert_eq!(ids, [ids[0], ids[0] + 1, ids[0] + 2]);
    ids[0]
}

/// Long enough after the last question not to be taken for a hasty one.
async fn ask(t: &Stage, client: &Client, params: Value) -> Vec<Value> {
    t.clock.advance(Duration::from_secs(5));
    client.updates(params).await
}

#[tokio::test]
async fn offsets_mean_what_they_mean_to_telegram() {
    let all = ["one", "two", "three"];
    for (offset, first_left) in [(0, 0), (1, 0), (-3, 0), (-1000, 0), (-1, 2), (-2, 1)] {
        let mut t = Stage::start().await;
        three(&mut t).await;
        for _ in 0..2 {
            let got = texts(&ask(&t, &t.main(), json!({ "offset": offset })).await);
            assert_eq!(got, all[first_left..], "offset {offset}");
        }
    }
    for (from_first, first_left) in
        [(0, 0), (1, 1), (2, 2), (3, 3), (13, 3), (14, 0), (-200_000, 0), (i64::from(i32::MAX), 0)]
    {
        let mut t = Stage::start().await;
        let first = three(&mut t).await;
        let got = texts(&ask(&t, &t.main(), json!({"offset": first + from_first})).await);
        assert_eq!(got, all[first_left..], "offset first + {from_first}");
        let left = texts(&ask(&t, &t.main(), json!({})).await);
        assert_eq!(left, all[first_left..], "what was confirmed does not come back");
    }
}

#[tokio::test]
async fn confirmed_updates_do_not_come_back_after_a_restart_and_numbers_go_on() {
    let mut t = Stage::start().await;
    let first = three(&mut t).await;
    ask(&t, &t.main(), json!({"offset": first + 2})).await;
    let mut t = t.restart().await;
    t.says(7, "four").await;
    let updates = ask(&t, &t.main(), json!({})).await;
    assert_eq!(texts(&updates), ["three", "four"]);
    assert!(updates[1]["update_id"].as_i64() > updates[0]["update_id"].as_i64());
    let updates = ask(&t, &t.main(), json!({"offset": first + 3})).await;
    assert_eq!(texts(&updates), ["four"]);
}

#[tokio::test]
async fn limits_are_clamped_and_not_refused() {
    let mut t = Stage::start().await;
    for number in 0..120 {
        t.says(number, "hi").await;
    }
    for (limit, expected) in
        [(json!(0), 1), (json!(-5), 1), (json!(7), 7), (json!("7"), 7), (json!(1000), 100), (json!("x"), 1)]
    {
        assert_eq!(ask(&t, &t.main(), json!({ "limit": limit })).await.len(), expected, "limit {limit}");
    }
}

#[tokio::test]
async fn the_same_question_within_half_a_second_gets_one_update() {
    let mut t = Stage::start().await;
    three(&mut t).await;
    t.clock.advance(Duration::from_millis(499));
    assert_eq!(t.main().updates(json!({})).await.len(), 1);
    t.clock.advance(Duration::from_millis(500));
    assert_eq!(t.main().updates(json!({})).await.len(), 3);
}

#[tokio::test]
async fn an_answer_stops_growing_at_four_mebibytes() {
    let mut t = Stage::start().await;
    for _ in 0..12 {
        t.says(7, &"x".repeat(500_000)).await;
    }
    let updates = ask(&t, &t.main(), json!({})).await;
    assert!((8..12).contains(&updates.len()), "{} updates", updates.len());
}

#[tokio::test]
async fn what_has_lived_its_time_is_skipped() {
    let mut t = Stage::start().await;
    let long = AppDocument { backlog_secs: 72 * 60 * 60, ..AppDocument::default() };
    let patient = t.app("patient", long).await;
    let query =
        json!({"id": "1", "from": {"id": 7, "is_bot": false, "first_name": "A"}, "query": "", "offset": ""});
    t.says(7, "one").await;
    t.update("inline_query", &query).await;
    t.clock.advance(Duration::from_secs(29));
    assert_eq!(ask(&t, &t.main(), json!({})).await.len(), 1, "an inline query lives for 30 s");
    t.clock.advance(Duration::from_hours(24));
    assert!(ask(&t, &t.main(), json!({})).await.is_empty());
    assert_eq!(texts(&ask(&t, &patient, json!({})).await), ["one"], "as long as its backlog says");
}
