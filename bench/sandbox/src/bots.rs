//! Many bots at once: updates pushed through the control API at a steady rate, each bot with a waiting long poll or
//! with a webhook.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use clap::{Args, ValueEnum};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinSet, time::MissedTickBehavior};

use crate::{
    connection::{Connection, get, post},
    peer::Peer,
    tally::{Tally, Update},
    webhooks,
};

#[derive(Args)]
pub(crate) struct Options {
    /// How many bots.
    #[arg(long, default_value_t = 1000)]
    bots: usize,
    /// Updates a second, over all bots.
    #[arg(long, default_value_t = 10_000)]
    rate: u64,
    /// For how many seconds.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// How the bots get them.
    #[arg(long, value_enum, default_value_t = Delivery::Polling)]
    delivery: Delivery,
    /// Connections that push.
    #[arg(long, default_value_t = 32)]
    pushers: u32,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Delivery {
    Polling,
    Webhook,
}

struct Bot {
    id: i64,
    token: String,
}

/// An answer to `getUpdates`.
#[derive(Deserialize)]
struct Updates {
    result: Vec<Update>,
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn measure(options: &Options) -> anyhow::Result<()> {
    let peer = Peer::sandbox()?;
    let bots = create(&peer, options.bots).await?;
    let share = options.rate * options.seconds / u64::from(options.pushers);
    let expected = share * u64::from(options.pushers);
    let tally = Arc::new(Tally::new(bots.len(), expected));

    let mut takers = JoinSet::new();
    match options.delivery {
        Delivery::Polling => {
            for (number, bot) in bots.iter().enumerate() {
                let connection = Connection::open(&peer.addresses[0]).await?;
                takers.spawn(poll(connection, number, bot.token.clone(), Arc::clone(&tally)));
            }
        }
        Delivery::Webhook => {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            set_webhooks(&peer, &bots, listener.local_addr()?).await?;
            takers.spawn(webhooks::serve(listener, Arc::clone(&tally)));
        }
    }
    let cpu = peer.cpu()?;
    let pushing = Instant::now();
    tokio::select! {
        pushed = push(&peer, &bots, &tally, share, options) => pushed?,
        Some(ended) = takers.join_next() => ended??,
    }
    let pushed_in = pushing.elapsed();
    let cpu = peer.cpu()?.saturating_sub(cpu);
    tokio::select! {
        complete = tally.complete() => complete?,
        Some(ended) = takers.join_next() => ended??,
    }
    ensure!(tally.is_complete(), "a taker ended before all was there");
    let memory = peer.resident_mib()?;
    let delays_us = tally.delays_us();
    let percentile = |percent: usize| delays_us[(delays_us.len() - 1) * percent / 100];
    let figures = json!({
        "bots": options.bots,
        "updates": expected,
        "pushed_per_second": (f64::from(u32::try_from(expected)?) / pushed_in.as_secs_f64()).round(),
        "lost": 0,
        "delay_us": { "p50": percentile(50), "p99": percentile(99), "max": percentile(100) },
        "server_cpu_cores": (cpu.as_secs_f64() / pushed_in.as_secs_f64() * 100.0).round() / 100.0,
        "server_resident_mib": memory,
    });
    report(&figures, options.json);
    Ok(())
}

async fn create(peer: &Peer, count: usize) -> anyhow::Result<Vec<Bot>> {
    let mut control = Connection::open(&peer.addresses[1]).await?;
    let mut bots = Vec::new();
    for _ in 0..count {
        let bot: Value = serde_json::from_slice(control.call(&post("/bots", "{}")).await?)?;
        let id = bot["id"].as_i64().context("a bot has an id")?;
        bots.push(Bot { id, token: bot["token"].as_str().context("a bot has a token")?.to_owned() });
    }
    Ok(bots)
}

async fn set_webhooks(peer: &Peer, bots: &[Bot], receiver: std::net::SocketAddr) -> anyhow::Result<()> {
    let mut connection = Connection::open(&peer.addresses[0]).await?;
    for (number, Bot { token, .. }) in bots.iter().enumerate() {
        let webhook = json!({ "url": format!("http://{receiver}/{number}") }).to_string();
        connection.call(&post(&format!("/bot{token}/setWebhook"), &webhook)).await?;
    }
    Ok(())
}

/// Every hundredth of a second the updates of that time, bot by bot in turn; each pusher its share.
async fn push(
    peer: &Peer,
    bots: &[Bot],
    tally: &Arc<Tally>,
    share: u64,
    options: &Options,
) -> anyhow::Result<()> {
    let mut tasks = JoinSet::new();
    let pushers = usize::try_from(options.pushers)?;
    for pusher in 0..pushers {
        let mut connection = Connection::open(&peer.addresses[1]).await?;
        let mine: Vec<i64> = bots.iter().skip(pusher).step_by(pushers).map(|bot| bot.id).collect();
        let ticks = options.seconds * 100;
        // Telegram never queues a message that is older than a day.
        let clock: Value = serde_json::from_slice(connection.call(&get("/clock")).await?)?;
        let date = clock["now_ms"].as_i64().context("a clock has a time")? / 1000;
        let tally = Arc::clone(tally);
        tasks.spawn(async move {
            let mut tick = tokio::time::interval(Duration::from_millis(10));
            tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
            let mut sent = 0;
            for number in 1..=ticks {
                tick.tick().await;
                while sent < share * number / ticks {
                    let bot = mine[usize::try_from(sent)? % mine.len()];
                    let now = tally.now_us();
                    let update = json!({ "message": {
                        "message_id": sent + 1, "date": date,
                        "chat": { "id": 1, "type": "private", "first_name": "Ann" },
                        "from": { "id": 1, "is_bot": false, "first_name": "Ann" },
                        "text": now.to_string(),
                    }});
                    connection.call(&post(&format!("/bots/{bot}/updates"), &update.to_string())).await?;
                    sent += 1;
                }
            }
            anyhow::Ok(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(())
}

/// Polls until the server ends.
async fn poll(
    mut connection: Connection,
    number: usize,
    token: String,
    tally: Arc<Tally>,
) -> anyhow::Result<()> {
    let mut offset = 0;
    loop {
        let body = json!({ "offset": offset, "timeout": 50 }).to_string();
        let answer = connection.call(&post(&format!("/bot{token}/getUpdates"), &body)).await?;
        for update in serde_json::from_slice::<Updates>(answer)?.result {
            offset = tally.take(number, &update)? + 1;
        }
    }
}

#[expect(clippy::print_stdout, reason = "the figures are what this command is for")]
fn report(figures: &Value, json: bool) {
    if json {
        println!("{figures:#}");
        return;
    }
    println!(
        "{} bots, {} updates: {} pushed a second, {} lost; push to arrival p50 {} µs, p99 {} µs, max {} µs; \
         the server took {} cores and {} MiB",
        figures["bots"],
        figures["updates"],
        figures["pushed_per_second"],
        figures["lost"],
        figures["delay_us"]["p50"],
        figures["delay_us"]["p99"],
        figures["delay_us"]["max"],
        figures["server_cpu_cores"],
        figures["server_resident_mib"],
    );
}
