//! Who may write.
#![expect(missing_docs, reason = "the names say it")]
#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a failed case panics")]

use std::time::Duration;

use tandem_model::{Filter, LaneId, Seq, Timestamp, UserId};

use super::world::{Engine, World, at, message};
use crate::{
    Append, ContactLink, HandOff, LaneError, LaneKind, Lease, LeaseError, NewLane, PersonChange, Retention,
    Settlement, Shard, Start, WriteError,
};

const TTL: Duration = Duration::from_secs(15);
const ALMOST: Duration = Duration::from_millis(14_999);

async fn acquire<E: Engine>(world: &World<E>, holder: &str) -> Vec<Lease> {
    world.store.acquire(vec![Shard::new(201), Shard::new(202)], holder.to_owned(), TTL).await.unwrap()
}

pub async fn a_shard_has_one_owner_until_its_time_is_over<E: Engine>() {
    let world = World::<E>::new().await;
    let ours = acquire(&world, "one").await;
    assert_eq!(ours.iter().map(|lease| lease.shard.get()).collect::<Vec<_>>(), [201, 202]);
    assert_eq!(acquire(&world, "two").await, []);
    world.clock.advance(ALMOST);
    assert_eq!(acquire(&world, "two").await, []);
    let holders = world.store.list_leases().await.unwrap();
    let of_two = holders.iter().find(|holder| holder.lease.shard == Shard::new(202)).unwrap();
    assert_eq!((of_two.lease, of_two.holder.as_str()), (ours[1], "one"));
    world.clock.advance(Duration::from_millis(1));
    let theirs = acquire(&world, "two").await;
    assert!(theirs.iter().zip(&ours).all(|(theirs, ours)| theirs.fence > ours.fence), "{theirs:?}");
}

pub async fn a_restarted_holder_gets_his_shards_back_with_a_new_fence<E: Engine>() {
    let world = World::<E>::new().await;
    let before = acquire(&world, "one").await;
    let after = acquire(&world, "one").await;
    assert!(after.len() == 2 && after[0].fence > before[0].fence);
    let renewed = world.store.renew(vec![before[0]], TTL).await;
    assert!(matches!(renewed, Err(LeaseError::Lost { shard }) if shard == Shard::new(201)), "{renewed:?}");
}

pub async fn a_lease_is_renewed_until_somebody_else_has_it<E: Engine>() {
    let world = World::<E>::new().await;
    let ours = acquire(&world, "one").await;
    for _ in 0..3 {
        world.clock.advance(ALMOST);
        world.store.renew(ours.clone(), TTL).await.unwrap();
    }
    assert_eq!(acquire(&world, "two").await, []);
    world.clock.advance(TTL * 2);
    world.store.renew(ours.clone(), TTL).await.expect("nobody else has it yet");
    world.clock.advance(TTL * 2);
    let first = world.store.acquire(vec![Shard::new(201)], "two".to_owned(), TTL).await.unwrap();
    let renewed = world.store.renew(ours.clone(), TTL).await;
    assert!(matches!(renewed, Err(LeaseError::Lost { shard }) if shard == first[0].shard));
    let second = world.store.acquire(vec![Shard::new(202)], "two".to_owned(), TTL).await.unwrap();
    assert_eq!(second.len(), 1, "all are renewed or none");
}

pub async fn a_released_shard_is_free_at_once<E: Engine>() {
    let world = World::<E>::new().await;
    let ours = acquire(&world, "one").await;
    world.store.release(vec![ours[0]]).await.unwrap();
    world.store.release(vec![ours[0]]).await.unwrap();
    let theirs = acquire(&world, "two").await;
    assert_eq!(theirs.iter().map(|lease| lease.shard.get()).collect::<Vec<_>>(), [201]);
    assert!(theirs[0].fence > ours[0].fence);
    assert!(world.store.renew(vec![ours[0]], TTL).await.is_err());

    world.append(vec![message(1, "a")]).await.unwrap();
    world.store.release(vec![world.lease]).await.unwrap();
    assert!(matches!(world.append(vec![message(1, "b")]).await, Err(WriteError::Fenced { .. })));
}

pub async fn nothing_is_written_with_an_old_fence<E: Engine>() {
    let mut world = World::<E>::new().await;
    world.append_messages(1, 3).await;
    let lane = world.route("route").await;
    let old = world.lease;
    world.clock.advance(Duration::from_hours(2));
    world.append(vec![message(1, "still the owner")]).await.expect("time alone ends no right to write");
    let shards = vec![old.shard];
    world.lease = world.store.acquire(shards, "other".to_owned(), TTL).await.unwrap()[0];

    let (store, bot) = (&world.store, world.bot);
    let user = UserId::new(1).unwrap();
    let person = PersonChange { user, phone: None, start: None, presence: None };
    let contact =
        ContactLink { user, connection: tandem_model::ConnectionId::new(1).unwrap(), contact: String::new() };
    let hand_off = HandOff { conversation: tandem_model::Conversation::chat(1), until: Timestamp::EPOCH };
    let retention = Retention { keep: Duration::ZERO, at_most: Duration::ZERO, max_bytes: None };
    let writes = [
        store
            .append(old, bot, Append { events: vec![message(1, "x")], ..Append::default() })
            .await
            .map(|_| ()),
        store.put_links(old, bot, Vec::new()).await,
        store.put_person(old, bot, person).await,
        store.put_contact(old, bot, contact).await,
        store.put_hand_off(old, bot, hand_off).await,
        store.sweep(old, bot, retention, 9).await.map(|_| ()),
    ];
    for (index, write) in writes.into_iter().enumerate() {
        assert!(matches!(&write, Err(WriteError::Fenced { lease }) if *lease == old), "{index}: {write:?}");
    }
    let new =
        NewLane { name: "new".to_owned(), kind: LaneKind::App, start: Start::Now, filter: Filter::UPDATES };
    let writes = [
        store.create_lane(old, bot, new).await.map(|_| ()),
        store.set_filter(old, bot, lane.id, Filter::UPDATES).await.map(|_| ()),
        store.settle(old, bot, lane.id, Settlement { acked: Some(at(1)), ..Settlement::default() }).await,
        store.move_cursor(old, bot, lane.id, at(1)).await,
        store.remove_lane(old, bot, lane.id).await,
    ];
    for (index, write) in writes.into_iter().enumerate() {
        assert!(matches!(write, Err(LaneError::Write(WriteError::Fenced { .. }))), "{index}: {write:?}");
    }
    assert_eq!(store.head(bot).await.unwrap().last, at(4));
    assert_eq!(store.list_lanes(bot, None::<LaneId>, 9).await.unwrap(), std::slice::from_ref(&lane));
    assert_eq!(store.find_lane(bot, lane.id).await.unwrap().unwrap().acked, Seq::ZERO);
    world.append(vec![message(1, "the new owner")]).await.unwrap();
}

pub async fn fences_grow_over_reopening<E: Engine>() {
    let mut world = World::<E>::new().await;
    let before = acquire(&world, "one").await;
    world.reopen().await;
    world.append(vec![message(1, "the lease still holds")]).await.unwrap();
    assert_eq!(acquire(&world, "two").await, []);
    world.store.renew(before.clone(), TTL).await.unwrap();
    world.clock.advance(TTL);
    let after = acquire(&world, "two").await;
    assert!(after[0].fence > before[0].fence);
}
