//! Clients, managers and operators of a test.

use std::{future::Future, pin::pin, sync::Arc, task::Poll, time::Duration};

use serde_json::{Value, json};
use tandem_bridge::{
    Bridge,
    operations::{Adopt, Adopted, Confidential, LaneView, Refusal, Release, Released, Request, Response},
};
use tandem_sandbox::telegram::Bot;

use crate::support::{Stage, until};

/// A bot that amoCRM's built-in integration holds, and a client of it.
pub(crate) struct Shop {
    pub(crate) bot: Arc<Bot>,
    client: i64,
}

impl Shop {
    /// Connects a new bot in amoCRM.
    pub(crate) async fn open(stage: &Stage, extra: Value) -> Self {
        let bot = stage.bot();
        let mut connect = json!({"token": bot.token()});
        connect.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        stage.act("/amocrm/connect", connect).await;
        let client = stage.act("/users", json!({"first_name": "Ann"})).await["id"].as_i64().unwrap();
        Self { bot, client }
    }

    pub(crate) async fn client_writes(&self, stage: &Stage, text: &str) {
        let path = format!("/users/{}/bots/{}/text", self.client, self.bot.id());
        stage.act(&path, json!({"text": text})).await;
    }

    /// What amoCRM shows of the client's messages, in order.
    pub(crate) async fn amocrm_sees(&self, stage: &Stage) -> Vec<String> {
        let chats = stage.look(&format!("/amocrm/{}/chats", self.bot.id())).await;
        let lines = chats["chats"][0]["messages"].as_array().cloned().unwrap_or_default();
        lines
            .iter()
            .filter(|line| line["author"] == "client")
            .map(|line| line["text"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Waits until amoCRM shows exactly this.
    pub(crate) async fn amocrm_has(&self, stage: &Stage, texts: &[&str]) {
        until(&format!("{texts:?} in amoCRM"), async || {
            let seen = self.amocrm_sees(stage).await;
            (seen.len() >= texts.len()).then_some(seen)
        })
        .await;
        assert_eq!(self.amocrm_sees(stage).await, texts);
    }

    /// How often amoCRM's hook was given something it had been given before.
    pub(crate) async fn repeats(&self, stage: &Stage) -> u64 {
        let shown = stage.look(&format!("/amocrm/{}", self.bot.id())).await;
        shown["deliveries"]["repeats"].as_u64().unwrap_or_else(|| panic!("{shown}"))
    }

    /// amoCRM's hook fails until it is mended; what is written meanwhile waits at whoever delivers it.
    pub(crate) async fn amocrm_fails(&self, stage: &Stage) {
        let fault = json!({"fault": {"kind": "status", "code": 503}});
        stage.act(&format!("/amocrm/{}/faults", self.bot.id()), fault).await;
    }

    pub(crate) async fn amocrm_is_mended(&self, stage: &Stage) {
        let address = format!("{}/amocrm/{}/faults", stage.sandbox.control_url(), self.bot.id());
        assert!(stage.http.delete(address).send().await.unwrap().status().is_success());
    }

    /// The client writes while amoCRM's hook fails, as it does until it is mended: Telegram keeps it. So nothing is
    /// under way to amoCRM at the moment the stream is taken.
    pub(crate) async fn client_is_kept_waiting(&self, stage: &Stage, text: &str) {
        self.amocrm_fails(stage).await;
        self.client_writes(stage, text).await;
        until("a failed delivery", async || {
            stage.webhook_info(&self.bot).await["last_error_date"].is_i64().then_some(())
        })
        .await;
    }
}

/// What `adopt` is asked for where nothing is said.
pub(crate) fn adopt(bot: &Bot) -> Adopt {
    Adopt {
        token: Confidential::new(bot.token()),
        drop_pending: None,
        holder_secret: None,
        holder_certificate: None,
        holder: tandem_bridge::operations::KeepHolder::default(),
        upstream: None,
        another_poller: tandem_bridge::operations::AnotherPoller::default(),
        guard: None,
    }
}

/// What `release` is asked for where nothing is said.
pub(crate) fn release() -> Release {
    Release {
        bot: None,
        wait_secs: 0,
        undelivered: tandem_bridge::operations::Undelivered::default(),
        holder_secret: None,
        holder_certificate: None,
        webhook: tandem_bridge::operations::GiveBack::default(),
    }
}

pub(crate) async fn adopted(bridge: &Bridge, asked: Adopt) -> Result<Adopted, Refusal> {
    Box::pin(bridge.perform(Request::Adopt(asked))).await.map(|response| match response {
        Response::Adopted(adopted) => *adopted,
        other => panic!("{other:?}"),
    })
}

pub(crate) async fn released(bridge: &Bridge, asked: Release) -> Result<Released, Refusal> {
    Box::pin(bridge.perform(Request::Release(asked))).await.map(|response| match response {
        Response::Released(released) => *released,
        other => panic!("{other:?}"),
    })
}

pub(crate) async fn lanes(bridge: &Bridge) -> Vec<LaneView> {
    match Box::pin(bridge.perform(Request::Lanes { bot: None })).await.unwrap() {
        Response::Lanes { lanes } => lanes,
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn lane(bridge: &Bridge, name: &str) -> LaneView {
    let lanes = lanes(bridge).await;
    lanes.into_iter().find(|lane| lane.name == name).unwrap_or_else(|| panic!("no lane {name}"))
}

/// Carries something out while time goes on.
pub(crate) async fn while_time_passes<T>(stage: &Stage, what: impl Future<Output = T>) -> T {
    let passing = async {
        loop {
            stage.clock.advance(Duration::from_millis(250));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        done = what => done,
        () = passing => unreachable!("time does not end"),
    }
}

/// Carries something out until it has waited so often, and lets go of it there, as a crash would. `Some` when it was
/// done before.
pub(crate) async fn cut_off_after<T>(waits: usize, what: impl Future<Output = T>) -> Option<T> {
    let mut what = pin!(what);
    let mut left = waits;
    std::future::poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        match what.as_mut().poll(context) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending => {
                left -= 1;
                if left == 0 { Poll::Ready(None) } else { Poll::Pending }
            }
        }
    })
    .await
}

/// The secret that a delivery shows.
pub(crate) fn secret_of(head: &str) -> Option<&str> {
    let lines = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    lines
        .into_iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("x-telegram-bot-api-secret-token"))
        .map(|(_, value)| value)
}
