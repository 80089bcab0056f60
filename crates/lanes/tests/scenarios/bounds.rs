//! Bounds: fairness, windows, memory.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use tandem_journal::LaneKind;
use tandem_lanes::{Config, Delivered, Destination, PushSpec, Run};
use tandem_model::{BotId, Filter};
use tokio::sync::Semaphore;

use crate::support::{Service, until, update};

/// Counts, and lets through only as many as it has permits for.
struct Gate {
    permits: Semaphore,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
    taken: AtomicUsize,
}

impl Gate {
    fn with(permits: usize) -> Arc<Self> {
        Arc::new(Self {
            permits: Semaphore::new(permits),
            at_once: AtomicUsize::new(0),
            most_at_once: AtomicUsize::new(0),
            taken: AtomicUsize::new(0),
        })
    }

    fn taken(&self) -> usize {
        self.taken.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Destination for Gate {
    async fn deliver(&self, run: &Run) -> Delivered {
        let at_once = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_at_once.fetch_max(at_once, Ordering::SeqCst);
        self.permits.acquire().await.unwrap().forget();
        self.at_once.fetch_sub(1, Ordering::SeqCst);
        self.taken.fetch_add(run.events.len(), Ordering::SeqCst);
        Delivered::all(run)
    }
}

async fn backlog(t: &mut Service, events: i64) {
    let mut left = events;
    while left > 0 {
        let batch = left.min(500);
        t.append_all((0..batch).map(|n| update(n % 50, 0, "x")).collect()).await;
        left -= batch;
    }
}

#[tokio::test]
async fn lanes_that_hang_cannot_keep_another_lane_from_its_work() {
    let config = Config { max_in_flight: 4, ..Config::default() };
    let mut t = Service::start_with(config).await;
    let hanging = Gate::with(0);
    for name in ["a", "b", "c", "d", "e", "f"] {
        let lane = t.lane(name, LaneKind::Route, Filter::UPDATES).await;
        t.lanes.attach(lane, PushSpec::route(), Arc::<Gate>::clone(&hanging)).unwrap();
    }
    backlog(&mut t, 200).await;
    t.run();
    until("all places are taken", || hanging.most_at_once.load(Ordering::SeqCst) >= 6).await;
    let (_, crm) = t.desk("crm", PushSpec::route()).await;
    until("and yet it is served", || crm.received().len() == 200).await;
    assert!(hanging.most_at_once.load(Ordering::SeqCst) <= 4 + 7, "places are bounded");
    t.kill().await;
}

#[tokio::test]
async fn a_lane_with_a_long_backlog_does_not_keep_others_waiting() {
    let mut t = Service::start().await;
    let long = t.lane("long", LaneKind::Route, Filter::UPDATES).await;
    backlog(&mut t, 5000).await;
    let trickle = Gate::with(5000);
    t.lanes.attach(long, PushSpec::route(), Arc::<Gate>::clone(&trickle)).unwrap();
    let other = BotId::new(900_900).unwrap();
    let lane = t.lane_of(other, "short", LaneKind::Route, Filter::UPDATES).await;
    let quick = Gate::with(100);
    t.lanes.attach(lane, PushSpec::route(), Arc::<Gate>::clone(&quick)).unwrap();
    t.run();
    until("the backlog is being worked off", || trickle.taken() > 0).await;
    let append = tandem_journal::Append {
        events: vec![update(1, 0, "hi")],
        urgency: tandem_journal::Urgency::MustKeep,
        ..Default::default()
    };
    let lease = tandem_lanes::LeaseSource::lease(&*t.leases, other).unwrap();
    let appended = t.store.append(lease, other, append).await.unwrap();
    t.lanes.wake(other, appended[0].seq());
    until("the other lane is served", || quick.taken() == 1).await;
    assert!(trickle.taken() < 5000, "before the backlog is done: {}", trickle.taken());
    until("and the backlog is", || trickle.taken() == 5000).await;
    t.stop().await;
}

#[tokio::test]
async fn a_busy_slow_conversation_does_not_fill_the_window_of_its_lane() {
    let config = Config { window: 32, ..Config::default() };
    let mut t = Service::start_with(config).await;
    let (_, crm) = t.desk("crm", PushSpec::route()).await;
    crm.hang("1:0");
    let flood = (0..300).map(|n| update(1, 0, &format!("1:{n}"))).collect();
    t.append_all(flood).await;
    for customer in 2..10 {
        t.says(customer, "hi").await;
    }
    t.run();
    until("the others are served meanwhile", || crm.received().len() == 8).await;
    crm.let_go();
    until("and the flood in order", || crm.received().len() == 308).await;
    let expected: Vec<String> = (0..300).map(|n| format!("1:{n}")).collect();
    assert_eq!(crm.received_of(1), expected);
    t.stop().await;
}

#[tokio::test]
async fn a_lane_without_memory_left_still_gets_on() {
    let config =
        Config { read_ahead_bytes: 0, max_in_flight: 0, window: 1, starting: 1, ..Config::default() };
    let mut t = Service::start_with(config).await;
    let (_, crm) = t.desk("crm", PushSpec::route()).await;
    let (_, app) = t.desk("app", PushSpec::webhook()).await;
    for n in 0..40 {
        t.says(n % 4, &format!("{n}")).await;
    }
    t.run_due().await;
    assert_eq!((crm.received().len(), app.received().len()), (40, 40));
    let once: BTreeSet<String> = crm.received().into_iter().collect();
    assert_eq!(once.len(), 40);
}
