//! A shop with a connection, its bots, and managers who write.

use std::{ops::Deref, sync::Arc};

use reqwest::{Response, StatusCode};
use secrecy::SecretString;
use serde_json::{Value, json};
use tandem_bridge::{
    ChannelDocument, ConnectionDocument, ConnectionState, RouteDocument, RouteKind, RouteMode, UpstreamMode,
};
use tandem_journal::{Document, LinkScope, Route, SecretOwner, SettingsChange, Shard};
use tandem_model::{
    ConnectionId, Event, EventKind, Timestamp,
    message::{OutcomeDocument, ReplyDocument},
};
use tandem_sandbox::telegram::Bot;

use crate::{
    crm::{Crm, SECRET},
    support::{Service, Stage, id, until},
};

/// A stage with a vendor.
pub(crate) struct Shop {
    pub(crate) stage: Stage,
    pub(crate) crm: Arc<Crm>,
}

/// It open for business.
pub(crate) struct Open {
    pub(crate) service: Service,
    pub(crate) connection: ConnectionId,
}

impl Deref for Open {
    type Target = Service;
    fn deref(&self) -> &Service {
        &self.service
    }
}

impl Shop {
    pub(crate) async fn new() -> Self {
        Self::with(Crm::named("crm")).await
    }

    pub(crate) async fn with(crm: Crm) -> Self {
        let mut stage = Stage::new().await;
        let crm = Arc::new(crm);
        stage.vendors = vec![crm.clone()];
        Self { stage, crm }
    }

    /// Starts everything, with the connection `shop`.
    pub(crate) async fn open(&self) -> Open {
        let service = self.stage.serve().await;
        let connection = put_connection(&service, "shop", "shop.crm.example").await;
        Open { service, connection }
    }

    /// Starts everything again over what is stored.
    pub(crate) async fn reopen(&self) -> Open {
        let service = self.stage.serve().await;
        let connection = service.store.find_connection("shop".to_owned()).await.unwrap().unwrap().id;
        Open { service, connection }
    }

    pub(crate) fn bot(&self) -> Arc<Bot> {
        self.stage.bot()
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.stage.clock.now_ms())
    }

    /// A hook that a manager's words came with.
    pub(crate) fn said(&self, id: &str, chat: &str, text: &str, more: &Value) -> Value {
        let mut said =
            json!({"word": "said", "id": id, "chat": chat, "text": text, "at": self.stage.clock.now_ms()});
        said.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        said
    }

    pub(crate) async fn hook(&self, open: &Open, words: &Value) -> StatusCode {
        self.post(open, "shop.crm.example/x", Some(SECRET), words.to_string()).await.status()
    }

    pub(crate) async fn post(
        &self,
        open: &Open,
        path: &str,
        secret: Option<&str>,
        body: impl Into<reqwest::Body>,
    ) -> Response {
        let mut request = self.stage.http.post(format!("{}/hooks/crm/{path}", open.public)).body(body);
        if let Some(secret) = secret {
            request = request.header("x-secret", secret);
        }
        request.send().await.unwrap()
    }
}

pub(crate) async fn put_connection(service: &Service, name: &str, account: &str) -> ConnectionId {
    let document = ConnectionDocument { settings: json!({ "account": account }), disabled_since: None };
    let document = Document::of(&document).unwrap();
    let put = SettingsChange::PutConnection { name: name.to_owned(), vendor: "crm".to_owned(), document };
    service.store.change_settings(None, vec![put]).await.unwrap();
    let id = service.store.find_connection(name.to_owned()).await.unwrap().unwrap().id;
    let secret =
        service.bridge.vault().put(SecretOwner::Connection(id), "token", &SecretString::from(SECRET));
    service.store.change_settings(None, vec![secret]).await.unwrap();
    service.bridge.sync_connections().await.unwrap();
    id
}

impl Open {
    /// A bot with the route `crm` into the shop's account.
    pub(crate) async fn add_bot(&self, bot: &Bot) {
        self.add_bot_with(bot, ChannelDocument::default()).await;
    }

    pub(crate) async fn add_bot_with(&self, bot: &Bot, channel: ChannelDocument) {
        self.service.add(bot, UpstreamMode::Polling, &[]).await;
        let document = RouteDocument {
            kind: RouteKind::Amocrm,
            mode: Some(RouteMode::Channel),
            kinds: None,
            max_connections: None,
            ip_address: None,
            channel: Some(Box::new(channel)),
            companion: None,
            rules: tandem_bridge::rules::RuleHistory::default(),
        };
        let route = Route {
            bot: id(bot),
            name: "crm".to_owned(),
            lane: None,
            connection: Some(self.connection),
            document: Document::of(&document).unwrap(),
        };
        self.store.change_settings(None, vec![SettingsChange::PutRoute(route)]).await.unwrap();
        // What delivers to it is another matter.
        self.bridge.sync(id(bot)).await.ok();
    }

    pub(crate) fn state(&self) -> ConnectionState {
        self.views().remove(0).state
    }

    pub(crate) fn views(&self) -> Vec<tandem_bridge::ConnectionView> {
        self.bridge.connection_views()
    }

    pub(crate) async fn is_connected(&self) {
        until("a connection", async || (self.state() == ConnectionState::Connected).then_some(())).await;
    }

    pub(crate) async fn events(&self, bot: &Bot, kind: EventKind) -> Vec<Event> {
        let events = self.journal(bot).await;
        events.into_iter().filter(|event| event.kind == kind).collect()
    }

    /// What managers want done, in order.
    pub(crate) async fn replies(&self, bot: &Bot) -> Vec<ReplyDocument> {
        let events = self.events(bot, EventKind::Reply).await;
        events.iter().map(|event| serde_json::from_slice(&event.body).unwrap()).collect()
    }

    pub(crate) async fn outcomes(&self, bot: &Bot) -> Vec<OutcomeDocument> {
        let events = self.events(bot, EventKind::Outcome).await;
        events.iter().map(|event| serde_json::from_slice(&event.body).unwrap()).collect()
    }

    /// Whether it is written down that hooks can be taken.
    pub(crate) async fn moment(&self, bot: &Bot) -> Option<Timestamp> {
        let scope = LinkScope::Connection(self.connection);
        let found = self.store.find_link(id(bot), scope, "heartbeat".to_owned()).await;
        found.unwrap().map(|link| link.at)
    }

    /// Somebody else owns all bots now.
    pub(crate) async fn loses_its_bots(&self) {
        self.service.ownership.release(&*self.store).await.unwrap();
    }

    pub(crate) async fn inbox_is_empty(&self, bot: &Bot) -> bool {
        self.store.list_inbox(Shard::of(id(bot)), None, 9).await.unwrap().is_empty()
    }

    pub(crate) async fn stop(self) {
        self.service.stop().await;
    }

    pub(crate) async fn kill(self) {
        self.service.kill().await;
    }
}

pub(crate) fn text_of(reply: &ReplyDocument) -> &str {
    match &reply.act {
        tandem_model::message::ReplyAct::Say { text, .. } => text,
        other => panic!("{other:?}"),
    }
}
