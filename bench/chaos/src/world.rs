//! The sandbox: Telegram and amoCRM with their clients, in this process, spoken to by its control API alone.

use std::collections::BTreeMap;

use anyhow::Context as _;
use serde_json::{Value, json};
use tandem_sandbox::{Config, Sandbox};

use crate::{
    history::{Answer, Receipt, Update},
    seen::{Seen, marks},
};

/// The sandbox with one bot that amoCRM holds.
pub(crate) struct World {
    sandbox: Sandbox,
    control: Control,
    pub(crate) bot: i64,
    pub(crate) token: String,
    record: Record,
}

/// The control API. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Control {
    client: reqwest::Client,
    base: String,
}

/// What was read of the sandbox's records so far: they forget.
#[derive(Default)]
struct Record {
    updates: BTreeMap<u64, Value>,
    last_call: u64,
    carried_out: BTreeMap<u64, i64>,
    last_delivery: u64,
    deliveries: Vec<Receipt>,
}

impl Control {
    pub(crate) async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let answer = self.client.post(format!("{}{path}", self.base)).json(body).send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        anyhow::ensure!(status.is_success(), "{path}: {status} {text}");
        Ok(if text.is_empty() { Value::Null } else { serde_json::from_str(&text)? })
    }

    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        let answer = self.client.get(format!("{}{path}", self.base)).send().await?.error_for_status()?;
        Ok(answer.json().await?)
    }

    async fn delete(&self, path: &str) -> anyhow::Result<()> {
        self.client.delete(format!("{}{path}", self.base)).send().await?.error_for_status()?;
        Ok(())
    }
}

impl World {
    /// Starts it, with a bot that is connected to amoCRM.
    pub(crate) async fn start(seed: u64) -> anyhow::Result<Self> {
        let sandbox = Sandbox::start(Config { seed, ..Config::default() }).await?;
        let client = reqwest::Client::builder().no_proxy().build()?;
        let control = Control { client, base: sandbox.control_url() };
        let bot = control.post("/bots", &json!({ "username": "chaos_bot", "first_name": "Chaos" })).await?;
        let token = bot["token"].as_str().context("a bot has a token")?.to_owned();
        let id = bot["id"].as_i64().context("a bot has an id")?;
        control.post("/amocrm/connect", &json!({ "token": token })).await?;
        Ok(Self { sandbox, control, bot: id, token, record: Record::default() })
    }

    pub(crate) fn control(&self) -> Control {
        self.control.clone()
    }

    pub(crate) fn telegram_url(&self) -> String {
        self.sandbox.telegram_url()
    }

    /// amoCRM fails about three deliveries in ten from now on.
    pub(crate) async fn crm_is_unreliable(&self) -> anyhow::Result<()> {
        let path = format!("/amocrm/{}/faults", self.bot);
        for (fault, percent) in [
            (json!({ "kind": "status", "code": 500 }), 8),
            (json!({ "kind": "status", "code": 503, "taken": true }), 6),
            (json!({ "kind": "status", "code": 429, "retry_after": 1 }), 3),
            (json!({ "kind": "reset" }), 6),
            (json!({ "kind": "reset", "taken": true }), 5),
            (json!({ "kind": "slow", "ms": 1500 }), 5),
        ] {
            self.control.post(&path, &json!({ "fault": fault, "percent": percent })).await?;
        }
        Ok(())
    }

    pub(crate) async fn crm_is_well(&self) -> anyhow::Result<()> {
        self.control.delete(&format!("/amocrm/{}/faults", self.bot)).await?;
        self.control.post("/amocrm/up", &json!({})).await?;
        Ok(())
    }

    /// `refuse` or `reset`.
    pub(crate) async fn crm_goes_down(&self, how: &str) -> anyhow::Result<()> {
        self.control.post("/amocrm/down", &json!({ "how": how })).await.map(drop)
    }

    pub(crate) async fn crm_comes_up(&self) -> anyhow::Result<()> {
        self.control.post("/amocrm/up", &json!({})).await.map(drop)
    }

    /// Telegram's numbers go on elsewhere.
    pub(crate) async fn rebase(&self, next_update_id: i32) -> anyhow::Result<()> {
        let path = format!("/bots/{}/rebase", self.bot);
        self.control.post(&path, &json!({ "next_update_id": next_update_id })).await.map(drop)
    }

    /// Reads on in the records, which remember only so much.
    pub(crate) async fn read_on(&mut self) -> anyhow::Result<()> {
        let Self { control, bot, record, .. } = self;
        // What becomes of an update is only known later, so all that are still remembered are read again.
        let updates = control.get(&format!("/bots/{bot}/updates?after={}", record.settled())).await?;
        for update in updates.as_array().into_iter().flatten() {
            record.updates.insert(update["n"].as_u64().unwrap_or_default(), update.clone());
        }
        let calls = control.get(&format!("/bots/{bot}/calls?after={}", record.last_call)).await?;
        for call in calls.as_array().into_iter().flatten() {
            record.last_call = call["n"].as_u64().unwrap_or_default();
            if call["ok"] != true {
                continue;
            }
            for mark in marks(&call["params"].to_string()) {
                record.carried_out.insert(mark, call["at_ms"].as_i64().unwrap_or_default());
            }
        }
        let deliveries = control.get(&format!("/amocrm/{bot}/raw?after={}", record.last_delivery)).await?;
        anyhow::ensure!(deliveries["forgotten"] == 0, "the sandbox forgot deliveries");
        for delivery in deliveries["deliveries"].as_array().into_iter().flatten() {
            record.last_delivery = delivery["n"].as_u64().unwrap_or_default();
            record.deliveries.extend(receipt(delivery));
        }
        Ok(())
    }

    /// Updates that Telegram still has.
    pub(crate) async fn pending(&self) -> anyhow::Result<u64> {
        let bot = self.control.get(&format!("/bots/{}", self.bot)).await?;
        bot["pending_updates"].as_u64().context("a bot says how much is pending")
    }

    /// Everything Telegram made, with what went over the wire.
    pub(crate) fn updates(&self, given: &BTreeMap<i64, (i64, Seen)>) -> Vec<Update> {
        let of = |(n, update): (&u64, &Value)| {
            let update_id = update["update_id"].as_i64().unwrap_or_default();
            Update {
                n: *n,
                update_id,
                kind: update["kind"].as_str().unwrap_or_default().to_owned(),
                confirmed: update["confirmed"] == true,
                expired: update["expired"] == true,
                dropped: update["dropped"] == true,
                given: given.get(&update_id).cloned(),
            }
        };
        self.record.updates.iter().map(of).collect()
    }

    /// What amoCRM got.
    pub(crate) fn deliveries(&self) -> Vec<Receipt> {
        self.record.deliveries.clone()
    }

    /// What Telegram carried out for the apps.
    pub(crate) fn carried_out(&self) -> BTreeMap<u64, i64> {
        self.record.carried_out.clone()
    }

    pub(crate) async fn stop(self) {
        self.sandbox.stop().await;
    }
}

impl Record {
    /// Everything up to here has its fate.
    fn settled(&self) -> u64 {
        let open =
            |update: &&Value| !["confirmed", "expired", "dropped"].iter().any(|fate| update[*fate] == true);
        match self.updates.values().find(open) {
            Some(update) => update["n"].as_u64().unwrap_or(1) - 1,
            None => self.updates.last_key_value().map_or(0, |(n, _)| *n),
        }
    }
}

fn receipt(delivery: &Value) -> Option<Receipt> {
    let seen = Seen::read(delivery["body"].as_str()?.as_bytes())?;
    let failed = !matches!(delivery["fault"]["kind"].as_str(), None | Some("slow"));
    let answer = match (delivery["outcome"].as_str()?, failed) {
        ("taken" | "repeat", false) => Answer::Took,
        ("taken" | "repeat", true) => Answer::TookAndFailed,
        _ => Answer::Failed,
    };
    Some(Receipt { at_ms: delivery["at_ms"].as_i64()?, seen, answer })
}
