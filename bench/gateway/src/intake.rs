//! Durable intake: updates posted to Tandem, answered when they are on disk, beside those who only hand them on: nginx,
//! and the relay that people write.

use std::sync::Arc;

use crate::{
    CONNECTIONS, Extent,
    comparison::{Rivals, Side, Who, compare, over},
    load::Requests,
    profile,
    relay::Relay,
    report::{Bar, Report},
    updates::Updates,
};

/// Telegram's most is 100; the bars are for this many.
const USUAL: usize = 64;

pub(crate) async fn measure(extent: &Extent, report: &mut Report) -> anyhow::Result<()> {
    for connections in CONNECTIONS {
        // Each with a database of its own, which goes with it: a minute of this is a gigabyte.
        let place = tempfile::tempdir_in(&extent.directory)?;
        let extent = Extent { directory: place.path().to_owned(), ..extent.clone() };
        let Rivals { stub, nginx, tandem } = Rivals::start(&extent, "intake").await?;
        let relay = Relay::start(&extent.python, &extent.directory, &tandem.secret, &stub.address).await?;
        // Everybody gets his own, without gaps.
        let updates = || -> Requests {
            let updates = Updates::new(&tandem.secret);
            Arc::new(move |request| updates.write(0, request))
        };
        let sides = [
            Side { who: Who::Stub, address: &stub.address, server: &stub.server, requests: updates() },
            Side { who: Who::Nginx, address: &nginx.address, server: &nginx.server, requests: updates() },
            Side { who: Who::Relay, address: &relay.address, server: &relay.server, requests: updates() },
            Side { who: Who::Tandem, address: &tandem.public, server: &tandem.server, requests: updates() },
        ];
        let before = tandem.commits().await?;
        let compared = compare(&extent, connections, &sides).await?;
        let commits = tandem.commits().await?.since(before);
        let bars: &[_] = if connections == USUAL {
            &[(Who::Nginx, Bar::AtLeast(0.45)), (Who::Relay, Bar::AtLeast(10.0))]
        } else {
            &[]
        };
        let name = format!("durable intake, {}", over(connections));
        report.compared(&format!("{name}, updates/s"), &compared.rates, bars);
        report.compared(&format!("{name}, p50 in µs"), &compared.p50_us, &[]);
        report.compared(&format!("{name}, CPU an update in µs"), &compared.cpu_us, &[]);
        report.alone(&format!("{name}, writes in a commit"), &[commits.writes_in_one()], None);
        report.alone(&format!("{name}, a commit in µs"), &[commits.each_us()], None);
        let [.., ours] = &sides;
        profile::load(&extent, report, "intake", connections, ours).await?;
    }
    Ok(())
}
