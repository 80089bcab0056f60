//! Lanes as such: making, settling, moving, removing.
#![expect(missing_docs, reason = "the names say it")]
#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a failed case panics")]

use tandem_model::{EventKinds, Filter, HeldState, LaneId, PauseReason, Seq, Timestamp};

use super::world::{Engine, World, at, bot, held, message, seqs};
use crate::{
    Fact, HandOff, Haste, HeldCounts, HeldStates, LaneError, LaneFault, LaneKind, LaneState, NewLane, Passed,
    Settlement, Start, Survey,
};

pub async fn a_lane_begins_where_it_is_told<E: Engine>() {
    let world = World::<E>::new().await;
    world.append_messages(1, 5).await;
    let starts = [
        (Start::Beginning, 0),
        (Start::Now, 5),
        (Start::After(at(2)), 2),
        (Start::After(Seq::ZERO), 0),
        (Start::After(at(77)), 5),
    ];
    for (index, (start, acked)) in starts.into_iter().enumerate() {
        let lane = world.lane(&index.to_string(), LaneKind::App, start, Filter::UPDATES).await;
        assert_eq!(lane.acked, at(acked), "{start:?}");
        assert_eq!(world.read_all(lane.id, lane.acked).await.len(), 5 - usize::try_from(acked).unwrap());
    }
}

pub async fn a_name_is_taken_once_and_an_id_never_given_again<E: Engine>() {
    let mut world = World::<E>::new().await;
    let first = world.route("route").await;
    let again =
        NewLane { name: "route".to_owned(), kind: LaneKind::App, start: Start::Now, filter: Filter::UPDATES };
    let error = world.store.create_lane(world.lease, world.bot, again.clone()).await.unwrap_err();
    assert!(matches!(&error, LaneError::NameTaken { name } if name == "route"), "{error:?}");
    world.store.remove_lane(world.lease, world.bot, first.id).await.unwrap();
    world.reopen().await;
    let second = world.store.create_lane(world.lease, world.bot, again).await.unwrap();
    assert!(second.id > first.id, "{:?} after {:?}", second.id, first.id);
    assert_eq!(second.kind, LaneKind::App);
}

pub async fn lanes_are_listed_in_pages<E: Engine>() {
    let world = World::<E>::new().await;
    for name in ["c", "a", "b"] {
        world.route(name).await;
    }
    let list = async |after, limit| {
        let lanes = world.store.list_lanes(world.bot, after, limit).await.unwrap();
        lanes.into_iter().map(|lane| lane.name).collect::<Vec<_>>()
    };
    assert_eq!(list(None, 2).await, ["c", "a"]);
    assert_eq!(list(Some(LaneId::new(2).unwrap()), 2).await, ["b"]);
    assert_eq!(list(Some(LaneId::MAX), 2).await.len(), 0);
    assert!(world.store.list_lanes(bot(9), None, 9).await.unwrap().is_empty());
}

pub async fn a_survey_shows_all_lanes_of_all_bots_by_need<E: Engine>() {
    let world = World::<E>::new().await;
    assert_eq!(world.store.survey(9).await.unwrap(), Survey::default());
    let idle = world.lane("idle", LaneKind::App, Start::Now, Filter::UPDATES).await;
    let behind = world.route("behind").await;
    let busy = world.route("busy").await;
    world.append_messages(1, 5).await;
    world.acknowledge(idle.id, 5).await;
    world.acknowledge(busy.id, 4).await;
    let put = vec![
        held(1, 1, HeldState::Sending),
        held(2, 1, HeldState::Retrying),
        held(3, 1, HeldState::Unknown),
        held(4, 1, HeldState::Dead),
    ];
    let state = LaneState::Paused {
        reason: PauseReason::Operator,
        since: Timestamp::from_millis(1),
        until: None,
        detail: String::new(),
    };
    let passed = Passed { skipped: 3, expired: 7 };
    world.settle(busy.id, Settlement { put, passed, state: Some(state), ..Settlement::default() }).await;
    let other =
        NewLane { name: "other".to_owned(), kind: LaneKind::App, start: Start::Now, filter: Filter::UPDATES };
    let lease = super::world::lease(&*world.store, bot(9)).await;
    world.store.create_lane(lease, bot(9), other).await.unwrap();

    let Survey { lanes, all } = world.store.survey(9).await.unwrap();
    assert_eq!(all, 4);
    let shown: Vec<_> =
        lanes.iter().map(|lane| (lane.bot, lane.name.as_str(), lane.kind, lane.behind)).collect();
    let (app, route) = (LaneKind::App, LaneKind::Route);
    let bots = (world.bot.min(bot(9)), world.bot.max(bot(9)));
    let name = |of| if of == world.bot { "idle" } else { "other" };
    assert_eq!(
        shown,
        [
            (world.bot, "busy", route, 1),
            (world.bot, "behind", route, 5),
            (bots.0, name(bots.0), app, 0),
            (bots.1, name(bots.1), app, 0)
        ]
    );
    assert_eq!(lanes[0].held, HeldCounts { sending: 1, retrying: 1, unknown: 1, dead: 1 });
    assert_eq!((lanes[0].paused, lanes[0].passed), (Some(PauseReason::Operator), passed));
    let first = world.store.find_event(world.bot, at(1)).await.unwrap().unwrap();
    assert_eq!((lanes[1].lane, lanes[1].oldest, lanes[1].paused), (behind.id, Some(first.appended_at), None));
    assert_eq!(lanes[2].oldest, None);

    let few = world.store.survey(2).await.unwrap();
    assert_eq!((few.lanes.as_slice(), few.all), (&lanes[..2], 4));
}

pub async fn a_settlement_is_kept_as_a_whole<E: Engine>() {
    let mut world = World::<E>::new().await;
    world.append_messages(1, 9).await;
    let lane = world.route("route").await;
    let paused = LaneState::Paused {
        reason: PauseReason::Down,
        since: Timestamp::from_millis(1),
        until: Some(Timestamp::from_millis(2)),
        detail: "no connection".to_owned(),
    };
    let fault = LaneFault { at: Timestamp::from_millis(3), text: "503".to_owned() };
    let settlement = Settlement {
        acked: Some(at(4)),
        put: vec![held(2, 1, HeldState::Retrying), held(3, 1, HeldState::Dead)],
        drop: vec![at(9)],
        passed: Passed { skipped: 1, expired: 2 },
        state: Some(paused.clone()),
        fault: Some(fault.clone()),
        facts: Vec::new(),
        haste: Haste::WithOthers,
    };
    world.settle(lane.id, settlement).await;
    let drop =
        Settlement { drop: vec![at(3)], passed: Passed { skipped: 10, expired: 0 }, ..Settlement::default() };
    world.settle(lane.id, drop).await;
    world.reopen().await;
    let now = world.find(lane.id).await;
    assert_eq!((now.acked, &now.state, &now.last_fault), (at(4), &paused, &Some(fault)));
    assert_eq!(now.passed, Passed { skipped: 11, expired: 2 });
    assert_eq!((now.name, now.filter, now.created_at), (lane.name, lane.filter, lane.created_at));
    let rows = world.store.list_held(world.bot, lane.id, HeldStates::ALL, Seq::ZERO, 9).await.unwrap();
    assert_eq!(rows, [held(2, 1, HeldState::Retrying)]);

    for reason in [PauseReason::Refused, PauseReason::Operator, PauseReason::Crowded] {
        let state = LaneState::Paused { reason, since: Timestamp::EPOCH, until: None, detail: String::new() };
        world.settle(lane.id, Settlement { state: Some(state.clone()), ..Settlement::default() }).await;
        assert_eq!(world.find(lane.id).await.state, state);
    }
    let running = Settlement { state: Some(LaneState::Running), ..Settlement::default() };
    world.settle(lane.id, running).await;
    assert_eq!(world.find(lane.id).await.state, LaneState::Running);
}

pub async fn a_cursor_goes_back_only_when_it_is_moved<E: Engine>() {
    let world = World::<E>::new().await;
    world.append_messages(1, 5).await;
    let lane = world.route("route").await.id;
    world.acknowledge(lane, 3).await;
    world.acknowledge(lane, 1).await;
    assert_eq!(world.find(lane).await.acked, at(3));
    world.acknowledge(lane, 99).await;
    assert_eq!(world.find(lane).await.acked, at(5), "the end is the end");
    for (to, acked) in [(2, 2), (4, 4), (99, 5), (0, 0)] {
        world.store.move_cursor(world.lease, world.bot, lane, at(to)).await.unwrap();
        assert_eq!(world.find(lane).await.acked, at(acked));
    }
}

pub async fn a_settlement_carries_facts<E: Engine>() {
    let world = World::<E>::new().await;
    let lane = world.route("route").await.id;
    let hand_off =
        HandOff { conversation: tandem_model::Conversation::chat(5), until: Timestamp::from_millis(77) };
    let facts = vec![Fact::HandOff(hand_off.clone())];
    world.settle(lane, Settlement { facts, ..Settlement::default() }).await;
    let found = world.store.find_hand_off(world.bot, hand_off.conversation.clone()).await.unwrap();
    assert_eq!(found, Some(hand_off));
}

pub async fn a_filter_that_is_already_there_changes_nothing<E: Engine>() {
    let world = World::<E>::new().await;
    let lane = world.route("route").await.id;
    world.append_messages(1, 3).await;
    let none = Filter { kinds: EventKinds::NONE, ..Filter::UPDATES };
    assert_eq!(world.store.set_filter(world.lease, world.bot, lane, none).await.unwrap(), at(4));
    world.append_messages(1, 3).await;
    assert_eq!(world.store.set_filter(world.lease, world.bot, lane, none).await.unwrap(), at(4));
    assert_eq!(world.find(lane).await.filter, none);
    world.append(vec![message(1, "x")]).await.unwrap();
    assert_eq!(seqs(&world.read_all(lane, Seq::ZERO).await), [1, 2, 3]);
}

pub async fn a_lane_that_is_not_there_is_missing<E: Engine>() {
    let world = World::<E>::new().await;
    world.append_messages(1, 3).await;
    let (store, lease, bot, lane) = (&world.store, world.lease, world.bot, LaneId::new(7).unwrap());
    let results = [
        store.settle(lease, bot, lane, Settlement::default()).await,
        store.set_filter(lease, bot, lane, Filter::UPDATES).await.map(|_| ()),
        store.move_cursor(lease, bot, lane, Seq::ZERO).await,
        store.remove_lane(lease, bot, lane).await,
    ];
    for result in results {
        assert!(
            matches!(&result, Err(LaneError::Missing { lane: missing }) if *missing == lane),
            "{result:?}"
        );
    }
    assert_eq!(store.find_lane(bot, lane).await.unwrap(), None);
    assert!(world.read_all(lane, Seq::ZERO).await.is_empty());
}

pub async fn a_removed_lane_leaves_nothing_behind<E: Engine>() {
    let world = World::<E>::new().await;
    world.append_messages(1, 3).await;
    let lane = world.route("route").await.id;
    let put = vec![held(1, 1, HeldState::Retrying)];
    world.settle(lane, Settlement { put, ..Settlement::default() }).await;
    world.store.remove_lane(world.lease, world.bot, lane).await.unwrap();
    assert_eq!(world.store.find_lane(world.bot, lane).await.unwrap(), None);
    let rows = world.store.list_held(world.bot, lane, HeldStates::ALL, Seq::ZERO, 9).await.unwrap();
    assert!(rows.is_empty());
    assert!(world.store.list_lost(world.bot, lane, Seq::ZERO, 9).await.unwrap().is_empty());
}
