//! Four kinds of lane on the SQLite engine, and whatever can happen in any order: customers write, destinations fail
//! in every way, the service is stopped, killed and started again, the clock jumps, an app polls.
//!
//! A failure says its seed; `TANDEM_SEED` runs the same cases again. Tasks and threads run as they like, so a seed
//! fixes what happens, not when; the exact interleavings are tried by the simulation inside the crate.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use async_trait::async_trait;
use proptest::{
    prelude::*,
    test_runner::{RngSeed, TestRunner},
};
use tandem_journal::LaneKind;
use tandem_lanes::{Config, Delivered, Destination, LaneAddress, OrderBy, Pull, PushSpec, Repeats, Run};
use tandem_model::{Blame, Filter, OrderKey, PauseReason, Seq, Timestamp, Verdict};
use tokio_util::sync::CancellationToken;

use crate::support::{BACKLOG, Service, update};

#[derive(Debug, Clone)]
enum Action {
    Write {
        chat: i64,
        family: u8,
        events: usize,
    },
    Pass {
        millis: u64,
    },
    PutBack {
        millis: u64,
    },
    /// Everything that is due is done, by destinations in this mood.
    Due {
        mood: u8,
    },
    /// The lanes run until so many attempts were made, then the service is killed and started again.
    Kill {
        mood: u8,
        attempts: usize,
    },
    Restart,
    /// The app asks; what it saw so far of its last answer is confirmed.
    Ask {
        confirm: usize,
        limit: usize,
    },
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        5 => (0..5_i64, 0..2_u8, 1..12_usize)
            .prop_map(|(chat, family, events)| Action::Write { chat, family, events }),
        3 => prop_oneof![0..3_000_u64, 0..200_000_u64].prop_map(|millis| Action::Pass { millis }),
        1 => (0..10_000_u64).prop_map(|millis| Action::PutBack { millis }),
        4 => any::<u8>().prop_map(|mood| Action::Due { mood }),
        3 => (any::<u8>(), 0..40_usize).prop_map(|(mood, attempts)| Action::Kill { mood, attempts }),
        1 => Just(Action::Restart),
        3 => (0..12_usize, 1..20_usize).prop_map(|(confirm, limit)| Action::Ask { confirm, limit }),
    ]
}

/// What became of an event at a destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Away,
    Interrupted,
    /// Known not to have been taken.
    Failed,
    Done,
    Aside,
}

/// A destination that keeps the books.
struct Witness {
    spec: PushSpec,
    clock: tandem_testkit::ManualClock,
    books: Mutex<Books>,
}

#[derive(Default)]
struct Books {
    mood: Option<u8>,
    attempts: usize,
    fate: BTreeMap<Seq, Fate>,
    done: BTreeMap<Seq, usize>,
    last: BTreeMap<OrderKey, Seq>,
    under_way: BTreeSet<OrderKey>,
    complaints: Vec<String>,
}

impl Witness {
    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap()
    }

    fn begins(&self, run: &Run, key: &OrderKey) {
        let mut books = self.books();
        books.attempts += 1;
        if !books.under_way.insert(key.clone()) {
            books.complaints.push(format!("two runs of {key:?} at a time"));
        }
        for event in &run.events {
            let seq = event.seq;
            let fate = books.fate.get(&seq).copied();
            let last = books.last.get(key).copied().unwrap_or(Seq::ZERO);
            if seq < last || seq == last && fate != Some(Fate::Failed) {
                books.complaints.push(format!("{seq} ({fate:?}) comes after {last} in {key:?}"));
            }
            if self.spec.repeats == Repeats::Unrecognised && !matches!(fate, None | Some(Fate::Failed)) {
                books.complaints.push(format!("{seq} is repeated blindly: it was {fate:?}"));
            }
            books.last.insert(key.clone(), seq);
            books.fate.insert(seq, Fate::Away);
        }
    }

    fn ends(&self, run: &Run, key: &OrderKey, outcome: &Delivered) {
        let mut books = self.books();
        books.under_way.remove(key);
        for (index, event) in run.events.iter().enumerate() {
            let fate = match (index.cmp(&outcome.taken), &outcome.verdict) {
                (std::cmp::Ordering::Less, _) | (std::cmp::Ordering::Equal, Verdict::Done) => Fate::Done,
                (std::cmp::Ordering::Equal, Verdict::Reject { .. } | Verdict::Unknown { .. }) => Fate::Aside,
                _ => Fate::Failed,
            };
            if fate == Fate::Failed {
                let last = books.last.entry(key.clone()).or_insert(event.seq);
                *last = (*last).min(event.seq);
            }
            if fate == Fate::Done {
                *books.done.entry(event.seq).or_default() += 1;
            }
            books.fate.insert(event.seq, fate);
        }
    }

    /// What it says in this mood; `None`: nothing, ever.
    fn word(mood: u8, seq: Seq, attempt: usize, now: Timestamp) -> Option<Verdict> {
        let mut hasher = DefaultHasher::new();
        (mood, seq, attempt).hash(&mut hasher);
        let reason = "moody".to_owned();
        let retry = |blame| Verdict::Retry { after: None, blame, reason: reason.clone() };
        Some(match hasher.finish() % 24 {
            0 => Verdict::Wait { until: now.plus(Duration::from_secs(5)) },
            1 | 2 => retry(Blame::Event),
            3 | 4 => retry(Blame::Unclear),
            5 if mood.is_multiple_of(4) => retry(Blame::Destination),
            6 => Verdict::Reject { reason },
            7 => Verdict::Unknown { reason },
            8 if mood % 8 == 1 => Verdict::Stop { reason: PauseReason::Refused, detail: reason },
            9 | 10 if mood % 2 == 1 => return None,
            _ => Verdict::Done,
        })
    }

    /// The service was killed.
    fn crash(&self) {
        let mut books = self.books();
        for fate in books.fate.values_mut().filter(|fate| **fate == Fate::Away) {
            *fate = Fate::Interrupted;
        }
        books.last.clear();
        books.under_way.clear();
    }
}

#[async_trait]
impl Destination for Witness {
    async fn deliver(&self, run: &Run) -> Delivered {
        let first = &run.events[0];
        let family = (self.spec.order == OrderBy::ConversationAndFamily).then_some(first.family);
        let key = OrderKey { conversation: first.conversation.clone(), family };
        self.begins(run, &key);
        tokio::task::yield_now().await;
        let (mood, attempt) = {
            let books = self.books();
            (books.mood, books.attempts)
        };
        let mut outcome = Delivered::all(run);
        if let Some(mood) = mood {
            for (taken, event) in run.events.iter().enumerate() {
                match Self::word(mood, event.seq, attempt, self.clock.now()) {
                    None => return std::future::pending().await,
                    Some(Verdict::Done) => {}
                    Some(verdict) => {
                        outcome = Delivered { taken, verdict, facts: Vec::new() };
                        break;
                    }
                }
            }
        }
        self.ends(run, &key, &outcome);
        outcome
    }
}

struct Machine {
    t: Service,
    pushed: Vec<(LaneAddress, Arc<Witness>)>,
    app: LaneAddress,
    /// Virtual ids by position, and how many of them the app has confirmed.
    ids: Vec<i64>,
    confirmed: usize,
    seen: usize,
    written: usize,
    kills: usize,
}

const WINDOW: usize = 12;

impl Machine {
    async fn new() -> Self {
        let t = Service::start_with(Config { window: WINDOW, max_held: 6, ..Config::default() }).await;
        let route = PushSpec { max_in_flight: 3, run_events: 2, ..PushSpec::route() };
        let specs = [
            ("crm", route.clone()),
            ("telegram", PushSpec { repeats: Repeats::Unrecognised, ..route.clone() }),
            ("hook", PushSpec { backlog: Some(BACKLOG), order: OrderBy::ConversationAndFamily, ..route }),
        ];
        let mut pushed = Vec::new();
        for (name, spec) in specs {
            let lane = t.lane(name, LaneKind::Route, Filter::UPDATES).await;
            let (clock, books) = (t.clock.clone(), Mutex::default());
            pushed.push((lane, Arc::new(Witness { spec, clock, books })));
        }
        let app = t.app("app").await;
        let machine = Self { t, pushed, app, ids: Vec::new(), confirmed: 0, seen: 0, written: 0, kills: 0 };
        machine.attach();
        machine
    }

    fn attach(&self) {
        for (lane, witness) in &self.pushed {
            self.t.lanes.attach(*lane, witness.spec.clone(), Arc::<Witness>::clone(witness)).unwrap();
        }
    }

    fn mood(&self, mood: Option<u8>) {
        for (_, witness) in &self.pushed {
            witness.books().mood = mood;
        }
    }

    fn attempts(&self) -> usize {
        self.pushed.iter().map(|(_, witness)| witness.books().attempts).sum()
    }

    async fn restart(&mut self) {
        for (_, witness) in &self.pushed {
            witness.crash();
        }
        self.t.restart().await;
        self.attach();
    }

    async fn act(&mut self, action: &Action) {
        match *action {
            Action::Write { chat, family, events } => {
                let first = i64::try_from(self.ids.len()).unwrap() + 1001;
                self.ids.extend(first..first + i64::try_from(events).unwrap());
                self.written += events;
                self.t.append_all((0..events).map(|_| update(chat, family, "x")).collect()).await;
            }
            Action::Pass { millis } => self.t.clock.advance(Duration::from_millis(millis)),
            Action::PutBack { millis } => self.t.clock.put_back(Duration::from_millis(millis)),
            Action::Due { mood } => {
                self.mood(Some(mood & !1));
                self.t.run_due().await;
            }
            Action::Kill { mood, attempts } => {
                self.mood(Some(mood));
                let (soft, hard) = (CancellationToken::new(), CancellationToken::new());
                let (lanes, stop, kill) = (self.t.lanes.clone(), soft.clone(), hard.clone());
                let running = tokio::spawn(async move { lanes.run(stop, kill).await });
                let enough = self.attempts() + attempts;
                for _ in 0..200 {
                    if self.attempts() >= enough {
                        break;
                    }
                    tokio::task::yield_now().await;
                }
                hard.cancel();
                running.await.unwrap();
                self.kills += 1;
                self.restart().await;
            }
            Action::Restart => self.restart().await,
            Action::Ask { confirm, limit } => self.ask(confirm, limit).await,
        }
        for (lane, witness) in &self.pushed {
            let complaints = witness.books().complaints.clone();
            assert!(complaints.is_empty(), "lane {lane}: {complaints:#?}");
        }
    }

    async fn ask(&mut self, confirm: usize, limit: usize) {
        self.confirmed += confirm.min(self.seen);
        let offset = match (confirm, self.ids.get(self.confirmed)) {
            (0, _) => 0,
            (_, Some(id)) => *id,
            (_, None) => self.ids.last().map_or(0, |last| last + 1),
        };
        let pull = Pull { offset, limit, max_bytes: 1 << 20, backlog: BACKLOG };
        let answer = self.t.lanes.pull(self.app, pull).await.unwrap();
        let got: Vec<i64> = answer.iter().map(|event| event.virtual_id.unwrap().get()).collect();
        let end = self.ids.len().min(self.confirmed + limit);
        assert_eq!(got, self.ids[self.confirmed..end], "everything unconfirmed, in order, and nothing else");
        self.seen = got.len();
    }

    /// All is well from now on: nothing may be left.
    async fn finish(&mut self) {
        self.mood(None);
        for (lane, _) in &self.pushed {
            if self.t.paused(*lane).await == Some(PauseReason::Refused) {
                let asked = self.t.lanes.clone();
                let lane = *lane;
                let resume = tokio::spawn(async move { asked.resume(lane).await });
                while !resume.is_finished() {
                    self.t.run_due().await;
                    tokio::task::yield_now().await;
                }
                resume.await.unwrap().unwrap();
            }
        }
        for _ in 0..40 {
            self.t.later(Duration::from_mins(2)).await;
        }
        for (lane, witness) in &self.pushed {
            let held = self.t.held(*lane).await;
            let stuck: Vec<_> = held.iter().filter(|row| row.state.blocks()).collect();
            let state = self.t.state(*lane).await;
            assert!(stuck.is_empty(), "at {:?} {state:?} still holds {stuck:?}", self.t.clock.now());
            let aside: BTreeSet<Seq> = held.iter().map(|row| row.seq).collect();
            let books = witness.books();
            assert!(books.complaints.is_empty(), "lane {lane}: {:#?}", books.complaints);
            for seq in (1..=i64::try_from(self.written).unwrap()).map(|seq| Seq::new(seq).unwrap()) {
                let arrived = books.done.contains_key(&seq) || aside.contains(&seq);
                assert!(arrived, "{seq} never arrived in lane {lane}: {:?}", books.fate.get(&seq));
            }
            let repeated: usize = books.done.values().map(|times| times - 1).sum();
            let bound = self.kills * (WINDOW + witness.spec.max_in_flight * witness.spec.run_events);
            assert!(repeated <= bound, "{repeated} repeats after {} kills", self.kills);
        }
    }
}

#[test]
fn lanes_keep_their_promises_whatever_happens() {
    #[expect(clippy::disallowed_methods, reason = "the seed of a failure is given from outside")]
    let given = std::env::var("TANDEM_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = given.unwrap_or_else(|| RandomState::new().hash_one("lanes"));
    let config = ProptestConfig {
        cases: 24,
        max_shrink_iters: 300,
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let outcome = TestRunner::new(config).run(&prop::collection::vec(action(), 0..40), |actions| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut machine = Machine::new().await;
            for action in &actions {
                machine.act(action).await;
            }
            machine.finish().await;
        });
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("TANDEM_SEED={seed}: {failure}");
    }
}
