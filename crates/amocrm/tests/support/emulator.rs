//! The emulator of amoCRM, a channel in it, and an account of ours.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Bytes,
    extract::{Path, RawQuery, State},
    http::HeaderMap,
    response::IntoResponse,
};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tandem_amocrm::{Settings, secret};
use tandem_sandbox::{Clock, Config, Sandbox};
use tandem_testkit::ManualClock;
use tandem_vendor::{Account, ChatIds, Heard, Hook, Keep, News, Taken, Telling, Vendor};

use super::{
    BOT, CHANNEL, CHANNEL_SECRET, CLIENT_ID, CLIENT_SECRET, Kept, With, key, opening, said, setting, vendor,
};

/// How long is waited for what must come.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

/// The emulator, a channel in it, a place that takes its hooks and has files, and an account of ours.
pub(crate) struct Emulator {
    pub(crate) control: Control,
    pub(crate) clock: ManualClock,
    pub(crate) amojo_id: String,
    pub(crate) account: Arc<dyn Account>,
    pub(crate) place: Arc<PlaceOfHooks>,
    pub(crate) kept: Arc<Kept>,
    sandbox: Sandbox,
}

/// The emulator's control API.
pub(crate) struct Control {
    http: reqwest::Client,
    base: String,
}

impl Control {
    pub(crate) async fn asks(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap_or(Value::Null))
    }

    pub(crate) async fn does(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.asks(Method::POST, path, Some(body)).await;
        assert!(status.is_success(), "{path}: {status} {answer}");
        answer
    }
}

#[derive(Default)]
pub(crate) struct PlaceOfHooks {
    pub(crate) address: String,
    pub(crate) hooks: Mutex<Vec<(HeaderMap, Bytes)>>,
    /// Queries of disable hooks.
    pub(crate) disabled: Mutex<Vec<String>>,
}

impl Emulator {
    pub(crate) async fn start() -> Self {
        Self::open(With::ChannelOnly).await
    }

    pub(crate) async fn open(with: With) -> Self {
        let clock = ManualClock::new();
        let sandbox_clock = Clock::manual(clock.now().as_millis());
        let config = Config { clock: sandbox_clock, seed: 7, ..Config::default() };
        let sandbox = Sandbox::start(config).await.unwrap();
        let place = PlaceOfHooks::start().await;
        let control = Control {
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            base: sandbox.control_url(),
        };
        // Under a clock that stands still the eighth request would be refused there, and wait for ever here.
        let account = json!({"subdomain": "shopexample", "rate_limit": false});
        let account = control.does("/amocrm/account", account).await;
        let word = |name: &str| account["account"][name].as_str().unwrap().to_owned();
        let integration = json!({
            "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "lead_sources": true,
            "redirect_uri": "https://bridge.example/oauth/amocrm", "disable_hook": format!("{}/disabled", place.address),
        });
        control.does("/amocrm/integrations", integration).await;
        let channel = json!({
            "id": CHANNEL, "secret": CHANNEL_SECRET, "bot": {"id": BOT, "client_id": "bot", "name": "Bot"},
            "client_id": CLIENT_ID, "quoting": true, "typing": true,
            "hook_url": format!("{}/hooks/:scope_id", place.address),
        });
        control.does("/amocrm/channels", channel).await;
        let mut setting = setting(&sandbox.amocrm_url(), with);
        setting.document["limits"] = json!({"rest_per_second": 1000, "account_per_second": 1000});
        if with == With::ChannelOnly {
            setting.document["channel"]["account"] = json!(word("amojo_id"));
        }
        if with == With::PairAndChannel {
            // Nobody has granted anything yet.
            setting.secrets.retain(|(name, _)| name != secret::ACCESS_TOKEN);
        }
        let kept = Arc::new(Kept::default());
        let keep = Arc::clone(&kept) as Arc<dyn Keep>;
        let account = vendor(&Settings::default(), &clock).open(&setting, keep).unwrap();
        Self { control, clock, amojo_id: word("amojo_id"), account, place, kept, sandbox }
    }

    pub(crate) fn amocrm_url(&self) -> String {
        self.sandbox.amocrm_url()
    }

    /// Time passes on both sides.
    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.sandbox.clock().advance(by);
    }

    /// A person agrees; what comes back in the address.
    pub(crate) async fn grant(&self) -> Vec<(String, String)> {
        let path = format!("/amocrm/integrations/{CLIENT_ID}/authorise");
        let code = self.control.does(&path, json!({"state": "s"})).await["code"].clone();
        [("code", code.as_str().unwrap()), ("referer", "shopexample.amocrm.ru"), ("state", "s")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec()
    }

    /// With the client's first words told.
    pub(crate) async fn with_chat() -> (Self, ChatIds) {
        let emulator = Self::start().await;
        emulator.account.connect().await.unwrap();
        let opened = emulator.account.open_chat(&opening(None, json!(null))).await.unwrap();
        let ids = opened.ids;
        emulator.tell(&ids, said(41, "Здравствуйте")).await.unwrap();
        emulator.shown(&key(41).to_string()).await;
        (emulator, ids)
    }

    pub(crate) fn scope(&self) -> String {
        format!("{CHANNEL}_{}", self.amojo_id)
    }

    pub(crate) async fn tell(
        &self,
        ids: &ChatIds,
        mut telling: Telling,
    ) -> Result<Taken, tandem_vendor::Failure> {
        telling.ids = ids.clone();
        self.account.tell(&telling).await
    }

    /// Does something with the channel.
    pub(crate) async fn act(&self, path: &str, body: Value) -> Value {
        self.control.does(&format!("/amocrm/channels/{CHANNEL}{path}"), body).await
    }

    pub(crate) async fn look(&self, path: &str) -> Value {
        self.control.asks(Method::GET, &format!("/amocrm/channels/{CHANNEL}{path}"), None).await.1
    }

    /// The next message fails so.
    pub(crate) async fn fails(&self, fault: Value) {
        self.part_fails("amojo", "new_message", fault).await;
    }

    pub(crate) async fn part_fails(&self, part: &str, endpoint: &str, fault: Value) {
        let body = json!({"fault": fault, "times": 1, "endpoint": endpoint});
        self.control.does(&format!("/amocrm/faults/{part}"), body).await;
    }

    /// A message as managers see it, once it is shown.
    pub(crate) async fn shown(&self, id: &str) -> Value {
        let path = format!("/amocrm/channels/{CHANNEL}/messages/{}", id.replace(':', "%3A"));
        eventually(async || {
            let (status, line) = self.control.asks(Method::GET, &path, None).await;
            status.is_success().then_some(line)
        })
        .await
    }

    pub(crate) async fn complaints(&self) -> Vec<Value> {
        self.look("/complaints").await["complaints"].as_array().unwrap().clone()
    }

    /// What the hook with this number tells, from 0.
    pub(crate) async fn heard(&self, number: usize) -> Heard {
        match self.news(number).await.remove(0) {
            News::Heard(heard) => *heard,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn news(&self, number: usize) -> Vec<News> {
        let (headers, body) =
            eventually(async || self.place.hooks.lock().unwrap().get(number).cloned()).await;
        let path = vec![CHANNEL.to_owned(), self.scope()];
        assert!(self.account.owns(&path));
        self.account.hear(&Hook { method: Method::POST, path, query: None, headers, body }).unwrap()
    }

    pub(crate) async fn says(&self, what: Value) -> String {
        let mut what = what;
        what["chat"] = json!("tg:777:1001");
        self.act("/say", what).await["messages"][0].as_str().unwrap().to_owned()
    }
}

impl PlaceOfHooks {
    pub(crate) async fn start() -> Arc<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let place = Arc::new(Self { address, ..Self::default() });
        let router = Router::new()
            .route("/hooks/{scope}", axum::routing::post(take_hook))
            .route("/disabled", axum::routing::get(take_disabled))
            .route("/media/{kind}/{name}", axum::routing::get(give_file))
            .with_state(Arc::clone(&place));
        tokio::spawn(async move { axum::serve(listener, router).await });
        place
    }
}

pub(crate) async fn take_hook(
    State(place): State<Arc<PlaceOfHooks>>,
    headers: HeaderMap,
    body: Bytes,
) -> impl IntoResponse {
    place.hooks.lock().unwrap().push((headers, body));
    StatusCode::OK
}

async fn take_disabled(State(place): State<Arc<PlaceOfHooks>>, RawQuery(query): RawQuery) -> StatusCode {
    place.disabled.lock().unwrap().extend(query);
    StatusCode::OK
}

pub(crate) async fn give_file(Path((kind, _)): Path<(String, String)>) -> impl IntoResponse {
    ([("content-type", format!("{kind}/x-test"))], vec![7; 1000])
}

pub(crate) async fn eventually<T>(mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let end = Instant::now() + LIMIT;
    loop {
        if let Some(seen) = look().await {
            return seen;
        }
        assert!(Instant::now() < end, "it did not come within {LIMIT:?}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
