//! The bots of a soak: who of them is active, what its app and its route are, and the file that says so to Tandem.

use std::{fmt::Write as _, fs, path::Path};

use anyhow::Context as _;
use serde_json::Value;

use crate::plan::Plan;

/// A bot of the sandbox.
#[derive(Debug, Clone)]
pub(crate) struct Bot {
    pub(crate) id: i64,
    /// Its token at Telegram, which at the gateway means its app `main`.
    pub(crate) token: String,
    pub(crate) role: Role,
    /// Whether its updates are asked for, rather than posted.
    pub(crate) polled: bool,
}

/// What is going on with a bot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Nobody writes to it.
    Idle,
    /// Its route's destination is down; its app polls all the same.
    Down,
    /// Its route's receiver takes less than comes; its app polls.
    Slow,
    /// A route copies everything to a receiver; its app polls.
    Copied,
    /// Its app polls.
    Polls,
    /// Its app has a webhook.
    Webhook,
}

impl Role {
    fn of(number: usize, active: usize) -> Self {
        match number {
            _ if number >= active => Self::Idle,
            0 => Self::Down,
            1 => Self::Slow,
            _ if number % 5 == 2 => Self::Copied,
            _ if number % 5 > 2 => Self::Webhook,
            _ => Self::Polls,
        }
    }

    /// Whether its app asks for updates.
    pub(crate) const fn app_polls(self) -> bool {
        matches!(self, Self::Down | Self::Slow | Self::Copied | Self::Polls)
    }
}

/// The bots that the sandbox has printed, with their parts.
pub(crate) fn cast(plan: &Plan, printed: &Value) -> anyhow::Result<Vec<Bot>> {
    let active = plan.active();
    let bots = printed["bots"].as_array().context("the sandbox's bots")?.iter().enumerate();
    bots.map(|(number, bot)| {
        let role = Role::of(number, active);
        let polled = match role {
            // It is this program that posts to the first, and the second is posted as most are.
            Role::Down | Role::Slow => false,
            Role::Idle => number >= plan.bots.saturating_sub(plan.polling),
            Role::Copied | Role::Polls | Role::Webhook => plan.polling > 0 && number % 4 == 3,
        };
        let id = bot["id"].as_i64().context("a bot's id")?;
        Ok(Bot { id, token: bot["token"].as_str().context("a bot's token")?.to_owned(), role, polled })
    })
    .collect()
}

/// Writes `bots.toml` for some bots, with their tokens beside it. `receivers` is where this program takes deliveries,
/// `nobody` an address where nobody listens.
pub(crate) fn write_file<'a>(
    directory: &Path,
    bots: impl Iterator<Item = &'a Bot>,
    receivers: &str,
    nobody: &str,
) -> anyhow::Result<()> {
    let tokens = directory.join("tokens");
    fs::create_dir_all(&tokens)?;
    let mut file = String::new();
    for Bot { id, token, role, polled } in bots {
        fs::write(tokens.join(id.to_string()), token)?;
        let upstream = if *polled { "polling" } else { "webhook" };
        writeln!(file, "[[bot]]\ntoken_file = 'tokens/{id}'\nupstream = '{upstream}'")?;
        let route = match role {
            Role::Down => format!("url = 'http://{nobody}/down'"),
            Role::Slow => format!("url = 'http://{receivers}/slow/{id}'\nmax_connections = 1"),
            Role::Copied => format!("url = 'http://{receivers}/copy/{id}'"),
            Role::Idle | Role::Polls | Role::Webhook => continue,
        };
        writeln!(file, "[[bot.route]]\nname = 'crm'\nkind = 'relay'\n{route}")?;
    }
    fs::write(directory.join("bots.toml"), file)?;
    Ok(())
}
