//! The Bot API under test and everything around it: a Telegram with a bot, the program's side of it (the sandbox
//! itself, or Tandem before it), people who write, a webhook, and one clock that stands still until it is moved.

pub(crate) mod http;
mod people;
mod receiver;
mod tandem;

use std::{
    future::Future,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tandem_gateway::DropPending;
use tandem_model::BotId;
use tandem_sandbox::{
    Clock, Config, ErrorStyle, Sandbox,
    telegram::{Bot, Fault, FaultSpec, NewBot, Pushed, When},
};
use tandem_telegram::webhook::WebhookPolicy;
use tempfile::TempDir;
use tokio::{io::AsyncWriteExt as _, net::TcpStream, task::JoinHandle};

use self::{
    http::{Answer, JSON, exchange, post, read_answer},
    tandem::Tandem,
};
pub(crate) use self::{
    people::Person,
    receiver::{Delivery, Receiver},
};
use crate::table::{Case, Settings, Verdict};

/// 2027-01-15, in seconds: what the clock shows first.
pub(crate) const START: i64 = 1_800_000_000;
/// How long a case waits for what must come.
const LIMIT: Duration = Duration::from_secs(20);
/// A free port of the loopback interface.
const FREE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// Whose Bot API is under test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Sandbox,
    Tandem,
}

/// Everything a case meets.
pub(crate) struct Stage {
    pub(crate) side: Side,
    pub(crate) clock: Clock,
    /// The bot at Telegram, for what people and Telegram itself do.
    pub(crate) bot: Arc<Bot>,
    /// The program that speaks to the Bot API under test.
    pub(crate) app: Client,
    sandbox: Sandbox,
    tandem: Option<Tandem>,
    folder: TempDir,
    settings: Settings,
    verdict: Verdict,
    asked: AtomicBool,
}

impl Stage {
    pub(crate) async fn start(side: Side, case: &Case) -> Self {
        let clock = Clock::manual(START * 1000);
        let folder = tempfile::tempdir().unwrap();
        let sandbox = Sandbox::start(config(case.settings, &clock, FREE)).await.unwrap();
        let bot = sandbox.telegram().create_bot(NewBot::default()).unwrap();
        let app = Client { address: address(&sandbox.telegram_url()), token: bot.token() };
        let (settings, verdict) = (case.settings, case.verdict(side));
        let asked = AtomicBool::new(false);
        let mut stage =
            Self { side, clock, bot, app, sandbox, tandem: None, folder, settings, verdict, asked };
        if side == Side::Tandem {
            let tandem = stage.open_tandem(FREE).await;
            stage.app = Client { address: tandem.address, token: tandem.adopt(&stage.bot).await };
            stage.tandem = Some(tandem);
            stage.is_asked().await;
        }
        // Nothing of the start is due at the same moment as what a case does.
        stage.later(7).await;
        stage
    }

    async fn open_tandem(&self, address: SocketAddr) -> Tandem {
        let webhooks = match self.settings {
            Settings::Usual | Settings::BareServer => WebhookPolicy::Any,
            Settings::PublicWebhooks => WebhookPolicy::PublicHttps,
        };
        let bot = BotId::new(self.bot.id()).unwrap();
        let telegram = self.sandbox.telegram_url();
        Tandem::start(self.folder.path(), address, (&telegram, bot), &self.clock, webhooks).await
    }

    /// Whether this side is known to differ in this case. A case that is declared to differ has to ask.
    pub(crate) fn differs(&self) -> bool {
        self.asked.store(true, Ordering::Relaxed);
        self.verdict != Verdict::Conforms
    }

    /// Whether a declared difference was looked at.
    pub(crate) fn was_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed) || self.verdict == Verdict::Conforms
    }

    /// Another consumer: at Tandem another app of the same bot, at Telegram another bot, since it knows one a bot.
    pub(crate) async fn another(&self) -> (Client, Arc<Bot>) {
        if let Some(tandem) = &self.tandem {
            let token = tandem.add_app("orders", DropPending::Obey).await;
            return (Client { address: tandem.address, token }, Arc::clone(&self.bot));
        }
        let bot = self.sandbox.telegram().create_bot(NewBot::default()).unwrap();
        (Client { address: self.app.address, token: bot.token() }, bot)
    }

    /// An app whose settings keep what it asks to drop; Telegram knows no such thing.
    pub(crate) async fn app_that_keeps(&self) -> Client {
        match &self.tandem {
            Some(tandem) => {
                let token = tandem.add_app("careless", DropPending::Ignore).await;
                Client { address: tandem.address, token }
            }
            None => self.app.clone(),
        }
    }

    /// Ends as a crash would, and starts again from what is stored.
    pub(crate) async fn restart(&mut self) {
        self.restart_after(|_, _| {}).await;
    }

    /// The same, and something happens to the bot between.
    pub(crate) async fn restart_after(&mut self, meanwhile: impl Fn(&Arc<Bot>, i64)) {
        if let Some(tandem) = self.tandem.take() {
            let address = tandem.address;
            tandem.kill().await;
            meanwhile(&self.bot, self.clock.now_secs());
            self.tandem = Some(self.open_tandem(address).await);
            self.is_asked().await;
        } else {
            let address = self.app.address;
            self.replace_sandbox(FREE).await;
            self.replace_sandbox(address).await;
        }
    }

    /// Begins to stop in order.
    pub(crate) async fn stop(&mut self) {
        if let Some(tandem) = &self.tandem {
            tandem.begin_to_stop();
        } else {
            self.replace_sandbox(FREE).await;
        }
    }

    /// Stops the sandbox; another one, that knows nothing, takes its place.
    async fn replace_sandbox(&mut self, telegram: SocketAddr) {
        let another = Sandbox::start(config(self.settings, &self.clock, telegram)).await.unwrap();
        std::mem::replace(&mut self.sandbox, another).stop().await;
    }

    /// Something happens to the bot, whatever it wants; what became of it.
    pub(crate) async fn offer(&self, kind: &str, object: &Value) -> Pushed {
        let pushed = self.bot.push(kind, object);
        self.arrived().await;
        pushed
    }

    /// Something happens to the bot. It has come as far as the program can ask for it.
    pub(crate) async fn push(&self, kind: &str, object: &Value) {
        let pushed = self.offer(kind, object).await;
        assert!(matches!(pushed, Pushed::Stored { .. }), "{kind}: {pushed:?}");
    }

    /// The same, in these bytes.
    pub(crate) async fn push_raw(&self, update: &str) {
        let pushed = self.bot.push_raw(update).unwrap();
        assert!(matches!(pushed, Pushed::Stored { .. }), "{update}: {pushed:?}");
        self.arrived().await;
    }

    /// A client writes.
    pub(crate) async fn says(&self, chat: i64, text: &str) {
        self.push("message", &message(chat, text, self.clock.now_secs())).await;
    }

    /// Waits until everything that Telegram has stored is where the program asks for it.
    pub(crate) async fn arrived(&self) {
        let Some(tandem) = &self.tandem else { return };
        let stored = self.bot.updates_after(0).len();
        until("updates in the journal", async || tandem.journaled().await >= stored).await;
    }

    /// The program's calls that the journal has, oldest first. `None` at Telegram, which keeps no journal.
    pub(crate) async fn mirrored(&self) -> Option<Vec<Value>> {
        match &self.tandem {
            Some(tandem) => Some(tandem.sent().await),
            None => None,
        }
    }

    /// Somebody with an account at Telegram who has started the bot.
    pub(crate) async fn person(&self) -> Person {
        let person = Person::meet(address(&self.sandbox.control_url()), self.bot.id()).await;
        self.arrived().await;
        person
    }

    /// A call of the control API: what people and Telegram do.
    pub(crate) async fn act(&self, path: &str, body: &Value) -> Value {
        let acted = people::act(address(&self.sandbox.control_url()), path, body).await;
        self.arrived().await;
        acted
    }

    /// Telegram fails at the next call of this method.
    pub(crate) fn telegram_fails(&self, method: &str, fault: Fault) {
        let method = method.to_owned();
        let spec = FaultSpec { method, fault, times: Some(1), for_ms: None, when: When::Before };
        self.bot.plant_fault(spec).unwrap();
    }

    /// The bot's token at Telegram is another from now on.
    pub(crate) fn revokes_the_token(&self) {
        self.sandbox.telegram().rotate_token(&self.bot, None).unwrap();
    }

    /// How often Telegram was asked to do this.
    pub(crate) fn called(&self, method: &str) -> usize {
        let calls = self.bot.calls_after(0);
        calls.iter().filter(|call| call.method.eq_ignore_ascii_case(method)).count()
    }

    pub(crate) async fn later(&self, secs: u64) {
        self.later_ms(secs * 1000).await;
    }

    pub(crate) async fn later_ms(&self, ms: u64) {
        self.clock.advance(Duration::from_millis(ms));
        // Whoever was woken gets to run.
        for _ in 0..5 {
            tokio::task::yield_now().await;
        }
    }

    /// A call of `getUpdates` that has to be answered at once, long enough after the one before not to be hasty.
    pub(crate) async fn updates(&self, params: Value) -> Vec<Value> {
        self.updates_of(&self.app, params).await
    }

    pub(crate) async fn updates_of(&self, client: &Client, params: Value) -> Vec<Value> {
        self.later(4).await;
        client.call("getUpdates", params).await.result().as_array().unwrap().clone()
    }

    /// The same; the texts of the messages, the kinds of everything else.
    pub(crate) async fn texts(&self, params: Value) -> Vec<String> {
        self.updates(params).await.iter().map(shown).collect()
    }

    pub(crate) async fn texts_of(&self, client: &Client, params: Value) -> Vec<String> {
        self.updates_of(client, params).await.iter().map(shown).collect()
    }

    /// Starts a call that waits, and is waited for until it does: for so long by the clock.
    pub(crate) async fn waits_ms(&self, client: &Client, method: &str, params: Value, ms: i64) -> Waiting {
        if self.tandem.is_some() {
            // Tandem's own question, if it were repeated only now, could be due at the same moment and be taken for
            // the one that is waited for.
            until("Tandem's question waits at Telegram", async || self.bot.is_polled()).await;
        }
        let until_ms = self.clock.now_ms() + ms;
        let before = self.sleepers_at(until_ms);
        let waiting = client.start(method, params).await;
        until(&format!("{method} waits for {ms} ms"), async || self.sleepers_at(until_ms) > before).await;
        waiting
    }

    pub(crate) async fn waits(&self, client: &Client, params: Value, secs: i64) -> Waiting {
        self.waits_ms(client, "getUpdates", params, secs * 1000).await
    }

    /// Waits until somebody sleeps for so long.
    pub(crate) async fn sleeps_ms(&self, ms: i64) {
        let until_ms = self.clock.now_ms() + ms;
        until(&format!("somebody sleeps for {ms} ms"), async || self.sleepers_at(until_ms) > 0).await;
    }

    fn sleepers_at(&self, until_ms: i64) -> usize {
        self.clock.sleeping_until().iter().filter(|at| **at == until_ms).count()
    }

    /// What is under way gets time to arrive: several exchanges with the same server, one after the other.
    pub(crate) async fn settles(&self) {
        for _ in 0..4 {
            self.app.call("getWebhookInfo", json!({})).await;
        }
    }

    pub(crate) async fn webhook_info(&self) -> Value {
        self.app.call("getWebhookInfo", json!({})).await.result()
    }

    /// Sets a webhook, long enough after the one before.
    pub(crate) async fn set_webhook(&self, params: Value) -> String {
        self.later(2).await;
        self.app.call("setWebhook", params).await.description()
    }

    /// A webhook that is set.
    pub(crate) async fn receiver(&self) -> Receiver {
        let receiver = Receiver::start().await;
        assert_eq!(self.set_webhook(json!({"url": receiver.url})).await, "Webhook was set");
        receiver
    }

    /// Asks for every kind that the reference gives a lifetime and a queue, those of nobody's default too.
    pub(crate) async fn asks_for_everything(&self) {
        let every = json!([
            "message",
            "edited_message",
            "channel_post",
            "edited_channel_post",
            "business_connection",
            "business_message",
            "edited_business_message",
            "deleted_business_messages",
            "guest_message",
            "message_reaction",
            "message_reaction_count",
            "inline_query",
            "chosen_inline_result",
            "callback_query",
            "shipping_query",
            "pre_checkout_query",
            "purchased_paid_media",
            "poll",
            "poll_answer",
            "my_chat_member",
            "chat_member",
            "chat_join_request",
            "chat_boost",
            "removed_chat_boost",
            "managed_bot"
        ]);
        self.updates(json!({"allowed_updates": every})).await;
    }

    /// Waits until nothing is pending.
    pub(crate) async fn is_delivered(&self) {
        until("everything is delivered", async || self.webhook_info().await["pending_update_count"] == 0)
            .await;
    }

    /// Waits until Tandem's question for updates waits at Telegram.
    async fn is_asked(&self) {
        let until_ms = self.clock.now_ms() + 50_000;
        until("Tandem asks for updates", async || self.sleepers_at(until_ms) > 0).await;
    }
}

fn config(settings: Settings, clock: &Clock, telegram: SocketAddr) -> Config {
    Config {
        clock: clock.clone(),
        seed: 7,
        telegram,
        errors: if settings == Settings::BareServer { ErrorStyle::Bare } else { ErrorStyle::Cloud },
        strict_webhooks: settings == Settings::PublicWebhooks,
        ..Config::default()
    }
}

fn address(url: &str) -> SocketAddr {
    url.trim_start_matches("http://").parse().unwrap()
}

/// A program with a token.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) address: SocketAddr,
    pub(crate) token: String,
}

impl Client {
    pub(crate) fn path(&self, method: &str) -> String {
        format!("/bot{}/{method}", self.token)
    }

    /// Sends bytes on a connection of their own.
    pub(crate) async fn send(&self, request: impl AsRef<[u8]>) -> Answer {
        exchange(self.address, request.as_ref()).await
    }

    /// The same; `None` when the connection ends without an answer.
    pub(crate) async fn try_send(&self, request: impl AsRef<[u8]>) -> Option<Answer> {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_ref()).await.unwrap();
        soon("the end of the connection", read_answer(&mut stream)).await
    }

    /// Calls a method with JSON.
    pub(crate) async fn call(&self, method: &str, params: Value) -> Answer {
        self.send(post(&self.path(method), JSON, params.to_string())).await
    }

    /// Starts a call on a connection of its own.
    pub(crate) async fn start(&self, method: &str, params: Value) -> Waiting {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(&post(&self.path(method), JSON, params.to_string())).await.unwrap();
        Waiting(tokio::spawn(async move {
            let answer = soon("an answer", read_answer(&mut stream)).await;
            answer.expect("the connection ended before an answer")
        }))
    }
}

/// A call that has no answer yet.
pub(crate) struct Waiting(JoinHandle<Answer>);

impl Waiting {
    pub(crate) async fn answer(self) -> Answer {
        self.0.await.unwrap()
    }

    /// The texts and kinds in an answer of `getUpdates`.
    pub(crate) async fn texts(self) -> Vec<String> {
        self.answer().await.result().as_array().unwrap().iter().map(shown).collect()
    }

    pub(crate) fn is_answered(&self) -> bool {
        self.0.is_finished()
    }

    /// Closes the connection.
    pub(crate) async fn hang_up(self) {
        self.0.abort();
        let _ = self.0.await;
    }
}

/// A client's message in his private chat.
pub(crate) fn message(chat: i64, text: &str, date: i64) -> Value {
    json!({
        "message_id": 1, "date": date, "text": text,
        "chat": {"id": chat, "type": "private", "first_name": "Ann"},
        "from": {"id": chat, "is_bot": false, "first_name": "Ann"},
    })
}

/// An object of any kind of update: everything that any of them has to say who and when, all with this id.
pub(crate) fn anything(id: i64, date: i64) -> Value {
    let user = json!({"id": id, "is_bot": false, "first_name": "Ann"});
    json!({
        "id": id.to_string(), "message_id": 1, "date": date, "poll_id": id.to_string(),
        "chat": {"id": id, "type": "private", "first_name": "Ann"}, "from": user, "user": user,
        "new_chat_member": {"user": user, "status": "member"}, "business_connection_id": "b",
    })
}

/// The text of an update's message, the name of the kind of anything else.
pub(crate) fn shown(update: &Value) -> String {
    match update["message"]["text"].as_str() {
        Some(text) => text.to_owned(),
        None => update.as_object().unwrap().keys().find(|key| *key != "update_id").unwrap().clone(),
    }
}

pub(crate) fn ids(updates: &[Value]) -> Vec<i64> {
    updates.iter().map(|update| update["update_id"].as_i64().unwrap()).collect()
}

/// The result, or a failed case when it does not come.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    let outcome = tokio::time::timeout(LIMIT, future).await;
    outcome.unwrap_or_else(|elapsed| panic!("{elapsed} while waiting for {what}"))
}

/// Waits until something is so.
pub(crate) async fn until(what: &str, mut look: impl AsyncFnMut() -> bool) {
    soon(what, async {
        while !look().await {
            tokio::time::sleep(Tandem::LOOK).await;
        }
    })
    .await;
}
