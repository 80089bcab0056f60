//! The delivery of one bot's updates to its webhook.
//!
//! One task per bot, alive while something is to be delivered. It keeps a window of updates loaded from the
//! queue, in id order and at most twice the number of connections; sorts them into serial queues by chat, user or
//! poll; and keeps one request in flight for each queue that may send now, on as many connections as the rules
//! allow. A chat that fails can fill the window and stall the others: so it does at Telegram.
//!
//! An update leaves the bot's queue only after a 2xx, so whatever is in flight when the task is ended (another
//! webhook, none at all) is delivered again by whoever comes next.

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use futures_util::{StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use http::{StatusCode, header};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{
    LastError,
    budget::{Budget, Permit},
    link::{Link, LinkError, WebhookAnswer},
    reply, retry,
    target::Target,
};
use crate::telegram::{
    Bot, Telegram,
    bot::State,
    faults::{Fault, When},
    kinds::QueueKey,
    queue::{Leaving, StoredUpdate},
};

/// A webhook that answers 410 for longer than this is removed.
const GONE_FOR: Duration = Duration::from_hours(23);

/// What a delivery task is started with.
pub(super) struct Job {
    pub(super) bot: Arc<Bot>,
    pub(super) telegram: Telegram,
    pub(super) target: Arc<Target>,
    pub(super) stop: CancellationToken,
    pub(super) wake: Arc<Notify>,
    pub(super) idle: Vec<Link>,
    pub(super) last_success_ms: i64,
}

/// Delivers until nothing is left or the webhook is replaced.
pub(super) async fn run(job: Job) {
    let stop = job.stop.clone();
    stop.run_until_cancelled(Delivery::new(job).run()).await;
}

struct Delivery {
    job: Job,
    url: Arc<str>,
    /// The front of each is the one to send; a queue without updates is not there.
    queues: HashMap<QueueKey, VecDeque<Loaded>>,
    /// Queues that may send now, in the order they became ready.
    ready: VecDeque<QueueKey>,
    /// Queues that wait, by the moment they may send.
    resting: BTreeMap<(i64, u64), QueueKey>,
    /// The numbers of all updates that are loaded.
    loaded: HashSet<u64>,
    in_flight: FuturesUnordered<BoxFuture<'static, Finished>>,
    idle: Vec<Link>,
    /// Connections, idle ones included.
    open: usize,
    budget: Budget,
}

/// An update in the window.
struct Loaded {
    update: StoredUpdate,
    failures: u32,
    /// A planted delay or repetition has met it, and no other will.
    struck: bool,
    /// A planted fault sends it twice: once more to go.
    repeat: bool,
}

/// An attempt that has ended.
struct Finished {
    queue: QueueKey,
    /// The connection, if it can be used again.
    link: Option<Link>,
    outcome: Outcome,
}

enum Outcome {
    Delivered,
    Answered { status: StatusCode, status_line: String, retry_after_secs: Option<i64> },
    Failed(String),
}

impl Delivery {
    fn new(mut job: Job) -> Self {
        let idle: Vec<_> = std::mem::take(&mut job.idle).into_iter().filter(Link::is_open).collect();
        Self {
            url: job.target.wish.url.as_str().into(),
            queues: HashMap::new(),
            ready: VecDeque::new(),
            resting: BTreeMap::new(),
            loaded: HashSet::new(),
            in_flight: FuturesUnordered::new(),
            open: idle.len(),
            idle,
            budget: Budget::new(job.last_success_ms),
            job,
        }
    }

    async fn run(mut self) {
        let wake = Arc::clone(&self.job.wake);
        let clock = self.job.bot.clock.clone();
        while self.load() {
            let next_permit_ms = self.start_attempts();
            let next_rest_ms = self.resting.keys().next().map(|(due_ms, _)| *due_ms);
            let next_ms = [next_permit_ms, next_rest_ms].into_iter().flatten().min();
            tokio::select! {
                Some(finished) = self.in_flight.next(), if !self.in_flight.is_empty() => {
                    self.finish(finished);
                }
                () = wake.notified() => {}
                () = clock.sleep_until(next_ms.unwrap_or(i64::MAX)), if next_ms.is_some() => {}
            }
            self.wake_rested(clock.now_ms());
        }
    }

    /// Fills the window. False when there is nothing to do: the task is then no longer the bot's.
    fn load(&mut self) -> bool {
        let window = 2 * self.job.target.wish.max_connections;
        let bot = Arc::clone(&self.job.bot);
        let mut state = bot.lock();
        if self.job.stop.is_cancelled() {
            return false;
        }
        if self.loaded.len() < window {
            let now_ms = bot.clock.now_ms();
            let mut expired = Vec::new();
            for update in state.queue.oldest(window) {
                if self.loaded.contains(&update.number) {
                    continue;
                }
                if update.expires_at_ms <= now_ms {
                    expired.push((update.id, update.number));
                } else {
                    self.enqueue(update.clone());
                }
            }
            for (id, number) in &expired {
                take_out(&mut state, *id, *number, Leaving::Expired);
            }
            if !expired.is_empty() && self.loaded.is_empty() && !state.queue.is_empty() {
                // A window of nothing but expired updates: look at the next one.
                drop(state);
                return self.load();
            }
        }
        if self.loaded.is_empty()
            && let Some(active) = &mut state.webhook.active
        {
            active.delivering = false;
            active.idle = std::mem::take(&mut self.idle);
            active.last_success_ms = self.budget.last_success_ms();
            return false;
        }
        true
    }

    fn enqueue(&mut self, update: StoredUpdate) {
        self.loaded.insert(update.number);
        let key = update.queue.clone();
        let queue = self.queues.entry(key.clone()).or_default();
        queue.push_back(Loaded { update, failures: 0, struck: false, repeat: false });
        if queue.len() == 1 {
            self.ready.push_back(key);
        }
    }

    /// Sends for as many queues as the connections allow. The answer is the moment at which more may be opened.
    fn start_attempts(&mut self) -> Option<i64> {
        while let Some(key) = self.ready.front().cloned() {
            let now_ms = self.job.bot.clock.now_ms();
            self.idle.retain(|link| {
                let open = link.is_open();
                self.open -= usize::from(!open);
                open
            });
            let link = self.idle.pop();
            if link.is_none() {
                let limit = self.queues.len().min(self.job.target.wish.max_connections);
                match self.budget.permit(self.open, limit, now_ms) {
                    Permit::Now => {
                        self.budget.opened(now_ms);
                        self.open += 1;
                    }
                    Permit::At(when_ms) => return Some(when_ms),
                    Permit::Full => return None,
                }
            }
            self.ready.pop_front();
            self.start(key, link, now_ms);
        }
        None
    }

    fn start(&mut self, key: QueueKey, link: Option<Link>, now_ms: i64) {
        let Some(loaded) = self.queues.get_mut(&key).and_then(VecDeque::front_mut) else { return };
        let mut strike = None;
        if !loaded.struck {
            let struck = self.job.bot.lock().faults.strike("webhook", now_ms);
            match struck {
                Some((Fault::Late { ms } | Fault::Slow { ms }, _)) => {
                    loaded.struck = true;
                    let due_ms = now_ms.saturating_add(ms.max(0));
                    let number = loaded.update.number;
                    self.rest(key, due_ms, number);
                    self.keep(link);
                    return;
                }
                Some((Fault::Duplicate, _)) => (loaded.struck, loaded.repeat) = (true, true),
                other => strike = other,
            }
        }
        let (bot, telegram, target) =
            (Arc::clone(&self.job.bot), self.job.telegram.clone(), Arc::clone(&self.job.target));
        let body = loaded.update.body.clone();
        self.in_flight.push(Box::pin(async move {
            let (link, outcome) = attempt(&telegram, &bot, &target, link, body, strike).await;
            Finished { queue: key, link, outcome }
        }));
    }

    /// Puts an unused connection back; without one the permit to open it is given back.
    fn keep(&mut self, link: Option<Link>) {
        match link.filter(Link::is_open) {
            Some(link) => self.idle.push(link),
            None => self.open -= 1,
        }
    }

    fn finish(&mut self, finished: Finished) {
        let Finished { queue: key, link, outcome } = finished;
        self.keep(link);
        let bot = Arc::clone(&self.job.bot);
        let now_ms = bot.clock.now_ms();
        let Some(loaded) = self.queues.get_mut(&key).and_then(VecDeque::front_mut) else { return };
        let (id, number) = (loaded.update.id, loaded.update.number);
        let mut state = bot.lock();
        if self.job.stop.is_cancelled() {
            // Whatever the webhook that is no more has answered does not count.
            return;
        }
        let (text, retry_after_secs) = match outcome {
            Outcome::Delivered => {
                self.budget.succeeded(now_ms);
                note_answer(&mut state, None);
                state.updates.posted(number, &self.url);
                if loaded.repeat {
                    loaded.repeat = false;
                    self.ready.push_back(key);
                    return;
                }
                take_out(&mut state, id, number, Leaving::Confirmed);
                drop(state);
                self.next_of(key, number);
                return;
            }
            Outcome::Answered { status, status_line, retry_after_secs } => {
                let gone = status == StatusCode::GONE;
                if note_answer(&mut state, gone.then_some(now_ms)) {
                    state.webhook.close();
                    return;
                }
                (format!("Wrong response from the webhook: {status_line}"), retry_after_secs)
            }
            Outcome::Failed(text) => (text, None),
        };
        if let Some(active) = &mut state.webhook.active {
            active.last_error = Some(LastError { at_secs: now_ms.div_euclid(1000), text });
        }
        loaded.failures += 1;
        let wait_ms = retry::wait_ms(loaded.failures, retry_after_secs, &bot.random);
        let due_ms = now_ms.saturating_add(wait_ms);
        if due_ms >= loaded.update.expires_at_ms {
            take_out(&mut state, id, number, Leaving::Expired);
            drop(state);
            self.next_of(key, number);
        } else {
            drop(state);
            self.rest(key, due_ms, number);
        }
    }

    /// The front of a queue is done: the one behind it may go.
    fn next_of(&mut self, key: QueueKey, done: u64) {
        self.loaded.remove(&done);
        let Some(queue) = self.queues.get_mut(&key) else { return };
        queue.pop_front();
        if queue.is_empty() {
            self.queues.remove(&key);
        } else {
            self.ready.push_back(key);
        }
    }

    fn rest(&mut self, key: QueueKey, due_ms: i64, number: u64) {
        self.resting.insert((due_ms, number), key);
    }

    fn wake_rested(&mut self, now_ms: i64) {
        while let Some(entry) = self.resting.first_entry()
            && entry.key().0 <= now_ms
        {
            let key = entry.remove();
            self.ready.push_back(key);
        }
    }
}

/// One request, on the given connection or a new one.
async fn attempt(
    telegram: &Telegram,
    bot: &Arc<Bot>,
    target: &Target,
    link: Option<Link>,
    body: bytes::Bytes,
    strike: Option<(Fault, When)>,
) -> (Option<Link>, Outcome) {
    if let Some((Fault::Reset, When::Before)) = strike {
        return (link, Outcome::Failed("Connection reset by peer".to_owned()));
    }
    let mut link = match link {
        Some(link) => link,
        None => match Link::open(telegram, bot, target).await {
            Ok(link) => link,
            Err(text) => return (None, Outcome::Failed(text)),
        },
    };
    let answer = match link.post(bot, target, body.clone()).await {
        Err(LinkError::Stale) => match Link::open(telegram, bot, target).await {
            Ok(fresh) => {
                link = fresh;
                link.post(bot, target, body).await
            }
            Err(text) => Err(LinkError::Failed(text)),
        },
        answer => answer,
    };
    match answer {
        Ok(_) if matches!(strike, Some((Fault::Reset, When::After))) => {
            (None, Outcome::Failed("Connection reset by peer".to_owned()))
        }
        Ok(answer) if answer.status.is_success() => {
            reply::run(telegram, bot, answer).await;
            (Some(link), Outcome::Delivered)
        }
        Ok(answer) => (Some(link), refused(answer)),
        Err(LinkError::Failed(text)) => (None, Outcome::Failed(text)),
        Err(LinkError::Stale) => (None, Outcome::Failed("Connection closed".to_owned())),
    }
}

fn refused(answer: WebhookAnswer) -> Outcome {
    let value = answer.headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
    let retry_after_secs = value.and_then(retry::retry_after);
    Outcome::Answered { status: answer.status, status_line: answer.status_line, retry_after_secs }
}

fn take_out(state: &mut State, id: i32, number: u64, why: Leaving) {
    let mut left = Vec::new();
    state.queue.remove(id, number, why, &mut left);
    state.note(&left);
}

/// Notes whether the webhook says that it is gone. True when it has said so for too long.
fn note_answer(state: &mut State, gone_ms: Option<i64>) -> bool {
    let Some(active) = &mut state.webhook.active else { return false };
    let Some(now_ms) = gone_ms else {
        active.gone_since_ms = None;
        return false;
    };
    let since_ms = *active.gone_since_ms.get_or_insert(now_ms);
    now_ms - since_ms > crate::clock::millis(GONE_FOR)
}
