//! Appending and reading through lanes.
#![expect(missing_docs, reason = "the names say it")]
#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a failed case panics")]

use std::sync::Arc;

use bytes::Bytes;
use tandem_model::{
    Authorship, Conversation, EventKind, EventKinds, Family, Filter, Flags, LaneId, Lifetime, NewEvent, Seq,
    Timestamp, Topics, UserId,
};

use super::world::{Engine, WHOLE, World, at, bot, lease, message, numbered, sent, seqs, topic, upstream};
use crate::{
    Append, Appended, Fact, LaneKind, Link, LinkScope, Order, Outline, Page, PersonChange, ReadError, Start,
    WriteError,
};

pub async fn what_is_appended_is_read_back_as_it_was_given<E: Engine>() {
    let world = World::<E>::new().await;
    let everything = NewEvent {
        kind: EventKind::Update,
        topic: topic(63),
        conversation: Conversation::business("conn\u{0}ection ", -100_123),
        family: Family(255),
        at: Timestamp::from_millis(-5),
        lifetime: Lifetime::Seconds(u32::MAX),
        flags: Flags::from_bits(u32::MAX),
        upstream: Some(upstream(4_294_967_295, 2_147_483_647)),
        cause: Some(LaneId::MAX),
        owner: Some(LaneId::MIN),
        body: Bytes::from_static(b"\x00\xff not text \xfe"),
    };
    let mut events: Vec<_> =
        EventKind::ALL.into_iter().map(|kind| NewEvent { kind, ..message(9, "") }).collect();
    events.push(everything);
    let appended = world.append(events.clone()).await.unwrap();
    let page = world.store.read_journal(world.bot, Seq::ZERO, WHOLE).await.unwrap();
    assert_eq!(page.head, at(6));
    assert_eq!(page.events.iter().map(|event| event.new.clone()).collect::<Vec<_>>(), events);
    for (event, appended) in page.events.iter().zip(appended) {
        let Appended::New { seq, virtual_id } = appended else { panic!("{appended:?} is new") };
        assert_eq!((event.bot, event.seq, event.virtual_id), (world.bot, seq, virtual_id));
        assert_eq!(event.appended_at, tandem_model::Clock::now(&*world.clock));
        assert_eq!(world.store.find_event(world.bot, seq).await.unwrap().as_ref(), Some(event));
    }
    assert_eq!(world.store.find_event(world.bot, at(7)).await.unwrap(), None);
    assert_eq!(world.store.find_event(world.bot, Seq::ZERO).await.unwrap(), None);
}

pub async fn an_append_of_nothing_is_fine<E: Engine>() {
    let world = World::<E>::new().await;
    assert_eq!(world.append(Vec::new()).await.unwrap(), []);
    let head = world.store.head(world.bot).await.unwrap();
    assert_eq!((head.last, head.oldest, head.next_virtual, head.bytes), (Seq::ZERO, at(1), None, 0));
    let page = world.store.read_journal(world.bot, Seq::ZERO, WHOLE).await.unwrap();
    assert_eq!((page.events.len(), page.head), (0, Seq::ZERO));
}

pub async fn facts_are_committed_with_the_events<E: Engine>() {
    let world = World::<E>::new().await;
    let user = UserId::new(5).unwrap();
    let link = Link {
        scope: LinkScope::Bot,
        ours: "a poll".to_owned(),
        theirs: "a chat".to_owned(),
        at: Timestamp::EPOCH,
    };
    let person = PersonChange { user, phone: Some("+7000".to_owned()), start: None, presence: None };
    let append = Append {
        events: vec![numbered(1)],
        facts: vec![Fact::Link(link.clone()), Fact::Person(person)],
        ..Append::default()
    };
    world.store.append(world.lease, world.bot, append.clone()).await.unwrap();
    let found = world.store.find_link(world.bot, LinkScope::Bot, "a poll".to_owned()).await.unwrap();
    assert_eq!(found, Some(link));
    let found = world.store.find_person(world.bot, user).await.unwrap().unwrap();
    assert_eq!(found.phone.as_deref(), Some("+7000"));

    let other = PersonChange { user, phone: Some("+7111".to_owned()), start: None, presence: None };
    let repeat = Append { facts: vec![Fact::Person(other)], ..append };
    let appended = world.store.append(world.lease, world.bot, repeat).await.unwrap();
    assert_eq!(appended, [Appended::Duplicate { seq: at(1) }]);
    let found = world.store.find_person(world.bot, user).await.unwrap().unwrap();
    assert_eq!(found.phone.as_deref(), Some("+7111"), "facts beside a repeat are facts");
}

pub async fn one_event_too_large_is_refused_and_nothing_of_its_batch_stays<E: Engine>() {
    let world = World::<E>::new().await;
    let large = NewEvent { body: Bytes::from(vec![0; 64 << 20]), ..message(1, "") };
    let error = world.append(vec![message(1, "small"), large]).await.unwrap_err();
    assert!(matches!(error, WriteError::TooLarge { bytes, .. } if bytes == 64 << 20), "{error:?}");
    assert_eq!(world.store.head(world.bot).await.unwrap().last, Seq::ZERO);
}

pub async fn pages_end_by_events_and_by_bytes<E: Engine>() {
    let world = World::<E>::new().await;
    let lane = world.route("route").await;
    world.append((0..10).map(|_| message(1, "1234567890")).collect()).await.unwrap();
    let read = async |after, events, bytes| {
        let page = Page { events, bytes };
        let page = world.store.read_lane(world.bot, lane.id, at(after), page).await.unwrap();
        (seqs(&page.events), page.scanned_to.get(), page.head.get())
    };
    assert_eq!(read(0, 3, 1000).await, (vec![1, 2, 3], 3, 10));
    assert_eq!(read(3, 100, 25).await, (vec![4, 5, 6], 6, 10), "full once 25 bytes are reached");
    assert_eq!(read(6, 0, 0).await, (vec![7], 7, 10), "always one");
    assert_eq!(read(9, 100, 1000).await, (vec![10], 10, 10));
    assert_eq!(read(10, 100, 1000).await, (vec![], 10, 10));
    assert_eq!(read(99, 100, 1000).await, (vec![], 99, 10), "behind the end there is nothing");
    let page = world.store.read_journal(world.bot, at(2), Page { events: 2, bytes: 1000 }).await.unwrap();
    assert_eq!((seqs(&page.events), page.head.get()), (vec![3, 4], 10));
}

pub async fn a_lane_reads_what_its_filter_lets_through<E: Engine>() {
    let world = World::<E>::new().await;
    let everything = Filter {
        kinds: EventKinds::ALL,
        topics: Topics::ALL,
        without: Flags::NONE,
        authorship: Authorship::OthersOnly,
    };
    let filters = [
        everything,
        Filter { kinds: EventKinds::of(&[EventKind::Sent, EventKind::Update]), ..everything },
        Filter { topics: Topics::NONE.with(topic(63)), ..everything },
        Filter { without: Flags::MANAGER_TALKS | Flags::CAMPAIGN, ..everything },
        Filter { authorship: Authorship::OthersOnlyAndNotOwned, ..everything },
        Filter { authorship: Authorship::Everybody, ..everything },
    ];
    let mut lanes = Vec::new();
    for (index, filter) in filters.into_iter().enumerate() {
        lanes.push(world.lane(&index.to_string(), LaneKind::App, Start::Beginning, filter).await);
    }
    let mut events = Vec::new();
    for kind in EventKind::ALL {
        for number in [0, 1, 63] {
            for flags in [Flags::NONE, Flags::MANAGER_TALKS, Flags::KNOWN_BUTTON] {
                for cause in [None, Some(lanes[0].id), Some(lanes[4].id)] {
                    for owner in [None, Some(lanes[4].id), Some(lanes[5].id)] {
                        let topic = topic(number);
                        events.push(NewEvent { kind, topic, flags, cause, owner, ..message(1, "x") });
                    }
                }
            }
        }
    }
    world.append(events.clone()).await.unwrap();
    for lane in lanes {
        let wanted: Vec<_> = (1..)
            .zip(&events)
            .filter(|(_, event)| lane.filter.admits(lane.id, event))
            .map(|(seq, _)| seq)
            .collect();
        assert_eq!(seqs(&world.read_all(lane.id, Seq::ZERO).await), wanted, "lane {}", lane.name);
    }
}

pub async fn a_lane_gets_over_any_number_of_events_it_does_not_want<E: Engine>() {
    let world = World::<E>::new().await;
    let lane = world.route("route").await;
    for _ in 0..10 {
        world.append((0..1000).map(|_| sent(1, "unwanted")).collect()).await.unwrap();
    }
    world.append(vec![message(1, "wanted")]).await.unwrap();
    let page = world.store.read_lane(world.bot, lane.id, Seq::ZERO, WHOLE).await.unwrap();
    assert!(page.events.is_empty() && page.scanned_to < page.head, "one step looks at a bounded number");
    assert_eq!(seqs(&world.read_all(lane.id, Seq::ZERO).await), [10_001]);
}

pub async fn a_filter_decides_about_later_events_only<E: Engine>() {
    let world = World::<E>::new().await;
    let lane = world.route("route").await;
    let only_sent = Filter { kinds: EventKinds::of(&[EventKind::Sent]), ..Filter::UPDATES };
    world.append(vec![message(1, "a"), sent(1, "b")]).await.unwrap();
    let from = world.store.set_filter(world.lease, world.bot, lane.id, only_sent).await.unwrap();
    assert_eq!(from, at(3));
    world.append(vec![message(1, "c"), sent(1, "d")]).await.unwrap();
    let from = world.store.set_filter(world.lease, world.bot, lane.id, Filter::UPDATES).await.unwrap();
    assert_eq!(from, at(5));
    let never = Filter { kinds: EventKinds::NONE, ..Filter::UPDATES };
    assert_eq!(world.store.set_filter(world.lease, world.bot, lane.id, never).await.unwrap(), at(5));
    let from = world.store.set_filter(world.lease, world.bot, lane.id, Filter::UPDATES).await.unwrap();
    assert_eq!(from, at(5), "what never held is replaced");
    world.append(vec![message(1, "e"), sent(1, "f")]).await.unwrap();
    assert_eq!(seqs(&world.read_all(lane.id, Seq::ZERO).await), [1, 4, 5]);
    assert_eq!(seqs(&world.read_all(lane.id, at(3)).await), [4, 5], "from the middle too");
}

pub async fn a_lane_is_outlined_from_both_ends<E: Engine>() {
    let world = World::<E>::new().await;
    let lane = world.route("route").await.id;
    let special = NewEvent {
        family: Family(7),
        lifetime: Lifetime::Seconds(30),
        at: Timestamp::from_millis(5),
        ..message(2, "a body")
    };
    world.append(vec![message(1, "a"), sent(1, "b"), special, message(1, "d")]).await.unwrap();
    let only_sent = Filter { kinds: EventKinds::of(&[EventKind::Sent]), ..Filter::UPDATES };
    world.store.set_filter(world.lease, world.bot, lane, only_sent).await.unwrap();
    world.append(vec![message(1, "e"), sent(1, "f")]).await.unwrap();

    let outline = async |after, until, order, limit| {
        let stretch = (at(after), at(until));
        let page = world.store.outline_lane(world.bot, lane, stretch, order, limit).await.unwrap();
        assert_eq!(page.head, at(6));
        let seqs: Vec<_> = page.events.iter().map(|event| event.seq.get()).collect();
        (seqs, page.scanned_to.get())
    };
    let (oldest, newest) = (Order::OldestFirst, Order::NewestFirst);
    assert_eq!(outline(0, 99, oldest, 9).await, (vec![1, 3, 4, 6], 6));
    assert_eq!(outline(0, 99, newest, 9).await, (vec![6, 4, 3, 1], 0));
    assert_eq!(outline(0, 99, oldest, 2).await, (vec![1, 3], 3), "3 is where to go on");
    assert_eq!(outline(3, 99, oldest, 2).await, (vec![4, 6], 6));
    assert_eq!(outline(0, 99, newest, 2).await, (vec![6, 4], 3), "3 is where to go on");
    assert_eq!(outline(0, 3, newest, 2).await, (vec![3, 1], 0));
    assert_eq!(outline(1, 4, oldest, 9).await, (vec![3, 4], 4));
    assert_eq!(outline(1, 4, newest, 9).await, (vec![4, 3], 1));
    assert_eq!(outline(4, 5, oldest, 9).await, (vec![], 5));
    assert_eq!(outline(4, 5, newest, 9).await, (vec![], 4));
    assert_eq!(outline(0, 99, newest, 0).await, (vec![6], 5), "always one");
    assert_eq!(outline(6, 99, oldest, 9).await, (vec![], 6));
    assert_eq!(outline(6, 99, newest, 9).await, (vec![], 6), "behind the end there is nothing");

    let page = world.store.outline_lane(world.bot, lane, (at(2), at(3)), oldest, 9).await.unwrap();
    let event = world.store.find_event(world.bot, at(3)).await.unwrap().unwrap();
    assert_eq!(page.events, [Outline::from(&event)]);
    for (bot, lane) in [(world.bot, LaneId::new(77).unwrap()), (bot(5), lane)] {
        let page = world.store.outline_lane(bot, lane, (Seq::ZERO, Seq::MAX), oldest, 9).await.unwrap();
        assert_eq!((page.events.len(), page.scanned_to), (0, page.head), "nobody sees nothing");
    }
}

pub async fn an_outline_gets_over_any_number_of_events<E: Engine>() {
    let world = World::<E>::new().await;
    let lane = world.route("route").await.id;
    world.append(vec![message(1, "first")]).await.unwrap();
    for _ in 0..10 {
        world.append((0..1000).map(|_| sent(1, "unwanted")).collect()).await.unwrap();
    }
    world.append(vec![message(1, "last")]).await.unwrap();
    for (order, expected) in [(Order::OldestFirst, [1, 10_002]), (Order::NewestFirst, [10_002, 1])] {
        let (mut after, mut until, mut steps, mut seqs) = (Seq::ZERO, Seq::MAX, 0, Vec::new());
        loop {
            let stretch = (after, until);
            let page = world.store.outline_lane(world.bot, lane, stretch, order, 100).await.unwrap();
            seqs.extend(page.events.iter().map(|event| event.seq.get()));
            steps += 1;
            let (there, end) = match order {
                Order::OldestFirst => (&mut after, page.head),
                Order::NewestFirst => (&mut until, Seq::ZERO),
            };
            *there = page.scanned_to;
            if page.scanned_to == end {
                break;
            }
        }
        assert_eq!(seqs, expected);
        assert!(steps > 1, "one step looks at a bounded number");
    }
}

pub async fn figures_say_what_was_done<E: Engine>() {
    let world = World::<E>::new().await;
    let lane = world.route("route").await.id;
    let before = world.store.stats().await.unwrap();
    world.append(vec![numbered(1), numbered(1), message(1, "a")]).await.unwrap();
    world.append(vec![message(1, "b")]).await.unwrap();
    world.read_all(lane, Seq::ZERO).await;
    let after = world.store.stats().await.unwrap();
    assert_eq!(after.events - before.events, 3, "a repeat is no event");
    assert_eq!((after.writes - before.writes, after.commits - before.commits), (2, 2));
    assert!(after.commit_time > before.commit_time);
    let spread = after.commit_spread;
    assert_eq!(spread.times.iter().sum::<u64>(), after.commits, "each commit is in one range");
    assert_eq!(spread.writes.iter().sum::<u64>(), after.commits, "each commit is in one range");
    assert_eq!(spread.writes[0] - before.commit_spread.writes[0], 2, "of one write each");
    assert_eq!(after.lane_reads.all - before.lane_reads.all, 1);
    assert!(after.lane_reads.in_memory <= after.lane_reads.all);
}

pub async fn many_at_once_are_numbered_without_gaps<E: Engine>() {
    let world = World::<E>::new().await;
    let mut tasks = Vec::new();
    for task in 0..64 {
        let (store, lease, bot) = (Arc::clone(&world.store), world.lease, world.bot);
        tasks.push(tokio::spawn(async move {
            let mut seqs = Vec::new();
            for n in 0..10 {
                let events = vec![message(task, &format!("{n}")), message(task, &format!("{n} again"))];
                let append = Append { events, ..Append::default() };
                seqs.extend(store.append(lease, bot, append).await.unwrap().iter().map(|new| new.seq()));
            }
            seqs
        }));
    }
    let mut all = Vec::new();
    for task in tasks {
        let seqs = task.await.unwrap();
        assert!(seqs.is_sorted(), "one after the other for each");
        assert!(seqs.chunks(2).all(|pair| pair[1] == pair[0].next()), "a batch stays together");
        all.extend(seqs);
    }
    all.sort_unstable();
    assert_eq!(all, (1..=1280).map(at).collect::<Vec<_>>());
}

pub async fn bots_do_not_see_each_other<E: Engine>() {
    let world = World::<E>::new().await;
    let other = bot(42);
    let other_lease = lease(&*world.store, other).await;
    let lane = world.route("route").await;
    world.append(vec![numbered(100), numbered(101)]).await.unwrap();
    let append = Append { events: vec![numbered(100)], ..Append::default() };
    let appended = world.store.append(other_lease, other, append).await.unwrap();
    assert!(matches!(appended[..], [Appended::New { seq, .. }] if seq == at(1)), "{appended:?}");
    world.append(vec![numbered(102)]).await.unwrap();
    assert_eq!(seqs(&world.read_all(lane.id, Seq::ZERO).await), [1, 2, 3]);
    let page = world.store.read_journal(other, Seq::ZERO, WHOLE).await.unwrap();
    assert_eq!(seqs(&page.events), [1]);
    assert_eq!(world.store.find_lane(other, lane.id).await.unwrap(), None);
    assert_eq!(world.store.head(bot(43)).await.unwrap().last, Seq::ZERO);
    let foreign = world.store.append(world.lease, other, Append::default()).await;
    assert!(matches!(foreign, Err(WriteError::Fenced { .. })), "a lease is good for its shard only");
}

pub async fn everything_is_there_after_reopening<E: Engine>() {
    let mut world = World::<E>::new().await;
    let lane = world.route("route").await;
    world.append_messages(1, 100).await;
    let before = world.read_all(lane.id, Seq::ZERO).await;
    world.reopen().await;
    assert_eq!(world.read_all(lane.id, Seq::ZERO).await, before);
    world.append_messages(1, 1).await;
    assert_eq!(world.store.head(world.bot).await.unwrap().last, at(101));
}

pub async fn a_closed_store_refuses<E: Engine>() {
    let world = World::<E>::new().await;
    world.append_messages(1, 1).await;
    world.store.close().await;
    world.store.close().await;
    assert!(matches!(world.append(vec![message(1, "late")]).await, Err(WriteError::Closed)));
    assert!(matches!(world.store.head(world.bot).await, Err(ReadError::Closed)));
}
