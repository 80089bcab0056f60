//! Repeats and the numbers that apps see.
#![expect(missing_docs, reason = "the names say it")]
#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a failed case panics")]

use std::time::Duration;

use bytes::Bytes;
use tandem_model::{Flags, NewEvent, Seq, VirtualId};

use super::world::{Engine, WHOLE, World, at, message, numbered, sent, seqs, upstream};
use crate::{Appended, Retention};

fn ids(appended: &[Appended]) -> Vec<Option<i64>> {
    appended
        .iter()
        .map(|appended| match appended {
            Appended::New { virtual_id, .. } => virtual_id.map(VirtualId::get),
            Appended::Duplicate { .. } => None,
        })
        .collect()
}

pub async fn a_repeat_is_recognised_also_within_a_batch<E: Engine>() {
    let world = World::<E>::new().await;
    let appended = world.append(vec![numbered(10), numbered(11), numbered(10)]).await.unwrap();
    assert_eq!(appended[2], Appended::Duplicate { seq: at(1) });
    let appended = world.append(vec![numbered(11), numbered(12), numbered(10)]).await.unwrap();
    assert_eq!(appended[0], Appended::Duplicate { seq: at(2) });
    assert_eq!(appended[1].seq(), at(3), "a repeat takes no number");
    assert_eq!(appended[2], Appended::Duplicate { seq: at(1) });
    let update = numbered(11);
    let found = world.store.find_duplicate(world.bot, update.upstream.unwrap(), update.body);
    assert_eq!(found.await.unwrap(), Some(at(2)));
}

pub async fn what_looks_like_a_repeat_but_is_not_is_kept<E: Engine>() {
    let world = World::<E>::new().await;
    let first = numbered(10);
    let other_bytes = NewEvent { body: Bytes::from_static(b"re-based"), ..first.clone() };
    let other_source = NewEvent { upstream: Some(upstream(1, 10)), ..first.clone() };
    let unnumbered = NewEvent { upstream: None, ..first.clone() };
    let events = vec![first, other_bytes.clone(), other_source, unnumbered.clone(), unnumbered];
    let appended = world.append(events).await.unwrap();
    assert_eq!(appended.iter().map(|new| new.seq()).collect::<Vec<_>>(), (1..=5).map(at).collect::<Vec<_>>());
    assert!(appended.iter().all(|new| matches!(new, Appended::New { .. })));
    let again = world.append(vec![other_bytes.clone()]).await.unwrap();
    assert_eq!(again, [Appended::Duplicate { seq: at(2) }], "each of several with one number is known");
    let odd = NewEvent { upstream: Some(upstream(0, 900)), ..sent(1, "a numbered one that is no update") };
    world.append(vec![odd.clone()]).await.unwrap();
    assert_eq!(world.append(vec![odd]).await.unwrap(), [Appended::Duplicate { seq: at(6) }]);
    let unknown = world.store.find_duplicate(world.bot, other_bytes.upstream.unwrap(), Bytes::new());
    assert_eq!(unknown.await.unwrap(), None);
}

pub async fn a_repeat_is_forgotten_after_48_hours<E: Engine>() {
    let world = World::<E>::new().await;
    world.append(vec![numbered(10)]).await.unwrap();
    world.clock.advance(Duration::from_hours(48));
    assert_eq!(world.append(vec![numbered(10)]).await.unwrap(), [Appended::Duplicate { seq: at(1) }]);
    world.clock.advance(Duration::from_millis(1));
    assert_eq!(world.append(vec![numbered(10)]).await.unwrap()[0].seq(), at(2));
    let update = numbered(10);
    let found = world.store.find_duplicate(world.bot, update.upstream.unwrap(), update.body);
    assert_eq!(found.await.unwrap(), Some(at(2)), "the latest");
}

pub async fn ids_for_apps_survive_late_repeated_and_rebased_ids<E: Engine>() {
    let world = World::<E>::new().await;
    let appended = world
        .append(vec![
            numbered(500),
            numbered(501),
            numbered(510),
            numbered(505),
            numbered(510),
            numbered(7),
            numbered(8),
            numbered(2_000_000_000),
            numbered(1_999_999_999),
            numbered(9),
        ])
        .await
        .unwrap();
    assert_eq!(
        ids(&appended),
        [
            Some(500),
            Some(501),
            Some(510),
            Some(511),
            None,
            Some(512),
            Some(513),
            Some(514),
            Some(1_999_999_999),
            Some(2_000_000_000)
        ]
    );
    let next = world.store.head(world.bot).await.unwrap().next_virtual;
    assert_eq!(next.map(VirtualId::get), Some(2_000_000_001));
}

pub async fn only_updates_get_ids_for_apps<E: Engine>() {
    let world = World::<E>::new().await;
    let appended = world.append(vec![sent(1, "a"), numbered(30), sent(1, "b"), numbered(31)]).await.unwrap();
    assert_eq!(ids(&appended), [None, Some(30), None, Some(31)]);
    let events = world.store.read_journal(world.bot, Seq::ZERO, WHOLE).await.unwrap().events;
    let ids: Vec<_> = events.iter().map(|event| event.virtual_id.map(VirtualId::get)).collect();
    assert_eq!(ids, [None, Some(30), None, Some(31)]);
}

pub async fn what_else_apps_are_shown_takes_an_id_of_its_own<E: Engine>() {
    let mut world = World::<E>::new().await;
    let shown = |text| NewEvent { flags: Flags::SHOWN_TO_APPS, ..sent(1, text) };
    let appended = world.append(vec![numbered(30), shown("a"), numbered(31), sent(1, "b")]).await.unwrap();
    assert_eq!(ids(&appended), [Some(30), Some(31), Some(32), None], "Telegram's own is overtaken");
    world.reopen().await;
    let appended = world.append(vec![numbered(31), numbered(32), shown("c"), numbered(40)]).await.unwrap();
    assert_eq!(appended[0], Appended::Duplicate { seq: at(3) }, "a repeat is still known");
    assert_eq!(ids(&appended), [None, Some(33), Some(34), Some(40)]);
    let events = world.store.read_journal(world.bot, Seq::ZERO, WHOLE).await.unwrap().events;
    let seen: Vec<_> = events.iter().map(|event| event.virtual_id.map(VirtualId::get)).collect();
    assert_eq!(seen, [Some(30), Some(31), Some(32), None, Some(33), Some(34), Some(40)]);
    let position = world.store.find_position(world.bot, VirtualId::new(34).unwrap()).await.unwrap();
    assert_eq!(position, at(6));
}

pub async fn a_position_is_found_by_an_id_for_apps<E: Engine>() {
    let world = World::<E>::new().await;
    let find =
        async |id| world.store.find_position(world.bot, VirtualId::new(id).unwrap()).await.unwrap().get();
    assert_eq!(find(1).await, 1, "in an empty journal the next one");
    let events = vec![sent(1, "a"), numbered(30), sent(1, "b"), numbered(31), numbered(40), sent(1, "c")];
    world.append(events).await.unwrap();
    for (id, seq) in [(1, 2), (30, 2), (31, 4), (32, 5), (40, 5), (41, 7), (i64::from(i32::MAX), 7)] {
        assert_eq!(find(id).await, seq, "id {id}");
    }
}

pub async fn numbers_go_on_after_reopening_and_after_everything_was_swept<E: Engine>() {
    let mut world = World::<E>::new().await;
    world.append(vec![numbered(100), message(1, "no number"), sent(1, "last")]).await.unwrap();
    world.reopen().await;
    let appended = world.append(vec![message(1, "after")]).await.unwrap();
    assert_eq!((appended[0].seq(), ids(&appended)), (at(4), vec![Some(102)]));

    world.clock.advance(Duration::from_hours(1));
    let nothing = Retention { keep: Duration::ZERO, at_most: Duration::ZERO, max_bytes: None };
    let swept = world.store.sweep(world.lease, world.bot, nothing, 1000).await.unwrap();
    assert_eq!((swept.deleted, swept.swept_to), (4, at(4)));
    let page = world.store.read_journal(world.bot, Seq::ZERO, WHOLE).await.unwrap();
    assert_eq!((seqs(&page.events), page.head), (vec![], at(4)));
    let head = world.store.head(world.bot).await.unwrap();
    assert_eq!((head.last, head.oldest, head.bytes), (at(4), at(5), 0));
    world.reopen().await;
    let appended = world.append(vec![message(1, "after everything")]).await.unwrap();
    assert_eq!((appended[0].seq(), ids(&appended)), (at(5), vec![Some(103)]));
}
