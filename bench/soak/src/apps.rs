//! The owner's programs: apps that poll, apps with a webhook, and the receivers of routes.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, ensure};
use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse as _, Response},
    routing::post,
};
use serde::Deserialize;
use serde_json::json;
use tokio::{net::TcpListener, task::JoinSet};

use crate::{
    bots::{Bot, Role},
    connection::{self, Connection},
    tally::Tallies,
};

/// One in so many messages is answered.
const ANSWERED: i64 = 10;

/// How long the receiver that does not keep up takes for each.
const SLOW: Duration = Duration::from_millis(800);

/// The parts of an update that count here.
#[derive(Deserialize)]
struct Update {
    update_id: i64,
    message: Message,
}

#[derive(Deserialize)]
struct Message {
    /// Its number.
    text: String,
    chat: Chat,
}

#[derive(Deserialize)]
struct Chat {
    id: i64,
}

#[derive(Deserialize)]
struct Answer {
    result: Vec<Update>,
}

impl Update {
    fn number(&self) -> anyhow::Result<i64> {
        self.message.text.trim_start_matches('_').parse().context("a message that nobody sent")
    }
}

/// Apps and receivers, until it is dropped.
pub(crate) struct Apps(JoinSet<anyhow::Result<()>>);

impl Apps {
    /// Starts the receivers on a listener.
    pub(crate) fn receive(listener: TcpListener, tallies: &Arc<Tallies>) -> Self {
        let router = Router::new()
            .route("/app/{bot}", post(app))
            .route("/copy/{bot}", post(copy))
            .route("/slow/{bot}", post(slow))
            .with_state(Arc::clone(tallies));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, router).await.context("the receivers") });
        Self(tasks)
    }

    /// Starts every app: those that poll, and those that say where their updates go.
    pub(crate) async fn start(
        &mut self,
        bots: &[Bot],
        gateway: &str,
        receivers: &str,
        tallies: &Arc<Tallies>,
    ) -> anyhow::Result<()> {
        for bot in bots {
            if bot.role.app_polls() {
                let (gateway, tallies) = (gateway.to_owned(), Arc::clone(tallies));
                let (id, token) = (bot.id, bot.token.clone());
                // The one with the backlog has enough to do with reading it.
                let answers = bot.role != Role::Down;
                self.0.spawn(async move { poll(&gateway, id, &token, answers, &tallies).await });
            } else if bot.role == Role::Webhook {
                let body = json!({"url": format!("http://{receivers}/app/{}", bot.id)}).to_string();
                let mut connection = Connection::open(gateway).await?;
                let path = format!("/bot{}/setWebhook", bot.token);
                connection.call(&connection::post(&path, &body)).await.context("setWebhook")?;
            }
        }
        Ok(())
    }

    /// Ready when one of them has ended, which none should.
    pub(crate) async fn failed(&mut self) -> anyhow::Error {
        match self.0.join_next().await {
            Some(Ok(Err(error))) => error,
            Some(Err(error)) => error.into(),
            Some(Ok(Ok(()))) | None => anyhow::anyhow!("an app or the receivers ended"),
        }
    }
}

async fn poll(gateway: &str, bot: i64, token: &str, answers: bool, tallies: &Tallies) -> anyhow::Result<()> {
    let mut connection = Connection::open(gateway).await?;
    let path = format!("/bot{token}/getUpdates");
    let send = format!("/bot{token}/sendMessage");
    let mut offset = 0;
    loop {
        let body = format!(r#"{{"offset":{offset},"timeout":50}}"#);
        let answer = connection.call(&connection::post(&path, &body)).await.context("getUpdates")?;
        let Answer { result } = serde_json::from_slice(answer)?;
        for update in result {
            ensure!(update.update_id >= offset, "an app got something again that it had confirmed");
            offset = update.update_id + 1;
            let number = update.number()?;
            tallies.app(bot, number);
            if answers && number % ANSWERED == 0 {
                let body = json!({"chat_id": update.message.chat.id, "text": "Thank you"}).to_string();
                connection.call(&connection::post(&send, &body)).await.context("sendMessage")?;
                tallies.answer();
            }
        }
    }
}

/// An app with a webhook, which answers in its answer.
async fn app(
    State(tallies): State<Arc<Tallies>>,
    Path(bot): Path<i64>,
    Json(update): Json<Update>,
) -> Response {
    let Ok(number) = update.number() else { return StatusCode::BAD_REQUEST.into_response() };
    tallies.app(bot, number);
    if number % ANSWERED != 0 {
        return StatusCode::OK.into_response();
    }
    tallies.answer();
    let answer = json!({"method": "sendMessage", "chat_id": update.message.chat.id, "text": "Thank you"});
    Json(answer).into_response()
}

async fn copy(State(tallies): State<Arc<Tallies>>, Path(bot): Path<i64>, Json(update): Json<Update>) {
    tallies.route(bot, update.update_id);
}

async fn slow(State(tallies): State<Arc<Tallies>>, Path(bot): Path<i64>, Json(update): Json<Update>) {
    tokio::time::sleep(SLOW).await;
    tallies.route(bot, update.update_id);
}
