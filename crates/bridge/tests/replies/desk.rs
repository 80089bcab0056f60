//! A manager's desk: a bot with a route that hears managers, a client who has started it, and what became of replies.

use std::sync::Arc;

use serde_json::{Value, json};
use tandem_bridge::{Config, FileRule, UpstreamMode};
use tandem_journal::{Append, Appended, HeldStates, Lane, LinkScope, Urgency};
use tandem_model::{
    BotId, Conversation, EventKind, Flags, Held, LaneId, Lifetime, NewEvent, Seq, Timestamp, Topic,
    message::{
        AttachmentKind, Manager, OutcomeDocument, RemoteFile, ReplyAct, ReplyDocument, ReplyOrigin,
        ReplyResult,
    },
};
use tandem_sandbox::telegram::{Bot, CallRecord};
use url::Url;

use crate::crm::Crm;
use crate::support::{NewRoute, Service, Stage, id, until};

pub(crate) struct Desk {
    pub(crate) stage: Stage,
    pub(crate) service: Service,
    /// What the route goes to.
    pub(crate) crm: Crm,
    pub(crate) bot: Arc<Bot>,
    pub(crate) client: i64,
}

/// Files come from this machine, but for one host.
#[derive(Debug)]
struct Here;

impl FileRule for Here {
    fn may_fetch(&self, _bot: BotId, route: &str, url: &Url) -> bool {
        route == "crm" && matches!(url.host_str(), Some("127.0.0.1" | "localhost"))
    }
}

impl Desk {
    pub(crate) async fn open() -> Self {
        Self::open_with(|_| {}).await
    }

    pub(crate) async fn open_with(adjust: impl FnOnce(&mut Config)) -> Self {
        let (mut stage, crm) = (Stage::new().await, Crm::default());
        stage.connectors.push(Arc::new(crm.clone()));
        let service = serve(&stage, adjust).await;
        let bot = stage.bot();
        service.add(&bot, UpstreamMode::Polling, &[NewRoute::channel("crm")]).await;
        let client = client(&stage, &bot, "Ann").await;
        Self { stage, service, crm, bot, client }
    }

    /// The same after the service was killed and started again.
    pub(crate) async fn reopen(self) -> Self {
        let Self { stage, service, crm, bot, client } = self;
        service.kill().await;
        bot.clear_faults();
        let service = serve(&stage, |_| {}).await;
        Self { stage, service, crm, bot, client }
    }

    pub(crate) async fn lane(&self, name: &str) -> Lane {
        let lanes = self.service.store.list_lanes(id(&self.bot), None, 100).await.unwrap();
        lanes.into_iter().find(|lane| lane.name == name).unwrap()
    }

    /// A manager does something in the client's chat; the vendor's id of it is `message`.
    pub(crate) async fn does(&self, message: &str, act: ReplyAct) -> Seq {
        self.does_in(self.client, message, act).await
    }

    pub(crate) async fn does_in(&self, chat: i64, message: &str, act: ReplyAct) -> Seq {
        let lane = self.lane("route:crm").await.id;
        let event = reply(&ReplyDocument { chat, ..document(message, act) }, lane);
        self.append(vec![event]).await[0]
    }

    pub(crate) async fn append(&self, events: Vec<NewEvent>) -> Vec<Seq> {
        let append = Append { events, urgency: Urgency::MustKeep, ..Append::default() };
        let appended = self.service.bridge.parts().recorder.record(id(&self.bot), append).await.unwrap();
        appended.into_iter().map(Appended::seq).collect()
    }

    /// Calls that Telegram carried out and that show something, in order.
    pub(crate) fn sent(&self) -> Vec<CallRecord> {
        let shows =
            |call: &CallRecord| call.method.starts_with("send") || call.method.starts_with("setMessage");
        self.bot.calls_after(0).into_iter().filter(|call| call.ok && shows(call)).collect()
    }

    /// Waits until so many were carried out; the clock moves on.
    pub(crate) async fn until_sent(&self, count: usize) -> Vec<CallRecord> {
        let what = format!("{count} calls");
        self.stage.in_time(&what, async || Some(self.sent()).filter(|sent| sent.len() >= count)).await
    }

    /// What the texts say, in order.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.sent().iter().map(|call| param(call, "text")).collect()
    }

    /// All outcomes of a vendor's message.
    pub(crate) async fn outcomes(&self, message: &str) -> Vec<ReplyResult> {
        let events = self.service.journal(&self.bot).await;
        let outcomes = events.iter().filter(|event| event.kind == EventKind::Outcome);
        let outcomes = outcomes.map(|event| serde_json::from_slice::<OutcomeDocument>(&event.body).unwrap());
        outcomes.filter(|outcome| outcome.origin.message == message).map(|outcome| outcome.result).collect()
    }

    /// Waits for the outcome of a vendor's message, which is told once; the clock moves on.
    pub(crate) async fn outcome(&self, message: &str) -> ReplyResult {
        let what = format!("the outcome of {message}");
        let mut outcomes = self
            .stage
            .in_time(&what, async || Some(self.outcomes(message).await).filter(|found| !found.is_empty()))
            .await;
        assert_eq!(outcomes.len(), 1, "{outcomes:?}");
        outcomes.remove(0)
    }

    /// The same while the clock stands still.
    pub(crate) async fn outcome_now(&self, message: &str) -> ReplyResult {
        until(&format!("the outcome of {message}"), async || self.outcomes(message).await.pop()).await
    }

    /// What the lane has set aside.
    pub(crate) async fn held(&self) -> Vec<Held> {
        let lane = self.lane("telegram").await.id;
        self.service.store.list_held(id(&self.bot), lane, HeldStates::ALL, Seq::ZERO, 100).await.unwrap()
    }

    /// Our keys of a vendor's message.
    pub(crate) async fn keys_of(&self, message: &str) -> Vec<String> {
        let scope = LinkScope::Lane(self.lane("route:crm").await.id);
        let links =
            self.service.store.list_links(id(&self.bot), scope, message.to_owned(), 10).await.unwrap();
        links.into_iter().map(|link| link.ours).collect()
    }

    /// Plants a fault at Telegram.
    pub(crate) async fn fault(&self, fault: Value) {
        self.stage.act(&format!("/bots/{}/faults", self.bot.id()), fault).await;
    }
}

async fn serve(stage: &Stage, adjust: impl FnOnce(&mut Config)) -> Service {
    stage
        .serve_with(
            |config| {
                config.files.rule = Some(Arc::new(Here));
                adjust(config);
            },
            |_| {},
        )
        .await
}

/// Somebody who has started the bot.
pub(crate) async fn client(stage: &Stage, bot: &Bot, name: &str) -> i64 {
    let client = stage.act("/users", json!({"first_name": name})).await["id"].as_i64().unwrap();
    stage.act(&format!("/users/{client}/bots/{}/start", bot.id()), json!({})).await;
    client
}

pub(crate) fn document(message: &str, act: ReplyAct) -> ReplyDocument {
    let (route, message, chat) = ("crm".to_owned(), message.to_owned(), "their-chat".to_owned());
    ReplyDocument {
        origin: ReplyOrigin { route, message, chat, person: None },
        by: Manager { id: "manager-7".to_owned(), name: Some("Eve".to_owned()) },
        business: None,
        chat: 0,
        at: Timestamp::EPOCH,
        act,
    }
}

/// The event that a manager's act is.
pub(crate) fn reply(document: &ReplyDocument, route: LaneId) -> NewEvent {
    NewEvent {
        kind: EventKind::Reply,
        topic: Topic::new(0).unwrap(),
        conversation: Conversation::chat(document.chat),
        family: tandem_model::Family::default(),
        at: document.at,
        lifetime: Lifetime::Backlog,
        flags: Flags::NONE,
        upstream: None,
        cause: Some(route),
        owner: None,
        body: serde_json::to_vec(document).unwrap().into(),
    }
}

pub(crate) fn text(text: &str) -> ReplyAct {
    ReplyAct::Say { text: text.to_owned(), file: None, keyboard: None, quote: None, album: None }
}

pub(crate) fn file(kind: AttachmentKind, url: &str, name: &str, text: &str) -> ReplyAct {
    let file = RemoteFile { kind, url: url.to_owned(), name: name.to_owned(), size_bytes: Some(0) };
    ReplyAct::Say { text: text.to_owned(), file: Some(file), keyboard: None, quote: None, album: None }
}

pub(crate) fn in_album(act: ReplyAct, of: &str) -> ReplyAct {
    match act {
        ReplyAct::Say { text, file, keyboard, quote, .. } => {
            ReplyAct::Say { text, file, keyboard, quote, album: Some(of.to_owned()) }
        }
        other => other,
    }
}

pub(crate) fn param(call: &CallRecord, name: &str) -> String {
    match call.params.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    }
}

/// How many messages of a reply Telegram has.
pub(crate) fn messages(result: &ReplyResult) -> usize {
    match result {
        ReplyResult::Sent { messages } => messages.len(),
        other => panic!("{other:?}"),
    }
}
