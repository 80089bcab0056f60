//! A channel's integration by hand: signs calls, receives hooks, serves files.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU16, Ordering};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use md5::{Digest as _, Md5};
use reqwest::Method;
use serde_json::{Value, json};
use sha1::Sha1;
use tokio::net::TcpListener;

use crate::stage::{Stage, eventually};

/// A registered channel.
#[derive(Clone)]
pub(crate) struct Channel {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) bot: String,
    pub(crate) account: String,
}

/// How a call is signed, so that tests can do it wrong.
#[derive(Clone)]
pub(crate) struct Headers {
    pub(crate) date: String,
    pub(crate) content_md5: Option<String>,
    pub(crate) content_type: &'static str,
    pub(crate) signature: Option<String>,
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|half| char::from(b"0123456789abcdef"[usize::from(half)]))
        .collect()
}

pub(crate) fn hmac_sha1(secret: &str, text: &[u8]) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(text);
    hex(&mac.finalize().into_bytes())
}

pub(crate) fn date(ms: i64) -> String {
    Timestamp::from_millisecond(ms).unwrap().strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

impl Channel {
    /// Registers a channel, with whatever the test wants to choose.
    pub(crate) async fn register(stage: &Stage, fixture: Value) -> Self {
        let made = stage.act("/amocrm/channels", fixture).await;
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        let account = word(&stage.look("/amocrm").await["account"]["amojo_id"]);
        Self { id: word(&made["id"]), secret: word(&made["secret"]), bot: word(&made["bot"]["id"]), account }
    }

    /// Registers and connects one whose hooks go to the receiver.
    pub(crate) async fn connected(stage: &Stage, receiver: &Receiver) -> Self {
        let channel = Self::register(stage, json!({"hook_url": receiver.template()})).await;
        channel.connect(stage).await;
        channel
    }

    pub(crate) async fn connect(&self, stage: &Stage) -> Value {
        let body = json!({"account_id": self.account, "title": "Telegram", "hook_api_version": "v2"});
        let (status, answer) = self.call(stage, Method::POST, &format!("{}/connect", self.id), body).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    pub(crate) fn scope(&self) -> String {
        format!("{}_{}", self.id, self.account)
    }

    pub(crate) fn control(&self, path: &str) -> String {
        format!("/amocrm/channels/{}{path}", self.id)
    }

    /// A well-signed call; `null` as body is an empty one.
    pub(crate) async fn call(&self, stage: &Stage, method: Method, path: &str, body: Value) -> (u16, Value) {
        let headers = Headers {
            date: date(stage.sandbox.clock().now_ms()),
            content_md5: None,
            content_type: "application/json",
            signature: None,
        };
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.raw(stage, method, path, body, headers).await.unwrap()
    }

    /// A call with headers as given; what is not given is computed.
    pub(crate) async fn raw(
        &self,
        stage: &Stage,
        method: Method,
        path: &str,
        body: String,
        headers: Headers,
    ) -> reqwest::Result<(u16, Value)> {
        let target = format!("/v2/origin/custom/{path}");
        let md5 = headers.content_md5.unwrap_or_else(|| hex(&Md5::digest(body.as_bytes())));
        let path_only = target.split('?').next().unwrap();
        let signed = [method.as_str(), &md5, headers.content_type, &headers.date, path_only].join("\n");
        let signature = headers.signature.unwrap_or_else(|| hmac_sha1(&self.secret, signed.as_bytes()));
        let answer = stage
            .http
            .request(method, format!("{}{target}", stage.sandbox.amocrm_url()))
            .header("Date", headers.date)
            .header("Content-Type", headers.content_type)
            .header("Content-MD5", md5)
            .header("X-Signature", signature)
            .body(body)
            .send()
            .await?;
        let status = answer.status().as_u16();
        Ok((status, serde_json::from_str(&answer.text().await?).unwrap_or(Value::Null)))
    }

    /// Sends one event with the payload; the times are added.
    pub(crate) async fn event(&self, stage: &Stage, event: &str, mut payload: Value) -> (u16, Value) {
        let now_ms = stage.sandbox.clock().now_ms();
        payload["timestamp"] = json!(now_ms / 1000);
        payload["msec_timestamp"] = json!(now_ms);
        let body = json!({"event_type": event, "payload": payload});
        self.call(stage, Method::POST, &self.scope(), body).await
    }

    /// The client writes; the answer is what amojo said.
    pub(crate) async fn client_says(&self, stage: &Stage, msgid: &str, message: Value) -> Value {
        let payload = json!({"msgid": msgid, "conversation_id": "tg:7:1001", "silent": false,
            "sender": {"id": "tg:1001", "name": "Анна"}, "message": message});
        let (status, answer) = self.event(stage, "new_message", payload).await;
        assert_eq!(status, 200, "{answer}");
        answer["new_message"].clone()
    }

    /// The message as amoCRM shows it, once it is shown.
    pub(crate) async fn line(&self, stage: &Stage, id: &str) -> Value {
        let path = self.control(&format!("/messages/{id}"));
        eventually("the message", async || {
            let (status, line) = stage.ask(Method::GET, &path, None).await;
            status.is_success().then_some(line)
        })
        .await
    }

    pub(crate) async fn say(&self, stage: &Stage, what: Value) -> Vec<String> {
        let said = stage.act(&self.control("/say"), what).await;
        said["messages"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect()
    }

    /// Codes of the complaints so far.
    pub(crate) async fn complaints(&self, stage: &Stage) -> Vec<String> {
        let all = stage.look(&self.control("/complaints")).await;
        let codes = all["complaints"].as_array().unwrap().iter();
        codes.map(|complaint| complaint["code"].as_str().unwrap().to_owned()).collect()
    }
}

/// A place that takes hooks and gives out files.
pub(crate) struct Receiver {
    pub(crate) address: String,
    got: Mutex<Vec<(Uri, HeaderMap, Bytes)>>,
    pub(crate) status: AtomicU16,
    files: Mutex<Vec<(String, Response)>>,
}

impl Receiver {
    pub(crate) async fn start() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let receiver = Arc::new(Self {
            address,
            got: Mutex::default(),
            status: AtomicU16::new(200),
            files: Mutex::default(),
        });
        let router = Router::new().fallback(receive).with_state(receiver.clone());
        tokio::spawn(axum::serve(listener, router).into_future());
        receiver
    }

    pub(crate) fn template(&self) -> String {
        format!("{}/amo/:scope_id", self.address)
    }

    /// Gives out an answer once; the address of it.
    pub(crate) fn file(&self, name: &str, answer: Response) -> String {
        self.files.lock().unwrap().push((format!("/{name}"), answer));
        format!("{}/{name}", self.address)
    }

    pub(crate) fn count(&self) -> usize {
        self.got.lock().unwrap().len()
    }

    /// Waits for the hook with this number, from 0.
    pub(crate) async fn hook(&self, index: usize) -> (Uri, HeaderMap, Bytes) {
        eventually("a chat hook", async || self.got.lock().unwrap().get(index).cloned()).await
    }

    pub(crate) async fn json(&self, index: usize) -> Value {
        serde_json::from_slice(&self.hook(index).await.2).unwrap()
    }
}

async fn receive(
    State(receiver): State<Arc<Receiver>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut files = receiver.files.lock().unwrap();
    if let Some(at) = files.iter().position(|(path, _)| path == uri.path()) {
        return files.remove(at).1;
    }
    receiver.got.lock().unwrap().push((uri, headers, body));
    StatusCode::from_u16(receiver.status.load(Ordering::SeqCst)).unwrap().into_response()
}
