//! Group 3: the offset table (2.2) and how long updates live (2.4).

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tandem_sandbox::telegram::Pushed;

use crate::{
    stage::{Stage, anything, ids, message, shown},
    table::{Case, Habit, case},
};

pub(crate) const CASES: &[Case] = &[
    case!(no_offset_and_0_confirm_nothing, "2.2", "Without an offset and with 0 everything comes from the oldest on, each time again."),
    case!(an_offset_confirms_what_is_below_it, "2.2", "What has a lower id is gone for good, and the answer begins at the offset."),
    case!(the_tail_and_up_to_10_beyond_confirm_everything, "2.2", "The next id, and up to ten beyond it, confirm everything; the answer is empty."),
    case!(beyond_the_tail_by_11_is_ignored, "2.2, 10.3", "tail + 11 and 2^31 - 1 count for nothing: old updates come again, none is confirmed."),
    case!(far_below_the_head_is_the_head, "2.2", "head - 100000 and one below it give everything from the oldest on."),
    case!(a_negative_offset_keeps_the_last_ones, "2.2, 10.3", "-1 deletes all but the last update and returns it, -2 all but two."),
    case!(a_negative_offset_beyond_the_number_deletes_nothing, "2.2, 10.3", "-1000 of three updates, and -3, return all of them."),
    case!(a_library_that_starts_at_offset_1, "2.2, 8.2", "Offset 1 gives the backlog from the oldest update on, and confirms nothing.").habit(Habit::StartsAtOffsetOne),
    case!(a_backlog_is_skipped_with_minus_1_and_confirmed_afterwards, "2.2", "-1 returns the last update, its id plus one confirms it, and only what comes later is left."),
    case!(an_offset_on_an_empty_queue, "2.2", "With nothing stored 0, 1 and -1 give nothing, and what comes later comes."),
    case!(confirming_happens_when_the_request_arrives, "2.2", "A poll that waits has confirmed already: after it was given up, what it confirmed does not come back."),
    case!(returning_confirms_nothing, "2.2", "The same call repeated returns the same updates under the same ids."),
    case!(a_library_that_confirms_its_last_batch_on_stop, "2.3, 8.2", "A last call with `limit` 1 and no timeout confirms the batch; the repeated offset makes it wait for 3 s.").habit(Habit::ConfirmsItsLastBatchOnStop),
    case!(an_answer_stops_growing_at_4_mib, "1.3", "Of ten updates of half a mebibyte eight or nine come in one answer."),
    case!(short_lived_queries_expire, "2.4", "An inline query lives for 30 s, callback, shipping and pre-checkout queries for 150 s, a chosen result for 600 s."),
    case!(messages_live_for_a_day_from_their_date, "2.4", "Messages, edits, posts, business and guest messages end 24 h after their date or edit, not after their arrival."),
    case!(memberships_boosts_and_reactions_live_for_a_day_from_their_date, "2.4", "`my_chat_member`, `chat_member`, join requests, boosts and reactions end 24 h after the date they carry."),
    case!(the_rest_lives_for_a_day_from_its_arrival, "2.4", "Polls and answers, business connections (whatever their date) and deletions, paid media and managed bots end 24 h after they came."),
    case!(a_message_older_than_a_day_is_never_queued, "2.4", "A message that is 24 h old when it arrives never comes."),
    case!(what_has_expired_leaves_no_gap_in_what_is_counted, "2.2", "Expired updates are skipped: a limit counts living ones, and none is pending."),
];

/// Three messages; the id of the first.
async fn three(t: &mut Stage) -> i64 {
    for text in ["one", "two", "three"] {
        t.says(7, text).await;
    }
    ids(&t.updates(json!({})).await)[0]
}

async fn no_offset_and_0_confirm_nothing(t: &mut Stage) {
    three(t).await;
    for params in [json!({}), json!({"offset": 0}), json!({}), json!({"offset": 0})] {
        assert_eq!(t.texts(params).await, ["one", "two", "three"]);
    }
}

async fn an_offset_confirms_what_is_below_it(t: &mut Stage) {
    let first = three(t).await;
    let all = ["one", "two", "three"];
    for confirmed in 0..3 {
        let offset = first + i64::try_from(confirmed).unwrap();
        let got = t.updates(json!({"offset": offset})).await;
        assert_eq!((ids(&got)[0], got.len()), (offset, 3 - confirmed));
        assert_eq!(t.texts(json!({})).await, all[confirmed..], "what is confirmed does not come back");
    }
    assert_eq!(t.texts(json!({"offset": first})).await, ["three"], "nor by a lower offset");
}

async fn the_tail_and_up_to_10_beyond_confirm_everything(t: &mut Stage) {
    for beyond in [0, 1, 9, 10] {
        let first = three(t).await;
        assert!(t.updates(json!({"offset": first + 3 + beyond})).await.is_empty(), "tail + {beyond}");
        assert!(t.updates(json!({})).await.is_empty(), "everything is confirmed by tail + {beyond}");
    }
}

async fn beyond_the_tail_by_11_is_ignored(t: &mut Stage) {
    let first = three(t).await;
    for offset in [first + 3 + 11, first + 1000, i64::from(i32::MAX)] {
        assert_eq!(t.texts(json!({"offset": offset})).await, ["one", "two", "three"], "offset {offset}");
    }
    assert_eq!(t.texts(json!({})).await, ["one", "two", "three"]);
}

async fn far_below_the_head_is_the_head(t: &mut Stage) {
    let first = three(t).await;
    for offset in [first - 100_000, first - 100_001, first - 200_000, first - 1] {
        assert_eq!(t.texts(json!({"offset": offset})).await, ["one", "two", "three"], "offset {offset}");
    }
}

async fn a_negative_offset_keeps_the_last_ones(t: &mut Stage) {
    three(t).await;
    assert_eq!(t.texts(json!({"offset": -2})).await, ["two", "three"]);
    assert_eq!(t.texts(json!({"offset": -1})).await, ["three"]);
    assert_eq!(t.texts(json!({})).await, ["three"], "the others are gone");
}

async fn a_negative_offset_beyond_the_number_deletes_nothing(t: &mut Stage) {
    three(t).await;
    for offset in [-3, -1000, i64::from(i32::MIN)] {
        assert_eq!(t.texts(json!({"offset": offset})).await, ["one", "two", "three"], "offset {offset}");
        assert_eq!(t.texts(json!({})).await, ["one", "two", "three"], "offset {offset}");
    }
}

async fn a_library_that_starts_at_offset_1(t: &mut Stage) {
    three(t).await;
    let params = json!({"offset": 1, "timeout": 30, "limit": 100});
    let updates = t.updates(params.clone()).await;
    assert_eq!(updates.iter().map(shown).collect::<Vec<_>>(), ["one", "two", "three"]);
    assert_eq!(t.texts(params).await, ["one", "two", "three"], "nothing is confirmed");
    let next = ids(&updates)[2] + 1;
    let waiting = t.waits(&t.app, json!({"offset": next, "timeout": 30}), 30).await;
    t.says(7, "four").await;
    assert_eq!(waiting.texts().await, ["four"]);
}

async fn a_backlog_is_skipped_with_minus_1_and_confirmed_afterwards(t: &mut Stage) {
    three(t).await;
    let last = t.updates(json!({"offset": -1})).await;
    assert_eq!(shown(&last[0]), "three");
    assert!(t.updates(json!({"offset": ids(&last)[0] + 1})).await.is_empty());
    t.says(7, "four").await;
    assert_eq!(t.texts(json!({})).await, ["four"]);
}

async fn an_offset_on_an_empty_queue(t: &mut Stage) {
    for offset in [0, 1, -1, 0] {
        assert!(t.updates(json!({"offset": offset})).await.is_empty(), "offset {offset}");
    }
    t.says(7, "one").await;
    for offset in [0, 1, -1, -5] {
        assert_eq!(t.texts(json!({"offset": offset})).await, ["one"], "offset {offset}");
    }
}

async fn confirming_happens_when_the_request_arrives(t: &mut Stage) {
    let first = three(t).await;
    t.later(4).await;
    let waiting = t.waits(&t.app, json!({"offset": first + 3, "timeout": 20}), 20).await;
    waiting.hang_up().await;
    t.later(21).await;
    assert!(t.updates(json!({})).await.is_empty());
}

async fn returning_confirms_nothing(t: &mut Stage) {
    three(t).await;
    let once = t.updates(json!({"limit": 2})).await;
    let again = t.updates(json!({"limit": 2})).await;
    assert_eq!(once, again);
    assert_eq!(once.iter().map(shown).collect::<Vec<_>>(), ["one", "two"]);
}

async fn a_library_that_confirms_its_last_batch_on_stop(t: &mut Stage) {
    let first = three(t).await;
    // It polls on with the batch confirmed, is told to stop, gives that poll up, and says so once more.
    t.later(4).await;
    let poll = t.waits(&t.app, json!({"offset": first + 3, "timeout": 30}), 30).await;
    poll.hang_up().await;
    let last = t.waits(&t.app, json!({"offset": first + 3, "limit": 1}), 3).await;
    t.later(3).await;
    assert_eq!(last.answer().await.result(), json!([]));
    t.says(7, "four").await;
    assert_eq!(t.texts(json!({"offset": 0})).await, ["four"], "its next start finds only what is new");
}

async fn an_answer_stops_growing_at_4_mib(t: &mut Stage) {
    for _ in 0..10 {
        t.bot.push("message", &message(7, &"x".repeat(500_000), t.clock.now_secs()));
    }
    t.arrived().await;
    let found = t.updates(json!({})).await.len();
    assert!((8..=9).contains(&found), "{found} updates");
}

/// What still comes, as a set of kinds.
async fn alive(t: &Stage) -> BTreeSet<String> {
    t.updates(json!({}))
        .await
        .iter()
        .map(|update| update.as_object().unwrap().keys().find(|key| *key != "update_id").unwrap().clone())
        .collect()
}

fn set(kinds: &[&str]) -> BTreeSet<String> {
    kinds.iter().map(|&kind| kind.to_owned()).collect()
}

async fn short_lived_queries_expire(t: &mut Stage) {
    t.asks_for_everything().await;
    let queries = ["shipping_query", "pre_checkout_query", "callback_query"];
    let begun = t.clock.now_ms();
    for (number, kind) in (1..).zip(["inline_query", "chosen_inline_result"].iter().chain(&queries)) {
        t.push(kind, &anything(number, t.clock.now_secs())).await;
    }
    let at_ms = async |ms: i64| {
        // The question itself comes four seconds later.
        t.later_ms(u64::try_from(begun + ms - t.clock.now_ms() - 4000).unwrap()).await;
        alive(t).await
    };
    let (chosen, inline) = (set(&["chosen_inline_result"]), set(&["inline_query"]));
    let queries = set(&queries);
    assert_eq!(at_ms(29_999).await, &(&queries | &chosen) | &inline);
    assert_eq!(at_ms(34_000).await, &queries | &chosen);
    assert_eq!(at_ms(149_999).await, &queries | &chosen);
    assert_eq!(at_ms(154_000).await, chosen);
    assert_eq!(at_ms(599_999).await, chosen);
    assert!(at_ms(604_000).await.is_empty());
}

/// Kinds whose end counts from `dated` come to it, and others do not.
async fn live_for_a_day(t: &Stage, kinds: &[&str], object: impl Fn(i64, i64) -> Value, left_secs: i64) {
    t.asks_for_everything().await;
    // Dates are whole seconds.
    t.later_ms((1000 - t.clock.now_ms().rem_euclid(1000)).unsigned_abs()).await;
    let (begun, dated) = (t.clock.now_ms(), t.clock.now_secs() - 86_400 + 3600);
    for (number, kind) in (1..).zip(kinds) {
        t.push(kind, &object(number, dated)).await;
    }
    let end_ms = begun + left_secs * 1000;
    t.later_ms(u64::try_from(end_ms - t.clock.now_ms()).unwrap() - 4001).await;
    assert_eq!(alive(t).await, set(kinds), "a millisecond before the end");
    assert!(alive(t).await.is_empty(), "after the end");
}

async fn messages_live_for_a_day_from_their_date(t: &mut Stage) {
    let messages = ["message", "channel_post", "business_message", "guest_message"];
    live_for_a_day(t, &messages, anything, 3600).await;
    let edits = ["edited_message", "edited_channel_post", "edited_business_message"];
    let edit = |number: i64, date: i64| {
        let mut object = anything(number, date - 50_000);
        object["edit_date"] = json!(date);
        object
    };
    live_for_a_day(t, &edits, edit, 3600).await;
}

async fn memberships_boosts_and_reactions_live_for_a_day_from_their_date(t: &mut Stage) {
    let dated =
        ["my_chat_member", "chat_member", "chat_join_request", "message_reaction", "message_reaction_count"];
    live_for_a_day(t, &dated, anything, 3600).await;
    let boost = |number: i64, date: i64| {
        let mut object = anything(number, 0);
        object.as_object_mut().unwrap().remove("date");
        object["boost"] = json!({"boost_id": "1", "add_date": date});
        object
    };
    live_for_a_day(t, &["chat_boost"], boost, 3600).await;
    let removed = |number: i64, date: i64| {
        let mut object = anything(number, 0);
        object.as_object_mut().unwrap().remove("date");
        object["remove_date"] = json!(date);
        object
    };
    live_for_a_day(t, &["removed_chat_boost"], removed, 3600).await;
}

async fn the_rest_lives_for_a_day_from_its_arrival(t: &mut Stage) {
    let undated = [
        "poll",
        "poll_answer",
        "business_connection",
        "deleted_business_messages",
        "purchased_paid_media",
        "managed_bot",
    ];
    let object = |number: i64, date: i64| {
        let mut object = anything(number, date);
        // Of these only a business connection has one.
        if number != 3 {
            object.as_object_mut().unwrap().remove("date");
        }
        object
    };
    live_for_a_day(t, &undated, object, 86_400).await;
}

async fn a_message_older_than_a_day_is_never_queued(t: &mut Stage) {
    let old = message(7, "old", t.clock.now_secs() - 86_400);
    assert_eq!(t.offer("message", &old).await, Pushed::Expired);
    t.push("message", &message(7, "young", t.clock.now_secs() - 86_390)).await;
    assert_eq!(t.texts(json!({})).await, ["young"]);
}

async fn what_has_expired_leaves_no_gap_in_what_is_counted(t: &mut Stage) {
    for number in 1..=3 {
        t.push("inline_query", &anything(number, t.clock.now_secs())).await;
        t.says(number, "living").await;
    }
    t.later(60).await;
    assert_eq!(t.texts(json!({"limit": 2})).await, ["living", "living"]);
    assert_eq!(t.texts(json!({"limit": 3})).await, ["living", "living", "living"]);
    let params = json!({"offset": -2});
    if t.differs() {
        assert_eq!(t.texts(params).await, ["living"], "an expired one is counted, and skipped afterwards");
    } else {
        assert_eq!(t.texts(params).await, ["living", "living"]);
    }
}
