//! Groups 4 to 6: who waits, who is sent away and with which words, and who is slowed down (2.3).

use serde_json::json;

use crate::{
    stage::{Receiver, Stage, ids, message},
    table::{Case, Habit, case},
};

pub(crate) const CONCURRENT: &[Case] = &[
    case!(the_second_waiting_poll_ends_the_first, "2.3, 1.5, 10.4", "The first gets the exact 409, the second goes on waiting and gets the update."),
    case!(a_third_within_3_s_is_held, "2.3, 10.4", "Within 3 s of a 409 the next one is held back for 3 s."),
    case!(held_conflicts_do_not_hold_longer, "2.3", "3.5 s after the last 409 that was sent one goes out at once, though another is being held."),
    case!(after_3_s_a_conflict_is_told_at_once_again, "2.3", "3 s after a 409 the next one is told at once."),
    case!(consumers_do_not_disturb_each_other, "2.3, 10.4", "Two consumers' polls wait side by side, and neither learns of the other's 409s."),
    case!(an_update_answers_a_waiting_poll, "2.3", "What arrives while a poll waits is its answer, though its time is not over."),
    case!(updates_that_are_there_are_given_at_once, "2.3", "With updates there a poll with a timeout does not wait."),
    case!(a_poll_that_finds_updates_ends_nobody, "2.3", "An update answers the poll that waits, and a second poll finds it too: nobody gets a 409."),
    case!(a_poll_without_timeout_ends_nobody, "2.3", "A poll that does not wait leaves the waiting one alone."),
    case!(a_poll_whose_client_is_gone_is_replaced, "2.3", "After a client hung up the next poll waits as usual; the 409 that went nowhere counts, so the next one is held.")
        .tandem_differs("a 409 that nobody could read is not counted (the rule of 2.3): the next one is told at once"),
    case!(a_poll_that_times_out_is_empty, "2.3", "A poll whose time is over is answered with an empty array."),
    case!(the_first_update_and_its_neighbours, "2.3", "The answer is delayed by 1 to 2 ms, so that what is stored together comes together.")
        .tandem_differs("no gathering delay (DESIGN 5): at least the first of them comes, and nothing is lost"),
];

pub(crate) const REPEATED: &[Case] = &[
    case!(
        a_repeat_within_half_a_second_gets_one_update,
        "2.3, 10.5",
        "The same offset within 0.5 s of the call before makes the limit 1; after 0.5 s it does not."
    ),
    case!(
        a_short_repeat_within_3_s_waits_for_3_s,
        "2.3, 10.5",
        "The same offset within 3 s makes timeouts 0, 1 and 2 act as 3."
    ),
    case!(
        what_is_not_a_repeat_is_not_slowed,
        "2.3",
        "Another offset, 3 s of distance or a timeout of 3 and more are left as they are."
    ),
    case!(
        a_library_that_polls_with_timeout_0_and_no_pause,
        "2.3, 8.2",
        "A loop without timeout and pause is answered every 3 s, also at once when something comes."
    )
    .habit(Habit::PollsWithoutPause),
    case!(
        a_loop_without_pause_while_a_webhook_is_set,
        "2.3",
        "A loop that ignores its 409s gets one every 3 s: the first at once, the next held."
    )
    .habit(Habit::PollsWithoutPause),
];

pub(crate) const WEBHOOKS: &[Case] = &[
    case!(get_updates_with_a_webhook_is_refused, "1.5, 10.6", "With a webhook set `getUpdates` gets the exact 409 that names `deleteWebhook`."),
    case!(set_webhook_ends_a_waiting_poll, "1.5, 3.2, 10.6", "A waiting poll gets `Conflict: terminated by setWebhook request`."),
    case!(delete_webhook_leaves_a_waiting_poll_alone, "8.2", "`deleteWebhook`, and `setWebhook` without an address, end no poll."),
    case!(another_consumers_webhook_does_not_stop_a_poller, "8.2", "A poller works while another consumer has a webhook."),
    case!(a_library_that_answers_a_409_with_delete_webhook, "8.2", "It gets its 409, deletes its webhook, polls again and has everything; another consumer's webhook stays.").habit(Habit::AnswersConflictWithDeleteWebhook),
    case!(a_library_that_answers_another_pollers_409_with_delete_webhook, "8.2", "After the 409 of another poll `deleteWebhook` succeeds, deletes nothing, and the next poll works.").habit(Habit::AnswersConflictWithDeleteWebhook),
];

const OTHER: &str =
    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running";
const ACTIVE: &str = "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first";
const SET: &str = "Conflict: terminated by setWebhook request";

async fn the_second_waiting_poll_ends_the_first(t: &mut Stage) {
    let first = t.waits(&t.app, json!({"timeout": 30}), 30).await;
    let second = t.waits(&t.app, json!({"timeout": 40}), 40).await;
    first.answer().await.is_refusal(409, OTHER);
    t.says(7, "hello").await;
    assert_eq!(second.texts().await, ["hello"]);
}

async fn a_third_within_3_s_is_held(t: &mut Stage) {
    let first = t.waits(&t.app, json!({"timeout": 30}), 30).await;
    let second = t.waits(&t.app, json!({"timeout": 31}), 31).await;
    first.answer().await.is_refusal(409, OTHER);
    t.later(1).await;
    let third = t.waits(&t.app, json!({"timeout": 32}), 32).await;
    t.sleeps_ms(3000).await;
    t.later_ms(2999).await;
    assert!(!second.is_answered(), "its 409 is held back");
    t.later_ms(1).await;
    second.answer().await.is_refusal(409, OTHER);
    t.says(7, "hello").await;
    assert_eq!(third.texts().await, ["hello"]);
}

async fn held_conflicts_do_not_hold_longer(t: &mut Stage) {
    let first = t.waits(&t.app, json!({"timeout": 30}), 30).await;
    let second = t.waits(&t.app, json!({"timeout": 31}), 31).await;
    first.answer().await.is_refusal(409, OTHER);
    t.later(1).await;
    let third = t.waits(&t.app, json!({"timeout": 32}), 32).await;
    t.sleeps_ms(3000).await;
    t.later_ms(2500).await;
    let fourth = t.waits(&t.app, json!({"timeout": 33}), 33).await;
    third.answer().await.is_refusal(409, OTHER);
    assert!(!second.is_answered());
    t.later_ms(500).await;
    second.answer().await.is_refusal(409, OTHER);
    fourth.hang_up().await;
}

async fn after_3_s_a_conflict_is_told_at_once_again(t: &mut Stage) {
    let first = t.waits(&t.app, json!({"timeout": 30}), 30).await;
    let second = t.waits(&t.app, json!({"timeout": 31}), 31).await;
    first.answer().await.is_refusal(409, OTHER);
    t.later(3).await;
    let third = t.waits(&t.app, json!({"timeout": 32}), 32).await;
    second.answer().await.is_refusal(409, OTHER);
    third.hang_up().await;
}

async fn consumers_do_not_disturb_each_other(t: &mut Stage) {
    let (other, their_bot) = t.another().await;
    let theirs = t.waits(&other, json!({"timeout": 40}), 40).await;
    let first = t.waits(&t.app, json!({"timeout": 30}), 30).await;
    let second = t.waits(&t.app, json!({"timeout": 31}), 31).await;
    first.answer().await.is_refusal(409, OTHER);
    t.later(1).await;
    // The first conflict of the other consumer is told at once.
    let again = t.waits(&other, json!({"timeout": 42}), 42).await;
    theirs.answer().await.is_refusal(409, OTHER);
    their_bot.push("message", &message(7, "hello", t.clock.now_secs()));
    if their_bot.id() != t.bot.id() {
        t.bot.push("message", &message(7, "hello", t.clock.now_secs()));
    }
    assert_eq!(again.texts().await, ["hello"]);
    assert_eq!(second.texts().await, ["hello"]);
}

async fn an_update_answers_a_waiting_poll(t: &mut Stage) {
    let waiting = t.waits(&t.app, json!({"timeout": 30}), 30).await;
    t.later(12).await;
    assert!(!waiting.is_answered());
    t.says(7, "hello").await;
    assert_eq!(waiting.texts().await, ["hello"]);
}

async fn updates_that_are_there_are_given_at_once(t: &mut Stage) {
    t.says(7, "hello").await;
    assert_eq!(t.texts(json!({"timeout": 50})).await, ["hello"]);
}

async fn a_poll_that_finds_updates_ends_nobody(t: &mut Stage) {
    let waiting = t.waits(&t.app, json!({"timeout": 30}), 30).await;
    t.later(1).await;
    t.says(7, "hello").await;
    let second = t.app.call("getUpdates", json!({"timeout": 20})).await;
    assert_eq!(second.result().as_array().unwrap().len(), 1);
    assert_eq!(waiting.texts().await, ["hello"]);
}

async fn a_poll_without_timeout_ends_nobody(t: &mut Stage) {
    let waiting = t.waits(&t.app, json!({"timeout": 30}), 30).await;
    assert!(t.updates(json!({})).await.is_empty());
    assert!(!waiting.is_answered());
    t.says(7, "hello").await;
    assert_eq!(waiting.texts().await, ["hello"]);
}

async fn a_poll_whose_client_is_gone_is_replaced(t: &mut Stage) {
    let gone = t.waits(&t.app, json!({"timeout": 30}), 30).await;
    gone.hang_up().await;
    t.settles().await;
    let next = t.waits(&t.app, json!({"timeout": 31}), 31).await;
    t.later(1).await;
    let last = t.waits(&t.app, json!({"timeout": 32}), 32).await;
    if t.differs() {
        next.answer().await.is_refusal(409, OTHER);
    } else {
        t.sleeps_ms(3000).await;
        assert!(!next.is_answered());
        t.later(3).await;
        next.answer().await.is_refusal(409, OTHER);
    }
    t.says(7, "hello").await;
    assert_eq!(last.texts().await, ["hello"]);
}

async fn a_poll_that_times_out_is_empty(t: &mut Stage) {
    let waiting = t.waits(&t.app, json!({"timeout": 20}), 20).await;
    t.later(20).await;
    let answer = waiting.answer().await;
    assert_eq!((answer.status, answer.body.as_slice()), (200, br#"{"ok":true,"result":[]}"#.as_slice()));
}

async fn the_first_update_and_its_neighbours(t: &mut Stage) {
    let waiting = t.waits(&t.app, json!({"timeout": 30}), 30).await;
    for text in ["one", "two", "three"] {
        t.bot.push("message", &message(7, text, t.clock.now_secs()));
    }
    let texts = waiting.texts().await;
    if t.differs() {
        assert_eq!(texts[0], "one");
    } else {
        assert_eq!(texts, ["one", "two", "three"]);
    }
    t.arrived().await;
    assert_eq!(t.texts(json!({})).await, ["one", "two", "three"]);
}

async fn a_repeat_within_half_a_second_gets_one_update(t: &mut Stage) {
    for text in ["one", "two", "three"] {
        t.says(7, text).await;
    }
    assert_eq!(t.updates(json!({})).await.len(), 3);
    let again = async |ms: u64| {
        t.later_ms(ms).await;
        t.app.call("getUpdates", json!({"limit": 50})).await.result().as_array().unwrap().len()
    };
    assert_eq!(again(499).await, 1);
    assert_eq!(again(0).await, 1);
    assert_eq!(again(500).await, 3);
}

async fn a_short_repeat_within_3_s_waits_for_3_s(t: &mut Stage) {
    assert!(t.updates(json!({"offset": 5})).await.is_empty());
    for timeout in [0, 1, 2] {
        t.later_ms(2999).await;
        let stretched = t.waits(&t.app, json!({"offset": 5, "timeout": timeout}), 3).await;
        t.later_ms(2999).await;
        assert!(!stretched.is_answered(), "timeout {timeout} acts as 3");
        // The one that waits is replaced: its own time would be over in a moment.
        t.later_ms(1).await;
        assert_eq!(stretched.answer().await.result(), json!([]));
        assert!(t.updates(json!({"offset": 5})).await.is_empty());
    }
}

async fn what_is_not_a_repeat_is_not_slowed(t: &mut Stage) {
    assert!(t.updates(json!({"offset": 5})).await.is_empty());
    assert!(t.app.call("getUpdates", json!({"offset": 6})).await.result().as_array().unwrap().is_empty());
    assert!(t.app.call("getUpdates", json!({"offset": 5})).await.result().as_array().unwrap().is_empty());
    t.later(3).await;
    assert!(t.app.call("getUpdates", json!({"offset": 5})).await.result().as_array().unwrap().is_empty());
    t.later(1).await;
    let longer = t.waits(&t.app, json!({"offset": 5, "timeout": 7}), 7).await;
    t.later(7).await;
    assert_eq!(longer.answer().await.result(), json!([]));
}

async fn a_library_that_polls_with_timeout_0_and_no_pause(t: &mut Stage) {
    assert!(t.updates(json!({"offset": 1})).await.is_empty());
    let begun = t.clock.now_ms();
    for _ in 0..5 {
        let poll = t.waits(&t.app, json!({"offset": 1, "timeout": 0}), 3).await;
        t.later(3).await;
        assert_eq!(poll.answer().await.result(), json!([]));
        // Three seconds after the last one began: the next is no repeat, and the one after it is again.
        assert_eq!(t.app.call("getUpdates", json!({"offset": 1})).await.result(), json!([]));
    }
    assert_eq!(t.clock.now_ms() - begun, 15_000, "ten questions in fifteen seconds");
    let poll = t.waits(&t.app, json!({"offset": 1}), 3).await;
    t.says(7, "hello").await;
    assert_eq!(poll.texts().await, ["hello"]);
}

async fn a_loop_without_pause_while_a_webhook_is_set(t: &mut Stage) {
    let _receiver = t.receiver().await;
    t.app.call("getUpdates", json!({})).await.is_refusal(409, ACTIVE);
    for _ in 0..3 {
        t.later_ms(10).await;
        let held = t.waits(&t.app, json!({}), 3).await;
        t.later_ms(2990).await;
        assert!(!held.is_answered());
        t.later_ms(10).await;
        held.answer().await.is_refusal(409, ACTIVE);
        t.app.call("getUpdates", json!({})).await.is_refusal(409, ACTIVE);
    }
}

async fn get_updates_with_a_webhook_is_refused(t: &mut Stage) {
    let _receiver = t.receiver().await;
    t.app.call("getUpdates", json!({"timeout": 30})).await.is_refusal(409, ACTIVE);
    t.app.call("deleteWebhook", json!({})).await.result();
    assert!(t.updates(json!({})).await.is_empty());
}

async fn set_webhook_ends_a_waiting_poll(t: &mut Stage) {
    let receiver = Receiver::start().await;
    let waiting = t.waits(&t.app, json!({"timeout": 30}), 30).await;
    assert_eq!(t.set_webhook(json!({"url": receiver.url})).await, "Webhook was set");
    waiting.answer().await.is_refusal(409, SET);
}

async fn delete_webhook_leaves_a_waiting_poll_alone(t: &mut Stage) {
    let waiting = t.waits(&t.app, json!({"timeout": 30}), 30).await;
    for method in ["deleteWebhook", "setWebhook"] {
        t.later(2).await;
        assert_eq!(t.app.call(method, json!({})).await.description(), "Webhook is already deleted");
    }
    assert!(!waiting.is_answered());
    t.says(7, "hello").await;
    assert_eq!(waiting.texts().await, ["hello"]);
}

async fn another_consumers_webhook_does_not_stop_a_poller(t: &mut Stage) {
    let (other, their_bot) = t.another().await;
    let mut receiver = Receiver::start().await;
    other.call("setWebhook", json!({"url": receiver.url})).await.result();
    let waiting = t.waits(&t.app, json!({"timeout": 30}), 30).await;
    their_bot.push("message", &message(7, "hello", t.clock.now_secs()));
    let delivery = receiver.next().await;
    assert_eq!(delivery.text(), "hello");
    delivery.ok();
    if t.bot.id() != their_bot.id() {
        t.says(7, "hello").await;
    }
    assert_eq!(waiting.texts().await, ["hello"]);
}

async fn a_library_that_answers_a_409_with_delete_webhook(t: &mut Stage) {
    let (other, _) = t.another().await;
    let (theirs, ours) = (Receiver::start().await, Receiver::start().await);
    other.call("setWebhook", json!({"url": theirs.url})).await.result();
    t.set_webhook(json!({"url": ours.url})).await;
    t.app.call("getUpdates", json!({"timeout": 10})).await.is_refusal(409, ACTIVE);
    assert_eq!(t.app.call("deleteWebhook", json!({})).await.description(), "Webhook was deleted");
    t.says(7, "hello").await;
    assert_eq!(t.texts(json!({"timeout": 10})).await, ["hello"]);
    let info = other.call("getWebhookInfo", json!({})).await.result();
    assert_eq!(info["url"], theirs.url.as_str(), "another consumer's webhook stays");
}

async fn a_library_that_answers_another_pollers_409_with_delete_webhook(t: &mut Stage) {
    t.says(7, "hello").await;
    let next = ids(&t.updates(json!({})).await)[0] + 1;
    t.later(4).await;
    let first = t.waits(&t.app, json!({"offset": next, "timeout": 30}), 30).await;
    let second = t.waits(&t.app, json!({"offset": next, "timeout": 31}), 31).await;
    first.answer().await.is_refusal(409, OTHER);
    assert_eq!(t.app.call("deleteWebhook", json!({})).await.description(), "Webhook is already deleted");
    assert!(!second.is_answered());
    t.later(4).await;
    let third = t.waits(&t.app, json!({"offset": next, "timeout": 32}), 32).await;
    second.answer().await.is_refusal(409, OTHER);
    t.says(7, "again").await;
    assert_eq!(third.texts().await, ["again"]);
}
