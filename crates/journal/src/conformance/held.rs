//! Held rows and the questions that are asked of them.
#![expect(missing_docs, reason = "the names say it")]
#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a failed case panics")]

use tandem_model::{Attempt, Conversation, Family, Held, HeldState, LaneId, OrderKey, Timestamp};

use super::world::{Engine, World, at, held};
use crate::{HeldCounts, HeldStates, Settlement};

use HeldState::{Dead, Retrying, Sending, Unknown};

async fn put<E: Engine>(world: &World<E>, lane: LaneId, put: Vec<Held>) {
    world.settle(lane, Settlement { put, ..Settlement::default() }).await;
}

fn key(conversation: i64, family: Option<u8>) -> OrderKey {
    OrderKey { conversation: Conversation::chat(conversation), family: family.map(Family) }
}

pub async fn held_rows_are_kept_replaced_and_dropped<E: Engine>() {
    let mut world = World::<E>::new().await;
    let lane = world.route("route").await.id;
    let mut row = Held {
        family: Some(Family(9)),
        tries: u32::MAX,
        next_at: Timestamp::from_millis(-1),
        reason: "bad request: \u{1F4A5}".to_owned(),
        ..held(1, -5, Retrying)
    };
    row.note(Attempt { at: Timestamp::from_millis(7), took_ms: 1500, outcome: "502 \"html\"".to_owned() });
    put(&world, lane, vec![row.clone(), held(2, 1, Unknown)]).await;
    world.reopen().await;
    assert_eq!(world.store.find_held(world.bot, lane, at(1)).await.unwrap(), Some(row.clone()));
    let replaced = Held { state: Dead, reason: "gone".to_owned(), ..row };
    put(&world, lane, vec![replaced.clone()]).await;
    assert_eq!(world.store.find_held(world.bot, lane, at(1)).await.unwrap(), Some(replaced));
    let counts = world.store.count_held(world.bot, lane).await.unwrap();
    assert_eq!(counts, HeldCounts { unknown: 1, dead: 1, ..HeldCounts::default() });
    world.settle(lane, Settlement { drop: vec![at(1), at(77)], ..Settlement::default() }).await;
    assert_eq!(world.store.find_held(world.bot, lane, at(1)).await.unwrap(), None);
}

pub async fn held_rows_are_listed_by_state_in_pages<E: Engine>() {
    let world = World::<E>::new().await;
    let lane = world.route("route").await.id;
    let states = [Sending, Retrying, Unknown, Dead];
    let rows = (1..=12).zip(states.into_iter().cycle()).map(|(seq, state)| held(seq, seq, state)).collect();
    put(&world, lane, rows).await;
    let list = async |states, after, limit| {
        let rows = world.store.list_held(world.bot, lane, states, at(after), limit).await.unwrap();
        rows.iter().map(|row| row.seq.get()).collect::<Vec<_>>()
    };
    assert_eq!(list(HeldStates::ALL, 3, 4).await, [4, 5, 6, 7]);
    assert_eq!(list(HeldStates::only(Dead), 4, 9).await, [8, 12]);
    assert_eq!(list(HeldStates::BLOCKING, 0, 4).await, [1, 2, 5, 6]);
    assert_eq!(list(HeldStates::BLOCKING, 6, 4).await, [9, 10]);
    assert_eq!(list(HeldStates::FOR_PEOPLE, 0, 99).await, [3, 4, 7, 8, 11, 12]);
    let counts = world.store.count_held(world.bot, lane).await.unwrap();
    assert_eq!(counts, HeldCounts { sending: 3, retrying: 3, unknown: 3, dead: 3 });
}

pub async fn the_first_blocking_row_of_a_key_is_found<E: Engine>() {
    let world = World::<E>::new().await;
    let lane = world.route("route").await.id;
    let family = |family, row| Held { family: Some(Family(family)), ..row };
    put(
        &world,
        lane,
        vec![
            held(1, 1, Dead),
            held(4, 1, Sending),
            held(3, 1, Retrying),
            family(1, held(5, 2, Unknown)),
            family(1, held(6, 2, Retrying)),
            family(2, held(7, 2, Retrying)),
        ],
    )
    .await;
    let find = async |key| {
        let row = world.store.find_blocking(world.bot, lane, key).await.unwrap();
        row.map(|row| row.seq.get())
    };
    assert_eq!(find(key(1, None)).await, Some(3));
    assert_eq!(find(key(2, Some(1))).await, Some(6));
    assert_eq!(find(key(2, Some(2))).await, Some(7));
    assert_eq!(find(key(2, Some(3))).await, None);
    assert_eq!(find(key(2, None)).await, Some(6));
    assert_eq!(find(key(3, None)).await, None);
}

pub async fn blocked_keys_are_listed_in_pages<E: Engine>() {
    let world = World::<E>::new().await;
    let lane = world.route("route").await.id;
    let family = |family, row| Held { family: Some(Family(family)), ..row };
    put(
        &world,
        lane,
        vec![
            held(1, 1, Retrying),
            held(2, 1, Sending),
            held(3, 2, Dead),
            family(2, held(4, 3, Retrying)),
            family(1, held(5, 3, Retrying)),
            held(6, 4, Sending),
        ],
    )
    .await;
    let list = async |after: Option<i64>, limit| {
        let after = after.map(Conversation::chat);
        world.store.list_blocked(world.bot, lane, after, limit).await.unwrap()
    };
    let (one, three, four) = (key(1, None), [key(3, Some(1)), key(3, Some(2))], key(4, None));
    assert_eq!(list(None, 9).await, [one.clone(), three[0].clone(), three[1].clone(), four.clone()]);
    assert_eq!(
        list(None, 2).await,
        [one, three[0].clone(), three[1].clone()],
        "a page has whole conversations"
    );
    assert_eq!(list(Some(3), 9).await, [four]);
}
