//! The scenario of `clients/README.md`, written with frankenstein and its blocking client.
//!
//! Answers a client in a private chat and prints what it saw, one JSON object a line.
//! Settings come from the environment; `clients/README.md` lists them.
//!
//! The library brings the methods and the types; the loop, the pauses after errors and the webhook are the user's.

mod albums;
mod handlers;

use std::{env, process, thread, time::Duration};

use anyhow::{Context, anyhow};
use frankenstein::{
    Error, TelegramApi,
    client_ureq::Bot,
    methods::{GetUpdatesParams, SetWebhookParams},
    updates::Update,
};
use signal_hook::{
    consts::{SIGINT, SIGTERM},
    iterator::Signals,
};
use url::Url;

use crate::handlers::{Shop, saw};

const POLL_SECONDS: u32 = 10;
const PAUSE: Duration = Duration::from_secs(1);
const SECRET_HEADER: &str = "X-Telegram-Bot-Api-Secret-Token";

fn main() -> anyhow::Result<()> {
    let base = env::var("TELEGRAM_API_BASE").unwrap_or("https://api.telegram.org".to_owned());
    let token = env::var("BOT_TOKEN").context("BOT_TOKEN")?;
    let bot = Bot::new_url(format!("{base}/bot{token}"));
    let username = bot.get_me()?.result.username.context("a bot has a username")?;
    let shop = Shop::new(bot.clone(), format!("{base}/file/bot{token}"));

    // A blocking call cannot be interrupted: the process ends under it.
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    thread::spawn(move || {
        signals.forever().next();
        saw("stopped", serde_json::json!({}));
        process::exit(0);
    });

    saw("ready", serde_json::json!({ "bot": username }));
    if env::var("MODE").is_ok_and(|mode| mode == "webhook") { serve(&bot, &shop) } else { poll(&bot, &shop) }
}

fn poll(bot: &Bot, shop: &Shop) -> ! {
    let mut wanted = GetUpdatesParams::builder().timeout(POLL_SECONDS).build();
    loop {
        match bot.get_updates(&wanted) {
            Ok(updates) => {
                for update in updates.result {
                    wanted.offset = Some(i64::from(update.update_id) + 1);
                    handle(shop, update);
                }
            }
            Err(error) => {
                eprintln!("getUpdates: {error}");
                thread::sleep(pause_after(&error));
            }
        }
    }
}

fn pause_after(error: &Error) -> Duration {
    let Error::Api(refused) = error else { return PAUSE };
    let seconds = refused.parameters.and_then(|parameters| parameters.retry_after);
    seconds.map_or(PAUSE, |seconds| Duration::from_secs(seconds.into()))
}

fn serve(bot: &Bot, shop: &Shop) -> anyhow::Result<()> {
    let url = Url::parse(&env::var("WEBHOOK_URL").context("WEBHOOK_URL")?)?;
    let port: u16 = env::var("WEBHOOK_PORT").context("WEBHOOK_PORT")?.parse()?;
    let secret = env::var("WEBHOOK_SECRET").ok();
    let server = tiny_http::Server::http(("127.0.0.1", port)).map_err(|error| anyhow!(error))?;
    let webhook = SetWebhookParams::builder().url(url.as_str()).maybe_secret_token(secret.clone()).build();
    bot.set_webhook(&webhook)?;
    for mut request in server.incoming_requests() {
        let sent = request.headers().iter().find(|header| header.field.equiv(SECRET_HEADER));
        let known = secret.is_none() || sent.map(|header| header.value.as_str()) == secret.as_deref();
        let mut body = String::new();
        let status = if request.url() != url.path() || !known {
            403
        } else if request.as_reader().read_to_string(&mut body).is_err() {
            400
        } else {
            // What cannot be read is not asked for again: it would come for ever.
            match serde_json::from_str(&body) {
                Ok(update) => handle(shop, update),
                Err(error) => eprintln!("an update: {error}"),
            }
            200
        };
        request.respond(tiny_http::Response::empty(status))?;
    }
    Ok(())
}

fn handle(shop: &Shop, update: Update) {
    if let Err(error) = shop.handle(update) {
        eprintln!("an update: {error:#}");
    }
}
