//! Reading one conversation, as a lane does that has set one of its events aside.
#![expect(missing_docs, reason = "the names say it")]
#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a failed case panics")]

use tandem_model::{Conversation, EventKind, EventKinds, Family, Filter, NewEvent, OrderKey, Seq};

use super::world::{Engine, WHOLE, World, at, message, sent, seqs};
use crate::Page;

fn key(conversation: i64) -> OrderKey {
    OrderKey { conversation: Conversation::chat(conversation), family: None }
}

pub async fn a_conversation_is_read_in_order_between_two_points<E: Engine>() {
    let world = World::<E>::new().await;
    let lane = world.route("route").await;
    world.append((0..30).map(|n| message(n % 3, "x")).collect()).await.unwrap();
    let read = async |conversation, after, until| {
        let page = world
            .store
            .read_conversation(world.bot, lane.id, key(conversation), at(after), at(until), WHOLE)
            .await
            .unwrap();
        (seqs(&page.events), page.scanned_to.get(), page.head.get())
    };
    assert_eq!(read(1, 0, 30).await, ((1..=30).filter(|seq| seq % 3 == 2).collect(), 30, 30));
    assert_eq!(read(1, 2, 8).await, (vec![5, 8], 8, 30), "after the first point, up to the second");
    assert_eq!(read(1, 8, 10).await, (vec![], 10, 30));
    assert_eq!(read(1, 26, 99).await, (vec![29], 30, 30), "the end is the end");
    assert_eq!(read(9, 0, 30).await, (vec![], 30, 30));
    assert_eq!(read(1, 9, 3).await, (vec![], 9, 30), "nothing is between them");
}

pub async fn a_conversation_is_read_by_family<E: Engine>() {
    let world = World::<E>::new().await;
    let lane = world.route("route").await;
    let events =
        (0..12).map(|n| NewEvent { family: Family(n % 3), ..message(i64::from(n % 2), "x") }).collect();
    world.append(events).await.unwrap();
    let key = OrderKey { family: Some(Family(2)), ..key(1) };
    let page = world.store.read_conversation(world.bot, lane.id, key, Seq::ZERO, at(12), WHOLE);
    assert_eq!(seqs(&page.await.unwrap().events), [6, 12]);
}

pub async fn a_conversation_is_read_with_the_filters_of_the_time<E: Engine>() {
    let world = World::<E>::new().await;
    let lane = world.route("route").await;
    let only_sent = Filter { kinds: EventKinds::of(&[EventKind::Sent]), ..Filter::UPDATES };
    for filter in [only_sent, Filter::UPDATES, only_sent] {
        world.append(vec![message(1, "a"), sent(1, "b"), message(2, "c")]).await.unwrap();
        world.store.set_filter(world.lease, world.bot, lane.id, filter).await.unwrap();
    }
    world.append(vec![message(1, "a"), sent(1, "b")]).await.unwrap();
    let read = async |after| {
        let page = world.store.read_conversation(world.bot, lane.id, key(1), at(after), at(99), WHOLE);
        seqs(&page.await.unwrap().events)
    };
    assert_eq!(read(0).await, [1, 5, 7, 11]);
    assert_eq!(read(4).await, [5, 7, 11]);
}

pub async fn a_long_conversation_is_read_in_pages<E: Engine>() {
    let world = World::<E>::new().await;
    let lane = world.route("route").await;
    for _ in 0..9 {
        world
            .append((0..1000).map(|n| if n == 999 { message(1, "wanted") } else { sent(1, "x") }).collect())
            .await
            .unwrap();
    }
    let mut after = Seq::ZERO;
    let mut found = Vec::new();
    let mut steps = 0;
    while after < at(9000) {
        let page = Page { events: 2, bytes: 1000 };
        let page =
            world.store.read_conversation(world.bot, lane.id, key(1), after, at(9000), page).await.unwrap();
        assert!(page.events.len() <= 2 && page.scanned_to > after);
        found.extend(seqs(&page.events));
        after = page.scanned_to;
        steps += 1;
    }
    assert_eq!(found, (1..=9).map(|n| n * 1000).collect::<Vec<_>>());
    assert!(steps >= 5, "{steps} steps");
}
