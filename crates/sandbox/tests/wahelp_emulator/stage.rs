//! A sandbox under a manual clock, a login, and a place that takes hooks.

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use tandem_sandbox::telegram::NewBot;
use tandem_sandbox::{Clock, Config, Sandbox};
use tokio::net::TcpListener;

/// How long a test waits for what must come.
const LIMIT: Duration = Duration::from_secs(20);

pub(crate) struct Stage {
    pub(crate) sandbox: Sandbox,
    pub(crate) http: Client,
    pub(crate) project: i64,
    pub(crate) token: String,
}

impl Stage {
    /// Logged in.
    pub(crate) async fn new() -> Self {
        let clock = Clock::manual(1_767_607_200_000);
        let sandbox = Sandbox::start(Config { clock, seed: 7, ..Config::default() }).await.unwrap();
        let http = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let mut stage = Self { sandbox, http, project: 0, token: String::new() };
        stage.project = stage.look("/wahelp").await["projects"][0]["id"].as_i64().unwrap();
        let (status, answer) = stage.login().await;
        assert_eq!(status, 200, "{answer}");
        word(&answer["data"]["access_token"]).clone_into(&mut stage.token);
        stage
    }

    pub(crate) async fn login(&self) -> (u16, Value) {
        let account = self.look("/wahelp").await;
        let body = json!({"login": account["login"], "password": account["password"]});
        self.answered(self.http.post(self.address("/user/login")).json(&body)).await
    }

    pub(crate) fn address(&self, path: &str) -> String {
        format!("{}/api/app{path}", self.sandbox.wahelp_url())
    }

    pub(crate) fn of_project(&self, path: &str) -> String {
        format!("/projects/{}{path}", self.project)
    }

    /// A request of the API with the stage's token.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let project = self.project.to_string();
        self.http.request(method, self.address(path)).bearer_auth(&self.token).header("X-Project", project)
    }

    pub(crate) async fn answered(&self, request: RequestBuilder) -> (u16, Value) {
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap_or(Value::Null))
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, answer) = self.answered(self.request(Method::GET, path)).await;
        assert_eq!(status, 200, "GET {path}: {answer}");
        answer
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.answered(self.request(Method::POST, path).json(&body)).await
    }

    /// A control call that succeeds.
    pub(crate) async fn act(&self, path: &str, body: Value) -> Value {
        let request = self.http.post(format!("{}{path}", self.sandbox.control_url())).json(&body);
        let (status, answer) = self.answered(request).await;
        assert!((200..300).contains(&status), "POST {path}: {status} {answer}");
        answer
    }

    pub(crate) async fn look(&self, path: &str) -> Value {
        let request = self.http.get(format!("{}{path}", self.sandbox.control_url()));
        let (status, answer) = self.answered(request).await;
        assert_eq!(status, 200, "GET {path}: {answer}");
        answer
    }

    pub(crate) async fn switch(&self, switches: Value) {
        self.act("/wahelp/switches", switches).await;
    }

    /// A personal account; numbers are written into its client's phones.
    pub(crate) async fn personal(&self) -> Channel {
        Channel::of(&self.act("/wahelp/channels", json!({"name": "clients_tg"})).await)
    }

    pub(crate) async fn subscribe(&self, receiver: &Receiver) {
        let body = json!({"url": receiver.address, "entities": ["channel.message"]});
        let (status, answer) = self.post(&self.of_project("/webhooks/"), body).await;
        assert_eq!(status, 200, "{answer}");
    }

    pub(crate) fn bot(&self) -> (i64, String) {
        let bot = self.sandbox.telegram().create_bot(NewBot::default()).unwrap();
        (bot.id(), bot.token())
    }
}

/// A channel by both its names.
pub(crate) struct Channel {
    pub(crate) id: i64,
    pub(crate) uuid: String,
}

impl Channel {
    pub(crate) fn of(shown: &Value) -> Self {
        Self { id: shown["id"].as_i64().unwrap(), uuid: word(&shown["uuid"]).to_owned() }
    }

    pub(crate) fn control(&self, path: &str) -> String {
        format!("/wahelp/channels/{}{path}", self.id)
    }

    pub(crate) fn api(&self, stage: &Stage, path: &str) -> String {
        stage.of_project(&format!("/channels/{}{path}", self.uuid))
    }

    /// Somebody with the messenger.
    pub(crate) async fn client(&self, stage: &Stage, name: &str, phone: &str) -> i64 {
        let client = stage.act(&self.control("/clients"), json!({"name": name, "phone": phone})).await;
        client["id"].as_i64().unwrap()
    }

    pub(crate) async fn client_says(&self, stage: &Stage, client: i64, text: &str) -> Value {
        stage.act(&self.control(&format!("/clients/{client}/say")), json!({"text": text})).await
    }

    /// The client's chat as `side: text`.
    pub(crate) async fn phone(&self, stage: &Stage, client: i64) -> Vec<String> {
        let shown = stage.look(&self.control(&format!("/clients/{client}"))).await;
        let lines = shown["chat"].as_array().unwrap().iter();
        lines.map(|line| format!("{}: {}", word(&line["side"]), word(&line["text"]))).collect()
    }

    /// The dialogues as `destination: text`, all in one list.
    pub(crate) async fn dialogue(&self, stage: &Stage) -> Vec<String> {
        let shown = stage.look(&self.control("/users")).await;
        let users = shown["users"].as_array().unwrap().iter();
        let messages = users.flat_map(|user| user["messages"].as_array().unwrap());
        messages.map(|said| format!("{}: {}", word(&said["destination"]), word(&said["text"]))).collect()
    }
}

/// A place that takes hooks.
pub(crate) struct Receiver {
    pub(crate) address: String,
    got: Mutex<Vec<Value>>,
    pub(crate) status: AtomicU16,
}

impl Receiver {
    pub(crate) async fn start() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/hook?secret=s", listener.local_addr().unwrap());
        let receiver = Arc::new(Self { address, got: Mutex::default(), status: AtomicU16::new(200) });
        let router = Router::new().fallback(receive).with_state(receiver.clone());
        tokio::spawn(axum::serve(listener, router).into_future());
        receiver
    }

    pub(crate) fn all(&self) -> Vec<Value> {
        self.got.lock().unwrap().clone()
    }

    /// Waits until so many have come.
    pub(crate) async fn when(&self, count: usize) -> Vec<Value> {
        eventually("hooks", async || Some(self.all()).filter(|all| all.len() >= count)).await
    }
}

async fn receive(State(receiver): State<Arc<Receiver>>, body: Bytes) -> StatusCode {
    receiver.got.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
    StatusCode::from_u16(receiver.status.load(Ordering::SeqCst)).unwrap()
}

#[track_caller]
pub(crate) fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

/// Looks until there is something, or fails.
pub(crate) async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let end = Instant::now() + LIMIT;
    loop {
        if let Some(seen) = look().await {
            return seen;
        }
        assert!(Instant::now() < end, "no {what} within {LIMIT:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
