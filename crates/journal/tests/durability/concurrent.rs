//! Many writers at a time, whose writes share commits. Their order is the scheduler's, so a seed does not replay
//! such a run exactly and there is no reference run: each acknowledgement is held against what is there.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use tandem_crashfs::{Disk, Image};
use tandem_journal::{
    Append, Appended, HeldStates, LaneKind, NewLane, Page, Settlement, Start, Store, sqlite::Synchronous,
};
use tandem_model::{BotId, Event, Filter, Held, HeldState, LaneId, NewEvent, Seq, Timestamp};
use tokio::{sync::mpsc, task::JoinSet};

use crate::{
    run::Run,
    workload::{START, bots, update},
};

/// How hard the store is used, and where it crashes.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    pub(crate) body_bytes: usize,
    /// The crash is at one of these steps.
    pub(crate) steps: (u64, u64),
}

const WRITERS: i64 = 8;
const ALL: Page = Page { events: 100_000, bytes: usize::MAX };

#[derive(Debug)]
enum Acknowledged {
    Event(BotId, Appended, NewEvent),
    /// Of the first bot's lane: the cursor and what it held then.
    Settled(Seq),
}

/// A disk with a store in which a lane has been made.
pub(crate) async fn prepare() -> Image {
    let disk = Disk::new(0);
    let mut run = Run::open(&disk, Synchronous::Full).await.unwrap();
    run.acquire().await.unwrap();
    let bot = bots()[0];
    let lane = NewLane {
        name: "route".to_owned(),
        kind: LaneKind::Route,
        start: Start::Beginning,
        filter: Filter::UPDATES,
    };
    run.store().create_lane(run.lease(bot).unwrap(), bot, lane).await.unwrap();
    run.close().await;
    disk.sync_everything();
    disk.image()
}

/// Runs into the crash and returns how many acknowledgements were kept.
pub(crate) async fn crash(image: &Image, seed: u64, load: Load) -> Result<usize> {
    let disk = Disk::with_image(seed, image);
    let (first, last) = load.steps;
    disk.crash_after(first + seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) % (last - first));
    let acknowledged = run_into_crash(&disk, load).await?;
    ensure!(disk.has_crashed(), "the load ended before the crash");
    disk.reboot();
    look(&disk, &acknowledged).await?;
    Ok(acknowledged.len())
}

async fn run_into_crash(disk: &Disk, load: Load) -> Result<Vec<Acknowledged>> {
    let Ok(mut run) = Run::open(disk, Synchronous::Full).await else { return Ok(Vec::new()) };
    let (sender, mut acknowledged) = mpsc::unbounded_channel();
    if run.acquire().await.is_ok() {
        let mut writers = JoinSet::new();
        for writer in 0..WRITERS {
            let bot = bots()[usize::try_from(writer % 2)?];
            let (store, lease, sender) = (run.shared(), run.lease(bot)?, sender.clone());
            writers.spawn(async move {
                for number in (writer..).step_by(usize::try_from(WRITERS).unwrap()) {
                    let event = large_update(number, load.body_bytes);
                    let append = Append { events: vec![event.clone()], ..Append::default() };
                    let Ok(appended) = store.append(lease, bot, append).await else { return };
                    sender.send(Acknowledged::Event(bot, appended[0], event)).unwrap();
                    if writer == 0 {
                        let seq = appended[0].seq();
                        if store.settle(lease, bot, lane(), settlement(seq)).await.is_err() {
                            return;
                        }
                        sender.send(Acknowledged::Settled(seq)).unwrap();
                    }
                }
            });
        }
        drop(sender);
        while writers.join_next().await.transpose()?.is_some() {}
    }
    run.close().await;
    let mut all = Vec::new();
    while let Ok(one) = acknowledged.try_recv() {
        all.push(one);
    }
    Ok(all)
}

async fn look(disk: &Disk, acknowledged: &[Acknowledged]) -> Result<()> {
    let run = Run::open(disk, Synchronous::Full).await?;
    let store = run.shared();
    let damage = store.check().await?;
    ensure!(damage.is_empty(), "the integrity check says {damage:?}");
    let mut settled = Seq::ZERO;
    let mut journals = Vec::new();
    for bot in bots() {
        let events = store.read_journal(bot, Seq::ZERO, ALL).await?.events;
        in_order(&events)?;
        journals.push((bot, events));
    }
    for one in acknowledged {
        match one {
            Acknowledged::Event(bot, Appended::New { seq, virtual_id }, new) => {
                let (_, events) =
                    journals.iter().find(|(of, _)| of == bot).context("a journal is missing")?;
                let event = events.iter().find(|event| event.seq == *seq).context("an event is missing")?;
                ensure!(event.new == *new && event.virtual_id == *virtual_id, "{seq} is another event");
            }
            Acknowledged::Event(_, duplicate, _) => anyhow::bail!("{duplicate:?} of what came once"),
            Acknowledged::Settled(seq) => settled = settled.max(*seq),
        }
    }
    lane_stands(&*store, settled).await?;
    run.close().await;
    Ok(())
}

/// No gap, and no `update_id` twice.
fn in_order(events: &[Event]) -> Result<()> {
    for (event, number) in events.iter().zip(1..) {
        ensure!(event.seq == Seq::new(number)?, "{} where {number} should stand", event.seq);
    }
    let ids: Vec<_> = events.iter().map(|event| event.virtual_id).collect();
    ensure!(ids.is_sorted_by(|a, b| a < b), "update_ids are not increasing");
    Ok(())
}

/// Not behind what was acknowledged, not ahead of what is there, and one held row per settlement.
async fn lane_stands(store: &dyn Store, settled: Seq) -> Result<()> {
    let bot = bots()[0];
    let stands = store.find_lane(bot, lane()).await?.context("the lane is missing")?;
    let head = store.head(bot).await?.last;
    ensure!(stands.acked >= settled && stands.acked <= head, "{} of {settled}..={head}", stands.acked);
    let rows = store.list_held(bot, lane(), HeldStates::ALL, Seq::ZERO, 100_000).await?;
    ensure!(rows.last().map_or(Seq::ZERO, |row| row.seq) == stands.acked, "a row without its cursor");
    Ok(())
}

fn lane() -> LaneId {
    LaneId::MIN
}

fn settlement(seq: Seq) -> Settlement {
    let held = Held {
        seq,
        conversation: update(seq.get(), 0).conversation,
        family: None,
        state: HeldState::Dead,
        tries: 1,
        attempts: Vec::new(),
        next_at: Timestamp::EPOCH,
        reason: "refused".to_owned(),
    };
    Settlement { acked: Some(seq), put: vec![held], ..Settlement::default() }
}

fn large_update(number: i64, bytes: usize) -> NewEvent {
    let size = bytes + usize::try_from(number % 7).unwrap() * 100;
    let body = Bytes::from(vec![u8::try_from(number % 251).unwrap(); size]);
    NewEvent { body, at: START, ..update(number, 0) }
}
