//! The first answer to a press wins (DESIGN section 5).
//!
//! A press that everybody got may be answered by several apps. What the first says goes to Telegram; the others are told
//! `true`, which every library takes for success, and nothing of theirs is sent. An app whose answer Telegram refuses
//! has not answered: the next one's turn comes. An app may answer again what it has answered itself.
//!
//! What was answered is remembered for longer than a press lives. After a start it is read from the journal, once for
//! each bot. Routes whose receiver answers past us are not known here: Telegram's own words decide then.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{body::Body, extract::Request};
use http::Response;
use tandem_journal::{Page, ReadError};
use tandem_model::{BotId, EventKind, LaneId, Seq, Timestamp};
use tandem_telegram::{
    envelope,
    methods::{Act, Capture, Method},
    params::Params,
};
use tokio::sync::OwnedMutexGuard;

use crate::{
    App, Gateway, SentDocument,
    gateway::{Chain, read, whole},
};

/// How long an answer is remembered: presses live 150 s (reference/telegram.md 2.4), and an app may be slow.
const REMEMBERED: Duration = Duration::from_mins(5);
/// How many answers of all bots together.
const ANSWERS: usize = 100_000;
/// How far back a journal is read after a start, at most.
const EVENTS: i64 = 20_000;

/// Who has answered what.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    known: Mutex<Known>,
    /// Bots whose journal was read.
    recalled: tokio::sync::Mutex<HashSet<BotId>>,
}

type Key = (BotId, String);
type By = Arc<tokio::sync::Mutex<Option<LaneId>>>;

#[derive(Debug, Default)]
struct Known {
    by: HashMap<Key, By>,
    order: VecDeque<(Timestamp, Key)>,
}

/// Whether an app may answer a press.
pub(crate) enum Turn {
    /// It may, and says here whether it has.
    Own(OwnedMutexGuard<Option<LaneId>>),
    /// Another app has.
    Taken,
}

impl Answers {
    fn entry(&self, key: Key, now: Timestamp) -> By {
        let mut known = self.lock();
        let Known { by, order } = &mut *known;
        while let Some((since, oldest)) = order.front()
            && (now.since(*since) > REMEMBERED || order.len() >= ANSWERS)
        {
            by.remove(oldest);
            order.pop_front();
        }
        let entry = by.entry(key.clone()).or_insert_with(|| {
            order.push_back((now, key));
            By::default()
        });
        Arc::clone(entry)
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether this is the method that answers a press.
pub(crate) fn answers_press(method: &str) -> bool {
    Method::find(method).is_some_and(|method| method.name() == "answerCallbackQuery")
}

impl Gateway {
    /// Has a press answered, unless another app has answered it.
    pub(crate) async fn answer_press(
        &self,
        app: &Arc<App>,
        path: &str,
        capture: Capture,
        request: Request,
    ) -> Response<Body> {
        if !self.shares_bot(app) {
            return self.capture(app, path, Some(capture), request).await;
        }
        let (request, params) = match read(request).await {
            Ok(read) => read,
            Err(failure) => return whole(failure.response()),
        };
        let Some(turn) = self.turn_to_answer(app, &params).await else {
            return self.capture(app, path, Some(capture), request).await;
        };
        let Turn::Own(mut by) = turn else { return whole(envelope::success(b"true")) };
        // Whoever waits for its turn waits for what comes of this, also when the app goes away.
        let (gateway, app, path) = (self.clone(), Arc::clone(app), path.to_owned());
        let answering = async move {
            let response = gateway.capture(&app, &path, Some(capture), request).await;
            if response.status().is_success() {
                *by = Some(app.lane());
            }
            response
        };
        self.finish(answering).await
    }

    /// Waits for an app's turn to answer a press. `None` where there is no question whose: one app, no press named.
    pub(crate) async fn turn_to_answer(&self, app: &App, params: &Params) -> Option<Turn> {
        let query = params.text("callback_query_id").filter(|query| !query.is_empty())?;
        if !self.shares_bot(app) {
            return None;
        }
        let bot = app.bot().id();
        self.recall(bot).await;
        let by = self.inner().answers.entry((bot, query.to_owned()), self.inner().clock.now());
        let by = by.lock_owned().await;
        Some(match *by {
            Some(lane) if lane != app.lane() => Turn::Taken,
            Some(_) | None => Turn::Own(by),
        })
    }

    fn shares_bot(&self, app: &App) -> bool {
        self.inner().directory.list_apps(app.bot().id()).len() > 1
    }

    /// Reads what was answered before this process began, once.
    async fn recall(&self, bot: BotId) {
        let mut recalled = self.inner().answers.recalled.lock().await;
        if recalled.contains(&bot) {
            return;
        }
        match self.recent_answers(bot).await {
            Ok(answers) => {
                let now = self.inner().clock.now();
                for (query, lane) in answers {
                    let entry = self.inner().answers.entry((bot, query), now);
                    entry.lock().await.get_or_insert(lane);
                }
                recalled.insert(bot);
            }
            // It is tried again with the next answer.
            Err(error) => {
                let chain = Chain(&error);
                tracing::warn!(bot.id = %bot, "who has answered which press could not be looked up: {chain}");
            }
        }
    }

    async fn recent_answers(&self, bot: BotId) -> Result<Vec<(String, LaneId)>, ReadError> {
        let store = &self.inner().store;
        let since = self.inner().clock.now().minus(REMEMBERED);
        let head = store.head(bot).await?;
        let oldest = head.oldest.get().max(head.last.get() - EVENTS);
        let (mut low, mut high) = (oldest, head.last.get() + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            let page = Page { events: 1, bytes: 1 };
            let found = store.read_journal(bot, seq(middle).previous(), page).await?;
            match found.events.first() {
                Some(event) if event.appended_at < since => low = event.seq.get() + 1,
                Some(_) | None => high = middle,
            }
        }
        let mut answers = Vec::new();
        let mut after = seq(low).previous();
        loop {
            let page = store.read_journal(bot, after, Page { events: 500, bytes: 1 << 20 }).await?;
            let Some(last) = page.events.last() else { return Ok(answers) };
            after = last.seq;
            for event in &page.events {
                if event.kind == EventKind::Sent
                    && event.topic == Act::Answer.topic()
                    && let Some(lane) = event.cause
                    && let Ok(sent) = serde_json::from_slice::<SentDocument<'_>>(&event.body)
                    && answers_press(&sent.method)
                    && let Some(query) = sent.parameters.text("callback_query_id")
                {
                    answers.push((query.to_owned(), lane));
                }
            }
        }
    }
}

fn seq(number: i64) -> Seq {
    Seq::new(number).unwrap_or(Seq::ZERO)
}
