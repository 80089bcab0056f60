//! The destination at the end of a real lane over a real store, beside a CRM that notes what it is told.

mod crm;
mod failures;
mod managers;
mod once;
mod opening;
mod quotes;
mod telling;
mod tending;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::{Value, json};
use tandem_gateway::{Author, Said};
use tandem_journal::{
    Append, Fact, HeldStates, LaneKind, LaneState, NewLane, Start, Store,
    sqlite::{Options, SqliteStore, Synchronous},
};
use tandem_lanes::{Config, LaneAddress, Lanes, LeaseSource};
use tandem_model::{
    BotId, Clock, ConnectionId, EventKind, Flags, LaneId, NewEvent, SeededRng, Seq, SourceId, Timestamp,
    UserId,
    message::{Attachment, Language, MessageKey, MessagePlace, OutcomeDocument, ReplyOrigin, ReplyResult},
};
use tandem_telegram::{
    methods::{Capture, Class},
    params::Params,
    update::{MessageView, UpdateView},
};
use tandem_testkit::ManualClock;

use self::crm::{Crm, OneAccount};
use super::{Chats, MediaLinks};
use crate::{
    ChannelDocument, Connected, Connector, Ownership, RouteDocument, RouteKind, RouteMode, RouteSetting,
};

/// Ann, who writes.
const ANN: i64 = 1001;

/// A bot with a route to a CRM.
struct Desk {
    clock: ManualClock,
    store: Arc<dyn Store>,
    ownership: Arc<Ownership>,
    lanes: Lanes,
    lane: LaneAddress,
    app: LaneId,
    crm: Arc<Crm>,
    channel: ChannelDocument,
    updates: i64,
    last: Seq,
    _folder: tempfile::TempDir,
}

/// Files have addresses, and one person has a picture.
struct Addresses;

#[async_trait]
impl MediaLinks for Addresses {
    fn file(&self, _bot: BotId, file: &Attachment) -> Option<String> {
        Some(format!("media/{}", file.file.id))
    }

    async fn avatar(&self, _bot: BotId, user: UserId) -> Option<String> {
        (user.get() == 2002).then(|| "media/bob".to_owned())
    }
}

fn bot() -> BotId {
    BotId::new(777).unwrap()
}

fn key(message: i64) -> MessageKey {
    MessageKey::of(bot(), &MessagePlace { business: None, chat: ANN, message })
}

impl Desk {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(adjust: impl FnOnce(&mut ChannelDocument)) -> Self {
        let (clock, folder) = (ManualClock::new(), tandem_testkit::folder());
        let mut options = Options::new(folder.path().join("chats.db"));
        options.synchronous = Synchronous::Off;
        options.watermarks.reserve_bytes = 0;
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(options, shared).await.unwrap());
        let ownership = Ownership::take(&*store, "test").await.unwrap();
        let document = route(ChannelDocument::default());
        let lane = |name: &str, kind| NewLane {
            name: name.to_owned(),
            kind,
            start: Start::Beginning,
            filter: document.filter(),
        };
        let lease = ownership.lease(bot()).unwrap();
        let app = store.create_lane(lease, bot(), lane("app:main", LaneKind::App)).await.unwrap().id;
        let of_route = store.create_lane(lease, bot(), lane("route:crm", LaneKind::Route)).await.unwrap().id;
        let mut channel = ChannelDocument { language: Language::English, ..ChannelDocument::default() };
        adjust(&mut channel);
        let lanes = Lanes::new(
            Arc::clone(&store),
            Arc::<Ownership>::clone(&ownership),
            Arc::new(clock.clone()),
            Arc::new(SeededRng::from_seed(1)),
            Config::default(),
        );
        let desk = Self {
            clock,
            store,
            ownership,
            lanes,
            lane: LaneAddress { bot: bot(), lane: of_route },
            app,
            crm: Crm::new(),
            channel,
            updates: 5000,
            last: Seq::ZERO,
            _folder: folder,
        };
        desk.attach();
        desk
    }

    fn attach(&self) {
        let chats = Chats::new(
            Arc::clone(&self.store),
            Arc::new(self.clock.clone()),
            Arc::new(OneAccount(Arc::clone(&self.crm))),
            Arc::<Ownership>::clone(&self.ownership),
            Arc::new(Addresses),
        );
        let setting = RouteSetting {
            bot: bot(),
            name: "crm".to_owned(),
            connection: ConnectionId::new(1).ok(),
            document: route(self.channel.clone()),
            secrets: Vec::new(),
        };
        let Connected { spec, destination } = chats.connect(self.lane, &setting).unwrap();
        self.lanes.attach(self.lane, spec, destination).unwrap();
    }

    /// Everything that was in memory is forgotten.
    async fn restart(&self) {
        self.lanes.detach(self.lane).await.unwrap();
        self.attach();
    }

    async fn append(&mut self, event: NewEvent, facts: Vec<Fact>) {
        let lease = self.ownership.lease(bot()).unwrap();
        let append = Append { events: vec![event], facts, ..Append::default() };
        self.last = self.store.append(lease, bot(), append).await.unwrap()[0].seq();
        self.lanes.wake(bot(), self.last);
    }

    /// Telegram delivers something.
    async fn update(&mut self, kind: &str, object: Value, flags: Flags) {
        self.updates += 1;
        let body = Bytes::from(json!({"update_id": self.updates, kind: object}).to_string());
        let source = SourceId::new(1).unwrap();
        let event = UpdateView::of(&body).unwrap().to_event(source, self.clock.now());
        self.append(NewEvent { flags, ..event }, Vec::new()).await;
    }

    fn message(&self, number: i64, text: &str) -> Value {
        json!({
            "message_id": number, "date": self.now_secs(), "text": text,
            "chat": {"id": ANN, "type": "private", "first_name": "Ann"},
            "from": {"id": ANN, "is_bot": false, "first_name": "Ann"},
        })
    }

    /// Ann writes.
    async fn says(&mut self, number: i64, text: &str) {
        let message = self.message(number, text);
        self.update("message", message, Flags::NONE).await;
    }

    /// The bot's app sends her something.
    async fn sends(&mut self, number: i64, text: &str) {
        let event = self.sent("sendMessage", number, text, Author::App("main".into()), self.app);
        self.append(event, Vec::new()).await;
    }

    fn sent(&self, method: &str, number: i64, text: &str, by: Author<'_>, lane: LaneId) -> NewEvent {
        let message = json!({
            "message_id": number, "date": self.now_secs(), "text": text,
            "chat": {"id": ANN, "type": "private", "first_name": "Ann"},
            "from": {"id": 777, "is_bot": true, "first_name": "Shop"},
        });
        self.call(method, &[("chat_id", ANN.to_string())], &message, by, lane)
    }

    fn call(
        &self,
        method: &str,
        parameters: &[(&str, String)],
        result: &Value,
        by: Author<'_>,
        lane: LaneId,
    ) -> NewEvent {
        let capture: Capture = match Class::of(method) {
            Class::Captured(capture) => capture,
            other => panic!("{method} is {other:?}"),
        };
        let said = Said {
            by,
            lane,
            method,
            capture,
            parameters: Params::of(parameters.iter().map(|(name, value)| (*name, value.clone()))),
            result: &Bytes::from(result.to_string()),
            now: self.clock.now(),
            shown: false,
        };
        said.event().unwrap()
    }

    /// What became of a manager's reply.
    async fn outcome(&mut self, message: &str, chat: &str, result: ReplyResult) {
        let origin = ReplyOrigin {
            route: "crm".to_owned(),
            message: message.to_owned(),
            chat: chat.to_owned(),
            person: Some(format!("P-tg:{ANN}")),
        };
        let document = OutcomeDocument { reply: self.last, origin, result };
        let body = Bytes::from(serde_json::to_vec(&document).unwrap());
        let message = self.message(1, "");
        let conversation = MessageView::of(message.to_string().as_bytes()).unwrap().conversation().unwrap();
        let event = NewEvent {
            kind: EventKind::Outcome,
            conversation,
            at: self.clock.now(),
            flags: Flags::NONE,
            upstream: None,
            cause: None,
            owner: None,
            body,
            ..self.sent("sendMessage", 1, "", Author::App("main".into()), self.app)
        };
        self.append(event, Vec::new()).await;
    }

    /// A manager talks there no more.
    async fn hand_off_ends(&mut self) {
        let message = self.message(1, "");
        let conversation = MessageView::of(message.to_string().as_bytes()).unwrap().conversation().unwrap();
        let event = NewEvent {
            kind: EventKind::Mark,
            conversation,
            at: self.clock.now(),
            flags: Flags::NONE,
            upstream: None,
            cause: None,
            owner: None,
            body: Bytes::from_static(br#"{"mark":"hand_off_ended"}"#),
            ..self.sent("sendMessage", 1, "", Author::App("main".into()), self.app)
        };
        self.append(event, Vec::new()).await;
    }

    fn now_secs(&self) -> i64 {
        self.clock.now().as_millis() / 1000
    }

    async fn passes(&self, time: Duration) {
        self.clock.advance(time);
        self.lanes.run_due().await;
    }

    /// What the CRM was told by what is due now.
    async fn told(&self) -> Vec<String> {
        self.lanes.run_due().await;
        self.crm.told()
    }

    /// The states and reasons of what is held.
    async fn held(&self) -> Vec<(String, String)> {
        let held =
            self.store.list_held(bot(), self.lane.lane, HeldStates::ALL, Seq::ZERO, 100).await.unwrap();
        held.into_iter().map(|held| (held.state.as_str().to_owned(), held.reason)).collect()
    }

    async fn state(&self) -> LaneState {
        self.store.find_lane(bot(), self.lane.lane).await.unwrap().unwrap().state
    }
}

fn route(channel: ChannelDocument) -> RouteDocument {
    RouteDocument {
        kind: RouteKind::Amocrm,
        mode: Some(RouteMode::Channel),
        kinds: None,
        max_connections: None,
        ip_address: None,
        channel: Some(Box::new(channel)),
        companion: None,
        rules: crate::rules::RuleHistory::default(),
    }
}

fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(secs)
}
