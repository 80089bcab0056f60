//! A server that answers what a test tells it to, in shapes that were recorded, and remembers what it was asked; and an
//! account that speaks to it.

#![allow(dead_code, reason = "each test file uses a part of it")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

pub(crate) mod cards;
pub(crate) mod emulator;

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    response::Response,
};
use bytes::Bytes;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tandem_amocrm::{Amocrm, Settings, secret};
use tandem_model::{
    BotId, ConnectionId, SeededRng, Timestamp, UserId,
    message::{
        Act, Body as Words, ChatKey, Client, Content, MessageKey, MessagePlace, PersonKey, Speaker, Told,
    },
};
use tandem_testkit::ManualClock;
use tandem_vendor::{
    Account, ChatIds, ConnectionSetting, Failure, FailureKind, Keep, KeepError, Opening, Telling, Vendor,
};

pub(crate) const CHANNEL: &str = "0b1c2d3e-4f50-4162-8374-95a6b7c8d9e0";
pub(crate) const AMOJO: &str = "9f8e7d6c-5b4a-4392-8172-615f4e3d2c1b";
pub(crate) const BOT: &str = "2b3c4d5e-6f70-4182-93a4-b5c6d7e8f901";
pub(crate) const CHANNEL_SECRET: &str = "00112233445566778899aabbccddeeff01234567";
pub(crate) const CLIENT_ID: &str = "12345678-90ab-4cde-8f01-234567890abc";
pub(crate) const CLIENT_SECRET: &str = "exampleClientSecret";
pub(crate) const CHAT: &str = "6d5c4b3a-2918-4706-95f4-e3d2c1b0a998";
pub(crate) const PERSON: &str = "3c2b1a09-f8e7-46d5-84c3-b2a190817263";
pub(crate) const OLGA: &str = "5e4d3c2b-1a09-48f7-86e5-d4c3b2a19081";
pub(crate) const MESSAGE: &str = "7e6d5c4b-3a29-4817-96f5-e4d3c2b1a098";
pub(crate) const TOKEN: &str = "long-lived-secret-token";

/// What the server was asked.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) authorization: Option<String>,
    pub(crate) body: Bytes,
}

impl Seen {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// What it answers.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    Json(u16, Value),
    Html(u16),
    Headers(u16, Vec<(&'static str, String)>, String),
    /// The request was taken, and the answer breaks off.
    Lost,
}

struct Inner {
    seen: Mutex<Vec<Seen>>,
    scripted: Mutex<Vec<(&'static str, VecDeque<Reply>)>>,
}

#[derive(Clone)]
pub(crate) struct Server {
    inner: Arc<Inner>,
    pub(crate) address: SocketAddr,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let inner = Arc::new(Inner { seen: Mutex::default(), scripted: Mutex::default() });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&inner));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { inner, address }
    }

    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The next requests whose path ends so are answered with these.
    pub(crate) fn next(&self, path_end: &'static str, replies: impl IntoIterator<Item = Reply>) {
        self.inner.scripted.lock().unwrap().push((path_end, replies.into_iter().collect()));
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.inner.seen.lock().unwrap().clone()
    }

    /// Those whose path ends so.
    pub(crate) fn seen_at(&self, path_end: &str) -> Vec<Seen> {
        self.seen().into_iter().filter(|seen| seen.path.ends_with(path_end)).collect()
    }

    pub(crate) fn forget(&self) {
        self.inner.seen.lock().unwrap().clear();
    }
}

pub(crate) fn scope() -> String {
    format!("{CHANNEL}_{AMOJO}")
}

async fn answer(State(inner): State<Arc<Inner>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let header = |name: &str| parts.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let seen = Seen {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or("").to_owned(),
        authorization: header("authorization"),
        body,
    };
    let reply = {
        let mut scripted = inner.scripted.lock().unwrap();
        let script = scripted.iter_mut().find(|(end, left)| seen.path.ends_with(end) && !left.is_empty());
        script.and_then(|(_, left)| left.pop_front())
    };
    let reply = reply.unwrap_or_else(|| usual(&seen));
    inner.seen.lock().unwrap().push(seen);
    let (status, headers, body) = match reply {
        Reply::Json(status, Value::Null) => (status, Vec::new(), Body::empty()),
        Reply::Json(status, body) => (status, Vec::new(), Body::from(body.to_string())),
        Reply::Html(status) => {
            let page = "<html>\r\n<head><title>403 Forbidden</title></head>\r\n</html>";
            (status, vec![("content-type", "text/html".to_owned())], Body::from(page))
        }
        Reply::Headers(status, headers, body) => (status, headers, Body::from(body)),
        Reply::Lost => {
            let broken =
                futures_util::stream::once(async { Err::<Bytes, _>(std::io::Error::other("broken off")) });
            (200, Vec::new(), Body::from_stream(broken))
        }
    };
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    response.body(body).unwrap()
}

/// What it answers when nothing goes wrong.
fn usual(seen: &Seen) -> Reply {
    let scope = scope();
    match (seen.method.as_str(), seen.path.as_str()) {
        ("GET", "/api/v4/account") => Reply::Json(
            200,
            json!({"id": 31_000_001, "name": "Shop", "amojo_id": AMOJO, "drive_url": "https://drive-b.amocrm.ru"}),
        ),
        ("GET", "/api/v4/users") => Reply::Json(
            200,
            json!({"_page": 1, "_links": {}, "_embedded": {"users": [{"id": 8_100_001, "name": "Ольга", "amojo_id": OLGA}, {"id": 8_100_002, "name": "Free", "amojo_id": null}]}}),
        ),
        ("GET", "/api/v4/sources") => Reply::Json(204, Value::Null),
        ("GET", "/api/v4/contacts/chats") => Reply::Json(
            200,
            json!({"_total_items": 1, "_embedded": {"chats": [{"chat_id": CHAT, "contact_id": 40_100_001, "id": 1}]}}),
        ),
        ("POST", "/api/v4/contacts/chats") => Reply::Json(
            200,
            json!({"_total_items": 1, "_embedded": {"chats": [{"chat_id": CHAT, "contact_id": 40_100_001, "id": 26219, "request_id": "0"}]}}),
        ),
        ("POST", "/api/v4/leads") => Reply::Json(200, json!({"_embedded": {"leads": [{"id": 50_100_001}]}})),
        ("POST", path) if path.ends_with("/connect") => {
            let mut body = seen.json();
            body["scope_id"] = json!(scope);
            body["is_time_window_disabled"] = json!(false);
            Reply::Json(200, body)
        }
        ("POST", path) if path.ends_with("/chats") => Reply::Json(
            200,
            json!({"id": CHAT, "user": {"id": PERSON, "client_id": "tg:1001", "name": "Анна", "avatar": ""}}),
        ),
        ("POST", path) if path.ends_with(&scope) => {
            let ours = seen.json()["payload"]["msgid"].clone();
            Reply::Json(
                200,
                json!({"new_message": {"conversation_id": CHAT, "sender_id": PERSON, "msgid": MESSAGE, "ref_id": ours}}),
            )
        }
        ("GET", path) if path.ends_with("/history") => Reply::Json(204, Value::Null),
        ("POST", _) => Reply::Json(200, Value::Null),
        _ => Reply::Json(404, Value::Null),
    }
}

/// Remembers what was kept; refuses when it is told to.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    pub(crate) pairs: Mutex<Vec<Vec<(String, String)>>>,
    pub(crate) refuses: AtomicBool,
}

#[async_trait]
impl Keep for Kept {
    async fn keep(&self, secrets: Vec<(&'static str, SecretString)>) -> Result<(), KeepError> {
        if self.refuses.load(Ordering::SeqCst) {
            return Err(KeepError { reason: "the disk is full".to_owned() });
        }
        let shown =
            secrets.iter().map(|(name, secret)| ((*name).to_owned(), secret.expose_secret().to_owned()));
        self.pairs.lock().unwrap().push(shown.collect());
        Ok(())
    }
}

/// An account at the server.
pub(crate) struct Stage {
    pub(crate) server: Server,
    pub(crate) clock: ManualClock,
    pub(crate) kept: Arc<Kept>,
    pub(crate) account: Arc<dyn Account>,
}

/// With what an account is opened.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum With {
    TokenAndChannel,
    ChannelOnly,
    TokenOnly,
    /// A pair from OAuth, and a channel.
    PairAndChannel,
    PairOnly,
    /// OAuth, and nobody has granted anything yet.
    NoPair,
}

pub(crate) fn setting(base: &str, with: With) -> ConnectionSetting {
    let mut document = json!({
        "account": "shopexample.amocrm.ru", "rest_base": base, "chats_base": base, "oauth_base": base,
    });
    let mut secrets: Vec<(String, SecretString)> = Vec::new();
    let mut give = |name: &str, value: &str| secrets.push((name.to_owned(), value.into()));
    if !matches!(with, With::TokenOnly | With::PairOnly | With::NoPair) {
        document["channel"] =
            json!({"id": CHANNEL, "bot_id": BOT, "code": "amo.ext.shop", "title": "TgBridge"});
        give(secret::CHANNEL_SECRET, CHANNEL_SECRET);
    }
    match with {
        With::ChannelOnly => document["channel"]["account"] = json!(AMOJO),
        With::TokenAndChannel | With::TokenOnly => give(secret::TOKEN, TOKEN),
        With::PairAndChannel | With::PairOnly | With::NoPair => {
            document["oauth"] =
                json!({"client_id": CLIENT_ID, "redirect_url": "https://bridge.example/oauth/amocrm"});
            give(secret::CLIENT_SECRET, CLIENT_SECRET);
            if with != With::NoPair {
                give(secret::ACCESS_TOKEN, "access-1");
                give(secret::REFRESH_TOKEN, "refresh-1");
            }
        }
    }
    ConnectionSetting {
        id: ConnectionId::new(1).unwrap(),
        name: "shop".to_owned(),
        document,
        secrets,
        public_url: Some("https://bridge.example".to_owned()),
    }
}

pub(crate) fn vendor(settings: &Settings, clock: &ManualClock) -> Amocrm {
    Amocrm::new(settings, Arc::new(clock.clone()), Arc::new(SeededRng::from_seed(1))).unwrap()
}

impl Stage {
    pub(crate) async fn open(with: With) -> Self {
        let (server, clock, kept) = (Server::start().await, ManualClock::new(), Arc::new(Kept::default()));
        let setting = setting(&server.base(), with);
        let account =
            vendor(&Settings::default(), &clock).open(&setting, Arc::clone(&kept) as Arc<dyn Keep>).unwrap();
        Self { server, clock, kept, account }
    }

    /// Opened and connected, and what that took forgotten.
    pub(crate) async fn connected(with: With) -> Self {
        let stage = Self::open(with).await;
        stage.account.connect().await.unwrap();
        stage.server.forget();
        stage
    }
}

pub(crate) fn key(message: i64) -> MessageKey {
    MessageKey::of(bot(), &MessagePlace { business: None, chat: 1001, message })
}

fn bot() -> BotId {
    BotId::new(777).unwrap()
}

pub(crate) fn client() -> Client {
    Client {
        person: PersonKey::of(UserId::new(1001).unwrap()),
        name: "Анна".to_owned(),
        username: None,
        phone: None,
        avatar: None,
    }
}

pub(crate) fn words(content: Content, text: &str) -> Words {
    Words {
        content,
        text: text.to_owned(),
        quote: None,
        forwarded_from: None,
        album: None,
        buttons: Vec::new(),
    }
}

pub(crate) fn telling(message: i64, act: Act) -> Telling {
    Telling {
        told: Told {
            key: key(message),
            chat: ChatKey::of(bot(), None, 1001),
            at: Timestamp::from_secs(1_800_000_000),
            by: Speaker::Client(client()),
            act,
        },
        client: client(),
        ids: ids(),
        message: None,
        quoted: None,
        silent: false,
        route: Value::Null,
    }
}

pub(crate) fn said(message: i64, text: &str) -> Telling {
    telling(message, Act::Said(words(Content::Text, text)))
}

pub(crate) fn ids() -> ChatIds {
    ChatIds { ours: None, chat: Some(CHAT.to_owned()), person: Some(PERSON.to_owned()) }
}

pub(crate) fn opening(contact: Option<&str>, route: Value) -> Opening {
    Opening {
        chat: ChatKey::of(bot(), None, 1001),
        client: client(),
        route,
        starts: Vec::new(),
        contact: contact.map(str::to_owned),
    }
}

pub(crate) fn not_registered() -> Reply {
    Reply::Json(
        404,
        json!({"status": 0, "error_code": 404, "error_type": "ORIGIN_NOT_REGISTERED", "error_description": "NOT_FOUND"}),
    )
}

pub(crate) fn problem(status: u16, title: &str) -> Reply {
    Reply::Json(status, json!({"title": title, "status": status, "detail": "x"}))
}

pub(crate) fn seconds_later(failure: &Failure) -> Option<u64> {
    match failure.kind {
        FailureKind::Later { after, .. } => after.map(|after| after.as_secs()),
        _ => panic!("{failure:?}"),
    }
}

pub(crate) const FIVE_MINUTES: Duration = Duration::from_mins(5);
