//! Pull lanes: whoever has an app's token asks for updates and confirms them by the offset of a later question.
//!
//! A pull lane has no worker and is not attached. What an offset confirms is committed before the answer is given
//! (invariant 4), and cannot be undone by anything. Returning events confirms nothing.

mod leftover;
mod offset;
mod waiting;

use std::{collections::BTreeMap, sync::Mutex, time::Duration};

use tandem_journal::{Lane, LaneError, LanePage, Lease, Order, Outline, Page, Passed, ReadError, Settlement};
use tandem_model::{Event, Seq, Timestamp};

pub(crate) use self::waiting::Waiting;
use self::{leftover::Leftover, offset::Confirm};
use crate::{LaneAddress, Lanes};

/// After so many events that a lane does not want, its cursor moves on without being told to.
const WORTH_A_COMMIT: i64 = 1000;

/// How many events are looked at together, without their bodies.
const OUTLINES: usize = 1000;

/// A question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pull {
    /// What is confirmed, as in `getUpdates` (reference/telegram.md 2.2), by virtual ids.
    pub offset: i64,
    /// At most so many events.
    pub limit: usize,
    /// No further event once their bodies have reached this size.
    pub max_bytes: usize,
    /// How long an event with the ordinary lifetime is worth being given.
    pub backlog: Duration,
}

/// Why a question was not answered. Nothing was confirmed, or it may have been where the store says so.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// The lane is pushed to a destination.
    #[error("lane {lane} is attached to a destination")]
    Pushed {
        /// Which lane.
        lane: LaneAddress,
    },
    /// Another replica owns the bot.
    #[error("this process does not own bot {}", lane.bot)]
    NotOwned {
        /// Which lane.
        lane: LaneAddress,
    },
    /// There is no such lane.
    #[error("lane {lane} does not exist")]
    Missing {
        /// Which lane.
        lane: LaneAddress,
    },
    /// The store could not be read.
    #[error("the lane could not be read")]
    Read(#[from] ReadError),
    /// What was confirmed could not be committed.
    #[error("what was confirmed could not be noted")]
    Confirm(#[source] LaneError),
}

/// What is remembered of pull lanes between two questions.
#[derive(Debug, Default)]
pub(crate) struct Sessions(Mutex<BTreeMap<LaneAddress, Session>>);

#[derive(Debug, Default)]
struct Session {
    /// It is known that no push lane left anything.
    nothing_left: bool,
    /// Events that the last answer left out because they had lived their time: counted when they are confirmed.
    left_out: Vec<Seq>,
}

impl Sessions {
    fn with<T>(&self, lane: LaneAddress, then: impl FnOnce(&mut Session) -> T) -> T {
        let mut sessions = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        then(sessions.entry(lane).or_default())
    }

    /// Forgets a lane that is pushed from now on.
    pub(crate) fn forget(&self, lane: LaneAddress) {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).remove(&lane);
    }
}

/// A lane as a question finds it.
struct Asked {
    lane: LaneAddress,
    lease: Lease,
    now: Timestamp,
    backlog: Duration,
    acked: Seq,
    leftover: Leftover,
}

impl Asked {
    /// Whether an event that was read is still to be given.
    fn pending(&self, event: &Outline) -> bool {
        event.virtual_id.is_some() && (event.seq > self.acked || self.leftover.has(event))
    }

    fn expired(&self, event: &Outline) -> bool {
        event.lifetime.ends(event.at, self.backlog) <= self.now
    }

    /// Whether it is to be given and has not lived its time.
    fn waits(&self, event: &Outline) -> bool {
        self.pending(event) && !self.expired(event)
    }
}

impl Lanes {
    /// Confirms and answers. May be called again with the same offset for the same answer.
    ///
    /// Questions of one lane should come one after the other; a question that comes while another is being answered
    /// is not wrong, only useless. Dropping the future may leave things confirmed.
    pub async fn pull(&self, lane: LaneAddress, pull: Pull) -> Result<Vec<Event>, PullError> {
        let mut asked = self.asked(lane, pull.backlog).await?;
        let next = self.shared.store.head(lane.bot).await?.next_virtual;
        match offset::confirm(pull.offset, next) {
            Confirm::Nothing => {}
            Confirm::Below(id) => {
                let position = self.shared.store.find_position(lane.bot, id).await?;
                self.confirm_before(&mut asked, position, Passed::default()).await?;
            }
            Confirm::AllBut(keep) => {
                if let Some(last) = self.last_but(&asked, keep).await? {
                    self.confirm_before(&mut asked, last.next(), Passed::default()).await?;
                }
            }
        }
        self.answer(&mut asked, pull).await
    }

    /// How many events wait to be given or delivered, in a pull or a push lane. Takes time in proportion to their
    /// number, some two microseconds for each; their bodies are not touched.
    pub async fn pending_count(&self, lane: LaneAddress, backlog: Duration) -> Result<u64, PullError> {
        let asked = self.look(lane, backlog).await?;
        self.count_until(&asked, Seq::MAX).await
    }

    /// Passes everything that waits, and counts it as skipped; the lane goes on with the next event. Returns how
    /// many events it was.
    pub async fn drop_pending(&self, lane: LaneAddress, backlog: Duration) -> Result<u64, PullError> {
        let mut asked = self.asked(lane, backlog).await?;
        let head = self.shared.store.head(lane.bot).await?.last;
        let dropped = self.count_until(&asked, head).await?;
        let passed = Passed { skipped: dropped, expired: 0 };
        self.confirm_before(&mut asked, head.next(), passed).await?;
        Ok(dropped)
    }

    /// Ready once an event is there for the lane; at once when one is there already. Wakes of the lane's bot
    /// ([`Lanes::wake`]) let it look again; nothing is confirmed. Dropping it costs nothing.
    pub async fn wait_for_events(&self, lane: LaneAddress, backlog: Duration) -> Result<(), PullError> {
        let mut waiter = self.shared.waiting.waiter(lane.bot);
        let mut asked = self.asked(lane, backlog).await?;
        let mut scanned = asked.leftover.begin(asked.acked);
        loop {
            loop {
                let LanePage { events, scanned_to, head } = self.read(lane, scanned, 1, 1).await?;
                asked.now = self.shared.clock.now();
                if events.iter().map(Outline::from).any(|event| asked.waits(&event)) {
                    return Ok(());
                }
                scanned = scanned.max(scanned_to);
                if scanned_to >= head {
                    break;
                }
            }
            waiter.appended_after(scanned).await;
        }
    }

    async fn asked(&self, lane: LaneAddress, backlog: Duration) -> Result<Asked, PullError> {
        if self.is_attached(lane) {
            return Err(PullError::Pushed { lane });
        }
        self.look(lane, backlog).await
    }

    async fn look(&self, lane: LaneAddress, backlog: Duration) -> Result<Asked, PullError> {
        let lease = self.shared.leases.lease(lane.bot).ok_or(PullError::NotOwned { lane })?;
        let attached = self.is_attached(lane);
        let nothing_left = !attached && self.shared.sessions.with(lane, |session| session.nothing_left);
        let store = &self.shared.store;
        let Lane { acked, .. } =
            store.find_lane(lane.bot, lane.lane).await?.ok_or(PullError::Missing { lane })?;
        let leftover = if nothing_left { Leftover::default() } else { Leftover::read(store, lane).await? };
        if leftover.is_empty() && !attached {
            self.shared.sessions.with(lane, |session| session.nothing_left = true);
        }
        Ok(Asked { lane, lease, now: self.shared.clock.now(), backlog, acked, leftover })
    }

    async fn read(
        &self,
        lane: LaneAddress,
        after: Seq,
        events: usize,
        bytes: usize,
    ) -> Result<LanePage, ReadError> {
        self.shared.store.read_lane(lane.bot, lane.lane, after, Page { events, bytes }).await
    }

    /// Confirms everything before `position`, durably.
    async fn confirm_before(
        &self,
        asked: &mut Asked,
        position: Seq,
        passed: Passed,
    ) -> Result<(), PullError> {
        let to = position.previous();
        if to <= asked.leftover.begin(asked.acked) {
            return Ok(());
        }
        let mut settlement = Settlement { acked: Some(to), passed, ..Settlement::default() };
        if to >= asked.acked {
            asked.leftover.drop_all(&mut settlement);
        } else {
            let bounds = (position, asked.acked);
            let store = &self.shared.store;
            asked.leftover.confirm_before(store, asked.lane, bounds, asked.now, &mut settlement).await?;
        }
        settlement.passed.expired += self.shared.sessions.with(asked.lane, |session| {
            let (confirmed, still) = session.left_out.drain(..).partition::<Vec<Seq>, _>(|seq| *seq <= to);
            session.left_out = still;
            u64::try_from(confirmed.len()).unwrap_or(u64::MAX)
        });
        let had_leftover = !asked.leftover.is_empty();
        self.settle(asked, settlement).await?;
        asked.acked = asked.acked.max(to);
        if had_leftover {
            asked.leftover = Leftover::read(&self.shared.store, asked.lane).await?;
        }
        Ok(())
    }

    async fn settle(&self, asked: &Asked, settlement: Settlement) -> Result<(), PullError> {
        let LaneAddress { bot, lane } = asked.lane;
        self.shared.store.settle(asked.lease, bot, lane, settlement).await.map_err(PullError::Confirm)
    }

    /// The oldest events that are to be given. What has lived its time before the first of them is passed for good.
    async fn answer(&self, asked: &mut Asked, pull: Pull) -> Result<Vec<Event>, PullError> {
        let mut answer: Vec<Event> = Vec::new();
        let mut left_out: Vec<Seq> = Vec::new();
        let mut leading: u64 = 0;
        let mut size = 0;
        let mut scanned = asked.leftover.begin(asked.acked);
        let begun = scanned;
        while answer.len() < pull.limit && (size < pull.max_bytes || answer.is_empty()) {
            let (events, bytes) = (pull.limit - answer.len(), pull.max_bytes.saturating_sub(size).max(1));
            let page = self.read(asked.lane, scanned, events, bytes).await?;
            for event in page.events {
                let outline = Outline::from(&event);
                if !asked.pending(&outline) {
                    continue;
                }
                if asked.expired(&outline) {
                    if answer.is_empty() {
                        leading += 1;
                    } else {
                        left_out.push(event.seq);
                    }
                } else {
                    size += event.body.len();
                    answer.push(event);
                }
            }
            scanned = scanned.max(page.scanned_to);
            if page.scanned_to >= page.head {
                break;
            }
        }
        let passed_to = answer.first().map_or(scanned, |first| first.seq.previous());
        if leading > 0 || passed_to.get() - begun.get() >= WORTH_A_COMMIT {
            let passed = Passed { skipped: 0, expired: leading };
            self.confirm_before(asked, passed_to.next(), passed).await?;
        }
        self.shared.sessions.with(asked.lane, |session| session.left_out = left_out);
        Ok(answer)
    }

    /// How many events wait, up to there.
    async fn count_until(&self, asked: &Asked, until: Seq) -> Result<u64, PullError> {
        let mut count = 0;
        self.each_waiting(asked, until, Order::OldestFirst, |_seq| {
            count += 1;
            Walk::On
        })
        .await?;
        Ok(count)
    }

    /// The last event that waits but for so many after it. Looked for from the end: it is where one begins who wants
    /// only the latest, however much there is.
    async fn last_but(&self, asked: &Asked, keep: u64) -> Result<Option<Seq>, PullError> {
        let (mut left, mut found) = (keep, None);
        self.each_waiting(asked, Seq::MAX, Order::NewestFirst, |seq| {
            if left > 0 {
                left -= 1;
                return Walk::On;
            }
            found = Some(seq);
            Walk::Stop
        })
        .await?;
        Ok(found)
    }

    async fn each_waiting(
        &self,
        asked: &Asked,
        until: Seq,
        order: Order,
        mut visit: impl FnMut(Seq) -> Walk + Send,
    ) -> Result<(), PullError> {
        let LaneAddress { bot, lane } = asked.lane;
        let mut stretch = (asked.leftover.begin(asked.acked), until);
        loop {
            let page = self.shared.store.outline_lane(bot, lane, stretch, order, OUTLINES).await?;
            let waiting = page.events.iter().filter(|event| asked.waits(event));
            for event in waiting {
                if matches!(visit(event.seq), Walk::Stop) {
                    return Ok(());
                }
            }
            let over = match order {
                Order::OldestFirst => page.scanned_to >= until.min(page.head),
                Order::NewestFirst => page.scanned_to <= stretch.0,
            };
            if over {
                return Ok(());
            }
            match order {
                Order::OldestFirst => stretch.0 = page.scanned_to,
                Order::NewestFirst => stretch.1 = page.scanned_to,
            }
        }
    }
}

/// Whether a walk through waiting events goes on.
enum Walk {
    On,
    Stop,
}
