//! The core against a model: a journal and a store that are two maps, and whatever can happen in any order.
//!
//! Nothing here waits or runs by itself, so each case is exact: reads and commits take as long as the case says, and
//! a crash can come between any two steps. The same properties on the real engine are in `tests/machine.rs`.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use proptest::prelude::*;
use tandem_journal::{Lane, LaneKind, LaneState, Passed, Settlement};
use tandem_model::{
    Blame, BotId, Conversation, Event, EventKind, Family, Filter, Flags, Held, HeldState, LaneId, Lifetime,
    NewEvent, OrderKey, PauseReason, SeededRng, Seq, Timestamp, Topic, Verdict,
};

use super::{Core, Env, Found, Landed, Launch, Read, Rows, Wish};
use crate::{Config, Delivered, Ladder, OrderBy, PushSpec, Repeats, gate::Gate, metrics::DeliveryMetrics};

/// One thing that happens.
#[derive(Debug, Clone)]
enum Step {
    Append {
        chat: i64,
        family: u8,
        wanted: bool,
        short: bool,
    },
    Pass {
        millis: u64,
    },
    Back {
        millis: u64,
    },
    Read,
    ReadFails,
    Commit,
    Land {
        which: usize,
        taken: usize,
        word: Word,
    },
    /// So many events are taken at once from now on.
    Swift {
        events: usize,
    },
    Crash {
        commit_survives: bool,
    },
    Pause,
    Resume,
}

/// What a destination can say.
#[derive(Debug, Clone, Copy)]
enum Word {
    Done,
    Wait,
    RetryEvent,
    RetryUnclear,
    RetryDown,
    Reject,
    Unknown,
    Stop,
}

fn word() -> impl Strategy<Value = Word> {
    prop_oneof![
        12 => Just(Word::Done),
        1 => Just(Word::Wait),
        3 => Just(Word::RetryEvent),
        3 => Just(Word::RetryUnclear),
        1 => Just(Word::RetryDown),
        1 => Just(Word::Reject),
        1 => Just(Word::Unknown),
        1 => Just(Word::Stop),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..6_i64, 0..2_u8, prop::bool::weighted(0.85), prop::bool::weighted(0.1))
            .prop_map(|(chat, family, wanted, short)| Step::Append { chat, family, wanted, short }),
        3 => (0..4000_u64).prop_map(|millis| Step::Pass { millis }),
        1 => (4000..200_000_u64).prop_map(|millis| Step::Pass { millis }),
        1 => (0..5000_u64).prop_map(|millis| Step::Back { millis }),
        10 => Just(Step::Read),
        1 => Just(Step::ReadFails),
        8 => Just(Step::Commit),
        10 => (any::<usize>(), 0..3_usize, word())
            .prop_map(|(which, taken, word)| Step::Land { which, taken, word }),
        2 => (0..8_usize).prop_map(|events| Step::Swift { events }),
        1 => any::<bool>().prop_map(|commit_survives| Step::Crash { commit_survives }),
        1 => Just(Step::Pause),
        2 => Just(Step::Resume),
    ]
}

/// What became of an event so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Nothing yet, or it is known not to have arrived.
    Open,
    /// At the destination.
    Away,
    /// At the destination when the service crashed.
    Interrupted,
    Done,
    /// Rejected or unknown.
    Aside,
}

struct World {
    spec: Arc<PushSpec>,
    env: Arc<Env>,
    now: Timestamp,
    journal: Vec<(Event, bool)>,
    lane: Lane,
    held: BTreeMap<Seq, Held>,
    core: Core,
    read: Option<Read>,
    settlement: Option<Settlement>,
    flying: Vec<Launch>,
    fate: BTreeMap<Seq, Fate>,
    /// The last event of each key handed over since the last crash.
    last: BTreeMap<OrderKey, Seq>,
    /// How many events the destination takes at once.
    swift: usize,
}

const BOT: i64 = 7;

impl World {
    fn new(repeats: Repeats, order: OrderBy, backlog: Option<Duration>, run_events: usize) -> Self {
        let spec = Arc::new(PushSpec {
            order,
            repeats,
            ladder: Ladder::telegram(),
            max_in_flight: 3,
            run_events,
            run_bytes: 1 << 20,
            backlog,
        });
        let config = Config { window: 6, max_held: 4, max_in_flight: 2, ..Config::default() };
        let env = Arc::new(Env {
            places: Gate::new(config.max_in_flight),
            memory: Gate::new(config.read_ahead_bytes),
            config,
            rng: Arc::new(SeededRng::from_seed(1)),
            metrics: DeliveryMetrics::default(),
        });
        let now = Timestamp::from_secs(1_000_000);
        let lane = Lane {
            bot: BotId::new(BOT).unwrap(),
            id: LaneId::new(1).unwrap(),
            name: "lane".to_owned(),
            kind: LaneKind::Route,
            acked: Seq::ZERO,
            filter: Filter::UPDATES,
            state: LaneState::Running,
            last_fault: None,
            passed: Passed::default(),
            created_at: now,
        };
        let core = Core::load(&lane, Rows::default(), Arc::clone(&spec), Arc::clone(&env), now);
        Self {
            spec,
            env,
            now,
            journal: Vec::new(),
            lane,
            held: BTreeMap::new(),
            core,
            read: None,
            settlement: None,
            flying: Vec::new(),
            fate: BTreeMap::new(),
            last: BTreeMap::new(),
            swift: 0,
        }
    }

    fn event(&self, seq: Seq) -> &Event {
        &self.journal[usize::try_from(seq.get() - 1).unwrap()].0
    }

    fn key(&self, seq: Seq) -> OrderKey {
        self.spec.key(self.event(seq))
    }

    fn append(&mut self, chat: i64, family: u8, wanted: bool, short: bool) {
        let seq = Seq::new(i64::try_from(self.journal.len()).unwrap() + 1).unwrap();
        let new = NewEvent {
            kind: EventKind::Update,
            topic: Topic::new(0).unwrap(),
            conversation: Conversation::chat(chat),
            family: Family(family),
            at: self.now,
            lifetime: if short { Lifetime::Seconds(20) } else { Lifetime::Backlog },
            flags: Flags::NONE,
            upstream: None,
            cause: None,
            owner: None,
            body: Bytes::from_static(b"{}"),
        };
        let event =
            Event { bot: BotId::new(BOT).unwrap(), seq, virtual_id: None, appended_at: self.now, new };
        self.journal.push((event, wanted));
        self.core.on_appended(seq, self.now);
    }

    /// Lets the core do what it can, and checks what it hands over.
    fn turn(&mut self) {
        while let Some(straight) = self.core.next_straight(self.now) {
            let launch = straight.launch();
            self.check_launch(&launch);
            if self.swift > 0 {
                self.swift -= 1;
                self.fate.insert(launch.run.events[0].seq, Fate::Done);
                self.core.went_straight(&straight, Vec::new());
            } else {
                self.core.keep(straight, self.now);
                self.flying.push(launch);
            }
        }
        self.core.step(self.now);
        if self.settlement.is_none() {
            self.settlement = self.core.next_settlement();
        }
        if self.read.is_none() {
            self.read = self.core.next_read(self.now);
        }
        for launch in self.core.take_launches() {
            self.check_launch(&launch);
            self.flying.push(launch);
        }
        let window = self.env.config.window;
        assert!(self.core.window.len() <= window, "the window is bounded");
        assert!(self.flying.len() <= self.spec.max_in_flight, "flights are bounded");
    }

    fn check_launch(&mut self, launch: &Launch) {
        let seqs: Vec<Seq> = launch.run.events.iter().map(|event| event.seq).collect();
        let key = self.key(seqs[0]);
        assert!(seqs.is_sorted() && seqs.len() <= self.spec.run_events);
        for other in &self.flying {
            assert_ne!(self.key(other.run.events[0].seq), key, "one run of a key at a time");
        }
        for seq in seqs {
            assert_eq!(self.key(seq), key, "a run is of one key");
            let fate = self.fate.get(&seq).copied().unwrap_or(Fate::Open);
            if self.spec.repeats == Repeats::Unrecognised {
                assert_eq!(fate, Fate::Open, "{seq} is never repeated blindly");
                assert_eq!(
                    self.held.get(&seq).map(|row| row.state),
                    Some(HeldState::Sending),
                    "{seq} is noted"
                );
            }
            assert_ne!(fate, Fate::Aside, "{seq} was set aside");
            assert!(fate != Fate::Done || self.owed(seq), "{seq} is noted as done and comes again");
            let last = self.last.get(&key).copied().unwrap_or(Seq::ZERO);
            let again = seq == last && fate == Fate::Open;
            assert!(seq > last || again, "{seq} after {last} in {key:?}");
            for earlier in self.journal.iter().take_while(|(event, _)| event.seq < seq) {
                let (event, wanted) = earlier;
                let fate = self.fate.get(&event.seq).copied().unwrap_or(Fate::Open);
                let open = *wanted && self.spec.key(event) == key && matches!(fate, Fate::Open);
                let expired =
                    self.spec.ends(event).is_some_and(|end| end <= self.now.plus(Duration::from_secs(200)));
                assert!(!open || expired, "{} was left out before {seq}", event.seq);
            }
            self.last.insert(key.clone(), seq);
            self.fate.insert(seq, Fate::Away);
        }
    }

    /// Whether the store would have the event delivered again.
    fn owed(&self, seq: Seq) -> bool {
        let row = |state: HeldState| self.held.get(&seq).is_some_and(|row| row.state == state);
        if row(HeldState::Dead) || row(HeldState::Unknown) {
            return false;
        }
        let key = self.key(seq);
        let behind = self.held.values().any(|row| row.state.blocks() && row.key() == key && row.seq <= seq);
        seq > self.lane.acked || behind
    }

    fn commit(&mut self, settlement: Settlement) {
        if let Some(acked) = settlement.acked {
            self.lane.acked = self.lane.acked.max(acked);
        }
        for seq in settlement.drop {
            self.held.remove(&seq);
        }
        for row in settlement.put {
            self.held.insert(row.seq, row);
        }
        if let Some(state) = settlement.state {
            self.lane.state = state;
        }
        self.lane.passed.expired += settlement.passed.expired;
        for (event, wanted) in &self.journal {
            let fate = self.fate.get(&event.seq).copied().unwrap_or(Fate::Open);
            let expired =
                self.spec.ends(event).is_some_and(|end| end <= self.now.plus(Duration::from_secs(200)));
            let lost = *wanted && !expired && !self.owed(event.seq) && !self.held.contains_key(&event.seq);
            assert!(!lost || fate == Fate::Done, "{} is {fate:?} and lost to the store", event.seq);
        }
    }

    fn answer_read(&mut self) {
        let Some(read) = self.read.take() else { return };
        let head = Seq::new(i64::try_from(self.journal.len()).unwrap()).unwrap();
        let wanted = |after: Seq, until: Seq, limit: usize, key: Option<&OrderKey>| {
            let mut events = Vec::new();
            let mut scanned = after;
            for (event, wanted) in
                self.journal.iter().filter(|(event, _)| event.seq > after && event.seq <= until)
            {
                if events.len() == limit {
                    return (events, scanned);
                }
                scanned = event.seq;
                if *wanted && key.is_none_or(|key| self.spec.key(event) == *key) {
                    events.push(event.clone());
                }
            }
            (events, until.min(head).max(scanned))
        };
        let found = match read {
            Read::Lane { after, page, purpose } => {
                let (events, scanned_to) = wanted(after, head, page.events.min(3), None);
                Found::Lane { events, scanned_to, head, purpose }
            }
            Read::Key { key, after, until, page, aside_to } => {
                let (mut events, scanned_to) = wanted(after, until, page.events.min(2), Some(&key));
                events.retain(|event| !self.is_aside(event.seq, aside_to));
                Found::Key { key, events, scanned_to, until }
            }
            Read::Row { key, seq, until, page, aside_to } => {
                let (mut events, scanned_to) = wanted(seq.previous(), until, page.events, Some(&key));
                events.retain(|event| !self.is_aside(event.seq, aside_to));
                Found::Row { key, seq, held: self.held.get(&seq).cloned(), events, scanned_to }
            }
            Read::Single { seq } => {
                let event = Some(self.event(seq).clone());
                Found::Single { seq, held: self.held.get(&seq).cloned(), event }
            }
        };
        self.core.on_found(found, self.now);
    }

    fn is_aside(&self, seq: Seq, up_to: Seq) -> bool {
        seq <= up_to && self.held.get(&seq).is_some_and(|row| !row.state.blocks())
    }

    fn land(&mut self, which: usize, taken: usize, word: Word) {
        if self.flying.is_empty() {
            return;
        }
        let launch = self.flying.remove(which % self.flying.len());
        let taken = taken.min(launch.run.events.len());
        let reason = "said so".to_owned();
        let blame = |blame| Verdict::Retry { after: None, blame, reason: reason.clone() };
        let verdict = match word {
            Word::Done => Verdict::Done,
            Word::Wait => Verdict::Wait { until: self.now.plus(Duration::from_secs(3)) },
            Word::RetryEvent => blame(Blame::Event),
            Word::RetryUnclear => blame(Blame::Unclear),
            Word::RetryDown => blame(Blame::Destination),
            Word::Reject => Verdict::Reject { reason },
            Word::Unknown => Verdict::Unknown { reason },
            Word::Stop => Verdict::Stop { reason: PauseReason::Refused, detail: reason },
        };
        for (index, event) in launch.run.events.iter().enumerate() {
            let fate = match index.cmp(&taken) {
                std::cmp::Ordering::Less => Fate::Done,
                std::cmp::Ordering::Equal => match verdict {
                    Verdict::Done => Fate::Done,
                    Verdict::Reject { .. } | Verdict::Unknown { .. } => Fate::Aside,
                    Verdict::Wait { .. } | Verdict::Retry { .. } | Verdict::Stop { .. } => Fate::Open,
                },
                std::cmp::Ordering::Greater => Fate::Open,
            };
            if fate == Fate::Open {
                let key = self.key(event.seq);
                let last = self.last.entry(key).or_insert(Seq::ZERO);
                *last = (*last).min(event.seq);
            }
            self.fate.insert(event.seq, fate);
        }
        let outcome = Delivered { taken, verdict, facts: Vec::new() };
        self.core.on_landed(Landed { slot: launch.slot, outcome, began: self.now }, self.now);
    }

    fn crash(&mut self, commit_survives: bool) {
        if let Some(settlement) = self.settlement.take()
            && commit_survives
        {
            self.commit(settlement);
        }
        for row in self.held.values().filter(|row| row.state == HeldState::Sending) {
            let fate = self.fate.entry(row.seq).or_insert(Fate::Open);
            if *fate == Fate::Open {
                *fate = Fate::Interrupted;
            }
        }
        let mut repeated = 0;
        for seq in self.fate.keys().copied().collect::<Vec<_>>() {
            match self.fate[&seq] {
                Fate::Away => {
                    self.fate.insert(seq, Fate::Interrupted);
                }
                Fate::Done if self.owed(seq) => repeated += 1,
                Fate::Aside if self.held.get(&seq).is_none_or(|row| row.state.blocks()) => {
                    // The verdict was not noted: it is as if it had never been given.
                    self.fate.insert(seq, Fate::Interrupted);
                }
                _ => {}
            }
        }
        let bound = self.env.config.window + self.spec.max_in_flight * self.spec.run_events;
        assert!(repeated <= bound, "{repeated} events would be repeated, at most {bound} may be");
        (self.read, self.flying) = (None, Vec::new());
        self.last.clear();
        let mut rows = Rows::default();
        for row in self.held.values() {
            if row.state.blocks() {
                rows.add_blocking(row.clone(), self.spec.repeats);
            } else if row.seq > self.lane.acked {
                rows.add_aside(row.seq);
            }
        }
        let (spec, env) = (Arc::clone(&self.spec), Arc::clone(&self.env));
        self.core = Core::load(&self.lane, rows, spec, env, self.now);
    }

    fn apply(&mut self, step: &Step) {
        match *step {
            Step::Append { chat, family, wanted, short } => self.append(chat, family, wanted, short),
            Step::Pass { millis } => self.now = self.now.plus(Duration::from_millis(millis)),
            Step::Back { millis } => self.now = self.now.minus(Duration::from_millis(millis)),
            Step::Read => self.answer_read(),
            Step::ReadFails => {
                if self.read.take().is_some() {
                    self.core.on_read_failed(self.now);
                }
            }
            Step::Commit => {
                if let Some(settlement) = self.settlement.take() {
                    self.commit(settlement);
                    self.core.on_settled(self.now);
                }
            }
            Step::Land { which, taken, word } => self.land(which, taken, word),
            Step::Swift { events } => self.swift = events,
            Step::Crash { commit_survives } => self.crash(commit_survives),
            Step::Pause => self.wish(Wish::Pause { detail: "an operator".to_owned() }),
            Step::Resume => self.wish(Wish::Resume),
        }
        self.turn();
    }

    fn wish(&mut self, wish: Wish) {
        let (reply, _) = tokio::sync::oneshot::channel();
        self.core.wish(wish, reply, self.now);
    }

    /// The destination takes everything from now on: the lane must come to rest with nothing left.
    fn calm(&mut self) {
        for round in 0..10_000 {
            // What waits for a person gets one; what comes back by itself must.
            if matches!(&self.core.standing, LaneState::Paused { until: None, reason, .. } if *reason != PauseReason::Crowded)
            {
                self.wish(Wish::Resume);
            }
            self.turn();
            let idle = self.read.is_none() && self.settlement.is_none() && self.flying.is_empty();
            if idle {
                match self.core.deadline() {
                    Some(at) => self.now = at.max(self.now),
                    None => break,
                }
            }
            assert!(round < 9_999, "the lane does not come to rest: {:#?}", self.core);
            self.apply(&Step::Commit);
            self.apply(&Step::Read);
            self.land(0, 2, Word::Done);
        }
        assert!(self.core.at_rest(), "{:#?}", self.core);
        assert!(self.core.keys.is_empty(), "{:#?}", self.core);
        assert_eq!(self.core.covered, 0);
        let mut missing = BTreeSet::new();
        for (event, wanted) in &self.journal {
            let fate = self.fate.get(&event.seq).copied().unwrap_or(Fate::Open);
            let aside = self.held.get(&event.seq).is_some_and(|row| !row.state.blocks());
            let may_expire =
                self.spec.ends(event).is_some_and(|end| end <= self.now.plus(Duration::from_secs(200)));
            if *wanted && fate != Fate::Done && !aside && !may_expire {
                missing.insert(event.seq);
            }
        }
        assert!(missing.is_empty(), "{missing:?} never arrived");
        assert!(self.held.values().all(|row| !row.state.blocks()), "rows are left: {:?}", self.held);
        assert_eq!(self.lane.acked.get(), i64::try_from(self.journal.len()).unwrap());
        // A probe that a crash interrupted is for people; with nothing else there, the lane stays down until something
        // comes that it can be probed with.
        let idle_and_down = matches!(self.lane.state, LaneState::Paused { reason: PauseReason::Down, .. });
        assert!(self.lane.state == LaneState::Running || idle_and_down, "{:?}", self.lane.state);
    }
}

fn run(repeats: Repeats, order: OrderBy, backlog: Option<Duration>, run_events: usize, steps: &[Step]) {
    let mut world = World::new(repeats, order, backlog, run_events);
    for step in steps {
        world.apply(step);
    }
    world.calm();
}

#[test]
fn of_many_who_wake_a_lane_only_those_with_news_make_it_read() {
    let mut world = World::new(Repeats::Recognised, OrderBy::Conversation, None, 2);
    for chat in 1..=3 {
        world.append(chat, 0, true, false);
    }
    world.turn();
    let [second, last] = [2, 3].map(|seq| Seq::new(seq).unwrap());
    // The others of the same commit, while the lane reads and afterwards.
    world.core.on_appended(last, world.now);
    world.answer_read();
    world.turn();
    assert!(world.read.is_none(), "it has read as far as it was told");
    world.core.on_appended(second, world.now);
    world.turn();
    assert!(world.read.is_none(), "and was told before");
    world.append(4, 0, true, false);
    world.turn();
    assert!(world.read.is_some(), "there is more");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn a_lane_whose_destination_recognises_repeats_delivers_everything_in_order(
        steps in prop::collection::vec(step(), 0..160),
    ) {
        run(Repeats::Recognised, OrderBy::ConversationAndFamily, None, 2, &steps);
    }

    #[test]
    fn a_lane_whose_destination_takes_one_event_at_a_time_and_often_at_once_delivers_everything_in_order(
        steps in prop::collection::vec(step(), 0..160),
    ) {
        run(Repeats::Recognised, OrderBy::Conversation, None, 1, &steps);
    }

    #[test]
    fn a_lane_whose_destination_does_not_recognise_repeats_never_repeats_blindly(
        steps in prop::collection::vec(step(), 0..160),
    ) {
        run(Repeats::Unrecognised, OrderBy::Conversation, None, 2, &steps);
    }

    #[test]
    fn an_app_lane_passes_only_what_has_lived_its_time(
        steps in prop::collection::vec(step(), 0..160),
    ) {
        run(Repeats::Recognised, OrderBy::ConversationAndFamily, Some(Duration::from_hours(2)), 1, &steps);
    }
}
