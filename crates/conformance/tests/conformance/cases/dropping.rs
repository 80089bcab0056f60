//! Group 9: dropping what is pending (3.1, 3.2).

use serde_json::json;

use crate::{
    stage::{Receiver, Side, Stage, message, until},
    table::{Case, case},
};

pub(crate) const CASES: &[Case] = &[
    case!(
        dropping_touches_only_the_caller,
        "8.2, 10.9",
        "`deleteWebhook` with `drop_pending_updates` empties the caller's queue and nobody else's."
    ),
    case!(
        set_webhook_can_drop_first,
        "3.1",
        "`setWebhook` with `drop_pending_updates` posts only what comes afterwards."
    ),
    case!(
        an_app_may_be_kept_from_dropping,
        "8.2",
        "Asked to drop, `deleteWebhook` is answered `true` and the queue is empty."
    )
    .tandem_differs("an app set to `drop_pending = \"ignore\"` (DESIGN 5) is told yes and keeps its queue"),
    case!(
        booleans_are_read_leniently,
        "1.2",
        "`true`, `yes` and `1` in any case and with spaces are true, all else is false."
    ),
    case!(dropping_ends_with_what_is_there, "3.1", "What comes after a drop is kept."),
    case!(
        a_drop_leaves_nothing_pending,
        "3.2",
        "`pending_update_count` is 0 after a drop, of a webhook that failed too."
    ),
    case!(
        a_drop_while_attempts_hang,
        "3.2",
        "A webhook can be set with `drop_pending_updates` while attempts hang after failures: what was in flight is gone too."
    ),
];

async fn dropping_touches_only_the_caller(t: &mut Stage) {
    let (other, their_bot) = t.another().await;
    t.says(7, "hello").await;
    if t.side == Side::Sandbox {
        their_bot.push("message", &message(7, "hello", t.clock.now_secs()));
    }
    t.app.call("deleteWebhook", json!({"drop_pending_updates": true})).await.result();
    assert!(t.updates(json!({})).await.is_empty());
    assert_eq!(t.texts_of(&other, json!({})).await, ["hello"]);
}

async fn set_webhook_can_drop_first(t: &mut Stage) {
    t.says(7, "before").await;
    let mut receiver = Receiver::start().await;
    let params = json!({"url": receiver.url, "drop_pending_updates": true});
    assert_eq!(t.set_webhook(params).await, "Webhook was set");
    t.says(7, "after").await;
    let delivery = receiver.next().await;
    assert_eq!(delivery.text(), "after");
    delivery.ok();
}

async fn an_app_may_be_kept_from_dropping(t: &mut Stage) {
    let app = t.app_that_keeps().await;
    t.says(7, "hello").await;
    let answer = app.call("deleteWebhook", json!({"drop_pending_updates": true})).await;
    assert_eq!(
        (answer.result(), answer.description()),
        (json!(true), "Webhook is already deleted".to_owned())
    );
    let left = t.texts_of(&app, json!({})).await;
    if t.differs() {
        assert_eq!(left, ["hello"]);
    } else {
        assert!(left.is_empty());
    }
}

async fn booleans_are_read_leniently(t: &mut Stage) {
    t.says(7, "hello").await;
    for no in [json!(false), json!("false"), json!("on"), json!(2), json!("null"), json!(""), json!("y")] {
        t.app.call("deleteWebhook", json!({"drop_pending_updates": no})).await.result();
        assert_eq!(t.texts(json!({})).await, ["hello"], "{no}");
    }
    for yes in [json!(true), json!("True"), json!(" YES "), json!("yes"), json!(1), json!("1")] {
        t.says(7, "hello").await;
        t.app.call("deleteWebhook", json!({"drop_pending_updates": yes})).await.result();
        assert!(t.updates(json!({})).await.is_empty(), "{yes}");
    }
}

async fn dropping_ends_with_what_is_there(t: &mut Stage) {
    t.says(7, "before").await;
    t.app.call("deleteWebhook", json!({"drop_pending_updates": true})).await.result();
    t.says(7, "after").await;
    assert_eq!(t.texts(json!({})).await, ["after"]);
}

async fn a_drop_leaves_nothing_pending(t: &mut Stage) {
    let mut receiver = t.receiver().await;
    t.says(7, "one").await;
    t.says(8, "two").await;
    for _ in 0..4 {
        receiver.next().await.status("500 Internal Server Error");
    }
    until("two are pending", async || t.webhook_info().await["pending_update_count"] == 2).await;
    t.later(1).await;
    let params = json!({"url": receiver.url, "drop_pending_updates": true});
    assert_eq!(t.app.call("setWebhook", params).await.description(), "Webhook was set");
    assert_eq!(t.webhook_info().await["pending_update_count"], 0);
    t.later(600).await;
    t.settles().await;
    assert!(receiver.arrived().is_none());
}

async fn a_drop_while_attempts_hang(t: &mut Stage) {
    // Now and then it meets an attempt that is just beginning.
    for _ in 0..4 {
        let mut receiver = t.receiver().await;
        t.says(7, "one").await;
        t.says(8, "two").await;
        for _ in 0..4 {
            receiver.next().await.status("500 Internal Server Error");
        }
        t.webhook_info().await;
        let params = json!({"url": receiver.url, "drop_pending_updates": true});
        assert_eq!(t.set_webhook(params).await, "Webhook was set");
        assert_eq!(t.webhook_info().await["pending_update_count"], 0);
        t.later(600).await;
    }
}
