//! A shop with an account at the emulator's amoCRM, a registered channel, and bots.

use std::sync::Arc;

use bytes::Bytes;
use secrecy::SecretString;
use serde_json::{Value, json};
use tandem_amocrm::{Amocrm, Settings, secret};
use tandem_bridge::{
    ChannelDocument, ConnectionDocument, Language, RouteDocument, RouteKind, RouteMode, UpstreamMode,
};
use tandem_gateway::{Author, Said};
use tandem_journal::{Append, Document, HeldStates, Route, SecretOwner, SettingsChange, Shard};
use tandem_lanes::LeaseSource;
use tandem_model::{ConnectionId, Held, SeededRng, Seq, Timestamp};
use tandem_sandbox::telegram::{Bot, Pushed};
use tandem_telegram::{methods::Class, params::Params};

use crate::support::{SandboxClock, Service, Stage, id, until};

pub(crate) const ANN: i64 = 1001;

/// A shop that is open.
pub(crate) struct Shop {
    pub(crate) stage: Stage,
    pub(crate) service: Service,
    pub(crate) channel: String,
    token: String,
    connection: ConnectionId,
}

/// What of the account may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// The chat service only: there is no token.
    Chats,
    /// Contacts and leads, too.
    ChatsAndCards,
}

impl Shop {
    pub(crate) async fn open() -> Self {
        Self::open_with(Access::Chats).await
    }

    pub(crate) async fn open_with(access: Access) -> Self {
        let mut stage = Stage::new().await;
        let clock = Arc::new(SandboxClock(stage.clock.clone()));
        let rng = Arc::new(SeededRng::from_seed(3));
        stage.vendors = vec![Arc::new(Amocrm::new(&Settings::default(), clock, rng).unwrap())];
        let made = stage.act("/amocrm/channels", json!({})).await;
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        let known = stage.look("/amocrm").await["account"].clone();
        let account = word(&known["amojo_id"]);
        let channel = word(&made["id"]);
        let service = stage.serve().await;
        let base = stage.sandbox.amocrm_url();
        let settings = json!({
            "account": "shop.amocrm.ru", "chats_base": base, "rest_base": base,
            "channel": {"id": channel, "bot_id": made["bot"]["id"], "account": account},
            "limits": {"rest_per_second": 1000, "account_per_second": 1000},
        });
        // Seven a second are held by tests of their own.
        stage.act("/amocrm/account", json!({"rate_limit": false})).await;
        let document = Document::of(&ConnectionDocument { settings, disabled_since: None }).unwrap();
        let put = SettingsChange::PutConnection {
            name: "shop".to_owned(),
            vendor: Amocrm::NAME.to_owned(),
            document,
        };
        service.store.change_settings(None, vec![put]).await.unwrap();
        let connection = service.store.find_connection("shop".to_owned()).await.unwrap().unwrap().id;
        let owner = SecretOwner::Connection(connection);
        let secret = SecretString::from(word(&made["secret"]));
        let put = service.bridge.vault().put(owner, secret::CHANNEL_SECRET, &secret);
        service.store.change_settings(None, vec![put]).await.unwrap();
        let token = word(&known["access_token"]);
        if access == Access::ChatsAndCards {
            let owner = SecretOwner::Connection(connection);
            let put = service.bridge.vault().put(owner, secret::TOKEN, &SecretString::from(token.clone()));
            service.store.change_settings(None, vec![put]).await.unwrap();
        }
        service.bridge.sync_connections().await.unwrap();
        Self { stage, service, channel, token, connection }
    }

    /// A bot with the route `crm` into the account.
    pub(crate) async fn bot(&self) -> Arc<Bot> {
        self.bot_with(ChannelDocument::default()).await
    }

    pub(crate) async fn bot_with(&self, channel: ChannelDocument) -> Arc<Bot> {
        let bot = self.stage.bot();
        self.service.add(&bot, UpstreamMode::Polling, &[]).await;
        let channel = ChannelDocument { language: Language::English, ..channel };
        let document: RouteDocument = serde_json::from_value(json!({
            "kind": RouteKind::Amocrm, "mode": RouteMode::Channel, "kinds": null, "max_connections": null,
            "ip_address": null, "channel": channel,
        }))
        .unwrap();
        let route = SettingsChange::PutRoute(Route {
            bot: id(&bot),
            name: "crm".to_owned(),
            lane: None,
            connection: Some(self.connection),
            document: Document::of(&document).unwrap(),
        });
        self.service.store.change_settings(None, vec![route]).await.unwrap();
        self.service.bridge.sync(id(&bot)).await.unwrap();
        bot
    }

    /// A client writes.
    pub(crate) fn says(&self, bot: &Arc<Bot>, chat: i64, number: i64, text: &str) {
        push(bot, "message", &self.message(chat, number, &json!({ "text": text })));
    }

    pub(crate) fn message(&self, chat: i64, number: i64, more: &Value) -> Value {
        let mut message = json!({
            "message_id": number, "date": self.stage.clock.now_ms() / 1000,
            "chat": {"id": chat, "type": "private", "first_name": format!("Client {chat}")},
            "from": {"id": chat, "is_bot": false, "first_name": format!("Client {chat}")},
        });
        message.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        message
    }

    /// An app has called a method, and this is Telegram's answer.
    pub(crate) async fn called(&self, bot: &Bot, method: &str, result: &Value) {
        let Class::Captured(capture) = Class::of(method) else { panic!("{method} is not captured") };
        let lanes = self.service.store.list_lanes(id(bot), None, 10).await.unwrap();
        let lane = lanes.iter().find(|lane| lane.name == "app:main").unwrap().id;
        let event = Said {
            by: Author::App("main".into()),
            lane,
            method,
            capture,
            parameters: Params::of([("chat_id", ANN.to_string())]),
            result: &Bytes::from(result.to_string()),
            now: Timestamp::from_millis(self.stage.clock.now_ms()),
            shown: false,
        };
        let append = Append { events: vec![event.event().unwrap()], ..Append::default() };
        let lease = self.service.ownership.lease(id(bot)).unwrap();
        assert_eq!(lease.shard, Shard::of(id(bot)));
        let appended = self.service.store.append(lease, id(bot), append).await.unwrap();
        self.service.bridge.parts().lanes.wake(id(bot), appended[0].seq());
    }

    /// What amoCRM shows of a client's chat, line by line.
    pub(crate) async fn lines(&self, bot: &Bot, chat: i64) -> Vec<Value> {
        let path = format!("/amocrm/channels/{}/chats/tg:{}:{chat}", self.channel, bot.id());
        let shown = self.stage.look(&path).await;
        shown["messages"].as_array().cloned().unwrap_or_default()
    }

    /// The same in short, once there are so many.
    pub(crate) async fn shown(&self, bot: &Bot, chat: i64, count: usize) -> Vec<String> {
        until(&format!("{count} lines"), async || {
            let lines = self.lines(bot, chat).await;
            (lines.len() >= count).then(|| lines.iter().map(short).collect())
        })
        .await
    }

    /// What the account's API shows.
    pub(crate) async fn api(&self, path: &str) -> Value {
        let address = format!("{}/api/v4/{path}", self.stage.sandbox.amocrm_url());
        let answer = self.stage.http.get(address).bearer_auth(&self.token).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        serde_json::from_str(&answer.text().await.unwrap()).unwrap_or(Value::Null)
    }

    /// Somebody changes the account by its API.
    pub(crate) async fn changes(&self, path: &str, body: &Value) -> Value {
        let address = format!("{}/api/v4/{path}", self.stage.sandbox.amocrm_url());
        let request = match body {
            Value::Array(_) => self.stage.http.post(address),
            _ => self.stage.http.patch(address),
        };
        let answer = request.bearer_auth(&self.token).json(body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.json().await.unwrap()
    }

    /// All contacts with their leads, oldest first.
    pub(crate) async fn contacts(&self) -> Vec<Value> {
        let shown = self.api("contacts?limit=250&with=leads").await;
        shown["_embedded"]["contacts"].as_array().cloned().unwrap_or_default()
    }

    pub(crate) async fn unsorted(&self) -> usize {
        let shown = self.api("leads/unsorted").await;
        shown["_embedded"]["unsorted"].as_array().map_or(0, Vec::len)
    }

    pub(crate) async fn fails(&self, fault: Value) {
        self.stage.act("/amocrm/faults/amojo", fault).await;
    }

    pub(crate) async fn recovers(&self) {
        let address = format!("{}/amocrm/faults/amojo", self.stage.sandbox.control_url());
        assert!(self.stage.http.delete(address).send().await.unwrap().status().is_success());
    }

    pub(crate) async fn held(&self, bot: &Bot) -> Vec<Held> {
        let lanes = self.service.store.list_lanes(id(bot), None, 10).await.unwrap();
        let lane = lanes.iter().find(|lane| lane.name == "route:crm").unwrap().id;
        self.service.store.list_held(id(bot), lane, HeldStates::ALL, Seq::ZERO, 100).await.unwrap()
    }

    /// Waits until nothing is held, and sees that nothing was given up.
    pub(crate) async fn nothing_is_held(&self, bot: &Bot) {
        self.stage
            .in_time("nothing that is held", async || {
                let held = self.held(bot).await;
                assert!(held.iter().all(|held| held.state.blocks()), "{held:?}");
                held.is_empty().then_some(())
            })
            .await;
    }

    /// What amoCRM found wrong with what it was sent. Without a token nobody can make it a source for the bot.
    pub(crate) async fn complaints(&self) -> Vec<Value> {
        let path = format!("/amocrm/channels/{}/complaints", self.channel);
        let complaints = self.stage.look(&path).await["complaints"].as_array().cloned().unwrap_or_default();
        complaints.into_iter().filter(|complaint| complaint["code"] != "source_unknown").collect()
    }
}

/// Telegram delivers something.
pub(crate) fn push(bot: &Arc<Bot>, kind: &str, object: &Value) {
    assert!(matches!(bot.push(kind, object), Pushed::Stored { .. }));
}

/// A line in short: who, what, and what is special about it.
pub(crate) fn short(line: &Value) -> String {
    let word = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
    let mut shown = format!("{} {}: {}", word("speaker"), word("type"), word("text"));
    for (flag, mark) in [("silent", " (silent)"), ("edited", " (edited)")] {
        if line[flag] == true {
            shown.push_str(mark);
        }
    }
    if line["reply_to"]["id"].is_string() {
        shown.push_str(" (answers)");
    }
    for reaction in line["reactions"].as_array().into_iter().flatten() {
        shown.extend([" [", reaction["emoji"].as_str().unwrap_or_default(), "]"]);
    }
    shown
}
