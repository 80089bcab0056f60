//! What an operator asks for: one held event again or no more, a stretch of the journal again.
//!
//! Such a delivery is outside the order of its key, which has long gone on, but never at the same time as another
//! run of that key, and one at a time in a lane. It leaves the cursor alone. While it is under way its row keeps
//! saying that it is dead or unknown, so a crash cannot make more of it than that.

use std::{collections::VecDeque, sync::Arc};

use tandem_model::{Event, Held, HeldState, OrderKey, Seq, Timestamp, Verdict};
use tokio::sync::oneshot;

use super::{
    Core, Landed, LaneRead, Launch, Read, Slot,
    key::Phase,
    landing::{Try, clip},
    pause::Wish,
};
use crate::{
    Answer, ReplayMode, Replayed, Run,
    gate::{Charge, Loaded},
};

/// What is said of an event while an operator has it sent again.
const SENT_AGAIN: &str = "sent again by an operator; whether it arrived is not known yet";

/// What an operator asks for.
#[derive(Debug)]
pub(crate) enum Request {
    /// Deliver a held event now.
    Retry { seq: Seq, reply: oneshot::Sender<Answer> },
    /// Let go of a held event.
    Skip { seq: Seq, reply: oneshot::Sender<Answer> },
    /// Deliver again what the lane has had after `after`, up to and including `to`.
    Replay { after: Seq, to: Seq, mode: ReplayMode, reply: oneshot::Sender<Replayed> },
    /// Stand still, or go on.
    Wish { wish: Wish, reply: oneshot::Sender<()> },
}

/// An answer that is given once what it says is committed.
#[derive(Debug)]
pub(super) enum Reply {
    Answer(oneshot::Sender<Answer>, Answer),
    Replayed(oneshot::Sender<Replayed>, Replayed),
    Wished(oneshot::Sender<()>),
}

impl Reply {
    /// Gives it. Nobody may be listening any more.
    pub(super) fn send(self) {
        match self {
            Self::Answer(to, answer) => drop(to.send(answer)),
            Self::Replayed(to, replayed) => drop(to.send(replayed)),
            Self::Wished(to) => drop(to.send(())),
        }
    }
}

/// Requests and how far the first of them has got.
#[derive(Debug, Default)]
pub(super) struct Redo {
    waiting: VecDeque<Request>,
    current: Option<Current>,
    single: Option<Single>,
}

#[derive(Debug)]
enum Current {
    Retry(Seq, oneshot::Sender<Answer>),
    Skip(Seq, oneshot::Sender<Answer>),
    Replay(Replay),
}

#[derive(Debug)]
struct Replay {
    after: Seq,
    to: Seq,
    mode: ReplayMode,
    page: VecDeque<Loaded>,
    tally: Replayed,
    reply: oneshot::Sender<Replayed>,
}

/// One event to be delivered.
#[derive(Debug)]
struct Single {
    loaded: Loaded,
    key: OrderKey,
    held: Option<Held>,
    place: Option<Charge>,
}

impl Core {
    /// Takes a request; it is answered in time.
    pub(crate) fn ask(&mut self, request: Request, now: Timestamp) {
        if let Request::Wish { wish, reply } = request {
            self.wish(wish, reply, now);
            return;
        }
        self.redo.get_or_insert_default().waiting.push_back(request);
    }

    /// Whether an operator's delivery concerns this key.
    pub(super) fn redo_is_at(&self, key: &OrderKey) -> bool {
        self.redo.as_ref().and_then(|redo| redo.single.as_ref()).is_some_and(|single| single.key == *key)
    }

    /// What has to be read for the requests.
    pub(super) fn redo_read(&mut self) -> Option<Read> {
        let page = self.page();
        let redo = self.redo.as_mut()?;
        if redo.single.is_some() {
            return None;
        }
        if redo.current.is_none() {
            redo.current = match redo.waiting.pop_front()? {
                Request::Retry { seq, reply } => Some(Current::Retry(seq, reply)),
                Request::Skip { seq, reply } => Some(Current::Skip(seq, reply)),
                Request::Replay { after, to, mode, reply } => {
                    let (to, page, tally) = (to.min(self.acked), VecDeque::new(), Replayed::default());
                    Some(Current::Replay(Replay { after, to, mode, page, tally, reply }))
                }
                Request::Wish { .. } => None,
            };
        }
        match redo.current.as_ref()? {
            Current::Retry(seq, _) | Current::Skip(seq, _) => Some(Read::Single { seq: *seq }),
            Current::Replay(replay) if replay.page.is_empty() && replay.after < replay.to => {
                Some(Read::Lane { after: replay.after, page, purpose: LaneRead::Replay })
            }
            Current::Replay(_) => None,
        }
    }

    /// A single row and its event were read.
    pub(super) fn on_single(&mut self, seq: Seq, held: Option<Held>, event: Option<Event>, now: Timestamp) {
        let Some(mut redo) = self.redo.take() else { return };
        let answer = match (redo.current.take(), held, event) {
            (Some(Current::Retry(_, reply) | Current::Skip(_, reply)), None, _) => {
                Some((reply, Answer::Missing))
            }
            (Some(Current::Retry(_, reply)), Some(held), _) if held.state.blocks() => {
                Some((reply, self.hasten(&held, now)))
            }
            (Some(Current::Retry(_, reply)), Some(_), None) => Some((reply, Answer::Gone)),
            (Some(Current::Retry(seq, reply)), Some(held), Some(event)) => {
                let (key, loaded) = (held.key(), self.take_in(event));
                redo.single = Some(Single { loaded, key, held: Some(held), place: None });
                redo.current = Some(Current::Retry(seq, reply));
                None
            }
            (Some(Current::Skip(_, reply)), Some(held), _) => Some((reply, self.let_go(seq, &held, now))),
            (current, _, _) => {
                redo.current = current;
                None
            }
        };
        if let Some((reply, answer)) = answer {
            self.batch.then.replies.push(Reply::Answer(reply, answer));
        }
        self.keep_redo(redo);
    }

    fn keep_redo(&mut self, redo: Box<Redo>) {
        if redo.current.is_some() || !redo.waiting.is_empty() {
            self.redo = Some(redo);
        }
    }

    /// Makes a row due that waits for its time.
    fn hasten(&mut self, held: &Held, now: Timestamp) -> Answer {
        let key = held.key();
        if self.keys.get(&key).is_some_and(|entry| matches!(entry.phase, Phase::Waiting(_))) {
            self.set_waiting(&key, now);
            self.batch.put(Held { next_at: now, ..held.clone() });
        }
        Answer::Scheduled
    }

    /// Gives up on an event.
    fn let_go(&mut self, seq: Seq, held: &Held, now: Timestamp) -> Answer {
        if !held.state.blocks() {
            self.batch.drop(seq);
        } else if self.waits_at(&held.key(), seq) {
            let key = held.key();
            if let Some(Phase::Waiting(at)) = self.keys.get(&key).map(|entry| &entry.phase) {
                self.due.remove(&(*at, key.clone()));
            }
            self.go_on(&key, now);
        } else {
            return Answer::Busy;
        }
        self.batch.passed.skipped += 1;
        Answer::Skipped
    }

    fn waits_at(&self, key: &OrderKey, seq: Seq) -> bool {
        self.keys.get(key).is_some_and(|entry| {
            matches!(entry.phase, Phase::Waiting(_)) && entry.rows == [seq] && seq <= self.scanned
        })
    }

    /// A stretch of what the lane has had was read.
    pub(super) fn on_replay_page(&mut self, events: Vec<Event>, scanned_to: Seq, head: Seq, now: Timestamp) {
        let loaded: Vec<Loaded> = events.into_iter().map(|event| self.take_in(event)).collect();
        if let Some(redo) = &mut self.redo
            && let Some(Current::Replay(replay)) = &mut redo.current
        {
            replay.page.extend(loaded.into_iter().filter(|one| one.event.seq <= replay.to));
            replay.after = if scanned_to >= head { replay.to } else { scanned_to };
        }
        self.begin_redo(now);
    }

    /// Begins the next delivery that was asked for, when its key is free.
    pub(super) fn begin_redo(&mut self, now: Timestamp) {
        self.next_of_replay();
        let Some(redo) = &self.redo else { return };
        let Some(single) = redo.single.as_ref().filter(|single| single.place.is_none()) else { return };
        let key_busy = self.keys.get(&single.key).is_some_and(super::Key::busy);
        if self.stopping || key_busy {
            return;
        }
        let Some(place) = self.place() else { return };
        let mut row = self.row(&single.loaded.event, single.held.clone(), HeldState::Unknown, now);
        SENT_AGAIN.clone_into(&mut row.reason);
        if let Some(single) = self.redo.as_mut().and_then(|redo| redo.single.as_mut()) {
            single.place = Some(place);
            self.in_flight += 1;
        }
        if self.recognised() {
            self.launch_redo();
        } else {
            self.batch.put(row);
            self.batch.then.redo = true;
        }
    }

    /// Takes the next event of a replay, or ends it.
    fn next_of_replay(&mut self) {
        let Some(mut redo) = self.redo.take() else { return };
        while redo.single.is_none() && !self.reading {
            let Some(Current::Replay(replay)) = &mut redo.current else { break };
            if let Some(loaded) = replay.page.pop_front() {
                let key = self.spec.key(&loaded.event);
                let row = self.keys.get(&key).and_then(|entry| entry.rows.first());
                if row.is_some_and(|row| *row <= loaded.event.seq) {
                    replay.tally.to_come += 1;
                    continue;
                }
                replay.tally.events += 1;
                if replay.mode == ReplayMode::Deliver {
                    redo.single = Some(Single { loaded, key, held: None, place: None });
                }
            } else if replay.after >= replay.to {
                let Some(Current::Replay(replay)) = redo.current.take() else { break };
                self.batch.then.replies.push(Reply::Replayed(replay.reply, replay.tally));
            } else {
                break;
            }
        }
        self.keep_redo(redo);
    }

    /// Hands it over.
    pub(super) fn launch_redo(&mut self) {
        let Some(single) = self.redo.as_ref().and_then(|redo| redo.single.as_ref()) else { return };
        let tries = single.held.as_ref().map_or(0, |held| held.tries);
        let run = Run { lane: self.lane, events: vec![Arc::clone(&single.loaded.event)], tries };
        self.launches.push(Launch { slot: Slot::Redo, run });
    }

    /// It came back.
    pub(super) fn on_redone(&mut self, landed: Landed, now: Timestamp) {
        let Some(mut redo) = self.redo.take() else { return };
        let Some(single) = redo.single.take() else { return };
        self.in_flight -= 1;
        let seq = single.loaded.event.seq;
        self.batch.facts.extend(landed.outcome.facts);
        let done = landed.outcome.taken > 0;
        self.tell(seq, if done { &Verdict::Done } else { &landed.outcome.verdict });
        let (state, reason) = match landed.outcome.verdict {
            _ if done => (None, String::new()),
            Verdict::Done => (None, String::new()),
            Verdict::Unknown { reason } => (Some(HeldState::Unknown), reason),
            Verdict::Retry { reason, .. } | Verdict::Reject { reason } => (Some(HeldState::Dead), reason),
            Verdict::Stop { detail, .. } => (Some(HeldState::Dead), detail),
            Verdict::Wait { .. } => (Some(HeldState::Dead), "the destination asked to wait".to_owned()),
        };
        let answer = if let Some(state) = state {
            let reason = clip(reason);
            let try_ = Try { began: landed.began, known: single.held };
            let row = self.tried(&single.loaded, try_, state, &reason, now);
            self.batch.put(row);
            Answer::Failed { reason }
        } else {
            self.batch.drop(seq);
            Answer::Delivered
        };
        match redo.current.take() {
            Some(Current::Replay(mut replay)) => {
                match answer {
                    Answer::Delivered => replay.tally.delivered += 1,
                    _ => replay.tally.failed += 1,
                }
                redo.current = Some(Current::Replay(replay));
            }
            Some(Current::Retry(_, reply) | Current::Skip(_, reply)) => {
                self.batch.then.replies.push(Reply::Answer(reply, answer));
            }
            None => {}
        }
        self.keep_redo(redo);
    }

    /// What was asked for cannot be read: whoever asked is told by the end of his channel.
    pub(super) fn give_back_redo(&mut self) {
        if self.redo.as_ref().is_some_and(|redo| redo.single.is_none()) {
            self.redo = None;
        }
    }
    /// The delivery that is under way is not waited for.
    pub(super) fn give_up_redo(&mut self) {
        let under_way = |single: &Single| single.place.is_some();
        if self.redo.take().and_then(|redo| redo.single).is_some_and(|single| under_way(&single)) {
            self.in_flight -= 1;
        }
    }
}
