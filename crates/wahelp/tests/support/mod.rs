//! A Wahelp that a test scripts, written from the reference's examples, and an account that speaks to it.

#![allow(dead_code, reason = "each test file uses a part of it")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard},
};

use async_trait::async_trait;
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    response::Response,
};
use bytes::Bytes;
use http::{HeaderMap, Method};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tandem_model::{
    BotId, ConnectionId, SeededRng, Timestamp, UserId,
    message::{
        Act, Attachment, AttachmentKind, Body as Words, ChatKey, Client, Content, FileRef, MessageKey,
        MessagePlace, PersonKey, Speaker, Told,
    },
};
use tandem_testkit::ManualClock;
use tandem_vendor::{
    Account, ChatIds, ConnectionSetting, Hook, HookRefusal, Keep, KeepError, News, Opening, Telling, Vendor,
};
use tandem_wahelp::Wahelp;

pub(crate) const PROJECT: &str = "4242";
pub(crate) const CHANNEL: &str = "11111111-aaaa-4bbb-8ccc-222222222222";
pub(crate) const PHONE: &str = "+7 999 000-11-22";

/// What was asked.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Seen {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// What is answered.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    Json(u16, Value),
    Text(u16, &'static str),
    To(u16, &'static str),
    /// It is taken, and the answer breaks off.
    Lost,
}

#[derive(Debug, Default)]
struct Scene {
    seen: Vec<Seen>,
    scripted: Vec<(String, VecDeque<Reply>)>,
    logins: u32,
    kind: String,
}

/// The server.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    scene: Arc<Mutex<Scene>>,
    pub(crate) base: String,
}

impl Server {
    async fn start() -> Self {
        let scene = Arc::new(Mutex::new(Scene { kind: "telegram_bot".to_owned(), ..Scene::default() }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(Arc::clone(&scene));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { scene, base }
    }

    fn scene(&self) -> MutexGuard<'_, Scene> {
        self.scene.lock().unwrap()
    }

    /// The next requests whose path contains this are answered so.
    pub(crate) fn then(&self, path: &str, replies: impl IntoIterator<Item = Reply>) {
        self.scene().scripted.push((path.to_owned(), replies.into_iter().collect()));
    }

    /// The channel is of this type.
    pub(crate) fn channel_is(&self, kind: &str) {
        kind.clone_into(&mut self.scene().kind);
    }

    /// What was asked whose path contains this.
    pub(crate) fn seen(&self, path: &str) -> Vec<Seen> {
        self.scene().seen.iter().filter(|seen| seen.path.contains(path)).cloned().collect()
    }
}

async fn answer(State(scene): State<Arc<Mutex<Scene>>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let path = head.uri.path_and_query().unwrap().to_string();
    let seen = Seen { method: head.method.clone(), path: path.clone(), headers: head.headers, body };
    let reply = {
        let mut scene = scene.lock().unwrap();
        scene.seen.push(seen);
        let scripted = scene.scripted.iter_mut().find(|(part, left)| path.contains(part) && !left.is_empty());
        match scripted {
            Some((_, left)) => left.pop_front().unwrap(),
            None => usual(&mut scene, &head.method, &path),
        }
    };
    let build = |status: u16, body: Body| Response::builder().status(status).body(body).unwrap();
    match reply {
        Reply::Json(status, body) => build(status, Body::from(body.to_string())),
        Reply::Text(status, body) => build(status, Body::from(body)),
        Reply::To(status, to) => {
            Response::builder().status(status).header("location", to).body(Body::empty()).unwrap()
        }
        Reply::Lost => {
            let broken: Result<Bytes, std::io::Error> = Err(std::io::ErrorKind::ConnectionReset.into());
            build(200, Body::from_stream(futures_util::stream::iter([broken])))
        }
    }
}

fn usual(scene: &mut Scene, method: &Method, path: &str) -> Reply {
    let ok = |data: Value| Reply::Json(200, json!({"success": true, "data": data}));
    let channel = json!({"id": 31001, "uuid": CHANNEL, "name": "Shop", "type": scene.kind, "active": true});
    match (method.as_str(), path) {
        ("POST", "/api/app/user/login") => {
            scene.logins += 1;
            let token = format!("token-{}", scene.logins);
            ok(json!({"token_type": "bearer", "access_token": token, "expires_in": 3600}))
        }
        ("GET", "/api/app/user/refresh-token") => {
            ok(json!({"token": {"token": "renewed", "expires_in": 3600}}))
        }
        ("GET", "/api/app/projects/") => ok(json!([{"id": 4242, "name": "Shop"}])),
        ("GET", "/api/app/projects/4242/channels/") => ok(json!([channel])),
        ("GET", "/api/app/projects/4242/webhooks/") => ok(json!([])),
        ("POST", "/api/app/projects/4242/webhooks/") => ok(json!({"uuid": "w"})),
        ("POST", _) if path.ends_with("/users") => ok(json!({"id": 5_550_001})),
        ("POST", _) if path.contains("/send_message/") => ok(json!({"id": 9_000_002})),
        ("GET", _) if path.contains("/messages?") => ok(json!([])),
        ("GET", _) if path.ends_with("/status") => ok(json!({"state": "ok"})),
        ("GET", _) if path.ends_with("/amocrm/channels") => ok(json!([{"channel_id": 31001}])),
        _ => Reply::Json(404, json!({"success": false})),
    }
}

/// Where an account keeps things.
#[derive(Debug, Default)]
pub(crate) struct Safe(Mutex<Vec<(String, String)>>);

impl Safe {
    pub(crate) fn kept(&self, name: &str) -> Option<String> {
        let kept = self.0.lock().unwrap();
        kept.iter().rev().find(|(known, _)| known == name).map(|(_, secret)| secret.clone())
    }
}

#[async_trait]
impl Keep for Safe {
    async fn keep(&self, secrets: Vec<(&'static str, SecretString)>) -> Result<(), KeepError> {
        let secrets =
            secrets.iter().map(|(name, secret)| ((*name).to_owned(), secret.expose_secret().to_owned()));
        self.0.lock().unwrap().extend(secrets);
        Ok(())
    }
}

/// An account beside its server.
pub(crate) struct Desk {
    pub(crate) server: Server,
    pub(crate) clock: ManualClock,
    pub(crate) safe: Arc<Safe>,
    pub(crate) account: Arc<dyn Account>,
}

impl Desk {
    pub(crate) async fn open() -> Self {
        Self::with(&json!({})).await
    }

    /// With further settings of the connection.
    pub(crate) async fn with(more: &Value) -> Self {
        let (server, clock, safe) = (Server::start().await, ManualClock::new(), Arc::new(Safe::default()));
        let account = open(&server, &clock, &safe, more, &[("password", "pass")], true);
        Self { server, clock, safe, account }
    }

    /// The same account after a restart.
    pub(crate) fn again(&self) -> Arc<dyn Account> {
        let token = self.safe.kept("access_token").unwrap_or_default();
        let hook = self.safe.kept("hook_secret").unwrap_or_default();
        let secrets =
            [("access_token", token.as_str()), ("hook_secret", hook.as_str()), ("password", "pass")];
        let secrets: Vec<_> = secrets.into_iter().filter(|(_, secret)| !secret.is_empty()).collect();
        open(&self.server, &self.clock, &self.safe, &json!({}), &secrets, true)
    }

    /// A hook with this body comes.
    pub(crate) fn hears(&self, body: &Value) -> Result<Vec<News>, HookRefusal> {
        let secret = self.safe.kept("hook_secret").unwrap();
        self.account.hear(&hook(vec![secret], body.to_string()))
    }
}

pub(crate) fn hook(path: Vec<String>, body: impl Into<Bytes>) -> Hook {
    Hook { method: Method::POST, path, query: None, headers: HeaderMap::new(), body: body.into() }
}

pub(crate) fn open(
    server: &Server,
    clock: &ManualClock,
    safe: &Arc<Safe>,
    more: &Value,
    secrets: &[(&str, &str)],
    public: bool,
) -> Arc<dyn Account> {
    let mut document = json!({
        "project": PROJECT, "api_base": server.base, "login": "shop",
        "channels": [{"alias": "clients_tg", "uuid": CHANNEL}],
        "pace": {"min_gap_ms": 0, "first_gap_ms": 0},
    });
    for (name, value) in more.as_object().unwrap() {
        document[name] = value.clone();
    }
    let setting = ConnectionSetting {
        id: ConnectionId::new(1).unwrap(),
        name: "wa".to_owned(),
        document,
        secrets: secrets
            .iter()
            .map(|(name, secret)| ((*name).to_owned(), (*secret).to_owned().into()))
            .collect(),
        public_url: public.then(|| "https://tandem.example".to_owned()),
    };
    let rng = Arc::new(SeededRng::from_seed(1));
    let vendor = Wahelp::new(&tandem_outbound::Settings::default(), Arc::new(clock.clone()), rng).unwrap();
    vendor.open(&setting, Arc::<Safe>::clone(safe)).unwrap()
}

pub(crate) fn route(more: &Value) -> Value {
    let mut wahelp = json!({"channel": "clients_tg"});
    for (name, value) in more.as_object().unwrap() {
        wahelp[name] = value.clone();
    }
    json!({"language": "en", "wahelp": wahelp})
}

pub(crate) fn ann(phone: Option<&str>) -> Client {
    Client {
        person: PersonKey::of(UserId::new(1001).unwrap()),
        name: "Ann".to_owned(),
        username: None,
        phone: phone.map(str::to_owned),
        avatar: None,
    }
}

pub(crate) fn opening(phone: Option<&str>, contact: Option<&str>) -> Opening {
    Opening {
        chat: ChatKey::of(BotId::new(777).unwrap(), None, 1001),
        client: ann(phone),
        route: route(&json!({})),
        starts: Vec::new(),
        contact: contact.map(str::to_owned),
    }
}

pub(crate) fn telling(text: &str, more: &Value) -> Telling {
    let bot = BotId::new(777).unwrap();
    let body = Words {
        content: Content::Text,
        text: text.to_owned(),
        quote: None,
        forwarded_from: None,
        album: None,
        buttons: Vec::new(),
    };
    let told = Told {
        key: MessageKey::of(bot, &MessagePlace { business: None, chat: 1001, message: 1 }),
        chat: ChatKey::of(bot, None, 1001),
        at: Timestamp::from_secs(1_800_000_000),
        by: Speaker::Client(ann(None)),
        act: Act::Said(body),
    };
    Telling {
        told,
        client: ann(None),
        ids: ChatIds {
            ours: None,
            chat: Some("31001:5550001".to_owned()),
            person: Some("5550001".to_owned()),
        },
        message: None,
        quoted: None,
        silent: false,
        route: route(more),
    }
}

/// The same with a picture that is served there.
pub(crate) fn with_photo(mut telling: Telling, link: &str) -> Telling {
    if let Act::Said(body) = &mut telling.told.act {
        body.content = Content::File(Attachment {
            kind: AttachmentKind::Picture,
            file: FileRef { id: "f".to_owned(), unique_id: "u".to_owned() },
            name: "p.jpg".to_owned(),
            mime: Some("image/jpeg".to_owned()),
            size_bytes: None,
            duration_secs: None,
            link: Some(link.to_owned()),
        });
    }
    telling
}
