//! Looking at the service while it works.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, bail};
use tandem_bridge::operations::{BotRef, BotView, LaneView, Request, Response, Summary};

use crate::{history::Stage, process::Process};

/// When several looks in a row show the same, within this.
const SETTLED_WITHIN_PERCENT: u64 = 1;
const LOOKS: usize = 4;
const BETWEEN_LOOKS: Duration = Duration::from_millis(500);
/// Enough for every bot's first question to Telegram.
const MOST_LOOKS: usize = 240;

/// A service that is measured.
pub(crate) struct Service {
    pub(crate) process: Process,
    /// Its control socket.
    socket: PathBuf,
    database: PathBuf,
    pub(crate) started_in: Duration,
}

impl Service {
    pub(crate) fn new(process: Process, directory: &Path, started_in: Duration) -> Self {
        let database = directory.join("tandem.db");
        Self { process, socket: directory.join("tandem.db.sock"), database, started_in }
    }

    async fn perform(&self, request: Request) -> anyhow::Result<Response> {
        tandem::control::perform(&self.socket, &request).await?.map_err(Into::into)
    }

    pub(crate) async fn summary(&self) -> anyhow::Result<Summary> {
        match self.perform(Request::Summary).await? {
            Response::Summary(summary) => Ok(summary),
            _ => bail!("no summary"),
        }
    }

    pub(crate) async fn bots(&self) -> anyhow::Result<Vec<BotView>> {
        match self.perform(Request::Bots).await? {
            Response::Bots { bots } => Ok(bots),
            _ => bail!("no bots"),
        }
    }

    /// The route's lane of a bot.
    pub(crate) async fn route(&self, bot: i64) -> anyhow::Result<LaneView> {
        match self.perform(Request::Lanes { bot: Some(BotRef(bot.to_string())) }).await? {
            Response::Lanes { lanes } => {
                lanes.into_iter().find(|lane| lane.name == "route:crm").context("no such lane")
            }
            _ => bail!("no lanes"),
        }
    }

    /// Bytes of the database, and of its log.
    pub(crate) fn sizes(&self) -> anyhow::Result<(u64, u64)> {
        let log = self.database.with_extension("db-wal");
        let log = fs::metadata(log).map_or(0, |log| log.len());
        Ok((fs::metadata(&self.database)?.len(), log))
    }

    /// Waits until what it takes stays the same, and gives that.
    pub(crate) async fn settled(&self, bots: u64, applied_in: Duration) -> anyhow::Result<Stage> {
        let mut looks: Vec<Stage> = Vec::new();
        for _ in 0..MOST_LOOKS {
            tokio::time::sleep(BETWEEN_LOOKS).await;
            let (vitals, summary) = (self.process.look()?, self.summary().await?);
            looks.push(Stage {
                bots,
                applied_in_s: applied_in.as_secs_f64(),
                started_in_s: self.started_in.as_secs_f64(),
                rss_kb: vitals.rss_kb,
                tasks: summary.tasks as u64,
                open_files: vitals.open_files,
            });
            if let Some(latest) = looks.len().checked_sub(LOOKS).map(|from| &looks[from..])
                && same(latest, |stage| stage.rss_kb)
                && same(latest, |stage| stage.tasks)
            {
                break;
            }
        }
        looks.last().copied().context("it was looked at")
    }
}

fn same(stages: &[Stage], figure: impl Fn(&Stage) -> u64) -> bool {
    let figures: Vec<u64> = stages.iter().map(figure).collect();
    let (least, most) = (figures.iter().min().unwrap_or(&0), figures.iter().max().unwrap_or(&0));
    (most - least) * 100 <= most * SETTLED_WITHIN_PERCENT
}
