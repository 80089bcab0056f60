//! Three apps on one bot beside amoCRM, each in its own way: one polls an update at a time, one has a webhook and asks
//! for two kinds, one is away until everything is over. Each is complete and in order by its own filter though Tandem is
//! killed on the way; presses go to whose button it was; what nobody knows is answered once.

#![allow(clippy::unwrap_used, reason = "where a test panics, it fails")]

mod support;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Json, Router, extract::State, routing::post};
use serde_json::{Value, json};
use support::{shop::Shop, until};
use tandem_bridge::operations::{AppSettings, Request, Response};
use tandem_gateway::DropPending;
use tokio::{net::TcpListener, task::AbortHandle};

type Given = Arc<Mutex<Vec<Value>>>;

/// An app: its token, and what it was given.
struct App {
    call_base: String,
    given: Given,
    running: Option<AbortHandle>,
}

impl Drop for App {
    fn drop(&mut self) {
        if let Some(running) = &self.running {
            running.abort();
        }
    }
}

impl App {
    async fn add(shop: &Shop, name: &str, settings: AppSettings) -> anyhow::Result<Self> {
        let add = Request::AddApp { bot: None, name: name.to_owned(), settings };
        let Response::AppToken(added) = shop.tandem.ask(add).await? else { panic!("an app has a token") };
        Ok(Self::of(shop, added.token.expose()))
    }

    fn of(shop: &Shop, token: &str) -> Self {
        let call_base = format!("{}/bot{token}", shop.tandem.gateway_url());
        Self { call_base, given: Given::default(), running: None }
    }

    async fn call(&self, method: &str, params: Value) -> anyhow::Result<Value> {
        let call = reqwest::Client::new().post(format!("{}/{method}", self.call_base)).json(&params);
        let answer: Value = call.send().await?.json().await?;
        anyhow::ensure!(answer["ok"] == true, "{method}: {answer}");
        Ok(answer["result"].clone())
    }

    /// Polls as slowly as it can: one update, then the next question.
    fn polls_slowly(&mut self) {
        let (call_base, given) = (self.call_base.clone(), Arc::clone(&self.given));
        let polling = async move {
            let http = reqwest::Client::new();
            let mut offset = 0;
            loop {
                let url = format!("{call_base}/getUpdates?timeout=20&limit=1&offset={offset}");
                let answer = async { http.get(url).send().await?.json::<Value>().await };
                match answer.await {
                    Ok(answer) if answer["ok"] == true => {
                        for update in answer["result"].as_array().unwrap() {
                            offset = update["update_id"].as_i64().unwrap() + 1;
                            given.lock().unwrap().push(update.clone());
                        }
                    }
                    // Tandem is dead at the moment.
                    _ => tokio::time::sleep(Duration::from_millis(30)).await,
                }
            }
        };
        self.running = Some(tokio::spawn(polling).abort_handle());
    }

    /// Has its updates posted, of these kinds alone.
    async fn has_a_webhook(&mut self, kinds: &[&str]) -> anyhow::Result<()> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/hook", listener.local_addr()?);
        let take =
            async |State(given): State<Given>, Json(update): Json<Value>| given.lock().unwrap().push(update);
        let router = Router::new().route("/hook", post(take)).with_state(Arc::clone(&self.given));
        let serving = async move { axum::serve(listener, router).await.unwrap() };
        self.running = Some(tokio::spawn(serving).abort_handle());
        self.call("setWebhook", json!({ "url": url, "allowed_updates": kinds })).await?;
        Ok(())
    }

    /// Comes back after having been away, and takes everything there is.
    async fn comes_back(&self) -> anyhow::Result<()> {
        let mut offset = 0;
        loop {
            let updates = self.call("getUpdates", json!({ "offset": offset })).await?;
            let updates = updates.as_array().unwrap().clone();
            let Some(last) = updates.last() else { return Ok(()) };
            offset = last["update_id"].as_i64().unwrap() + 1;
            self.given.lock().unwrap().extend(updates);
        }
    }

    /// Shows the client a button.
    async fn shows(&self, shop: &Shop, data: &str) -> anyhow::Result<()> {
        self.call("sendMessage", button(shop, data)).await.map(drop)
    }

    fn given(&self) -> Vec<Value> {
        self.given.lock().unwrap().clone()
    }

    /// What the client said, without repeats: a webhook may be posted the same twice when Tandem was killed.
    fn texts(&self) -> Vec<String> {
        said(&self.given(), "/message/text")
    }

    fn presses(&self) -> Vec<String> {
        said(&self.given(), "/callback_query/data")
    }
}

fn said(updates: &[Value], at: &str) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    let first = |update: &&Value| seen.insert(update["update_id"].as_i64());
    let first: Vec<_> = updates.iter().filter(first).collect();
    first.iter().filter_map(|update| Some(update.pointer(at)?.as_str()?.to_owned())).collect()
}

fn button(shop: &Shop, data: &str) -> Value {
    let keyboard = json!({ "inline_keyboard": [[{ "text": data, "callback_data": data }]] });
    json!({ "chat_id": shop.client, "text": data, "reply_markup": keyboard })
}

async fn presses(shop: &Shop, data: &str) -> anyhow::Result<()> {
    shop.client_acts("press", json!({ "data": data, "wait_ms": 0 })).await.map(drop)
}

#[tokio::test]
async fn three_apps_share_a_bot_with_amocrm_and_each_is_complete_though_tandem_is_killed()
-> anyhow::Result<()> {
    let mut shop = Shop::adopted(DropPending::Ignore).await?;
    let mut main = App::of(&shop, &shop.app_token);
    let mut hook = App::add(&shop, "hook", AppSettings::default()).await?;
    let three_days = AppSettings { backlog_secs: Some(3 * 24 * 60 * 60), ..AppSettings::default() };
    let away = App::add(&shop, "away", three_days).await?;
    main.polls_slowly();
    hook.has_a_webhook(&["message", "callback_query"]).await?;

    let (mut texts, mut pressed, mut everything) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..4 {
        for (app, name) in [(&main, "main"), (&hook, "hook"), (&away, "away")] {
            let text = format!("text {round} {name}");
            shop.client_says(&text).await?;
            let data = format!("{name}:{round}");
            app.shows(&shop, &data).await?;
            presses(&shop, &data).await?;
            everything.extend([text.clone(), data.clone()]);
            texts.push(text);
            pressed.push(data);
        }
        match round {
            1 => {
                shop.tandem.kill().await?;
                let text = "said while it was dead";
                shop.client_says(text).await?;
                texts.push(text.to_owned());
                everything.push(text.to_owned());
                shop.tandem.revive().await?;
            }
            // amoCRM is away as well for a while.
            2 => shop.amocrm_goes_down().await?,
            _ => {}
        }
    }
    // Sent past Tandem, as amoCRM sends: whose button it is, nobody knows.
    let past = format!("{}/bot{}/sendMessage", shop.sandbox.telegram_url(), shop.token);
    reqwest::Client::new().post(past).json(&button(&shop, "past")).send().await?.error_for_status()?;
    presses(&shop, "past").await?;
    everything.push("past".to_owned());
    shop.amocrm_comes_up().await?;

    let of = |name: &str| {
        let own = pressed.iter().filter(|data| data.starts_with(name)).cloned();
        own.chain(["past".to_owned()]).collect::<Vec<_>>()
    };
    for (app, name) in [(&main, "main"), (&hook, "hook")] {
        let all = |seen: &(Vec<String>, Vec<String>)| seen.0.len() >= texts.len() && seen.1.len() >= 5;
        until(&format!("everything at {name}"), async || Ok((app.texts(), app.presses())), all).await?;
    }
    away.comes_back().await?;
    for (app, name) in [(&main, "main"), (&hook, "hook"), (&away, "away")] {
        assert_eq!(app.texts(), texts, "{name}");
        assert_eq!(app.presses(), of(name), "{name}");
    }
    let numbers: Vec<_> = main.given().iter().map(|update| update["update_id"].as_i64().unwrap()).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    shop.amocrm_has(&everything).await?;

    // All three answer the press that all three were given.
    for app in [&hook, &away, &main] {
        let given = app.given();
        let press = given.iter().find(|update| update["callback_query"]["data"] == "past").unwrap();
        let answer = json!({ "callback_query_id": press["callback_query"]["id"], "text": "Done" });
        assert_eq!(app.call("answerCallbackQuery", answer).await?, true);
    }
    let called = shop.control.methods_called(shop.bot).await?;
    assert_eq!(called.iter().filter(|method| *method == "answercallbackquery").count(), 1);
    Ok(())
}
