//! The people who write to active bots, through the sandbox.

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::{
    bots::{Bot, Role},
    connection::{Connection, post},
};

/// People who write to every bot in turn.
const PEOPLE: usize = 20;

/// Everybody who writes, and to whom.
#[derive(Debug, Clone)]
pub(crate) struct Clients {
    people: Vec<i64>,
    /// Active bots with ordinary traffic.
    bots: Vec<i64>,
    slow: i64,
}

impl Clients {
    /// Makes them known to the sandbox.
    pub(crate) async fn make(sandbox: &str, bots: &[Bot]) -> anyhow::Result<Self> {
        let mut connection = Connection::open(sandbox).await?;
        let mut people = Vec::new();
        for number in 0..PEOPLE {
            let body = json!({"first_name": format!("Client {number}")}).to_string();
            let made: Value = serde_json::from_slice(connection.call(&post("/users", &body)).await?)?;
            people.push(made["id"].as_i64().context("a person's id")?);
        }
        let ordinary = |bot: &&Bot| matches!(bot.role, Role::Copied | Role::Polls | Role::Webhook);
        let slow = bots.iter().find(|bot| bot.role == Role::Slow).context("a bot that is slow")?.id;
        Ok(Self { people, bots: bots.iter().filter(ordinary).map(|bot| bot.id).collect(), slow })
    }

    /// The message of this turn of the ordinary traffic: bots take turns.
    pub(crate) fn ordinary(&self, turn: u64) -> Vec<u8> {
        let bots = self.bots.len() as u64;
        let bot = self.bots[usize::try_from(turn % bots).unwrap_or(0)];
        self.message(bot, turn / bots)
    }

    /// The message of this turn to the bot whose route does not keep up.
    pub(crate) fn slow(&self, turn: u64) -> Vec<u8> {
        self.message(self.slow, turn)
    }

    /// How many messages a bot of the ordinary traffic got of so many in all.
    pub(crate) fn ordinary_to(&self, bot: i64, of: u64) -> u64 {
        let bots = self.bots.len() as u64;
        let place = self.bots.iter().position(|other| *other == bot).unwrap_or(0) as u64;
        of / bots + u64::from(place < of % bots)
    }

    fn message(&self, bot: i64, number: u64) -> Vec<u8> {
        let person = self.people[usize::try_from(number % PEOPLE as u64).unwrap_or(0)];
        post(&format!("/users/{person}/bots/{bot}/text"), &format!(r#"{{"text":"{number}"}}"#))
    }
}
