//! What lanes cost those who append: appends per second while one, two and four real lanes drain the same journal.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use async_trait::async_trait;
use tandem_journal::{LaneKind, Lease, NewLane, Start};
use tandem_lanes::{Config, Delivered, Destination, LaneAddress, Lanes, LeaseSource, PushSpec, Run};
use tandem_model::{BotId, Filter, SeededRng, Seq};
use tokio::{sync::Notify, task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::{
    Scale,
    appends::{WARM_UP, per_second},
    load::{Load, SystemClock, bot},
    ours::Ours,
    report::{Bar, Report, Rounds, Row},
};

const WRITERS: usize = 64;
/// Of the rate with one lane.
const BAR: f64 = 0.9;
/// A lane that is further behind after a round has stopped.
const LIMIT: Duration = Duration::from_mins(5);

/// Real lanes over a journal, whose destinations take everything at once.
pub(crate) struct Drain {
    lanes: Lanes,
    destinations: Vec<Arc<Sink>>,
    stop: CancellationToken,
    running: JoinHandle<()>,
}

/// Takes everything and counts it.
#[derive(Default)]
struct Sink {
    taken: AtomicUsize,
    moved: Notify,
}

#[async_trait]
impl Destination for Sink {
    async fn deliver(&self, run: &Run) -> Delivered {
        self.taken.fetch_add(run.events.len(), Ordering::Relaxed);
        self.moved.notify_one();
        Delivered::all(run)
    }
}

struct OneLease(Lease);

impl LeaseSource for OneLease {
    fn lease(&self, _bot: BotId) -> Option<Lease> {
        Some(self.0)
    }
}

impl Drain {
    /// So many new lanes, from the beginning on.
    pub(crate) async fn begin(ours: &Ours, count: usize) -> Result<Self> {
        let rng = Arc::new(SeededRng::from_seed(1));
        let leases = Arc::new(OneLease(ours.lease));
        let lanes =
            Lanes::new(Arc::clone(&ours.store), leases, Arc::new(SystemClock), rng, Config::default());
        let mut destinations = Vec::new();
        let existing = ours.store.list_lanes(bot(), None, 1000).await?.len();
        for number in existing..existing + count {
            let new = NewLane {
                name: format!("lane{number}"),
                kind: LaneKind::Route,
                start: Start::Beginning,
                filter: Filter::UPDATES,
            };
            let lane = ours.store.create_lane(ours.lease, bot(), new).await?;
            let sink = Arc::new(Sink::default());
            let address = LaneAddress { bot: bot(), lane: lane.id };
            lanes.attach(address, PushSpec::route(), Arc::clone(&sink) as Arc<dyn Destination>)?;
            destinations.push(sink);
        }
        let stop = CancellationToken::new();
        let (running_lanes, soft) = (lanes.clone(), stop.clone());
        let running = tokio::spawn(async move { running_lanes.run(soft, CancellationToken::new()).await });
        Ok(Self { lanes, destinations, stop, running })
    }

    /// Tells the lanes how far the journal goes.
    pub(crate) fn wake(&self, last: Seq) {
        self.lanes.wake(bot(), last);
    }

    /// Returns once every lane has delivered so many events.
    pub(crate) async fn wait_for(&self, count: usize, limit: Duration) -> Result<()> {
        for sink in &self.destinations {
            let drained = async {
                while sink.taken.load(Ordering::Relaxed) < count {
                    sink.moved.notified().await;
                }
            };
            timeout(limit, drained).await.context("a lane does not get on")?;
        }
        Ok(())
    }

    pub(crate) async fn end(self) {
        self.stop.cancel();
        // A panic in it has been printed, and the figures are complete.
        let _ = self.running.await;
    }
}

pub(crate) async fn measure(directory: &Path, scale: Scale, report: &mut Report) -> Result<()> {
    let directory = tempfile::tempdir_in(directory)?;
    let counts = [0, 1, 2, 4];
    let mut sides = Vec::new();
    for count in counts {
        let ours = Ours::open(&directory.path().join(format!("{count}.db"))).await?;
        let drain = Arc::new(Drain::begin(&ours, count).await?);
        sides.push((ours, drain));
    }
    let mut load = Load::new(200);
    let rows = scale.appends(WRITERS);
    let mut rates: Vec<Rounds> = counts.iter().map(|_| Rounds::default()).collect();
    // The first rounds fill caches and take the log round once; they count for nothing.
    let warm_up = WARM_UP.div_ceil(rows);
    for round in 0..warm_up + scale.rounds() {
        for ((ours, drain), rates) in sides.iter().zip(&mut rates) {
            let events = load.next_events(rows);
            let began = Instant::now();
            let waking = Arc::clone(drain);
            ours.append_and(events, WRITERS, move |last| waking.wake(last)).await?;
            let took = began.elapsed();
            drain.wait_for(rows * (round + 1), LIMIT).await?;
            if round >= warm_up {
                rates.push(per_second(rows, took));
            }
        }
    }
    for (ours, drain) in sides {
        if let Some(drain) = Arc::into_inner(drain) {
            drain.end().await;
        }
        ours.store.close().await;
    }
    for (index, count) in counts.into_iter().enumerate().skip(1) {
        let (beside, bar) = match count {
            1 => (("no lane", rates[0].clone()), None),
            _ => (("one lane", rates[1].clone()), Some(Bar::AtLeast(BAR))),
        };
        report.rows.push(Row {
            what: format!("append, {WRITERS} waiting, while {count} lane(s) drain"),
            unit: "rows/s",
            ours: rates[index].clone(),
            against: Some(beside),
            bar,
        });
    }
    Ok(())
}
