//! What goes when, and upkeep as far as every engine has it.
#![expect(missing_docs, reason = "the names say it")]
#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a failed case panics")]

use std::time::Duration;

use bytes::Bytes;
use tandem_model::{Filter, HeldState, NewEvent, Seq};

use super::world::{Engine, WHOLE, World, at, held, message, sent, seqs};
use crate::{Health, LaneKind, Link, LinkScope, Lost, Passed, Retention, Settlement, Start, Swept};

const DAY: Duration = Duration::from_hours(24);

const USUAL: Retention = Retention {
    keep: Duration::from_hours(30 * 24),
    at_most: Duration::from_hours(90 * 24),
    max_bytes: None,
};

async fn sweep<E: Engine>(world: &World<E>, retention: Retention) -> Swept {
    world.store.sweep(world.lease, world.bot, retention, 1000).await.unwrap()
}

/// What is still there.
async fn left<E: Engine>(world: &World<E>) -> Vec<i64> {
    seqs(&world.store.read_journal(world.bot, Seq::ZERO, WHOLE).await.unwrap().events)
}

async fn lost<E: Engine>(world: &World<E>, lane: &crate::Lane) -> Vec<(i64, i64, u64)> {
    let lost = world.store.list_lost(world.bot, lane.id, Seq::ZERO, 9).await.unwrap();
    lost.iter().map(|Lost { from, to, count, .. }| (from.get(), to.get(), count.get())).collect()
}

pub async fn an_event_goes_when_it_is_old_and_every_route_has_passed_it<E: Engine>() {
    let world = World::<E>::new().await;
    let (first, second) = (world.route("a").await, world.route("b").await);
    world.append_messages(1, 4).await;
    world.clock.advance(10 * DAY);
    world.append_messages(1, 2).await;
    for (lane, acked) in [(&first, 6), (&second, 3)] {
        world.acknowledge(lane.id, acked).await;
    }
    world.clock.advance(20 * DAY);
    assert_eq!(sweep(&world, USUAL).await.deleted, 0, "30 days are not over");
    world.clock.advance(Duration::from_millis(1));
    let swept = sweep(&world, USUAL).await;
    assert_eq!(swept, Swept { deleted: 3, swept_to: at(3), lost: vec![], more: false });
    assert_eq!(left(&world).await, [4, 5, 6]);
    let head = world.store.head(world.bot).await.unwrap();
    assert_eq!((head.oldest, head.last), (at(4), at(6)));
    world.acknowledge(second.id, 6).await;
    assert_eq!(sweep(&world, USUAL).await.deleted, 1);
    assert_eq!(left(&world).await, [5, 6]);
    assert_eq!(world.find(first.id).await.acked, at(6));
    assert_eq!(seqs(&world.read_all(first.id, Seq::ZERO).await), [5, 6], "reading begins where something is");
}

pub async fn apps_never_hold_back_deletion<E: Engine>() {
    let world = World::<E>::new().await;
    let app = world.lane("app", LaneKind::App, Start::Beginning, Filter::UPDATES).await;
    world.append(vec![message(1, "a"), sent(1, "b"), message(1, "c")]).await.unwrap();
    world.clock.advance(31 * DAY);
    let swept = sweep(&world, USUAL).await;
    assert_eq!((swept.deleted, swept.lost), (3, vec![]));
    let app = world.find(app.id).await;
    assert_eq!((app.acked, app.passed), (at(3), Passed { skipped: 0, expired: 2 }));
    assert!(lost(&world, &app).await.is_empty());
}

pub async fn a_held_event_stays_until_it_is_let_go<E: Engine>() {
    let world = World::<E>::new().await;
    let lane = world.route("route").await;
    world.append_messages(1, 5).await;
    let put = vec![held(2, 1, HeldState::Dead), held(4, 1, HeldState::Retrying)];
    world.settle(lane.id, Settlement { acked: Some(at(5)), put, ..Settlement::default() }).await;
    world.clock.advance(31 * DAY);
    let swept = sweep(&world, USUAL).await;
    assert_eq!((swept.deleted, swept.swept_to), (3, at(5)));
    assert_eq!(left(&world).await, [2, 4]);
    assert!(world.store.find_event(world.bot, at(4)).await.unwrap().is_some());
    assert_eq!(world.store.find_event(world.bot, at(3)).await.unwrap(), None);
    world.append_messages(1, 1).await;
    assert_eq!(left(&world).await, [2, 4, 6]);
    world.settle(lane.id, Settlement { drop: vec![at(2)], ..Settlement::default() }).await;
    assert_eq!(sweep(&world, USUAL).await.deleted, 1);
    assert_eq!(left(&world).await, [4, 6]);

    world.clock.advance(60 * DAY);
    let swept = sweep(&world, USUAL).await;
    assert_eq!(swept.deleted, 1, "the last held one is too old by now");
    assert_eq!(left(&world).await, [6]);
    assert_eq!(lost(&world, &lane).await, [(4, 4, 1)]);
    assert_eq!(world.store.find_held(world.bot, lane.id, at(4)).await.unwrap(), None);
}

pub async fn what_is_too_old_goes_and_is_one_record_per_route<E: Engine>() {
    let mut world = World::<E>::new().await;
    let behind = world.route("behind").await;
    let done = world.route("done").await;
    world.append(vec![message(1, "a"), sent(1, "b"), message(1, "c"), message(1, "d")]).await.unwrap();
    world.acknowledge(behind.id, 1).await;
    world.acknowledge(done.id, 4).await;
    world.clock.advance(91 * DAY);
    world.append_messages(1, 2).await;
    let swept = world.store.sweep(world.lease, world.bot, USUAL, 3).await.unwrap();
    assert_eq!((swept.deleted, swept.more), (3, true));
    assert_eq!(swept.lost.len(), 1);
    assert_eq!(lost(&world, &behind).await, [(2, 3, 1)], "what it did not want is not counted");
    let swept = sweep(&world, USUAL).await;
    assert_eq!((swept.deleted, swept.more), (1, false));
    let (lane, record) = swept.lost[0];
    assert_eq!((lane, record.from, record.to, record.count.get()), (behind.id, at(4), at(4), 1));
    world.reopen().await;
    assert_eq!(lost(&world, &behind).await, [(2, 4, 2)], "a gap that grows is one record");
    let survey = world.store.survey(9).await.unwrap();
    let figures = survey.lanes.iter().find(|lane| lane.lane == behind.id).unwrap();
    assert_eq!(figures.lost, 2);
    assert!(lost(&world, &done).await.is_empty());
    let behind = world.find(behind.id).await;
    assert_eq!(behind.acked, at(4));
    assert_eq!(seqs(&world.read_all(behind.id, behind.acked).await), [5, 6]);
}

pub async fn the_oldest_go_when_there_are_too_many_bytes<E: Engine>() {
    let world = World::<E>::new().await;
    let lane = world.route("route").await;
    let kilobyte = NewEvent { body: Bytes::from(vec![b'x'; 1000]), ..message(1, "") };
    world.append(vec![kilobyte; 10]).await.unwrap();
    assert_eq!(world.store.head(world.bot).await.unwrap().bytes, 10_000);
    let swept = sweep(&world, Retention { max_bytes: Some(10_000), ..USUAL }).await;
    assert_eq!(swept.deleted, 0);
    let swept = sweep(&world, Retention { max_bytes: Some(3500), ..USUAL }).await;
    assert_eq!(swept.deleted, 7);
    assert_eq!(world.store.head(world.bot).await.unwrap().bytes, 3000);
    assert_eq!(lost(&world, &lane).await, [(1, 7, 7)]);
    assert_eq!(left(&world).await, [8, 9, 10]);
}

pub async fn a_sweep_is_done_in_bounded_steps<E: Engine>() {
    let world = World::<E>::new().await;
    world.append_messages(1, 100).await;
    world.clock.advance(31 * DAY);
    let mut steps = Vec::new();
    loop {
        let swept = world.store.sweep(world.lease, world.bot, USUAL, 30).await.unwrap();
        steps.push(swept.deleted);
        if !swept.more {
            break;
        }
    }
    assert_eq!(steps, [30, 30, 30, 10]);
    let swept = world.store.sweep(world.lease, super::world::bot(9 << 8), USUAL, 30).await;
    assert!(swept.is_err(), "a sweep is for the owner");
}

pub async fn old_links_go_too<E: Engine>() {
    let world = World::<E>::new().await;
    let link =
        |ours: &str, at| Link { scope: LinkScope::Bot, ours: ours.to_owned(), theirs: "x".to_owned(), at };
    let now = tandem_model::Clock::now(&*world.clock);
    let links = vec![link("old", now), link("new", now.plus(DAY))];
    world.store.put_links(world.lease, world.bot, links).await.unwrap();
    world.clock.advance(90 * DAY + Duration::from_millis(1));
    sweep(&world, USUAL).await;
    let left = world.store.list_links(world.bot, LinkScope::Bot, "x".to_owned(), 9).await.unwrap();
    assert_eq!(left.iter().map(|link| link.ours.as_str()).collect::<Vec<_>>(), ["new"]);
}

pub async fn space_is_given_back<E: Engine>() {
    let world = World::<E>::new().await;
    let large = NewEvent { body: Bytes::from(vec![b'x'; 100_000]), ..message(1, "") };
    world.append(vec![large; 20]).await.unwrap();
    world.clock.advance(31 * DAY);
    sweep(&world, USUAL).await;
    let step = world.store.vacuum(500_000).await.unwrap();
    assert!((1..=500_000).contains(&step.freed_bytes) && step.left_bytes > 1_000_000, "{step:?}");
    let rest = world.store.vacuum(u64::MAX).await.unwrap();
    assert!(rest.freed_bytes > 1_000_000 && rest.left_bytes == 0, "{rest:?}");
    let stats = world.store.stats().await.unwrap();
    assert!(stats.free_bytes == 0 && stats.bytes < 500_000, "{stats:?}");
}

pub async fn a_sound_store_says_so<E: Engine>() {
    let world = World::<E>::new().await;
    world.append_messages(1, 10).await;
    assert_eq!(world.store.check().await.unwrap(), Vec::<String>::new());
    assert_eq!(*world.store.health().borrow(), Health::Good);
    let stats = world.store.stats().await.unwrap();
    assert!(stats.bytes > 0 && stats.commits > 0 && stats.writes >= stats.commits, "{stats:?}");
}
