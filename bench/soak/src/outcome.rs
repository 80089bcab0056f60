//! What everybody had in the end, compared with what was sent and with what the sandbox says it delivered.

use std::{fs, path::Path, time::Duration};

use anyhow::Context as _;
use rusqlite::{Connection as Database, OpenFlags};
use serde_json::Value;

use crate::{
    bots::{Bot, Role},
    clients::Clients,
    connection::{Connection, get},
    history::{Down, Got, Outcome},
    measure::Service,
    plan::Plan,
    tally::Tallies,
};

/// How long what is under way may take to arrive. More than a retry of a webhook.
const ARRIVES_WITHIN: Duration = Duration::from_mins(3);
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// Who got what of a soak whose clients have stopped.
pub(crate) struct Ending<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) bots: &'a [Bot],
    pub(crate) clients: &'a Clients,
    pub(crate) tallies: &'a Tallies,
    /// The sandbox's control address.
    pub(crate) sandbox: &'a str,
}

impl Ending<'_> {
    /// Waits until everything has arrived, or too long, and counts.
    pub(crate) async fn count(&self, service: &Service) -> anyhow::Result<Outcome> {
        let limit = tokio::time::Instant::now() + ARRIVES_WITHIN;
        loop {
            let outcome = self.look(service).await?;
            let gots = [outcome.polling_apps, outcome.webhook_apps, outcome.routes];
            let complete = gots.iter().all(|got| got.missing == 0) && outcome.made == outcome.confirmed;
            if complete || tokio::time::Instant::now() > limit {
                return Ok(outcome);
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    async fn look(&self, service: &Service) -> anyhow::Result<Outcome> {
        let mut outcome = Outcome { answered: self.tallies.answered(), ..Outcome::default() };
        let mut sandbox = Connection::open(self.sandbox).await?;
        for bot in self.bots {
            let sent = self.sent_to(bot);
            let numbers = 0..i64::try_from(sent)?;
            let got = self.tallies.apps.get(&bot.id).map_or(Got::default(), |tally| tally.compare(numbers));
            match bot.role {
                Role::Webhook => outcome.webhook_apps += got,
                _ => outcome.polling_apps += got,
            }
            if bot.role == Role::Down {
                continue;
            }
            let updates = sandbox.call(&get(&format!("/bots/{}/updates?after=0", bot.id))).await?;
            let updates: Vec<Value> = serde_json::from_slice(updates)?;
            outcome.made += updates.len() as u64;
            outcome.confirmed += updates.iter().filter(|update| update["confirmed"] == true).count() as u64;
            if bot.role == Role::Copied {
                let ids = updates.iter().filter_map(|update| update["update_id"].as_i64());
                outcome.routes +=
                    self.tallies.routes.get(&bot.id).map_or(Got::default(), |tally| tally.compare(ids));
            }
        }
        outcome.down = self.down(service).await?;
        Ok(outcome)
    }

    /// Messages that were sent to a bot.
    fn sent_to(&self, bot: &Bot) -> u64 {
        match bot.role {
            Role::Idle => 0,
            Role::Down => self.plan.backlog + self.plan.more_backlog().0,
            Role::Slow => self.plan.for_the_slow().0,
            Role::Copied | Role::Polls | Role::Webhook => {
                self.clients.ordinary_to(bot.id, self.plan.messages())
            }
        }
    }

    async fn down(&self, service: &Service) -> anyhow::Result<Down> {
        let bot = self.bots.iter().find(|bot| bot.role == Role::Down).context("the bot that is down")?;
        let lane = service.route(bot.id).await?;
        let held = lane.held;
        Ok(Down {
            given: self.sent_to(bot),
            waiting: lane.lag.events,
            held: held.sending + held.retrying + held.unknown + held.dead,
            lost: lane.lost,
        })
    }
}

/// Adds what can be read when the service has ended: its log and its database.
pub(crate) fn read_what_is_left(outcome: &mut Outcome, directory: &Path, log: &Path) -> anyhow::Result<()> {
    for line in fs::read_to_string(log)?.lines().filter(|line| line.contains("ERROR")) {
        if line.contains(" lost ") {
            outcome.loud_losses += 1;
        } else {
            outcome.other_errors += 1;
        }
    }
    let database = Database::open_with_flags(directory.join("tandem.db"), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let kept: i64 = database.query_row("SELECT count(*) FROM events", [], |row| row.get(0))?;
    outcome.kept = u64::try_from(kept)?;
    Ok(())
}
