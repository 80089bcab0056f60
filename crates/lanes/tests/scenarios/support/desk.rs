//! A destination that notes what it gets and says what it is told to say.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use tandem_lanes::{Delivered, Destination, Run};
use tandem_model::{Blame, PauseReason, Timestamp, Verdict};
use tandem_testkit::ManualClock;
use tokio::sync::watch;

/// One attempt: when, and the texts of the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attempted {
    pub(crate) at: Timestamp,
    pub(crate) texts: Vec<String>,
}

/// A CRM's desk, an app's webhook, Telegram's end: whatever takes messages.
pub(crate) struct Desk {
    clock: ManualClock,
    state: Mutex<State>,
    /// Texts that are kept waiting.
    hanging: watch::Sender<BTreeSet<String>>,
}

#[derive(Default)]
struct State {
    attempts: Vec<Attempted>,
    received: Vec<String>,
    answers: BTreeMap<String, VecDeque<Answer>>,
    always: BTreeMap<String, Answer>,
    everything: Option<Answer>,
}

/// What the desk says.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    Says(Verdict),
    Panics,
}

impl Desk {
    pub(crate) fn new(clock: ManualClock) -> Arc<Self> {
        Arc::new(Self { clock, state: Mutex::default(), hanging: watch::Sender::new(BTreeSet::new()) })
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Says this of the text, once more.
    pub(crate) fn once(&self, text: &str, verdict: Verdict) {
        self.state().answers.entry(text.to_owned()).or_default().push_back(Answer::Says(verdict));
    }

    pub(crate) fn panics_once(&self, text: &str) {
        self.state().answers.entry(text.to_owned()).or_default().push_back(Answer::Panics);
    }

    /// Says this of the text from now on.
    pub(crate) fn always(&self, text: &str, verdict: Verdict) {
        self.state().always.insert(text.to_owned(), Answer::Says(verdict));
    }

    /// Says this of everything from now on.
    pub(crate) fn everything(&self, verdict: Verdict) {
        self.state().everything = Some(Answer::Says(verdict));
    }

    /// Takes everything again.
    pub(crate) fn is_well(&self) {
        let mut state = self.state();
        state.everything = None;
        state.always.clear();
        state.answers.clear();
    }

    /// Keeps the text waiting.
    pub(crate) fn hang(&self, text: &str) {
        self.hanging.send_modify(|texts| {
            texts.insert(text.to_owned());
        });
    }

    /// Lets everything go that is kept waiting.
    pub(crate) fn let_go(&self) {
        self.hanging.send_modify(BTreeSet::clear);
    }

    /// What was taken, in order.
    pub(crate) fn received(&self) -> Vec<String> {
        self.state().received.clone()
    }

    /// What was taken of one customer.
    pub(crate) fn received_of(&self, customer: i64) -> Vec<String> {
        let prefix = format!("{customer}:");
        self.received().into_iter().filter(|text| text.starts_with(&prefix)).collect()
    }

    pub(crate) fn attempts(&self) -> Vec<Attempted> {
        self.state().attempts.clone()
    }

    /// How long after the first attempt of a text each of its attempts came, in seconds.
    pub(crate) fn attempts_of(&self, text: &str) -> Vec<u64> {
        let attempts = self.attempts();
        let of: Vec<Timestamp> =
            attempts.iter().filter(|one| one.texts[0] == text).map(|one| one.at).collect();
        of.iter().map(|at| at.since(of[0]).as_secs()).collect()
    }

    pub(crate) fn forget(&self) {
        let mut state = self.state();
        state.attempts.clear();
        state.received.clear();
    }
}

#[async_trait]
impl Destination for Desk {
    async fn deliver(&self, run: &Run) -> Delivered {
        let texts: Vec<String> =
            run.events.iter().map(|event| String::from_utf8(event.body.to_vec()).unwrap()).collect();
        let at = self.clock.now();
        self.state().attempts.push(Attempted { at, texts: texts.clone() });
        let mut hanging = self.hanging.subscribe();
        let free = hanging.wait_for(|held| texts.iter().all(|text| !held.contains(text))).await;
        free.expect("the desk is there");
        let mut state = self.state();
        for (taken, text) in texts.iter().enumerate() {
            let answer = match state.answers.get_mut(text).and_then(VecDeque::pop_front) {
                Some(answer) => Some(answer),
                None => state.always.get(text).cloned().or_else(|| state.everything.clone()),
            };
            match answer {
                None | Some(Answer::Says(Verdict::Done)) => state.received.push(text.clone()),
                Some(Answer::Says(verdict)) => return Delivered { taken, verdict, facts: Vec::new() },
                Some(Answer::Panics) => {
                    drop(state);
                    panic!("the desk falls over");
                }
            }
        }
        Delivered::all(run)
    }
}

/// Failed, by somebody's fault.
pub(crate) fn fails(blame: Blame) -> Verdict {
    Verdict::Retry { after: None, blame, reason: "no luck".to_owned() }
}

pub(crate) fn rejects() -> Verdict {
    Verdict::Reject { reason: "the chat is gone".to_owned() }
}

pub(crate) fn unknown() -> Verdict {
    Verdict::Unknown { reason: "the connection broke".to_owned() }
}

pub(crate) fn refuses() -> Verdict {
    Verdict::Stop { reason: PauseReason::Refused, detail: "the token was revoked".to_owned() }
}
