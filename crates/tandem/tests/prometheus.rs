//! What the service tells Prometheus: looked at as text, by Debian's own Prometheus with the rules and the dashboard
//! of `docs/prometheus`, and by whoever follows one update through the log.
//!
//! Needs what `scripts/setup` installs; without it the tests fail and say so.

#![allow(clippy::unwrap_used, reason = "where a test panics, it fails")]

mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::Context as _;
use serde_json::{Value, json};
use support::{driver::program, poller::Poller, shop::Shop, tandem::free_address, until};
use tandem_gateway::DropPending;
use tokio::process::{Child, Command};

/// Series with their values.
type Series = BTreeMap<String, f64>;

fn documents() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

/// The names of all metrics that `docs/METRICS.md` lists.
fn documented() -> BTreeSet<String> {
    let page = std::fs::read_to_string(documents().join("METRICS.md")).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| row.split('`').next()).map(str::to_owned).collect()
}

async fn scrape(address: &str) -> anyhow::Result<(String, Series)> {
    let answer = reqwest::get(format!("{address}/metrics")).await?.error_for_status()?;
    let kind = answer.headers()["content-type"].to_str()?.to_owned();
    anyhow::ensure!(kind.starts_with("text/plain; version=0.0.4"), "{kind}");
    let text = answer.text().await?;
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    let samples = samples.filter_map(|line| line.rsplit_once(' '));
    let series = samples.map(|(series, value)| (series.to_owned(), value.parse().unwrap())).collect();
    Ok((text, series))
}

/// Clients write, the bot answers, amoCRM fails one of them for good and goes down.
async fn busy(shop: &Shop) -> anyhow::Result<Poller> {
    let poller = Poller::start(&shop.wire.url(), &shop.app_token);
    for text in ["Раз", "Два", "Три"] {
        shop.client_says(text).await?;
    }
    until("the bot's updates", async || Ok(poller.said().len()), |count| *count == 3).await?;
    shop.amocrm_has(&["Раз", "Два", "Три"]).await?;
    let http = reqwest::Client::new();
    for (method, body) in [
        ("sendMessage", json!({ "chat_id": shop.client, "text": "Здравствуйте" })),
        ("sendMessage", json!({ "chat_id": 1, "text": "Никому" })),
        ("noSuchMethod", json!({})),
    ] {
        let address = format!("{}/bot{}/{method}", shop.tandem.gateway_url(), shop.app_token);
        http.post(address).json(&body).send().await?;
    }
    let fault = json!({ "fault": { "kind": "status", "code": 410 }, "times": 1 });
    shop.control.post(&format!("/amocrm/{}/faults", shop.bot), &fault).await?;
    shop.amocrm_goes_down().await?;
    shop.client_says("Четыре").await?;
    Ok(poller)
}

#[tokio::test]
async fn metrics_say_what_happened_and_only_what_is_documented() -> anyhow::Result<()> {
    let shop = Shop::adopted(DropPending::Ignore).await?;
    let _poller = busy(&shop).await?;
    let address = shop.tandem.gateway_url();
    let paused = format!("tandem_lane_paused{{bot=\"{}\",lane=\"route:amocrm\",reason=\"down\"}}", shop.bot);
    let (text, series) =
        until("the pause", async || scrape(&address).await, |(_, series)| series.contains_key(&paused))
            .await?;
    let expected = [
        (r#"tandem_events_total{kind="update",topic="message"}"#, 4.0),
        (r#"tandem_events_total{kind="sent",topic="send"}"#, 1.0),
        (r#"tandem_calls_total{method="sendMessage",status="200"}"#, 1.0),
        (r#"tandem_calls_total{method="sendMessage",status="400"}"#, 1.0),
        (r#"tandem_calls_total{method="unknown",status="404"}"#, 1.0),
        (r#"tandem_deliveries_total{verdict="done"}"#, 3.0),
        (r#"tandem_bots{state="running"}"#, 1.0),
        (r#"tandem_store_health{state="good"}"#, 1.0),
        (r#"tandem_store_health{state="full"}"#, 0.0),
        ("tandem_lanes", 2.0),
        ("tandem_lanes_shown", 2.0),
        ("tandem_unkept_sends_total", 0.0),
        (paused.as_str(), 1.0),
    ];
    for (name, value) in expected {
        assert_eq!(series.get(name), Some(&value), "{name} in:\n{text}");
    }
    let of = |metric: &str, lane: &str| series[&format!("{metric}{{bot=\"{}\",lane=\"{lane}\"}}", shop.bot)];
    assert!(of("tandem_lane_lag_events", "route:amocrm") >= 1.0);
    assert!(of("tandem_lane_oldest_seconds", "route:amocrm") > 0.0);
    assert!(series[r#"tandem_telegram_bytes_total{direction="received"}"#] > 1000.0);
    let commits = series["tandem_store_commit_seconds_count"];
    assert!(commits >= 5.0 && series["tandem_store_commit_seconds_sum"] > 0.0);
    for (histogram, ranges) in [("tandem_store_commit_seconds", 15), ("tandem_store_commit_writes", 10)] {
        let bucket = format!("{histogram}_bucket{{le=");
        let buckets: Vec<_> = series.iter().filter(|(name, _)| name.starts_with(&bucket)).collect();
        assert_eq!(buckets.len(), ranges, "{text}");
        let all = series[&format!("{histogram}_count")];
        assert_eq!(series.get(&format!("{bucket}\"+Inf\"}}")), Some(&all), "{text}");
        assert!(buckets.iter().all(|(_, up_to)| **up_to <= all), "{text}");
    }
    assert!(series["process_resident_memory_bytes"] > 1e6 && series["process_open_fds"] > 5.0);
    assert!(series["process_start_time_seconds"] > 1.7e9, "{text}");

    // Each has a type, and is on the page; whatever is on the page and has no series now says when it would have.
    let typed: BTreeSet<String> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next().map(str::to_owned))
        .collect();
    let documented = documented();
    let stray: Vec<_> = typed.difference(&documented).collect();
    assert!(stray.is_empty(), "not in docs/METRICS.md: {stray:?}");
    let unseen: Vec<_> = documented.difference(&typed).collect();
    assert!(unseen.is_empty(), "documented and not told: {unseen:?}");
    for secret in [&shop.token, &shop.app_token] {
        assert!(!text.contains(secret.split_once(':').unwrap().1));
    }
    Ok(())
}

#[tokio::test]
async fn health_and_metrics_can_have_an_address_of_their_own() -> anyhow::Result<()> {
    let mut shop = Shop::adopted(DropPending::Ignore).await?;
    let gateway = shop.tandem.gateway_url();
    let get = async |address: String| -> anyhow::Result<(u16, String)> {
        let answer = reqwest::get(address).await?;
        Ok((answer.status().as_u16(), answer.text().await?))
    };
    for path in ["/healthz", "/readyz"] {
        assert_eq!(get(format!("{gateway}{path}")).await?, (200, "ok\n".to_owned()), "{path}");
    }
    shop.tandem.kill().await?;
    let own = free_address().await?;
    shop.tandem.set(format!("server.console={own}"));
    shop.tandem.revive().await?;
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(get(format!("http://{own}{path}")).await?.0, 200, "{path}");
        let (status, body) = get(format!("{gateway}{path}")).await?;
        assert_eq!(
            (status, body.contains("Not Found")),
            (404, true),
            "{path} is no call of the Bot API: {body}"
        );
    }
    Ok(())
}

/// Who looks for an update in the log finds its event, and by the event's id all that became of it.
#[tokio::test]
async fn one_update_can_be_followed_from_telegram_to_each_lane_by_its_event_id() -> anyhow::Result<()> {
    let mut shop = Shop::open().await?;
    shop.tandem.kill().await?;
    shop.tandem.set("log.format=json".to_owned());
    shop.tandem.set("log.filter=debug".to_owned());
    shop.tandem.revive().await?;
    shop.adopt(DropPending::Ignore, tandem_bridge::UpstreamMode::Webhook).await?;
    let poller = Poller::start(&shop.wire.url(), &shop.app_token);
    shop.client_says("Раз").await?;
    until("the bot's update", async || Ok(poller.numbers()), |numbers| numbers.len() == 1).await?;
    shop.amocrm_has(&["Раз"]).await?;
    let raw = shop.control.get(&format!("/amocrm/{}/raw?after=0", shop.bot)).await?;
    let update = raw["deliveries"].to_string();
    let lines = || -> anyhow::Result<Vec<Value>> {
        let log = shop.tandem.log()?;
        Ok(log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
    };
    let committed = |line: &&Value| line["telegram.update_id"].is_i64();
    let found = until(
        "what became of it",
        async || {
            let lines = lines()?;
            let event = lines.iter().find(committed).context("an update was committed")?.clone();
            let id = event["event.id"].as_str().context("an event has an id")?.to_owned();
            let said = lines.iter().filter(|line| line["event.id"] == id.as_str());
            let said = said.map(|line| line["message"].as_str().unwrap_or_default().to_owned());
            Ok((event, id.clone(), said.collect::<Vec<_>>()))
        },
        |(_, _, said)| said.len() >= 3,
    )
    .await?;
    let (event, id, said) = found;
    assert!(update.contains(&event["telegram.update_id"].to_string()), "Telegram's number: {update}");
    assert_eq!((&event["event.kind"], &event["event.topic"]), (&json!("update"), &json!("message")));
    for expected in ["committed event", "given to app main", ": done"] {
        assert!(
            said.iter().any(|line| line.contains(&id) && line.contains(expected)),
            "{expected}: {said:?}"
        );
    }
    Ok(())
}

/// A Prometheus with our rules that looks at one Tandem. Dropping it kills it.
struct Prometheus {
    address: String,
    _folder: tempfile::TempDir,
    _child: Child,
}

impl Prometheus {
    fn program(name: &str) -> anyhow::Result<PathBuf> {
        let path = program::installed("prometheus/usr/bin").join(name);
        anyhow::ensure!(path.exists(), "{name} is missing: run scripts/setup");
        Ok(path)
    }

    async fn watching(target: &str) -> anyhow::Result<Self> {
        let folder = tandem_testkit::folder();
        let rules = std::fs::read_to_string(documents().join("prometheus/alerts.yml"))?;
        std::fs::write(folder.path().join("alerts.yml"), rules)?;
        // Ours as it is published, but for the address and the haste of a test.
        let config = std::fs::read_to_string(documents().join("prometheus/prometheus.yml"))?;
        let config = config.replace("15s", "1s").replace("127.0.0.1:8080", target);
        std::fs::write(folder.path().join("prometheus.yml"), config)?;
        let address = free_address().await?;
        let log = std::fs::File::create(folder.path().join("prometheus.log"))?;
        let child = Command::new(Self::program("prometheus")?)
            .current_dir(folder.path())
            .args(["--config.file=prometheus.yml", "--storage.tsdb.path=data"])
            .arg(format!("--web.listen-address={address}"))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        Ok(Self { address: format!("http://{address}"), _folder: folder, _child: child })
    }

    /// The result of a query; empty while it does not answer yet.
    async fn query(&self, query: &str) -> anyhow::Result<Vec<Value>> {
        let asked =
            reqwest::Client::new().get(format!("{}/api/v1/query", self.address)).query(&[("query", query)]);
        let Ok(answer) = asked.send().await else { return Ok(Vec::new()) };
        let answer: Value = match answer.json().await {
            Ok(answer) => answer,
            Err(_) => return Ok(Vec::new()),
        };
        anyhow::ensure!(answer["status"] == "success", "{query}: {answer}");
        Ok(answer["data"]["result"].as_array().cloned().unwrap_or_default())
    }
}

#[tokio::test]
async fn debians_prometheus_scrapes_it_alerts_by_our_rules_and_understands_our_dashboard()
-> anyhow::Result<()> {
    let promtool = Prometheus::program("promtool")?;
    for arguments in [["test", "rules", "alerts.test.yml"], ["check", "config", "prometheus.yml"]] {
        let done = Command::new(&promtool)
            .current_dir(documents().join("prometheus"))
            .args(arguments)
            .output()
            .await?;
        let said = String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned();
        anyhow::ensure!(done.status.success() && said.contains("SUCCESS"), "{arguments:?}: {said}");
    }

    let shop = Shop::adopted(DropPending::Ignore).await?;
    let prometheus = Prometheus::watching(&shop.tandem.gateway().to_string()).await?;
    let _poller = busy(&shop).await?;
    let committed = r#"tandem_events_total{job="tandem",kind="update",topic="message"}"#;
    until(
        "four updates",
        async || prometheus.query(committed).await,
        |found| found.first().is_some_and(|one| one["value"][1] == "4"),
    )
    .await?;
    let pending = r#"ALERTS{alertname="TandemLaneStandsStill",alertstate="pending"}"#;
    let found =
        until("the alert", async || prometheus.query(pending).await, |found| found.len() == 1).await?;
    let alert = &found[0]["metric"];
    assert_eq!(
        (&alert["bot"], &alert["lane"], &alert["reason"]),
        (&json!(shop.bot.to_string()), &json!("route:amocrm"), &json!("down"))
    );
    assert!(prometheus.query(r#"ALERTS{alertname="TandemIsDown"}"#).await?.is_empty());

    // Every question of the dashboard is one, about metrics that there are.
    let dashboard = std::fs::read_to_string(documents().join("prometheus/grafana.json"))?;
    let dashboard: Value = serde_json::from_str(&dashboard)?;
    let documented = documented();
    let questions: Vec<&str> = dashboard["panels"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|panel| panel["targets"].as_array().into_iter().flatten())
        .filter_map(|target| target["expr"].as_str())
        .collect();
    assert!(questions.len() > 20);
    let mut unasked = documented.clone();
    for question in questions {
        let asked = question.replace("$__rate_interval", "1m").replace("$bot", ".*");
        prometheus.query(&asked).await?;
        let names = asked.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let names = names.filter(|name| name.starts_with("tandem_") || name.starts_with("process_"));
        for name in names {
            // A histogram is shown as several series.
            let parts = ["_bucket", "_sum", "_count"];
            let name = parts.iter().find_map(|part| name.strip_suffix(part)).unwrap_or(name);
            assert!(documented.contains(name), "{name} of the dashboard is not in docs/METRICS.md");
            unasked.remove(name);
        }
    }
    // What is told is shown, but for what only explains the rest.
    let explains = [
        "process_start_time_seconds",
        "process_threads",
        "tandem_build_info",
        "tandem_lanes",
        "tandem_lanes_shown",
    ];
    assert!(unasked.iter().eq(explains), "not on the dashboard: {unasked:?}");
    Ok(())
}
