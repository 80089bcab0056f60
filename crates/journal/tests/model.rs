//! The SQLite engine against a model of a few lines: whatever the order of verbs, closings and openings, and however
//! much of the journal's end is in memory, both say the same.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use proptest::{collection::vec, prelude::*};
use tandem_journal::{
    Appended, HeldStates, LaneKind, LanePage, NewLane, Order, Outline, Page, Settlement, Start, Store,
    conformance::{
        Engine, World,
        world::{WHOLE, at, held, message, numbered, sent},
    },
    sqlite::{Options, SqliteStore},
};
use tandem_model::{
    Clock, Event, EventKind, EventKinds, Filter, Held, HeldState, LaneId, NewEvent, OrderKey, Seq, VirtualId,
};

/// One verb. Lanes are named by their place in the order they were made.
#[derive(Debug, Clone)]
enum Verb {
    Append(Vec<What>),
    Create(LaneKind, bool),
    SetFilter(usize, u8),
    Settle { lane: usize, acked: i64, hold: Vec<(i64, u8)>, drop: Vec<i64> },
    MoveCursor(usize, i64),
    Remove(usize),
    Read { lane: usize, after: i64, events: usize, bytes: usize },
    Sweep { days: u64, limit: usize },
    Wait { hours: u64 },
    Reopen,
}

#[derive(Debug, Clone)]
enum What {
    Numbered(i64),
    Message(i64),
    Sent(i64),
}

fn verbs() -> impl Strategy<Value = Vec<Verb>> {
    let what = prop_oneof![
        (100_i64..130).prop_map(What::Numbered),
        (0_i64..4).prop_map(What::Message),
        (0_i64..4).prop_map(What::Sent),
    ];
    let lane = 0_usize..4;
    let seq = 0_i64..60;
    let verb = prop_oneof![
        8 => vec(what, 0..6).prop_map(Verb::Append),
        2 => (prop_oneof![Just(LaneKind::App), Just(LaneKind::Route)], any::<bool>())
            .prop_map(|(kind, now)| Verb::Create(kind, now)),
        2 => (lane.clone(), 0_u8..4).prop_map(|(lane, kinds)| Verb::SetFilter(lane, kinds)),
        6 => (lane.clone(), seq.clone(), vec((seq.clone(), 0_u8..4), 0..3), vec(seq.clone(), 0..3))
            .prop_map(|(lane, acked, hold, drop)| Verb::Settle { lane, acked, hold, drop }),
        1 => (lane.clone(), seq).prop_map(|(lane, to)| Verb::MoveCursor(lane, to)),
        1 => lane.clone().prop_map(Verb::Remove),
        8 => (lane, 0_i64..60, 0_usize..6, 0_usize..60)
            .prop_map(|(lane, after, events, bytes)| Verb::Read { lane, after, events, bytes }),
        2 => (0_u64..4, 1_usize..20).prop_map(|(days, limit)| Verb::Sweep { days, limit }),
        2 => (1_u64..40).prop_map(|hours| Verb::Wait { hours }),
        1 => Just(Verb::Reopen),
    ];
    vec(verb, 1..60)
}

fn filter(kinds: u8) -> Filter {
    let kinds = match kinds {
        0 => EventKinds::NONE,
        1 => EventKinds::of(&[EventKind::Update]),
        2 => EventKinds::of(&[EventKind::Sent]),
        _ => EventKinds::ALL,
    };
    Filter { kinds, ..Filter::UPDATES }
}

fn state(code: u8) -> HeldState {
    [HeldState::Sending, HeldState::Retrying, HeldState::Unknown, HeldState::Dead][usize::from(code)]
}

struct ModelLane {
    kind: LaneKind,
    acked: i64,
    filters: Vec<(i64, Filter)>,
    held: BTreeMap<i64, Held>,
    /// Events it lost, which it would have been given or had set aside.
    lost: u64,
    expired: u64,
}

impl ModelLane {
    fn filter(&self, seq: i64) -> Filter {
        let version = self.filters.iter().rev().find(|(from, _)| *from <= seq);
        version.expect("the first filter is from the beginning").1
    }

    fn admits(&self, id: LaneId, event: &Event) -> bool {
        self.filter(event.seq.get()).admits(id, &event.new)
    }
}

#[derive(Default)]
struct Model {
    events: BTreeMap<i64, Event>,
    last: i64,
    swept: i64,
    virtual_id: i64,
    lanes: Vec<(LaneId, Option<ModelLane>)>,
}

impl Model {
    fn append(&mut self, world: &World<Place>, events: &[NewEvent]) -> Vec<Appended> {
        let now = world.clock.now();
        let since = now.minus(Duration::from_hours(48));
        events
            .iter()
            .map(|new| {
                let repeat = self.events.values().rev().find(|event| {
                    new.upstream.is_some()
                        && event.new.upstream == new.upstream
                        && event.new.body == new.body
                        && event.appended_at >= since
                });
                if let Some(event) = repeat {
                    return Appended::Duplicate { seq: event.seq };
                }
                self.last += 1;
                let virtual_id = (new.kind == EventKind::Update).then(|| {
                    let theirs = new.upstream.map(|upstream| upstream.id.get());
                    self.virtual_id = match self.virtual_id {
                        0 => theirs.unwrap_or(2_000_001),
                        last => theirs.unwrap_or(0).max(last + 1),
                    };
                    VirtualId::new(self.virtual_id).expect("an id")
                });
                let seq = at(self.last);
                let event = Event { bot: world.bot, seq, virtual_id, appended_at: now, new: new.clone() };
                self.events.insert(self.last, event);
                Appended::New { seq, virtual_id }
            })
            .collect()
    }

    /// What a lane reads: of a journal that retention has passed single events are left.
    fn read_lane(&self, index: usize, after: i64, page: Page) -> LanePage {
        let (id, lane) = &self.lanes[index];
        let (mut events, mut bytes, mut scanned_to) = (Vec::new(), 0, self.last.max(after));
        for (seq, event) in self.events.range(after + 1..) {
            if lane.as_ref().is_some_and(|lane| lane.admits(*id, event)) {
                bytes += event.body.len();
                events.push(event.clone());
            }
            if !events.is_empty() && (events.len() >= page.events || bytes >= page.bytes) {
                scanned_to = *seq;
                break;
            }
        }
        LanePage { events, scanned_to: at(scanned_to), head: at(self.last) }
    }

    /// Keeps for so many days, and three times as many at most.
    fn sweep(&mut self, world: &World<Place>, days: u64, limit: usize) {
        let old = world.clock.now().minus(Duration::from_hours(24 * days));
        let too_old = world.clock.now().minus(Duration::from_hours(72 * days));
        let is_held = |lanes: &[(LaneId, Option<ModelLane>)], seq: i64| {
            lanes.iter().any(|(_, lane)| lane.as_ref().is_some_and(|lane| lane.held.contains_key(&seq)))
        };
        let mut left = limit;
        let behind: Vec<i64> = self.events.range(..=self.swept).map(|(seq, _)| *seq).collect();
        let mut gone = Vec::new();
        for seq in behind {
            if left > 0 && (self.events[&seq].appended_at < too_old || !is_held(&self.lanes, seq)) {
                gone.push(seq);
                left -= 1;
            }
        }
        for seq in self.swept + 1..=self.last {
            let event = &self.events[&seq];
            let forced = event.appended_at < too_old;
            let passed = |lane: &ModelLane| lane.kind == LaneKind::App || lane.acked >= seq;
            let allowed = event.appended_at < old
                && self.lanes.iter().all(|(_, lane)| lane.as_ref().is_none_or(passed));
            if left == 0 || !(forced || allowed) {
                break;
            }
            left -= 1;
            self.swept = seq;
            if !forced && is_held(&self.lanes, seq) {
                continue;
            }
            gone.push(seq);
            for (id, lane) in &mut self.lanes {
                let Some(lane) = lane else { continue };
                if lane.acked < seq {
                    let count = u64::from(lane.admits(*id, event));
                    lane.acked = seq;
                    lane.lost += count;
                }
            }
        }
        for seq in gone {
            self.events.remove(&seq);
        }
        for (_, lane) in &mut self.lanes {
            let Some(lane) = lane else { continue };
            let gone: Vec<i64> = lane
                .held
                .range(..=self.swept)
                .map(|(seq, _)| *seq)
                .filter(|seq| !self.events.contains_key(seq))
                .collect();
            for seq in gone {
                let row = lane.held.remove(&seq).expect("a row");
                lane.lost += u64::from(row.state.blocks());
            }
            if lane.kind == LaneKind::App {
                lane.expired += std::mem::take(&mut lane.lost);
            }
        }
    }
}

struct Place {
    directory: tempfile::TempDir,
    tail_bytes: usize,
}

impl Place {
    fn new(tail_bytes: usize) -> Self {
        Self { directory: tandem_testkit::folder(), tail_bytes }
    }
}

impl Engine for Place {
    async fn prepare() -> Self {
        Self::new(Options::new("").tail_bytes)
    }

    async fn open(&self, clock: Arc<dyn Clock>) -> Arc<dyn Store> {
        let tail_bytes = self.tail_bytes;
        let options = Options { tail_bytes, ..Options::new(self.directory.path().join("tandem.db")) };
        Arc::new(SqliteStore::open(options, clock).await.expect("an open store"))
    }
}

async fn apply(world: &mut World<Place>, model: &mut Model, verb: &Verb) {
    let (lease, bot) = (world.lease, world.bot);
    match verb {
        Verb::Append(whats) => {
            let events: Vec<NewEvent> = whats
                .iter()
                .map(|what| match what {
                    What::Numbered(id) => numbered(*id),
                    What::Message(chat) => message(*chat, "message"),
                    What::Sent(chat) => sent(*chat, "sent"),
                })
                .collect();
            let expected = model.append(world, &events);
            assert_eq!(world.append(events).await.expect("an append"), expected);
        }
        Verb::Create(kind, now) => {
            let (start, acked) =
                if *now { (Start::Now, model.last) } else { (Start::Beginning, model.swept) };
            let name = model.lanes.len().to_string();
            let new = NewLane { name, kind: *kind, start, filter: filter(1) };
            let lane = world.store.create_lane(lease, bot, new).await.expect("a lane");
            assert_eq!(lane.acked, at(acked));
            let made = ModelLane {
                kind: *kind,
                acked,
                filters: vec![(0, filter(1))],
                held: BTreeMap::new(),
                lost: 0,
                expired: 0,
            };
            model.lanes.push((lane.id, Some(made)));
        }
        Verb::Wait { hours } => world.clock.advance(Duration::from_hours(*hours)),
        Verb::Reopen => world.reopen().await,
        Verb::Sweep { days, limit } => {
            let retention = tandem_journal::Retention {
                keep: Duration::from_hours(24 * days),
                at_most: Duration::from_hours(72 * days),
                max_bytes: None,
            };
            let swept = world.store.sweep(lease, bot, retention, *limit).await.expect("a sweep");
            model.sweep(world, *days, *limit);
            assert_eq!(swept.swept_to, at(model.swept));
        }
        Verb::Read { lane, after, events, bytes } => {
            if let Some((id, _)) = model.lanes.get(*lane) {
                let page = Page { events: *events, bytes: *bytes };
                let read = world.store.read_lane(bot, *id, at(*after), page).await.expect("a page");
                assert_eq!(read, model.read_lane(*lane, *after, page));
            }
        }
        Verb::SetFilter(lane, _)
        | Verb::Settle { lane, .. }
        | Verb::MoveCursor(lane, _)
        | Verb::Remove(lane) => {
            if let Some((id, Some(_))) = model.lanes.get(*lane) {
                apply_to_lane(world, model, *lane, *id, verb).await;
            }
        }
    }
}

async fn apply_to_lane(world: &World<Place>, model: &mut Model, index: usize, id: LaneId, verb: &Verb) {
    let (lease, bot, store) = (world.lease, world.bot, &world.store);
    let (last, swept) = (model.last, model.swept);
    let lane = model.lanes[index].1.as_mut().expect("a lane that is there");
    match verb {
        Verb::SetFilter(_, kinds) => {
            store.set_filter(lease, bot, id, filter(*kinds)).await.expect("a filter");
            if lane.filter(i64::MAX) != filter(*kinds) {
                lane.filters.retain(|(from, _)| *from != last + 1);
                lane.filters.push((last + 1, filter(*kinds)));
            }
        }
        Verb::Settle { acked, hold, drop, .. } => {
            // A lane sets aside what is there.
            let rows = hold.iter().filter(|(seq, _)| (swept + 1..=last).contains(seq));
            let put: Vec<Held> = rows.map(|(seq, code)| held(*seq, seq % 4, state(*code))).collect();
            let settlement = Settlement {
                acked: Some(at(*acked)),
                put: put.clone(),
                drop: drop.iter().copied().map(at).collect(),
                ..Settlement::default()
            };
            store.settle(lease, bot, id, settlement).await.expect("a settlement");
            lane.acked = lane.acked.max((*acked).min(last));
            for seq in drop {
                lane.held.remove(seq);
            }
            lane.held.extend(put.into_iter().map(|row| (row.seq.get(), row)));
        }
        Verb::MoveCursor(_, to) => {
            store.move_cursor(lease, bot, id, at(*to)).await.expect("a moved cursor");
            lane.acked = (*to).clamp(swept, last);
        }
        Verb::Remove(_) => {
            store.remove_lane(lease, bot, id).await.expect("a removed lane");
            model.lanes[index].1 = None;
        }
        _ => unreachable!("verbs of a lane only"),
    }
}

/// Each lane reads on from where it was, as lanes do that keep up.
async fn follow(world: &World<Place>, model: &Model, followed: &mut Vec<i64>) {
    followed.resize(model.lanes.len(), 0);
    for (index, ((id, _), after)) in model.lanes.iter().zip(followed).enumerate() {
        let read = world.store.read_lane(world.bot, *id, at(*after), WHOLE).await.expect("a page");
        assert_eq!(read, model.read_lane(index, *after, WHOLE));
        *after = read.scanned_to.get();
    }
}

/// Everything that can be asked says the same.
async fn compare(world: &World<Place>, model: &Model) {
    let (store, bot) = (&world.store, world.bot);
    let head = store.head(bot).await.expect("a head");
    assert_eq!((head.last.get(), head.oldest.get()), (model.last, model.swept + 1));
    assert_eq!(head.next_virtual.map_or(1, VirtualId::get), model.virtual_id + 1);
    let all: Vec<Event> = model.events.values().cloned().collect();
    let page = store.read_journal(bot, Seq::ZERO, WHOLE).await.expect("the journal");
    assert_eq!(page.events, all);
    for probe in [1, 100, 115, 129, 2_000_001, 2_000_010] {
        let found =
            store.find_position(bot, VirtualId::new(probe).expect("an id")).await.expect("a position");
        let mut running = 0;
        let expected = model.events.range(model.swept + 1..).find(|(_, event)| {
            running = event.virtual_id.map_or(running, VirtualId::get);
            running >= probe
        });
        // Where what is left begins after the id, its first event is where to begin.
        let expected = expected.map_or(model.last + 1, |(seq, _)| *seq);
        let before = model.events.range(model.swept + 1..expected);
        assert!(found.get() <= expected, "no update of id {probe} on is passed over");
        let skipped = before.filter(|(seq, _)| **seq < found.get());
        assert!(skipped.into_iter().all(|(_, event)| event.virtual_id.is_none_or(|id| id.get() < probe)));
    }
    for (index, (id, lane)) in model.lanes.iter().enumerate() {
        for after in 0..=model.last + 1 {
            let read = store.read_lane(bot, *id, at(after), WHOLE).await.expect("a page");
            assert_eq!(read, model.read_lane(index, after, WHOLE));
        }
        let Some(lane) = lane else {
            assert!(store.find_lane(bot, *id).await.expect("no lane").is_none());
            continue;
        };
        let found = world.find(*id).await;
        assert_eq!((found.acked.get(), found.passed.expired), (lane.acked, lane.expired));
        assert_eq!(found.filter, lane.filter(i64::MAX));
        let wanted: Vec<Event> = all.iter().filter(|event| lane.admits(*id, event)).cloned().collect();
        assert_eq!(world.read_all(*id, Seq::ZERO).await, wanted);
        for order in [Order::OldestFirst, Order::NewestFirst] {
            let stretch = (at(lane.acked / 2), at((model.last - 1).max(0)));
            let page = store.outline_lane(bot, *id, stretch, order, 1000).await.expect("an outline");
            let within = wanted.iter().filter(|event| event.seq > stretch.0 && event.seq <= stretch.1);
            let mut expected: Vec<Outline> = within.map(Outline::from).collect();
            if order == Order::NewestFirst {
                expected.reverse();
            }
            assert_eq!(page.events, expected);
        }
        let rest = world.read_all(*id, at(lane.acked)).await;
        assert!(rest.iter().eq(wanted.iter().filter(|event| event.seq.get() > lane.acked)));
        for chat in 0..4 {
            let conversation = tandem_model::Conversation::chat(chat);
            let key = OrderKey { conversation: conversation.clone(), family: None };
            let page = Page { events: 2, bytes: 1000 };
            let after = at(lane.acked / 2);
            let page = store.read_conversation(bot, *id, key, after, Seq::MAX, page).await.expect("a page");
            let expected =
                wanted.iter().filter(|event| event.conversation == conversation && event.seq > after).take(2);
            assert!(page.events.iter().eq(expected));
        }
        let rows = store.list_held(bot, *id, HeldStates::ALL, Seq::ZERO, 100).await.expect("held rows");
        assert!(rows.iter().eq(lane.held.values()), "{rows:?}");
        let lost = store.list_lost(bot, *id, Seq::ZERO, 100).await.expect("losses");
        assert_eq!(lost.iter().map(|lost| lost.count.get()).sum::<u64>(), lane.lost);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn the_engine_says_what_the_model_says(
        verbs in verbs(),
        tail_bytes in prop_oneof![Just(0_usize), Just(4_000), Just(1 << 20)],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let mut world = World::on(Place::new(tail_bytes)).await;
            let mut model = Model::default();
            let mut followed = Vec::new();
            for verb in &verbs {
                apply(&mut world, &mut model, verb).await;
                follow(&world, &model, &mut followed).await;
            }
            compare(&world, &model).await;
            world.reopen().await;
            compare(&world, &model).await;
            assert_eq!(world.store.check().await.expect("a check"), Vec::<String>::new());
        });
    }
}
