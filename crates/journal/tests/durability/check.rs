//! The reference run, the runs that crash, and what is found after each of them.

use std::{collections::BTreeMap, fmt};

use anyhow::{Result, bail, ensure};
use tandem_crashfs::{Disk, Image, Losses, Step};
use tandem_journal::{Append, sqlite::Synchronous};
use tandem_model::Event;

use crate::{
    dump::Dump,
    run::Run,
    workload::{Op, bots, ops, update},
};

/// What the store holds after each verb of the workload when nothing crashes.
pub(crate) struct Reference {
    /// A disk on which the store was made and closed.
    image: Image,
    ops: Vec<Op>,
    /// One more than there are verbs: the first is before all of them.
    dumps: Vec<Dump>,
    steps: u64,
}

/// A crash and what was there after it.
pub(crate) struct Crash {
    seed: u64,
    at: u64,
    step: Option<Step>,
    losses: Losses,
    acknowledged_verbs: usize,
    interrupted: String,
    pub(crate) found: Found,
}

/// What was there after a crash.
pub(crate) enum Found {
    /// Exactly what was acknowledged.
    Acknowledged,
    /// And the verb that was interrupted.
    AndTheInterrupted,
    /// Anything else.
    Loss(anyhow::Error),
}

impl Reference {
    pub(crate) async fn record() -> Self {
        let image = new_store().await;
        let disk = Disk::with_image(0, &image);
        let mut run = Run::open(&disk, Synchronous::Full).await.unwrap();
        let ops = ops();
        let mut dumps = vec![Dump::of(run.store()).await.unwrap()];
        for op in &ops {
            run.apply(op).await.unwrap_or_else(|error| panic!("{op:?}: {error:#}"));
            dumps.push(Dump::of(run.store()).await.unwrap());
        }
        run.close().await;
        Self { image, ops, dumps, steps: disk.steps() }
    }

    /// How many steps there are at which it can crash.
    pub(crate) fn steps(&self) -> u64 {
        self.steps
    }

    /// Crashes where the seed says and looks at what is left.
    pub(crate) async fn crash(&self, seed: u64, synchronous: Synchronous) -> Crash {
        let disk = Disk::with_image(seed, &self.image);
        let at = 1 + seed % self.steps;
        disk.crash_after(at);
        let (acknowledged_verbs, acknowledged) = self.run_into_crash(&disk, synchronous).await;
        let step = disk.last_step();
        let losses = disk.reboot();
        // Sometimes the power goes again while the store is being opened.
        if seed.is_multiple_of(5) {
            disk.crash_after(1 + seed / 5 % 12);
            if let Ok(run) = Run::open(&disk, synchronous).await {
                run.close().await;
            }
            disk.reboot();
        }
        let found = match self.look(&disk, acknowledged_verbs, &acknowledged).await {
            Ok(found) => found,
            Err(error) => Found::Loss(error),
        };
        let interrupted = self.ops.get(acknowledged_verbs).map_or_else(String::new, |op| format!("{op:?}"));
        Crash { seed, at, step, losses, acknowledged_verbs, interrupted, found }
    }

    /// How many verbs, and which events, were acknowledged before the crash.
    async fn run_into_crash(&self, disk: &Disk, synchronous: Synchronous) -> (usize, Vec<Event>) {
        let Ok(mut run) = Run::open(disk, synchronous).await else { return (0, Vec::new()) };
        let mut acknowledged = 0;
        for op in &self.ops {
            if let Err(error) = run.apply(op).await {
                assert!(disk.has_crashed(), "refused without a crash: {error:#}");
                break;
            }
            acknowledged += 1;
        }
        run.close().await;
        // Without syncs there are fewer steps than in the reference run, and the run may end before its crash.
        assert!(disk.has_crashed() || synchronous == Synchronous::Off, "not the steps of the reference run");
        disk.crash();
        (acknowledged, run.acknowledged)
    }

    /// Opens the store again and compares.
    async fn look(&self, disk: &Disk, verbs: usize, acknowledged: &[Event]) -> Result<Found> {
        // What is found is judged with syncs, whatever came before.
        let mut run = Run::open(disk, Synchronous::Full).await?;
        let damage = run.store().check().await?;
        ensure!(damage.is_empty(), "the integrity check says {damage:?}");
        let dump = Dump::of(run.store()).await?;
        let found = if dump == self.dumps[verbs] {
            Found::Acknowledged
        } else if self.dumps.get(verbs + 1) == Some(&dump) {
            Found::AndTheInterrupted
        } else {
            bail!("not what it was after {verbs} verbs:\n{}", self.dumps[verbs].difference(&dump));
        };
        events_stand_as_acknowledged(&run, &dump, acknowledged).await?;
        numbers_continue(&mut run, acknowledged).await?;
        run.close().await;
        Ok(found)
    }
}

/// A disk on which the store was made a while ago.
async fn new_store() -> Image {
    let disk = Disk::new(0);
    Run::open(&disk, Synchronous::Full).await.unwrap().close().await;
    disk.sync_everything();
    disk.image()
}

/// The acknowledgements themselves, without the reference run between.
pub(crate) async fn events_stand_as_acknowledged(
    run: &Run<'_>,
    dump: &Dump,
    acknowledged: &[Event],
) -> Result<()> {
    for event in acknowledged {
        let swept = event.seq < run.store().head(event.bot).await?.oldest;
        ensure!(swept || dump.has(&format!("{event:?}")), "acknowledged and not there: {event:?}");
    }
    Ok(())
}

/// The next event gets the next position, and an `update_id` that no app has seen.
pub(crate) async fn numbers_continue(run: &mut Run<'_>, acknowledged: &[Event]) -> Result<()> {
    run.acquire().await?;
    for (bot, number) in bots().into_iter().zip([900, 901]) {
        let last = run.store().head(bot).await?.last;
        let append = Append { events: vec![update(number, 300)], ..Append::default() };
        let [(seq, Some(virtual_id))] = run.append(bot, append).await?[..] else {
            bail!("not one new update")
        };
        ensure!(seq == last.next(), "position {seq} after {last}");
        let used =
            acknowledged.iter().filter(|event| event.bot == bot).filter_map(|event| event.virtual_id).max();
        ensure!(Some(virtual_id) > used, "update_id {virtual_id} after {used:?}");
    }
    Ok(())
}

impl fmt::Display for Crash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, at, step, losses, acknowledged_verbs, interrupted, found } = self;
        let found = match found {
            Found::Acknowledged => "found what was acknowledged".to_owned(),
            Found::AndTheInterrupted => "found what was acknowledged and the interrupted verb".to_owned(),
            Found::Loss(error) => format!("{error:#}"),
        };
        write!(
            f,
            "TANDEM_CRASH_SEED={seed}: crash at step {at} ({step:?}) after {acknowledged_verbs} acknowledged verbs, \
             in {interrupted}; {losses:?}; {found}"
        )
    }
}

/// What came of many crashes.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) crashes: u32,
    pub(crate) losses: u32,
    with_the_interrupted: u32,
    with_unsynced_changes: u32,
    steps: BTreeMap<Step, u32>,
}

impl Report {
    pub(crate) fn count(&mut self, crash: &Crash) {
        self.crashes += 1;
        match crash.found {
            Found::Acknowledged => {}
            Found::AndTheInterrupted => self.with_the_interrupted += 1,
            Found::Loss(_) => self.losses += 1,
        }
        self.with_unsynced_changes +=
            u32::from(crash.losses.lost + crash.losses.torn + crash.losses.names > 0);
        if let Some(step) = crash.step {
            *self.steps.entry(step).or_default() += 1;
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { crashes, losses, with_the_interrupted, with_unsynced_changes, steps } = self;
        write!(
            f,
            "{crashes} crashes at {steps:?}; the disk forgot something in {with_unsynced_changes}; the interrupted \
             verb was there in {with_the_interrupted}; something acknowledged was lost in {losses}"
        )
    }
}
