//! `getUpdates`: limits, the offset table, what it confirms.

use tandem_sandbox::telegram::Delivered;

use crate::stage::Stage;

/// A stage with this many messages; the first one's id.
async fn with_messages(count: i64) -> (Stage, i64) {
    let stage = Stage::start().await;
    let ids: Vec<i64> = (0..count).map(|n| stage.message(1, &format!("message {n}"))).collect();
    assert!(ids.windows(2).all(|pair| pair[1] == pair[0] + 1), "ids are consecutive: {ids:?}");
    (stage, ids[0])
}

#[tokio::test]
async fn the_first_id_is_random_within_the_documented_range() {
    let (stage, first) = with_messages(1).await;
    assert!((2_000_001..=1_000_000_000).contains(&first), "{first}");
    let other = Stage::with(|config| config.seed = 8).await;
    assert_ne!(other.message(1, "x"), first);
    let again = Stage::start().await;
    assert_eq!(again.message(1, "x"), first, "the same seed gives the same ids");
    drop(stage);
}

#[tokio::test]
async fn limits_and_timeouts_out_of_range_are_clamped() {
    let (stage, first) = with_messages(120).await;
    for (limit, count) in
        [("", 100), ("&limit=0", 1), ("&limit=-5", 1), ("&limit=1000", 100), ("&limit=7", 7)]
    {
        // Another offset each time, so that politeness does not matter.
        let offset = first - 1 - i64::try_from(count).unwrap() - i64::try_from(limit.len()).unwrap();
        assert_eq!(stage.updates(&format!("offset={offset}{limit}")).await.len(), count, "{limit}");
    }
    let empty = Stage::start().await;
    let poll = empty.start_call("getUpdates", "timeout=999").await;
    empty.until_waiting(&[50]).await;
    empty.advance(50);
    assert_eq!(poll.await.unwrap().json()["result"], serde_json::json!([]));
}

#[tokio::test]
async fn the_offset_table_holds_over_http() {
    // How many of five updates come, and how many are left, for an offset relative to the first id.
    let cases = [
        ("offset=0", 5, 5),
        ("offset=1", 5, 5),
        ("", 5, 5),
        ("offset=-1", 1, 1),
        ("offset=-1000", 5, 5),
        ("offset=2147483647", 5, 5),
        ("offset=99999999999", 5, 5),
        ("offset=garbage", 5, 5),
    ];
    for (form, come, left) in cases {
        let (stage, _) = with_messages(5).await;
        assert_eq!(stage.updates(form).await.len(), come, "{form}");
        assert_eq!(stage.bot.pending(), left, "{form}");
    }
    for (relative, come, left) in [(0, 5, 5), (3, 2, 2), (5, 0, 0), (15, 0, 0), (16, 5, 5)] {
        let (stage, first) = with_messages(5).await;
        let form = format!("offset={}", first + relative);
        assert_eq!(stage.updates(&form).await.len(), come, "tail {relative}");
        assert_eq!(stage.bot.pending(), left, "tail {relative}");
    }
}

#[tokio::test]
async fn returning_updates_does_not_confirm_them() {
    let (stage, first) = with_messages(3).await;
    assert_eq!(stage.updates("").await, [first, first + 1, first + 2]);
    let records = stage.bot.updates_after(0);
    assert!(records.iter().all(|r| r.delivered == Some(Delivered::Polling) && !r.confirmed));
    stage.advance(10);
    assert_eq!(stage.updates("").await, [first, first + 1, first + 2]);
    assert_eq!(stage.updates(&format!("offset={}", first + 2)).await, [first + 2]);
    let confirmed: Vec<bool> = stage.bot.updates_after(0).iter().map(|record| record.confirmed).collect();
    assert_eq!(confirmed, [true, true, false]);
}

#[tokio::test]
async fn confirmation_happens_when_the_request_arrives_and_cannot_be_undone() {
    let (stage, first) = with_messages(2).await;
    let poll = stage.start_call("getUpdates", &format!("offset={}&timeout=30", first + 2)).await;
    stage.until_waiting(&[30]).await;
    assert_eq!(stage.bot.pending(), 0, "confirmed before the wait is over");
    stage.message(1, "third");
    assert_eq!(crate::stage::ids(&poll.await.unwrap()), [first + 2]);
    assert_eq!(stage.updates("offset=1").await, [first + 2], "what is confirmed stays gone");
}

#[tokio::test]
async fn a_hasty_repetition_gets_one_update_at_a_time() {
    let (stage, first) = with_messages(3).await;
    assert_eq!(stage.updates("offset=1").await.len(), 3);
    assert_eq!(stage.updates("offset=1").await, [first]);
    stage.clock.advance(std::time::Duration::from_millis(500));
    assert_eq!(stage.updates("offset=1").await.len(), 3, "half a second later it is no haste");
    assert_eq!(stage.updates("offset=2").await.len(), 3, "another offset is another question");
}

#[tokio::test]
async fn updates_go_out_byte_for_byte_with_a_newline_after_the_id() {
    let stage = Stage::start().await;
    stage.bot.rebase(1000);
    let raw = r#"{"update_id": 5000000, "message":{"message_id":1,"date":1800000000,"chat":{"id":1},"z":1.50,"a":"\u0416"}}"#;
    stage.bot.push_raw(raw).unwrap();
    let answer = stage.call("getUpdates", "").await;
    let expected = "{\"ok\":true,\"result\":[{\"update_id\":5000000,\n\"message\":{\"message_id\":1,\"date\":1800000000,\"chat\":{\"id\":1},\"z\":1.50,\"a\":\"\\u0416\"}}]}";
    assert_eq!(String::from_utf8(answer.body).unwrap(), expected);
    assert_eq!(stage.message(1, "next"), 5_000_001, "the sequence goes on behind a given id");
}

#[tokio::test]
async fn a_sequence_that_was_based_lower_is_still_delivered() {
    let (stage, first) = with_messages(2).await;
    assert_eq!(stage.updates("").await.len(), 2);
    stage.bot.rebase(1000);
    assert!(stage.bot.updates_after(0).iter().all(|record| record.dropped));
    assert_eq!(stage.message(1, "after"), 1000);
    assert_eq!(stage.updates(&format!("offset={}", first + 2)).await, [1000]);
}

#[tokio::test]
async fn after_a_week_without_updates_the_sequence_begins_anew() {
    let (stage, first) = with_messages(1).await;
    stage.updates(&format!("offset={}", first + 1)).await;
    stage.advance(7 * 24 * 3600);
    assert_ne!(stage.message(1, "hello again"), first + 1);
}

#[tokio::test]
async fn an_answer_stops_adding_updates_at_about_4_mib() {
    let stage = Stage::start().await;
    for _ in 0..12 {
        stage.message(1, &"x".repeat(500_000));
    }
    assert_eq!(stage.updates("").await.len(), 9);
}

#[tokio::test]
async fn more_than_100_000_pending_updates_are_dropped() {
    let stage = Stage::start().await;
    for _ in 0..100_000 {
        stage.message(1, "x");
    }
    let object = crate::stage::message(1, "too much", crate::stage::START);
    assert_eq!(stage.bot.push("message", &object), tandem_sandbox::telegram::Pushed::QueueFull);
    let object = crate::stage::message(1, &"x".repeat(600_000), crate::stage::START);
    assert_eq!(stage.bot.push("message", &object), tandem_sandbox::telegram::Pushed::TooLarge);
    assert_eq!(stage.webhook_info().await["pending_update_count"], 100_000);
}
