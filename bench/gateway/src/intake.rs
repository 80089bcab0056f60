//! Durable intake: updates posted to Tandem, answered when they are on disk, beside nginx that hands the same requests
//! to the stub.

use std::sync::Arc;

use crate::{
    Extent,
    load::{self, Requests},
    nginx::Nginx,
    report::{Bar, Report, Sides},
    stub::Stub,
    tandem_process::Tandem,
    updates::Updates,
};

/// Telegram's most is 100.
const CONNECTIONS: usize = 64;

pub(crate) async fn measure(extent: &Extent, report: &mut Report) -> anyhow::Result<()> {
    let stub = Stub::start().await?;
    let nginx = Nginx::start(&extent.directory, &stub.address).await?;
    let tandem = Tandem::start(&extent.directory, "intake", &stub).await?;
    let updates = Arc::new(Updates::new(&tandem.secret));
    let requests: Requests = Arc::new(move |request| updates.write(0, request));

    let mut sides = Sides::default();
    let (mut cpu, mut taken) = (std::time::Duration::ZERO, 0.0);
    for round in 0..=extent.rounds {
        let before = tandem.server.cpu()?;
        let ours = load::round(&tandem.public, CONNECTIONS, extent.round, &requests).await?;
        let spent = tandem.server.cpu()?.saturating_sub(before);
        let theirs = load::round(&nginx.address, CONNECTIONS, extent.round, &requests).await?;
        // The first round only warms up: the log of the database grows to its size.
        if round > 0 {
            sides.add(ours.per_second, theirs.per_second);
            cpu += spent;
            taken += ours.per_second * extent.round.as_secs_f64();
        }
    }
    report.rate("durable intake, 64 connections, updates/s", &sides, Bar::AtLeast(0.45));
    report.note(format!("Tandem's CPU time an update taken in: {:.0} µs.", cpu.as_secs_f64() * 1e6 / taken));
    Ok(())
}
