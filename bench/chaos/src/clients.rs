//! Two hundred people who write, press, send albums and places, edit and react, each at a pace of his own.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use rand::{RngExt as _, SeedableRng as _, rngs::ChaCha12Rng};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{plan::Extent, world::Control};

/// All of them.
pub(crate) struct Clients {
    people: Vec<i64>,
    /// Groups, with who is in them.
    groups: Vec<(i64, Vec<i64>)>,
}

/// Where somebody acts.
#[derive(Clone)]
struct Place {
    path: String,
}

impl Clients {
    /// Makes them, and has each of them start the bot.
    pub(crate) async fn arrive(control: &Control, bot: i64, extent: &Extent) -> anyhow::Result<Self> {
        let mut people = Vec::new();
        for number in 0..extent.clients {
            let profile = json!({ "first_name": format!("Client {number}") });
            let person = control.post("/users", &profile).await?;
            people.push(person["id"].as_i64().context("a person has an id")?);
        }
        let mut groups = Vec::new();
        for (number, members) in people.chunks(3).take(extent.groups).enumerate() {
            let group = json!({ "title": format!("Group {number}"), "users": members, "bots": [bot] });
            let group = control.post("/groups", &group).await?;
            groups.push((group["id"].as_i64().context("a group has an id")?, members.to_vec()));
        }
        Ok(Self { people, groups })
    }

    /// Lets them act until `stop`.
    pub(crate) fn act(
        &self,
        control: &Control,
        bot: i64,
        seed: u64,
        pause: Duration,
        stop: &CancellationToken,
    ) -> JoinSet<()> {
        let mut acting = JoinSet::new();
        for person in &self.people {
            let mut places = vec![Place { path: format!("/users/{person}/bots/{bot}") }];
            for (group, members) in &self.groups {
                if members.contains(person) {
                    places.push(Place { path: format!("/groups/{group}/users/{person}") });
                }
            }
            let client = Client {
                control: control.clone(),
                rng: ChaCha12Rng::seed_from_u64(seed ^ person.unsigned_abs()),
                places,
                said: Vec::new(),
                number: 0,
            };
            acting.spawn(client.live(pause, Arc::new(stop.clone())));
        }
        acting
    }
}

struct Client {
    control: Control,
    rng: ChaCha12Rng,
    places: Vec<Place>,
    /// Messages of his, by place.
    said: Vec<(usize, i64)>,
    number: u64,
}

impl Client {
    async fn live(mut self, pause: Duration, stop: Arc<CancellationToken>) {
        self.perform(0, "start", json!({ "payload": "chaos" })).await;
        loop {
            let wait = pause.mul_f64(self.rng.random_range(0.1..1.9));
            if stop.run_until_cancelled(tokio::time::sleep(wait)).await.is_none() {
                return;
            }
            self.act_once().await;
        }
    }

    async fn act_once(&mut self) {
        let place = if self.rng.random_bool(0.7) { 0 } else { self.rng.random_range(0..self.places.len()) };
        self.number += 1;
        let number = self.number;
        match self.rng.random_range(0..100) {
            0..52 => {
                // Some write several lines at once.
                let lines = if self.rng.random_bool(0.15) { 4 } else { 1 };
                for line in 0..lines {
                    let said =
                        self.perform(place, "text", json!({ "text": format!("{number}.{line}") })).await;
                    self.remember(place, &said);
                }
            }
            52..60 => {
                let count = self.rng.random_range(2..6);
                self.perform(place, "album", json!({ "count": count })).await;
            }
            60..80 => {
                self.perform(place, "press", json!({ "wait_ms": 1 })).await;
            }
            80..84 => {
                self.perform(place, "photo", json!({ "caption": format!("{number}") })).await;
            }
            84..88 => {
                let where_ = json!({ "latitude": 55.75, "longitude": 37.62 });
                self.perform(place, "location", where_).await;
            }
            88..94 => {
                if let Some((place, message)) = self.one_of_his() {
                    let edit = json!({ "message_id": message, "text": format!("edited {number}") });
                    self.perform(place, "edit", edit).await;
                }
            }
            _ => {
                if let Some((place, message)) = self.one_of_his() {
                    self.perform(place, "react", json!({ "message_id": message, "emoji": "👍" })).await;
                }
            }
        }
    }

    /// What cannot be done (no button to press yet, say) is not done.
    async fn perform(&self, place: usize, act: &str, with: Value) -> Value {
        let path = format!("{}/{act}", self.places[place].path);
        self.control.post(&path, &with).await.unwrap_or_default()
    }

    fn remember(&mut self, place: usize, said: &Value) {
        if let Some(message) = said["message_id"].as_i64() {
            self.said.push((place, message));
            if self.said.len() > 20 {
                self.said.remove(0);
            }
        }
    }

    fn one_of_his(&mut self) -> Option<(usize, i64)> {
        if self.said.is_empty() {
            return None;
        }
        Some(self.said[self.rng.random_range(0..self.said.len())])
    }
}
