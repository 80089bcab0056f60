//! Doctored histories: each way in which a promise can be broken is found, and what is allowed is not held against it.

use std::collections::{BTreeMap, BTreeSet};

use super::check;
use crate::{
    history::{
        Answer, Consumer, End, Happened, Heard, HeldSample, History, LaneEnd, LaneLog, Life, Order, Poll,
        Receipt, Send, Settled, Size, Update,
    },
    plan::Fault,
    seen::{Pressed, Seen},
};

/// Chat 7 writes four messages and presses once; everybody gets all of it; an app answers twice; one kill.
fn honest() -> History {
    let kinds = ["message", "message", "callback_query", "message", "message"];
    let updates = kinds.iter().zip(1..).map(|(kind, n)| update(n, kind)).collect::<Vec<_>>();
    let route = |name: &str, order| lane(name, Consumer::Route, order, &updates, 0);
    let mut poller = lane("app:main", Consumer::PollingApp, Order::Conversation, &updates, 5_000);
    let got = |places: &[u64]| {
        places.iter().map(|n| (5_100 + i64::try_from(*n).unwrap(), identity(*n))).collect::<Vec<_>>()
    };
    poller.polls = vec![
        Poll { asked: 0, answered: 1, offset: 0, got: got(&[1, 2, 3]) },
        Poll { asked: 2, answered: 3, offset: 5_104, got: got(&[4, 5]) },
        Poll { asked: 4, answered: 5, offset: 5_106, got: Vec::new() },
    ];
    let posted = lane("app:hooked", Consumer::PostedApp, Order::ConversationAndFamily, &updates, 5_000);
    let send =
        |heard_ms| Send { app: "app:main", edits: None, at_ms: 1_000, heard: Some((heard_ms, Heard::Ok)) };
    History {
        lanes: vec![
            route("route:amocrm", Order::Conversation),
            route("route:partner", Order::ConversationAndFamily),
            posted,
            poller,
        ],
        updates,
        sends: BTreeMap::from([(1, send(1_020)), (2, send(1_030))]),
        carried_out: BTreeMap::from([(1, 1_010), (2, 1_015)]),
        journal: vec![1, 2],
        lives: vec![
            life(0, 50_000, End::Killed),
            life(50_100, 90_000, End::Asked { code: Some(0), took_ms: 90 }),
        ],
        ..History::default()
    }
}

fn identity(n: u64) -> u64 {
    0xABC0 + n
}

fn seen(n: u64, kind: &str, update_id: i64) -> Seen {
    Seen {
        update_id,
        identity: identity(n),
        kind: kind.to_owned(),
        conversation: "7".to_owned(),
        family: if kind == "message" { "chat" } else { "press by 7" }.to_owned(),
        pressed: None,
    }
}

fn update(n: u64, kind: &str) -> Update {
    let update_id = 100 + i64::try_from(n).unwrap();
    Update {
        n,
        update_id,
        kind: kind.to_owned(),
        confirmed: true,
        expired: false,
        dropped: false,
        given: Some((at(n), seen(n, kind, update_id))),
    }
}

/// One update a second.
fn at(n: u64) -> i64 {
    i64::try_from(n).unwrap() * 1_000
}

fn lane(name: &str, consumer: Consumer, order: Order, updates: &[Update], shift: i64) -> LaneLog {
    let receipt = |update: &Update| Receipt {
        at_ms: at(update.n) + 10,
        seen: seen(update.n, &update.kind, update.update_id + shift),
        answer: Answer::Took,
    };
    LaneLog {
        name: name.to_owned(),
        order,
        kinds: BTreeSet::from(["message".to_owned(), "callback_query".to_owned()]),
        consumer,
        receipts: updates.iter().map(receipt).collect(),
        polls: Vec::new(),
        end: LaneEnd::default(),
        faults: vec![Fault::CrmIsAway],
    }
}

fn life(began_ms: i64, ended_ms: i64, end: End) -> Life {
    Life { began_ms, end_began_ms: ended_ms, ended_ms, end }
}

fn fault(fault: Fault, from_ms: i64, to_ms: i64) -> Happened {
    Happened { fault, from_ms, to_ms }
}

/// The rules that a doctored history breaks.
fn broken(doctor: impl FnOnce(&mut History)) -> Vec<&'static str> {
    let mut history = honest();
    doctor(&mut history);
    let mut rules: Vec<_> = check(&history).violations.into_iter().map(|violation| violation.rule).collect();
    rules.dedup();
    rules
}

#[test]
fn an_honest_history_is_clean() {
    assert_eq!(check(&honest()).violations, []);
}

#[test]
fn a_lost_update_is_found_in_each_lane() {
    for lane in 0..4 {
        let found = broken(|history| drop(history.lanes[lane].receipts.remove(3)));
        assert_eq!(found, ["delivery"], "lane {lane}");
    }
}

#[test]
fn an_update_that_nobody_got_is_lost_if_it_was_confirmed_and_not_if_telegram_dropped_it() {
    let from_all = |history: &mut History| {
        for lane in &mut history.lanes {
            lane.receipts.retain(|receipt| receipt.seen.identity != identity(2));
        }
    };
    assert_eq!(broken(from_all), ["delivery"]);
    let dropped = |history: &mut History| {
        (history.updates[1].confirmed, history.updates[1].dropped) = (false, true);
    };
    assert!(broken(|history| (from_all(history), dropped(history)).1).is_empty());
    // But what one lane has got, the others must get too.
    let but_one = |history: &mut History| {
        dropped(history);
        history.lanes[0].receipts.retain(|receipt| receipt.seen.identity != identity(2));
    };
    assert_eq!(broken(but_one), ["delivery"]);
}

#[test]
fn an_update_that_was_left_at_telegram_is_found() {
    assert_eq!(broken(|history| history.updates[4].confirmed = false), ["delivery"]);
}

#[test]
fn a_press_may_be_missing_at_an_app_if_the_lane_counts_it_and_something_explains_it() {
    let without = |history: &mut History| {
        history.lanes[2].receipts.retain(|receipt| receipt.seen.identity != identity(3));
    };
    let counted = |history: &mut History| history.lanes[2].end.expired = 1;
    let explained = |history: &mut History| history.episodes.push(fault(Fault::ClockAhead, 4_000, 5_000));
    assert_eq!(broken(|history| without(history)), ["delivery"]);
    assert_eq!(broken(|history| (without(history), counted(history)).1), ["delivery"]);
    assert_eq!(broken(|history| (without(history), explained(history)).1), ["delivery"]);
    assert!(broken(|history| (without(history), counted(history), explained(history)).2).is_empty());
    // A route gets presses however old they are.
    let at_route = broken(|history| {
        history.lanes[0].receipts.retain(|receipt| receipt.seen.identity != identity(3));
        history.lanes[0].end.expired = 1;
        explained(history);
    });
    assert_eq!(at_route, ["delivery"]);
}

#[test]
fn a_press_on_one_apps_message_may_be_missing_at_the_other_app_and_not_at_its_own() {
    let press = |app| {
        move |history: &mut History| {
            history.sends.get_mut(&1).unwrap().app = app;
            let pressed = Some(Pressed { message: 55, mark: Some(1) });
            history.updates[2].given.as_mut().unwrap().1.pressed = pressed;
            history.lanes[2].receipts.retain(|receipt| receipt.seen.identity != identity(3));
        }
    };
    assert!(broken(press("app:main")).is_empty());
    assert_eq!(broken(press("app:hooked")), ["delivery"]);
    // Whoever edits a message with a button takes it over; somebody must have got the press.
    let edited = |history: &mut History| {
        press("app:hooked")(history);
        history.sends.get_mut(&2).unwrap().edits = Some((7, 55));
    };
    assert!(broken(edited).is_empty());
    let nobody = |history: &mut History| {
        edited(history);
        history.lanes[3].receipts.retain(|receipt| receipt.seen.identity != identity(3));
    };
    assert_eq!(broken(nobody), ["delivery"]);
}

#[test]
fn what_was_changed_renumbered_or_not_asked_for_is_found() {
    let changed = |history: &mut History| history.lanes[1].receipts[2].seen.identity ^= 0x100;
    assert_eq!(broken(changed), ["delivery"]);
    assert_eq!(broken(|history| history.lanes[1].receipts[2].seen.update_id += 1), ["delivery"]);
    assert_eq!(
        broken(|history| history.lanes[1].kinds.retain(|kind| kind != "callback_query")),
        ["delivery"]
    );
}

#[test]
fn a_swapped_order_is_found_where_it_is_promised() {
    for lane in 0..4 {
        assert_eq!(broken(|history| history.lanes[lane].receipts.swap(0, 1)), ["order"], "lane {lane}");
    }
    // A press and a message: one conversation, two families.
    assert_eq!(broken(|history| history.lanes[0].receipts.swap(1, 2)), ["order"]);
    assert!(broken(|history| history.lanes[1].receipts.swap(1, 2)).is_empty());
}

#[test]
fn a_failed_delivery_counts_when_it_succeeds() {
    let retried = |history: &mut History| {
        let receipts = &mut history.lanes[0].receipts;
        let again = Receipt { at_ms: 2_500, ..receipts[1].clone() };
        receipts[1].answer = Answer::Failed;
        receipts.insert(2, again);
    };
    assert!(broken(retried).is_empty());
    let overtaken = |history: &mut History| {
        let receipts = &mut history.lanes[0].receipts;
        let again = Receipt { at_ms: 5_500, ..receipts[1].clone() };
        receipts[1].answer = Answer::Failed;
        receipts.push(again);
    };
    assert_eq!(broken(overtaken), ["order"]);
}

#[test]
fn numbers_for_apps_that_do_not_grow_or_are_not_the_same_for_all_are_found() {
    assert_eq!(broken(|history| history.lanes[3].polls[0].got.swap(0, 1)), ["order"]);
    assert_eq!(broken(|history| history.lanes[2].receipts[0].seen.update_id += 50), ["order"]);
}

#[test]
fn a_confirmed_update_that_comes_back_is_found_under_any_number() {
    let again = |number, identity| {
        move |history: &mut History| {
            let poll = Poll { asked: 6, answered: 7, offset: 5_106, got: vec![(number, identity)] };
            history.lanes[3].polls.push(poll);
        }
    };
    assert_eq!(broken(again(5_102, identity(2))), ["confirmed"]);
    assert_eq!(broken(again(5_999, identity(2))), ["confirmed"]);
    // What was only given may be given again; so may what another question confirmed meanwhile.
    let unconfirmed = |history: &mut History| {
        history.lanes[3].polls.truncate(2);
        let got = vec![(5_104, identity(4)), (5_105, identity(5))];
        history.lanes[3].polls.push(Poll { asked: 4, answered: 5, offset: 5_104, got });
    };
    assert!(broken(unconfirmed).is_empty());
    let meanwhile = |history: &mut History| {
        let got = vec![(5_102, identity(2))];
        history.lanes[3].polls.push(Poll { asked: 2, answered: 9, offset: 0, got });
    };
    assert!(broken(meanwhile).is_empty());
}

#[test]
fn a_repeat_needs_a_failure_or_a_crash_between() {
    let again = |at_ms| {
        move |history: &mut History| {
            let receipt = Receipt { at_ms, ..history.lanes[0].receipts[4].clone() };
            history.lanes[0].receipts.push(receipt);
        }
    };
    assert_eq!(broken(again(20_000)), ["repeats"]);
    assert!(broken(again(50_300)).is_empty(), "it was killed at 50 s");
    let failed = |history: &mut History| {
        history.lanes[0].receipts[4].answer = Answer::TookAndFailed;
        again(20_000)(history);
    };
    assert!(broken(failed).is_empty());
    // An orderly end excuses nothing.
    let after_the_end = |history: &mut History| {
        history.lives[0].end = End::Asked { code: Some(0), took_ms: 50 };
        again(50_300)(history);
    };
    assert_eq!(broken(after_the_end), ["repeats"]);
}

#[test]
fn more_repeats_of_a_crash_than_the_window_are_found() {
    let many = |history: &mut History| {
        let updates: Vec<Update> = (1..=400).map(|n| update(n, "message")).collect();
        let names = ["route:amocrm", "route:partner"];
        history.lanes =
            names.iter().map(|name| lane(name, Consumer::Route, Order::Conversation, &updates, 0)).collect();
        for receipt in &mut history.lanes[0].receipts {
            receipt.at_ms = 49_000;
        }
        let again =
            history.lanes[0].receipts.clone().into_iter().map(|receipt| Receipt { at_ms: 51_000, ..receipt });
        let again: Vec<Receipt> = again.collect();
        history.lanes[0].receipts.extend(again);
        history.updates = updates;
    };
    assert_eq!(broken(many), ["repeats"]);
}

#[test]
fn a_message_that_is_not_in_the_journal_needs_a_crash_that_its_app_noticed() {
    let unkept = |history: &mut History| history.journal.truncate(1);
    assert_eq!(broken(unkept), ["sent"]);
    let cut = |heard, at_ms: i64| {
        move |history: &mut History| {
            unkept(history);
            history.carried_out.insert(2, at_ms);
            history.sends.insert(
                2,
                Send { app: "app:main", edits: None, at_ms: at_ms - 5, heard: Some((50_010, heard)) },
            );
        }
    };
    assert!(broken(cut(Heard::Failure, 49_990)).is_empty());
    assert_eq!(broken(cut(Heard::Ok, 49_990)), ["sent"], "the app was told that it was sent");
    assert_eq!(broken(cut(Heard::Failure, 30_000 + 21_000)), ["sent"], "it was sent after the crash");
    let lost = |history: &mut History| {
        unkept(history);
        history.answers_lost.insert(2);
    };
    assert!(broken(lost).is_empty());
}

#[test]
fn a_message_twice_in_the_journal_or_never_sent_is_found() {
    assert_eq!(broken(|history| history.journal.push(2)), ["sent"]);
    assert_eq!(broken(|history| history.journal.push(3)), ["sent"]);
    let told = |history: &mut History| {
        history.sends.insert(3, Send { app: "app:main", edits: None, at_ms: 1, heard: Some((2, Heard::Ok)) });
    };
    assert_eq!(broken(told), ["sent"]);
}

#[test]
fn something_given_up_held_or_lost_is_found() {
    let ends: [fn(&mut LaneEnd); 6] = [
        |end| end.waiting = 1,
        |end| end.retrying = 1,
        |end| end.unknown = 1,
        |end| end.dead = 1,
        |end| end.skipped = 1,
        |end| end.lost = 1,
    ];
    for doctor in ends {
        assert_eq!(broken(|history| doctor(&mut history.lanes[0].end)), ["held"]);
    }
}

#[test]
fn a_held_update_needs_a_failure_of_its_destination() {
    let held = |state: &str, tries| {
        let sample = HeldSample {
            at_ms: 30_000,
            lane: "route:amocrm".to_owned(),
            conversation: "7".to_owned(),
            state: state.to_owned(),
            tries,
            reason: if tries == 0 { "" } else { "500" }.to_owned(),
        };
        move |history: &mut History| history.held.push(sample)
    };
    assert_eq!(broken(held("retrying", 1)), ["held"]);
    assert_eq!(broken(held("dead", 1)), ["held"]);
    assert!(broken(held("retrying", 0)).is_empty(), "it waits for its turn");
    let failed = |history: &mut History| {
        history.lanes[0].receipts[1].answer = Answer::TookAndFailed;
        held("retrying", 1)(history);
    };
    assert!(broken(failed).is_empty());
    let away = |history: &mut History| {
        history.episodes.push(fault(Fault::CrmIsAway, 10_000, 20_000));
        held("retrying", 3)(history);
    };
    assert!(broken(away).is_empty());
    let dead = |history: &mut History| {
        history.episodes.push(fault(Fault::CrmIsAway, 10_000, 20_000));
        held("dead", 3)(history);
    };
    assert_eq!(broken(dead), ["held"], "an absence kills nothing");
}

#[test]
fn an_end_that_nobody_asked_for_or_that_took_too_long_is_found() {
    let by_itself = |history: &mut History| history.lives[0].end = End::ByItself { code: Some(1) };
    assert_eq!(broken(by_itself), ["process"]);
    let disk_failed = |history: &mut History| {
        by_itself(history);
        history.episodes.push(fault(Fault::DiskFails, 49_000, 49_500));
    };
    assert!(broken(disk_failed).is_empty());
    let slowly = |history: &mut History| {
        history.lives[1].end = End::Asked { code: Some(0), took_ms: 12_000 };
    };
    assert_eq!(broken(slowly), ["process"]);
    assert_eq!(
        broken(|history| history.lives[1].end = End::Asked { code: Some(1), took_ms: 9 }),
        ["process"]
    );
    assert_eq!(broken(|history| history.panics.push("thread 'main' panicked".to_owned())), ["process"]);
}

#[test]
fn memory_that_grows_and_files_that_swell_are_found() {
    let size = |at_ms, memory_kb| Size { at_ms, memory_kb, files: 30, database: 1 << 20, log: 1 << 20 };
    let sizes = |grows: u64| {
        move |history: &mut History| {
            history.sizes = (0..90_u32).map(|n| size(i64::from(n), 20_000 + u64::from(n) * grows)).collect();
        }
    };
    assert!(broken(sizes(0)).is_empty());
    assert_eq!(broken(sizes(400)), ["size"]);
    for doctor in [
        (|size| size.memory_kb = 1 << 20) as fn(&mut Size),
        |size| size.files = 5_000,
        |size| size.log = 1 << 30,
        |size| size.database = 1 << 30,
    ] {
        let found = broken(|history| {
            sizes(0)(history);
            doctor(&mut history.sizes[40]);
        });
        assert_eq!(found, ["size"]);
    }
}

#[test]
fn a_run_that_does_not_come_to_rest_is_found() {
    let found = broken(|history| history.settled = Settled::No("3 at Telegram".to_owned()));
    assert_eq!(found, ["settles"]);
}
