//! `getMe` and `sendMessage` a second, the sandbox and telegram-test-api in turn.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;
use clap::Args;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{
    connection::{Connection, post},
    peer::Peer,
    spread::Spread,
};

#[derive(Args)]
pub(crate) struct Options {
    /// Rounds; each measures every server with every method.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Length of one measurement in seconds.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Connections at once.
    #[arg(long, default_value_t = 32)]
    connections: usize,
    /// The `node_modules` that has telegram-test-api; `scripts/setup --bench` says where it puts it.
    #[arg(long, env = "NODE_PATH")]
    node_modules: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

const METHODS: [&str; 2] = ["getMe", "sendMessage"];

/// One server's figures for one method.
#[derive(Serialize)]
struct Figures {
    server: &'static str,
    method: &'static str,
    calls_per_second: Spread,
    cpu_us_per_call: Spread,
}

struct Server {
    name: &'static str,
    peer: Peer,
    token: String,
    chat: i64,
    /// By method: calls a second and CPU microseconds a call, of each round.
    rounds: [Vec<(f64, f64)>; METHODS.len()],
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn measure(options: &Options) -> anyhow::Result<()> {
    let mut servers = [sandbox().await?, telegram_test_api(&options.node_modules)?];
    for round in 0..=options.rounds {
        for (index, method) in METHODS.into_iter().enumerate() {
            for server in &mut servers {
                let measured = load(server, method, options).await?;
                // The first round only warms up.
                if round > 0 {
                    server.rounds[index].push(measured);
                }
            }
        }
    }
    report(&servers, options);
    Ok(())
}

async fn sandbox() -> anyhow::Result<Server> {
    let peer = Peer::sandbox()?;
    let mut control = Connection::open(&peer.addresses[1]).await?;
    let mut ask = async |path: &str, body: Value| -> anyhow::Result<Value> {
        Ok(serde_json::from_slice(control.call(&post(path, &body.to_string())).await?)?)
    };
    let bot = ask("/bots", json!({})).await?;
    let user = ask("/users", json!({ "first_name": "Ann" })).await?;
    let chat = user["id"].as_i64().context("a user has an id")?;
    ask(&format!("/users/{chat}/bots/{}/start", bot["id"]), json!({})).await?;
    let token = bot["token"].as_str().context("a bot has a token")?.to_owned();
    Ok(Server { name: "sandbox", peer, token, chat, rounds: Default::default() })
}

fn telegram_test_api(node_modules: &Path) -> anyhow::Result<Server> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("telegram-test-api/server.js");
    let peer = Peer::start(Command::new("node").arg(script).env("NODE_PATH", node_modules))?;
    anyhow::ensure!(!peer.addresses.is_empty(), "telegram-test-api does not start");
    let token = "1234567:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0".to_owned();
    Ok(Server { name: "telegram-test-api", peer, token, chat: 1, rounds: Default::default() })
}

/// Calls one method on all connections for the time of one measurement.
async fn load(server: &Server, method: &str, options: &Options) -> anyhow::Result<(f64, f64)> {
    let body = match method {
        "sendMessage" => json!({ "chat_id": server.chat, "text": "Your order 1234 is ready." }).to_string(),
        _ => "{}".to_owned(),
    };
    let request: Arc<[u8]> = post(&format!("/bot{}/{method}", server.token), &body).into();
    let mut connections = Vec::new();
    for _ in 0..options.connections {
        connections.push(Connection::open(&server.peer.addresses[0]).await?);
    }
    let cpu = server.peer.cpu()?;
    let begin = Instant::now();
    let end = begin + Duration::from_secs_f64(options.seconds);
    let mut tasks = JoinSet::new();
    for mut connection in connections {
        let request = Arc::clone(&request);
        tasks.spawn(async move {
            let mut calls = 0_u32;
            while Instant::now() < end {
                let answer = connection.call(&request).await?;
                anyhow::ensure!(answer.starts_with(b"{\"ok\":true"), "{}", String::from_utf8_lossy(answer));
                calls += 1;
            }
            Ok(calls)
        });
    }
    let mut calls = 0;
    while let Some(done) = tasks.join_next().await {
        calls += done??;
    }
    let calls = f64::from(calls);
    let taken = server.peer.cpu()?.saturating_sub(cpu);
    Ok((calls / begin.elapsed().as_secs_f64(), taken.as_secs_f64() * 1e6 / calls))
}

#[expect(clippy::print_stdout, reason = "the figures are what this command is for")]
fn report(servers: &[Server], options: &Options) {
    let mut figures = Vec::new();
    let mut ratios = BTreeMap::new();
    for (index, method) in METHODS.into_iter().enumerate() {
        for server in servers {
            let (calls, cpu): (Vec<f64>, Vec<f64>) = server.rounds[index].iter().copied().unzip();
            figures.push(Figures {
                server: server.name,
                method,
                calls_per_second: Spread::of(&calls),
                cpu_us_per_call: Spread::of(&cpu),
            });
        }
        // Round by round: what disturbs the machine disturbs both servers of a round.
        let pairs = servers[0].rounds[index].iter().zip(&servers[1].rounds[index]);
        let by_round: Vec<f64> = pairs.map(|(ours, theirs)| ours.0 / theirs.0).collect();
        ratios.insert(method, Spread::of(&by_round));
    }
    if options.json {
        let all = json!({
            "rounds": options.rounds, "seconds": options.seconds, "connections": options.connections,
            "figures": figures, "ratio": ratios,
        });
        println!("{all:#}");
        return;
    }
    for one in &figures {
        println!(
            "{:<12} {:<18} {} calls/s, {} µs of CPU a call",
            one.method, one.server, one.calls_per_second, one.cpu_us_per_call
        );
    }
    for (method, ratio) in &ratios {
        println!("{method:<12} ratio {:.1} ({:.1}..{:.1})", ratio.median, ratio.min, ratio.max);
    }
}
