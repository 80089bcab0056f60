//! The tail by itself; that it says what the rows say is shown with the engine (`tests/model.rs`).

use tandem_model::{
    Conversation, EventKind, EventKinds, Family, Flags, Lifetime, NewEvent, Timestamp, Topic,
};

use super::*;

const WHOLE: Page = Page { events: 1000, bytes: 1 << 20 };
const ALL: LatestFilter = LatestFilter { from: Seq::ZERO, filter: Filter::UPDATES };

fn bot(id: i64) -> BotId {
    BotId::new(id).unwrap()
}

fn lane(id: i64) -> LaneId {
    LaneId::new(id).unwrap()
}

fn at(seq: i64) -> Seq {
    Seq::new(seq).unwrap()
}

fn event(bot_id: i64, seq: i64, body: &[u8]) -> Change {
    let new = NewEvent {
        kind: EventKind::Update,
        topic: Topic::new(0).unwrap(),
        conversation: Conversation::chat(1),
        family: Family(0),
        at: Timestamp::EPOCH,
        lifetime: Lifetime::Backlog,
        flags: Flags::NONE,
        upstream: None,
        cause: None,
        owner: None,
        body: bytes::Bytes::copy_from_slice(body),
    };
    Change::Appended(Event {
        bot: bot(bot_id),
        seq: at(seq),
        virtual_id: None,
        appended_at: Timestamp::EPOCH,
        new,
    })
}

/// The positions read after one, or nothing when the store has to be asked.
fn read(tail: &Tail, bot_id: i64, after: i64) -> Option<Vec<i64>> {
    let page = tail.read(bot(bot_id), lane(1), at(after), WHOLE).ok()?;
    Some(page.events.iter().map(|event| event.seq.get()).collect())
}

fn missed(tail: &Tail) -> Missed {
    tail.read(bot(99), lane(99), Seq::ZERO, WHOLE).unwrap_err()
}

/// A tail that knows lane 1 of bots 1 and 2.
fn tail(limit_bytes: usize) -> Tail {
    let tail = Tail::new(limit_bytes);
    for id in [1, 2] {
        tail.learn(missed(&tail), bot(id), lane(1), ALL);
    }
    tail
}

#[test]
fn a_lane_within_the_stretch_is_answered_and_any_other_is_not() {
    let tail = tail(1 << 20);
    tail.absorb((5..=8).map(|seq| event(1, seq, b"body")));
    assert_eq!(read(&tail, 1, 4), Some(vec![5, 6, 7, 8]));
    assert_eq!(read(&tail, 1, 6), Some(vec![7, 8]));
    assert_eq!(read(&tail, 1, 8), Some(vec![]), "a lane at the end is told that there is no more");
    assert_eq!(read(&tail, 1, 3), None, "4 is not here");
    assert_eq!(read(&tail, 1, 9), None, "the store may have seen more");
    assert_eq!(read(&tail, 2, 4), None, "another bot");
    assert!(tail.read(bot(1), lane(2), at(4), WHOLE).is_err(), "a lane whose filter is not known");
    assert!(tail.read(bot(1), lane(1), Seq::MAX, WHOLE).is_err());
}

#[test]
fn pages_end_as_the_stores_do() {
    let tail = tail(1 << 20);
    tail.absorb((1..=9).map(|seq| event(1, seq, b"1234567890")));
    let read = |after, events, bytes| {
        let page = tail.read(bot(1), lane(1), at(after), Page { events, bytes }).unwrap();
        (page.events.len(), page.scanned_to.get(), page.head.get())
    };
    assert_eq!(read(0, 3, 1000), (3, 3, 9));
    assert_eq!(read(3, 100, 25), (3, 6, 9), "full once 25 bytes are reached");
    assert_eq!(read(6, 0, 0), (1, 7, 9), "always one");
    assert_eq!(read(9, 100, 1000), (0, 9, 9));
}

#[test]
fn a_filter_holds_from_where_it_was_learnt_and_only_if_nothing_has_changed_since() {
    let tail = Tail::new(1 << 20);
    tail.absorb((1..=4).map(|seq| event(1, seq, b"")));
    let none = Filter { kinds: EventKinds::NONE, ..Filter::UPDATES };
    let before = missed(&tail);
    tail.learn(before, bot(1), lane(1), LatestFilter { from: at(3), filter: none });
    assert_eq!(read(&tail, 1, 1), None, "another filter was in force at 2");
    assert_eq!(read(&tail, 1, 2), Some(vec![]));

    tail.absorb([Change::Lane(bot(1), lane(1))]);
    assert_eq!(read(&tail, 1, 2), None, "it is asked anew after a change");
    tail.learn(before, bot(1), lane(1), ALL);
    assert_eq!(read(&tail, 1, 2), None, "what was read before the change is not learnt");
    tail.learn(missed(&tail), bot(1), lane(1), ALL);
    assert_eq!(read(&tail, 1, 2), Some(vec![3, 4]));
}

#[test]
fn the_oldest_goes_first_whosever_it_is_and_memory_stays_within_the_bound() {
    let limit = 40_000;
    let tail = tail(limit);
    for seq in 1..=200 {
        tail.absorb([event(1, seq, &[0; 500]), event(2, seq, &[0; 20])]);
        assert!(tail.lock().events.bytes() <= limit - limit / 4);
    }
    let first = |id| (0..200).find(|after| read(&tail, id, *after).is_some()).unwrap();
    assert!(first(1).abs_diff(first(2)) <= 1, "{} and {}", first(1), first(2));
    assert!(first(1) > 100);
    assert_eq!(read(&tail, 1, 198), Some(vec![199, 200]));

    // One of them falls silent: the other drives it out, and it is not wrong about its end.
    tail.absorb((201..=400).map(|seq| event(1, seq, &[0; 500])));
    assert_eq!(read(&tail, 2, 199), None);
    assert_eq!(read(&tail, 1, 399), Some(vec![400]));
}

#[test]
fn an_event_too_large_leaves_no_gap_behind() {
    let tail = tail(20_000);
    tail.absorb([event(1, 1, b""), event(2, 1, b""), event(1, 2, &[0; 10_000])]);
    assert_eq!((read(&tail, 1, 0), read(&tail, 1, 1)), (None, None));
    tail.absorb([event(1, 3, b"")]);
    assert_eq!((read(&tail, 1, 1), read(&tail, 1, 2)), (None, Some(vec![3])));
    assert_eq!(read(&tail, 2, 0), Some(vec![1]), "others stay");
}

#[test]
fn what_retention_has_passed_is_the_stores() {
    let tail = tail(1 << 20);
    tail.absorb([event(1, 1, b""), event(2, 1, b""), event(1, 2, b""), event(1, 3, b"")]);
    tail.absorb([Change::Swept(bot(1), at(2))]);
    assert_eq!((read(&tail, 1, 1), read(&tail, 1, 2)), (None, Some(vec![3])));
    tail.absorb([Change::Swept(bot(1), at(9))]);
    assert_eq!((read(&tail, 1, 3), read(&tail, 2, 0)), (None, Some(vec![1])));
}

#[test]
fn what_comes_and_is_swept_at_once_does_not_pile_up_behind_an_old_one() {
    let tail = tail(8_000);
    tail.absorb([event(2, 1, b"")]);
    for seq in 1..=10_000 {
        tail.absorb([event(1, seq, b""), Change::Swept(bot(1), at(seq))]);
    }
    assert!(tail.lock().events.places() < 100);
}

#[test]
fn nothing_is_kept_when_it_is_off_closed_or_told_to_forget() {
    let off = tail(0);
    off.absorb([event(1, 1, b"")]);
    assert_eq!(read(&off, 1, 0), None);

    let tail = tail(1 << 20);
    tail.absorb([event(1, 1, b"")]);
    let before = missed(&tail);
    tail.forget_all();
    assert_eq!(read(&tail, 1, 0), None);
    tail.learn(before, bot(1), lane(1), ALL);
    tail.absorb([event(1, 2, b"")]);
    assert_eq!(read(&tail, 1, 1), None, "what was read before it is not learnt");
    tail.learn(missed(&tail), bot(1), lane(1), ALL);
    assert_eq!(read(&tail, 1, 1), Some(vec![2]));
    tail.close();
    tail.absorb([event(1, 3, b"")]);
    tail.learn(missed(&tail), bot(1), lane(1), ALL);
    assert_eq!(read(&tail, 1, 2), None);
}

#[test]
fn known_filters_are_bounded_too() {
    let tail = Tail::new(4 * 100 * FILTER_BYTES);
    for id in 1..=1000 {
        tail.learn(missed(&tail), bot(id), lane(1), ALL);
        assert!(tail.lock().filters.len() <= 100);
    }
}
