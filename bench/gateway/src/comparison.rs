//! The same load on everybody, in turn: whatever disturbs the machine disturbs all of them in a round, so that ratios are
//! taken round by round.

use std::{collections::BTreeMap, time::Duration};

use anyhow::Context as _;
use serde::Serialize;

use crate::{
    Extent,
    load::{self, Requests, Round, count},
    nginx::Nginx,
    process::Server,
    stub::Stub,
    tandem_process::Tandem,
};

/// Those that are compared, in the order of their turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Who {
    Stub,
    Nginx,
    Relay,
    Tandem,
}

/// One of them, and what it is asked.
pub(crate) struct Side<'a> {
    pub(crate) who: Who,
    pub(crate) address: &'a str,
    pub(crate) server: &'a Server,
    pub(crate) requests: Requests,
}

/// The rounds of everybody.
pub(crate) type Sides = BTreeMap<Who, Vec<f64>>;

/// What the rounds showed.
#[derive(Debug, Default)]
pub(crate) struct Compared {
    /// Requests a second.
    pub(crate) rates: Sides,
    pub(crate) p50_us: Sides,
    /// CPU time of the server for a request.
    pub(crate) cpu_us: Sides,
}

impl Compared {
    fn add(&mut self, who: Who, round: &Round, spent: Duration) {
        self.rates.entry(who).or_default().push(round.per_second);
        self.p50_us.entry(who).or_default().push(round.p50_us);
        self.cpu_us.entry(who).or_default().push(spent.as_secs_f64() * 1e6 / count(round.answered));
    }
}

/// Whom everything is compared with.
pub(crate) struct Rivals {
    pub(crate) stub: Stub,
    pub(crate) nginx: Nginx,
    pub(crate) tandem: Tandem,
}

impl Rivals {
    /// A stub, and everybody before it; `name` keeps Tandem's files apart from another's.
    pub(crate) async fn start(extent: &Extent, name: &str) -> anyhow::Result<Self> {
        let stub = Stub::start().await?;
        let nginx = Nginx::start(&extent.nginx, &extent.directory.join(name), &stub.address).await?;
        let tandem = Tandem::start(&extent.directory.join(name), &stub).await?;
        Ok(Self { stub, nginx, tandem })
    }
}

/// Loads everybody over so many connections.
pub(crate) async fn compare(
    extent: &Extent,
    connections: usize,
    sides: &[Side<'_>],
) -> anyhow::Result<Compared> {
    let mut compared = Compared::default();
    for round in 0..=extent.rounds {
        for side in sides {
            let before = side.server.cpu()?;
            let done = load::round(side.address, connections, extent.round, &side.requests).await;
            let done = done.with_context(|| format!("{:?}", side.who))?;
            let spent = side.server.cpu()?.saturating_sub(before);
            // The first round only warms up: the log of the database grows to its size.
            if round > 0 {
                compared.add(side.who, &done, spent);
            }
        }
    }
    Ok(compared)
}

/// How many connections there are, for people.
pub(crate) fn over(connections: usize) -> String {
    format!("{connections} connection{}", if connections == 1 { "" } else { "s" })
}
