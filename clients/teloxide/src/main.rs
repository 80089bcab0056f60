//! The scenario of `clients/README.md`, written with teloxide.
//!
//! Answers a client in a private chat and prints what it saw, one JSON object a line.
//! Settings come from the environment; `clients/README.md` lists them.

mod albums;
mod handlers;

use std::env;

use anyhow::Context;
use teloxide::{prelude::*, update_listeners::webhooks};
use tokio::signal::unix::{SignalKind, signal};
use url::Url;

use crate::{albums::Albums, handlers::saw};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let base = env::var("TELEGRAM_API_BASE").unwrap_or("https://api.telegram.org".to_owned());
    let bot = Bot::new(env::var("BOT_TOKEN").context("BOT_TOKEN")?)
        .set_api_url(Url::parse(&base).context("TELEGRAM_API_BASE")?);
    let me = bot.get_me().await?;

    let mut dispatcher = Dispatcher::builder(bot.clone(), handlers::schema())
        .dependencies(dptree::deps![Albums::default()])
        .enable_ctrlc_handler()
        .build();

    // teloxide stops on Ctrl-C only; a supervisor sends SIGTERM.
    let shutdown = dispatcher.shutdown_token();
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::spawn(async move {
        terminate.recv().await;
        if let Ok(finished) = shutdown.shutdown() {
            finished.await;
        }
    });

    saw("ready", serde_json::json!({ "bot": me.username() }));
    if env::var("MODE").is_ok_and(|mode| mode == "webhook") {
        let url = Url::parse(&env::var("WEBHOOK_URL").context("WEBHOOK_URL")?)?;
        let port: u16 = env::var("WEBHOOK_PORT").context("WEBHOOK_PORT")?.parse()?;
        let mut options = webhooks::Options::new(([127, 0, 0, 1], port).into(), url);
        if let Ok(secret) = env::var("WEBHOOK_SECRET") {
            options = options.secret_token(secret);
        }
        let listener = webhooks::axum(bot, options).await?;
        dispatcher.dispatch_with_listener(listener, LoggingErrorHandler::new()).await;
    } else {
        dispatcher.dispatch().await;
    }
    saw("stopped", serde_json::json!({}));
    Ok(())
}
