//! The network between the service and Telegram: everything goes through it, and it fails as it is told.
//!
//! It is also where the sandbox is listened to: what it gave is noted as it came out of it, before anything is spoiled.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{Response, StatusCode, header, request::Parts};
use rand::{RngExt as _, SeedableRng as _, rngs::ChaCha12Rng};
use serde_json::value::RawValue;

use crate::{
    http::{Door, Reply, listen},
    plan::Fault,
    run::now_ms,
    seen::{Seen, marks},
};

/// Which part of the requests a fault meets while it lasts.
const SHARE: f64 = 0.6;
/// So many updates are remembered to be given again.
const REMEMBERED: usize = 60;
const PAGE: &str = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx/1.18.0</center>\r\n</body>\r\n</html>\r\n";

/// The network. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Wire {
    state: Arc<Mutex<State>>,
    door: Door,
    client: reqwest::Client,
    telegram: String,
}

struct State {
    rng: ChaCha12Rng,
    fault: Option<Fault>,
    given: BTreeMap<i64, (i64, Seen)>,
    /// Given, and not confirmed yet.
    unconfirmed: BTreeMap<i64, Box<RawValue>>,
    /// Confirmed last: Telegram may give again only what it can take for unconfirmed.
    recent: VecDeque<Box<RawValue>>,
    /// Marks of calls that are on their way, there or back.
    under_way: BTreeSet<u64>,
    answers_lost: BTreeSet<u64>,
}

/// A call that is on its way.
struct UnderWay<'a> {
    wire: &'a Wire,
    marks: Vec<u64>,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let mut state = self.wire.lock();
        for mark in &self.marks {
            state.under_way.remove(mark);
        }
    }
}

impl Wire {
    /// Leads to this Telegram, whose address it hides.
    pub(crate) async fn to(telegram: String, seed: u64) -> anyhow::Result<(Self, SocketAddr)> {
        let state = State {
            rng: ChaCha12Rng::seed_from_u64(seed),
            fault: None,
            given: BTreeMap::new(),
            unconfirmed: BTreeMap::new(),
            recent: VecDeque::new(),
            under_way: BTreeSet::new(),
            answers_lost: BTreeSet::new(),
        };
        let wire = Self {
            state: Arc::new(Mutex::new(state)),
            door: Door::open(),
            client: reqwest::Client::builder().no_proxy().build()?,
            telegram,
        };
        let handler = wire.clone();
        let address = listen(wire.door.clone(), move |parts, body| {
            let wire = handler.clone();
            async move { wire.carry(parts, body).await }
        })
        .await?;
        Ok((wire, address))
    }

    /// From now on it fails like this.
    pub(crate) fn fail(&self, fault: Fault) {
        match fault {
            Fault::UpstreamIsAway => {
                // What is under way breaks off.
                let mut state = self.lock();
                let under_way = state.under_way.clone();
                state.answers_lost.extend(under_way);
                self.door.shut();
            }
            fault => self.lock().fault = Some(fault),
        }
    }

    /// All is well.
    pub(crate) fn heal(&self) {
        self.door.reopen();
        self.lock().fault = None;
    }

    /// What Telegram numbers anew is not mixed with what it numbered before.
    pub(crate) fn forget_recent(&self) {
        let mut state = self.lock();
        state.recent.clear();
        state.unconfirmed.clear();
    }

    /// What the sandbox gave, by its number.
    pub(crate) fn given(&self) -> BTreeMap<i64, (i64, Seen)> {
        self.lock().given.clone()
    }

    /// Marks of calls whose answers it lost.
    pub(crate) fn answers_lost(&self) -> BTreeSet<u64> {
        self.lock().answers_lost.clone()
    }

    async fn carry(&self, parts: Parts, body: Bytes) -> Reply {
        let fault = self.draw();
        match fault {
            Some(Fault::UpstreamResets) => return Reply::Reset,
            Some(Fault::UpstreamAnswersHtml) => {
                return Reply::whole(StatusCode::BAD_GATEWAY, "text/html", PAGE);
            }
            Some(Fault::UpstreamFails) => return failure(500, "Internal Server Error", None),
            Some(Fault::UpstreamIsBusy) => return failure(429, "Too Many Requests: retry after 1", Some(1)),
            _ => {}
        }
        // Whatever breaks from here on, Telegram may have done it, and its answer does not come through.
        let sent: Vec<u64> = marks(&String::from_utf8_lossy(&body)).collect();
        self.lock().under_way.extend(&sent);
        let _under_way = UnderWay { wire: self, marks: sent.clone() };
        let asks = parts.uri.path().to_lowercase().ends_with("/getupdates");
        if asks {
            self.note_offset(&body);
        }
        let Some(answer) = self.forward(parts, body).await else {
            self.lose(sent);
            return Reply::Reset;
        };
        if asks {
            self.listen_to(answer.body());
        }
        match fault {
            Some(Fault::UpstreamLosesAnswers) => {
                self.lose(sent);
                Reply::Reset
            }
            Some(Fault::UpstreamCutsAnswers) => {
                self.lose(sent);
                let half = answer.body().len() / 2;
                Reply::Cut(answer, half)
            }
            Some(Fault::UpstreamStalls) => {
                let (wait, ever) = self.stall();
                if !ever {
                    self.lose(sent);
                }
                tokio::time::sleep(wait).await;
                if ever { Reply::Whole(answer) } else { Reply::Reset }
            }
            Some(Fault::UpstreamRepeats) if asks => Reply::Whole(answer.map(|body| self.repeat(body))),
            _ => Reply::Whole(answer),
        }
    }

    async fn forward(&self, parts: Parts, body: Bytes) -> Option<Response<Bytes>> {
        let target = parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let mut request =
            self.client.request(parts.method.clone(), format!("{}{target}", self.telegram)).body(body);
        if let Some(kind) = parts.headers.get(header::CONTENT_TYPE) {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        let answer = request.send().await.ok()?;
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = answer.status();
        for name in [header::CONTENT_TYPE, header::RETRY_AFTER] {
            if let Some(value) = answer.headers().get(&name) {
                response.headers_mut().insert(name, value.clone());
            }
        }
        *response.body_mut() = answer.bytes().await.ok()?;
        Some(response)
    }

    fn listen_to(&self, answer: &Bytes) {
        let Some(updates) = Seen::read_answer(answer) else { return };
        let now = now_ms();
        let mut state = self.lock();
        for (seen, raw) in updates {
            let id = seen.update_id;
            if state.given.contains_key(&id) {
                continue;
            }
            state.given.insert(id, (now, seen));
            state.unconfirmed.insert(id, raw);
        }
    }

    /// What a question confirms may be repeated from now on.
    fn note_offset(&self, question: &Bytes) {
        let question = String::from_utf8_lossy(question);
        let offset = question.split('&').find_map(|pair| pair.strip_prefix("offset="));
        let Some(offset) = offset.and_then(|offset| offset.parse().ok()) else { return };
        let mut state = self.lock();
        let open = state.unconfirmed.split_off(&offset);
        let confirmed = std::mem::replace(&mut state.unconfirmed, open);
        state.recent.extend(confirmed.into_values());
        let surplus = state.recent.len().saturating_sub(REMEMBERED);
        state.recent.drain(..surplus);
    }

    /// The same answer with some of the last updates in it once more, before or after the others.
    fn repeat(&self, answer: Bytes) -> Bytes {
        let Some(updates) = Seen::read_answer(&answer) else { return answer };
        let mut state = self.lock();
        let State { rng, recent, .. } = &mut *state;
        let mut again: Vec<&str> = Vec::new();
        for raw in recent.iter() {
            if again.len() < 20 && rng.random_bool(0.3) {
                again.push(raw.get());
            }
        }
        let fresh: Vec<&str> = updates.iter().map(|(_, raw)| raw.get()).collect();
        let all = if rng.random_bool(0.5) { [again, fresh] } else { [fresh, again] }.concat();
        format!("{{\"ok\":true,\"result\":[{}]}}", all.join(",\n")).into()
    }

    fn draw(&self) -> Option<Fault> {
        let mut state = self.lock();
        let fault = state.fault?;
        state.rng.random_bool(SHARE).then_some(fault)
    }

    /// How long an answer is kept back, and whether it comes at all.
    fn stall(&self) -> (Duration, bool) {
        let rng = &mut self.lock().rng;
        (Duration::from_millis(rng.random_range(500..6_000)), rng.random_bool(0.6))
    }

    fn lose(&self, sent: Vec<u64>) {
        self.lock().answers_lost.extend(sent);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn failure(code: u16, description: &str, retry_after: Option<u32>) -> Reply {
    let mut body = serde_json::json!({ "ok": false, "error_code": code, "description": description });
    if let Some(seconds) = retry_after {
        body["parameters"] = serde_json::json!({ "retry_after": seconds });
    }
    let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Reply::whole(status, "application/json", body.to_string())
}
