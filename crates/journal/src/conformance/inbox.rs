//! What waits for a bot's owner.
#![expect(missing_docs, reason = "the names say it")]
#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a failed case panics")]

use bytes::Bytes;
use tandem_model::Clock;

use super::world::{Engine, World, bot, message};
use crate::{Append, InboxId, Lease, NewInboxEntry, Shard, WriteError};

fn entry(bot_id: i64, body: &'static str) -> NewInboxEntry {
    NewInboxEntry {
        bot: bot(bot_id),
        source: "amocrm/hook".to_owned(),
        body: Bytes::from_static(body.as_bytes()),
    }
}

async fn bodies<E: Engine>(world: &World<E>, shard: Shard, after: Option<InboxId>) -> Vec<Bytes> {
    let entries = world.store.list_inbox(shard, after, 100).await.unwrap();
    entries.into_iter().map(|entry| entry.entry.body).collect()
}

pub async fn entries_are_listed_by_shard_in_order<E: Engine>() {
    let mut world = World::<E>::new().await;
    // 1 and 257 are of one shard, 2 of another.
    let entries = vec![entry(1, "a"), entry(2, "b"), entry(257, "c"), entry(1, "d")];
    let ids = world.store.put_inbox(entries).await.unwrap();
    assert!(ids.is_sorted());
    assert_eq!(world.store.put_inbox(Vec::new()).await.unwrap(), []);
    world.reopen().await;
    assert_eq!(bodies(&world, Shard::new(1), None).await, ["a", "c", "d"]);
    assert_eq!(bodies(&world, Shard::new(1), Some(ids[0])).await, ["c", "d"]);
    let first = world.store.list_inbox(Shard::new(2), None, 1).await.unwrap().pop().unwrap();
    assert_eq!((first.id, first.at, first.entry), (ids[1], world.clock.now(), entry(2, "b")));
    assert_eq!(world.store.list_inbox(Shard::new(1), None, 2).await.unwrap().len(), 2);
}

pub async fn an_append_consumes_its_entries_with_it<E: Engine>() {
    let mut world = World::<E>::new().await;
    let us = world.bot.get();
    let ids = world.store.put_inbox(vec![entry(us, "a"), entry(us, "b"), entry(3, "other")]).await.unwrap();
    let append = Append { events: vec![message(1, "a")], inbox: vec![ids[0]], ..Append::default() };
    world.store.append(world.lease, world.bot, append).await.unwrap();
    world.reopen().await;
    assert_eq!(bodies(&world, Shard::of(world.bot), None).await, ["b"]);
    let nothing = Append { inbox: vec![ids[0], ids[1], ids[2]], ..Append::default() };
    world.store.append(world.lease, world.bot, nothing).await.unwrap();
    assert!(bodies(&world, Shard::of(world.bot), None).await.is_empty(), "no event need come of it");
    assert_eq!(bodies(&world, Shard::new(3), None).await, ["other"], "another bot's stays");
}

pub async fn a_refused_append_consumes_nothing<E: Engine>() {
    let world = World::<E>::new().await;
    let ids = world.store.put_inbox(vec![entry(world.bot.get(), "a")]).await.unwrap();
    let old = Lease { fence: tandem_model::Fence::MAX, ..world.lease };
    let append = Append { events: vec![message(1, "a")], inbox: ids, ..Append::default() };
    let refused = world.store.append(old, world.bot, append).await;
    assert!(matches!(refused, Err(WriteError::Fenced { .. })), "{refused:?}");
    assert_eq!(bodies(&world, Shard::of(world.bot), None).await, ["a"]);
}
