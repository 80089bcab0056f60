//! Many bots at once: updates pushed through the control API at a steady rate, each bot with a waiting long poll.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use clap::Args;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{task::JoinSet, time::MissedTickBehavior};

use crate::{
    connection::{Connection, get, post},
    peer::Peer,
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
    /// Connections that push.
    #[arg(long, default_value_t = 32)]
    pushers: u32,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

struct Bot {
    id: i64,
    token: String,
}

/// The parts of an answer to `getUpdates` that count here.
#[derive(Deserialize)]
struct Updates {
    result: Vec<Update>,
}

#[derive(Deserialize)]
struct Update {
    update_id: i64,
    message: Message,
}

#[derive(Deserialize)]
struct Message {
    /// When the update was pushed, in microseconds from the start.
    text: String,
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn measure(options: &Options) -> anyhow::Result<()> {
    let peer = Peer::sandbox()?;
    let bots = create(&peer, options.bots).await?;
    let begin = Instant::now();
    let share = options.rate * options.seconds / u64::from(options.pushers);
    let expected = share * u64::from(options.pushers);
    let received = Arc::new(AtomicU64::new(0));

    let mut pollers = JoinSet::new();
    for bot in &bots {
        let connection = Connection::open(&peer.addresses[0]).await?;
        pollers.spawn(poll(connection, bot.token.clone(), begin, Arc::clone(&received), expected));
    }
    let cpu = peer.cpu()?;
    let pushing = Instant::now();
    push(&peer, &bots, begin, share, options).await?;
    let pushed_in = pushing.elapsed();
    let cpu = peer.cpu()?.saturating_sub(cpu);

    // Those that wait with nothing more to come are ended from here.
    let limit = Instant::now() + Duration::from_secs(20);
    while received.load(Ordering::Relaxed) < expected {
        ensure!(Instant::now() < limit, "received {} of {expected}", received.load(Ordering::Relaxed));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let memory = peer.resident_mib()?;
    drop(peer);
    let mut delays_us = Vec::new();
    while let Some(poller) = pollers.join_next().await {
        delays_us.extend(poller??);
    }
    ensure!(delays_us.len() as u64 == expected, "received {} of {expected}", delays_us.len());
    delays_us.sort_unstable();
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

/// Every hundredth of a second the updates of that time, bot by bot in turn; each pusher its share.
async fn push(
    peer: &Peer,
    bots: &[Bot],
    begin: Instant,
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
        tasks.spawn(async move {
            let mut tick = tokio::time::interval(Duration::from_millis(10));
            tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
            let mut sent = 0;
            for number in 1..=ticks {
                tick.tick().await;
                while sent < share * number / ticks {
                    let bot = mine[usize::try_from(sent)? % mine.len()];
                    let now = begin.elapsed().as_micros();
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

/// Polls until the server ends, and gives the delay of each update. Ids must come without gaps.
async fn poll(
    mut connection: Connection,
    token: String,
    begin: Instant,
    received: Arc<AtomicU64>,
    expected: u64,
) -> anyhow::Result<Vec<u64>> {
    let mut offset = 0;
    let mut delays = Vec::new();
    loop {
        let body = json!({ "offset": offset, "timeout": 50 }).to_string();
        let answer = match connection.call(&post(&format!("/bot{token}/getUpdates"), &body)).await {
            Ok(answer) => answer,
            Err(_) if received.load(Ordering::Relaxed) == expected => return Ok(delays),
            Err(error) => return Err(error),
        };
        let now = u64::try_from(begin.elapsed().as_micros())?;
        for update in serde_json::from_slice::<Updates>(answer)?.result {
            ensure!(offset == 0 || update.update_id == offset, "{} after {offset}", update.update_id);
            offset = update.update_id + 1;
            delays.push(now.saturating_sub(update.message.text.parse()?));
            received.fetch_add(1, Ordering::Relaxed);
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
        "{} bots, {} updates: {} pushed a second, {} lost; push to poll p50 {} µs, p99 {} µs, max {} µs; \
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
