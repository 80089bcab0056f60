//! What the tests of the guard have in common: a bot that was adopted from amoCRM, and what Tandem and the sandbox say
//! of it.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use serde_json::{Value, json};
use tandem_bridge::{
    GuardMark, GuardPolicy, GuardState, UpstreamMode,
    operations::{Adopt, BotView, Request, Response},
};
use tandem_model::EventKind;
use tandem_sandbox::telegram::{Bot, Delivered};

use crate::{
    people::{adopt, adopted, while_time_passes},
    support::{Service, Stage, says, until},
};

/// A bot that amoCRM held, adopted.
pub(crate) struct Guarded {
    pub(crate) stage: Stage,
    pub(crate) service: Service,
    pub(crate) bot: Arc<Bot>,
}

impl Guarded {
    pub(crate) async fn new(upstream: UpstreamMode, policy: GuardPolicy) -> Self {
        let stage = Stage::new().await;
        let bot = stage.bot();
        stage.act("/amocrm/connect", json!({"token": bot.token()})).await;
        Self::adopted(stage, bot, upstream, policy).await
    }

    /// The same with a bot that nobody holds.
    pub(crate) async fn held_by_nobody(upstream: UpstreamMode, policy: GuardPolicy) -> Self {
        let stage = Stage::new().await;
        let bot = stage.bot();
        Self::adopted(stage, bot, upstream, policy).await
    }

    async fn adopted(stage: Stage, bot: Arc<Bot>, upstream: UpstreamMode, policy: GuardPolicy) -> Self {
        let service = stage.serve().await;
        let asked = Adopt { upstream: Some(upstream), guard: Some(policy), ..adopt(&bot) };
        while_time_passes(&stage, adopted(&service.bridge, asked)).await.unwrap();
        while_time_passes(&stage, service.is_running(&bot)).await;
        Self { stage, service, bot }
    }

    /// The service is killed and started again.
    pub(crate) async fn killed_and_started(self) -> Self {
        let Self { stage, service, bot } = self;
        service.kill().await;
        let service = stage.serve().await;
        Self { stage, service, bot }
    }

    pub(crate) async fn view(&self) -> BotView {
        match Box::pin(self.service.bridge.perform(Request::Bots)).await.unwrap() {
            Response::Bots { mut bots } => bots.remove(0),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn retake(&self) {
        Box::pin(self.service.bridge.perform(Request::Retake { bot: None })).await.unwrap();
    }

    /// amoCRM is connected again. Telegram takes one webhook a second.
    pub(crate) async fn amocrm_is_connected_again(&self, how: Value) {
        self.stage.clock.advance(Duration::from_secs(2));
        self.stage.act(&format!("/amocrm/{}/reconnect", self.bot.id()), how).await;
    }

    /// Waits until the bot's view is so, while time goes on.
    pub(crate) async fn in_time(&self, what: &str, is: impl Fn(&BotView) -> bool + Send + Sync) -> BotView {
        let seen = std::sync::Mutex::new(None);
        let looking = until(what, async || {
            let view = self.view().await;
            if is(&view) {
                return Some(view);
            }
            *seen.lock().unwrap() = Some(view);
            None
        });
        tokio::select! {
            view = while_time_passes(&self.stage, looking) => view,
            () = tokio::time::sleep(Duration::from_secs(20)) => panic!("in vain for {what}: {:#?}", seen.lock().unwrap()),
        }
    }

    /// Waits until the stream was taken back so often, while time goes on.
    pub(crate) async fn is_retaken(&self, times: u64) -> BotView {
        let is = |view: &BotView| view.guard.retakes == times && view.guard.state == GuardState::Watching;
        self.in_time("a retake", is).await
    }

    /// A client writes, and Tandem has it in time.
    pub(crate) async fn tandem_hears(&self, text: &str) {
        says(&self.bot, 7, text);
        while_time_passes(&self.stage, self.comes_in(text)).await;
    }

    pub(crate) async fn comes_in(&self, text: &str) {
        until(text, async || {
            let journal = self.service.journal(&self.bot).await;
            journal.iter().any(|event| String::from_utf8_lossy(&event.body).contains(text)).then_some(())
        })
        .await;
    }

    /// Waits until amoCRM was given this, by whomever, while time goes on.
    pub(crate) async fn amocrm_hears(&self, texts: &[&str]) {
        let heard = until("everything in amoCRM", async || {
            let raw = self.stage.look(&format!("/amocrm/{}/raw?after=0", self.bot.id())).await;
            let deliveries = raw["deliveries"].as_array().cloned().unwrap_or_default();
            let taken = |text: &&str| -> bool {
                let has = |body: &Value| body.as_str().is_some_and(|body| body.contains(*text));
                deliveries.iter().any(|one| one["outcome"] == "taken" && has(&one["body"]))
            };
            texts.iter().all(taken).then_some(())
        });
        while_time_passes(&self.stage, heard).await;
    }

    /// The guard's marks in the journal, in order.
    pub(crate) async fn marks(&self) -> Vec<GuardMark> {
        let journal = self.service.journal(&self.bot).await;
        let marks = journal.iter().filter(|event| event.kind == EventKind::Mark);
        marks.filter_map(|event| serde_json::from_slice(&event.body).ok()).collect()
    }

    /// The numbers of the marks about holes, counted out.
    pub(crate) async fn marked(&self) -> Vec<i64> {
        let marks = self.marks().await;
        let ranges = marks.iter().filter_map(|mark| match mark {
            GuardMark::Hole { from, to, updates, .. } => {
                assert_eq!(*updates, to - from + 1);
                Some(*from..=*to)
            }
            _ => None,
        });
        ranges.flatten().collect()
    }

    /// The numbers of updates that Tandem has.
    pub(crate) async fn numbers(&self) -> BTreeSet<i64> {
        let journal = self.service.journal(&self.bot).await;
        journal.iter().filter_map(|event| Some(event.upstream?.id.get())).collect()
    }

    /// What the sandbox gave to amoCRM's webhook itself and not to Tandem. (What it gave to Tandem without waiting for
    /// its answer, because amoCRM was just being connected, it gives to amoCRM once more.)
    pub(crate) async fn lost_to_amocrm(&self) -> BTreeSet<i64> {
        let ours = self.numbers().await;
        self.went_to_amocrm().difference(&ours).copied().collect()
    }

    /// What the sandbox gave to amoCRM's webhook itself.
    pub(crate) fn went_to_amocrm(&self) -> BTreeSet<i64> {
        let amocrm = self.stage.sandbox.amocrm_url();
        let records = self.bot.updates_after(0);
        let theirs = records.iter().filter(|record| {
            let url = record.url.as_deref().unwrap_or_default();
            record.confirmed && record.delivered == Some(Delivered::Webhook) && url.starts_with(&amocrm)
        });
        theirs.map(|record| i64::from(record.update_id)).collect()
    }

    /// How often Tandem took the stream: `deleteWebhook`, or `setWebhook` to our address.
    pub(crate) fn takes(&self) -> Vec<i64> {
        let own = format!("/hooks/telegram/{}", self.bot.id());
        let calls = self.bot.calls_after(0);
        let takes = calls.iter().filter(|call| {
            let url = call.params.get("url").and_then(Value::as_str).unwrap_or_default();
            call.ok && (call.method == "deleteWebhook" || url.ends_with(&own))
        });
        takes.map(|call| call.at_ms).collect()
    }

    pub(crate) async fn webhook(&self) -> String {
        self.stage.webhook_info(&self.bot).await["url"].as_str().unwrap_or_default().to_owned()
    }

    /// amoCRM's address as amoCRM has it.
    pub(crate) async fn hook(&self) -> String {
        let connection = self.stage.look(&format!("/amocrm/{}", self.bot.id())).await;
        connection["hook"].as_str().unwrap().to_owned()
    }
}

/// So many went past to amoCRM, as `tandem bots` says.
pub(crate) fn to_amocrm(view: &BotView) -> u64 {
    let amocrm = view.guard.went_past.iter().find(|past| past.to == tandem_bridge::HolderKind::Amocrm);
    amocrm.map_or(0, |past| past.updates)
}
