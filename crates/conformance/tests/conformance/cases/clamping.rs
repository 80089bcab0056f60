//! Group 2: numbers out of range are clamped, never refused (2.1).

use serde_json::json;

use crate::{
    stage::Stage,
    table::{Case, case},
};

pub(crate) const CASES: &[Case] = &[
    case!(
        limit_0_and_below_act_as_1_and_1000_as_100,
        "2.1, 10.2",
        "`limit` 0 and -5 give one update, 1000 and none give 100 of 105."
    ),
    case!(
        timeout_999_acts_as_50,
        "2.1, 10.2",
        "`timeout` 999 ends empty after 50 s, 10 after 10 s, -3 at once."
    ),
    case!(
        numbers_are_read_leniently,
        "1.2",
        "Garbage is 0, digits before garbage count, and an offset of 2^40 is one far ahead."
    ),
    case!(an_empty_number_is_an_absent_one, "1.2 (silent)", "`limit=` gives what no limit gives."),
];

async fn a_hundred_and_five(t: &mut Stage) {
    for number in 0..105 {
        t.bot.push("message", &crate::stage::message(number + 1, "hi", t.clock.now_secs()));
    }
    t.arrived().await;
}

async fn limit_0_and_below_act_as_1_and_1000_as_100(t: &mut Stage) {
    a_hundred_and_five(t).await;
    for (limit, found) in [
        (json!({"limit": 0}), 1),
        (json!({"limit": -5}), 1),
        (json!({"limit": 7}), 7),
        (json!({"limit": 100}), 100),
        (json!({"limit": 101}), 100),
        (json!({"limit": 1000}), 100),
        (json!({}), 100),
    ] {
        assert_eq!(t.updates(limit.clone()).await.len(), found, "{limit}");
    }
}

async fn timeout_999_acts_as_50(t: &mut Stage) {
    for (timeout, secs) in [(999, 50), (51, 50), (50, 50), (10, 10)] {
        t.later(10).await;
        let waiting = t.waits(&t.app, json!({"timeout": timeout}), secs).await;
        t.later_ms(secs.unsigned_abs() * 1000 - 1).await;
        assert!(!waiting.is_answered(), "timeout {timeout} ends after {secs} s");
        t.later_ms(1).await;
        assert_eq!(waiting.answer().await.result(), json!([]), "timeout {timeout}");
    }
    for timeout in [0, -3] {
        assert!(t.updates(json!({"timeout": timeout})).await.is_empty(), "timeout {timeout}");
    }
}

async fn numbers_are_read_leniently(t: &mut Stage) {
    for text in ["one", "two", "three"] {
        t.says(7, text).await;
    }
    for (params, found) in [
        (json!({"limit": "x"}), 1),
        (json!({"limit": "2 apples"}), 2),
        (json!({"limit": "2"}), 2),
        (json!({"limit": true}), 1),
        (json!({"offset": 1_i64 << 40}), 3),
        (json!({"offset": "garbage"}), 3),
        (json!({"offset": "null"}), 3),
        (json!({"offset": "99999999999999999999"}), 3),
        (json!({"offset": "-99999999999999999999"}), 3),
    ] {
        assert_eq!(t.updates(params.clone()).await.len(), found, "{params}");
    }
}

async fn an_empty_number_is_an_absent_one(t: &mut Stage) {
    t.says(7, "one").await;
    t.says(7, "two").await;
    assert_eq!(t.texts(json!({"limit": "", "offset": "", "timeout": ""})).await, ["one", "two"]);
}
