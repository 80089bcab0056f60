//! Calls through the gateway, beside nginx before the same stub.

use crate::{
    CONNECTIONS, Extent,
    comparison::{Rivals, Side, Who, compare, over},
    connection::post,
    load, profile,
    report::{Bar, Report},
    stub::TOKEN,
};

/// A call and its bars: the rate, and how long it takes.
pub(crate) struct Call {
    method: &'static str,
    body: &'static str,
    rate: f64,
    p50: Option<f64>,
    /// Whether it is noted in the journal before it is answered.
    journaled: bool,
}

/// A call that is handed on.
pub(crate) const PASS: Call =
    Call { method: "getMe", body: "{}", rate: 0.7, p50: Some(1.5), journaled: false };
/// A call that shows something to a client.
pub(crate) const SEND: Call = Call {
    method: "sendMessage",
    body: r#"{"chat_id":5000000000,"text":"Your order is on its way: we will write again when it is there."}"#,
    rate: 0.4,
    p50: None,
    journaled: true,
};

pub(crate) async fn measure(
    Call { method, body, rate, p50, journaled }: Call,
    extent: &Extent,
    report: &mut Report,
) -> anyhow::Result<()> {
    let place = tempfile::tempdir_in(&extent.directory)?;
    let extent = Extent { directory: place.path().to_owned(), ..extent.clone() };
    let Rivals { stub, nginx, tandem } = Rivals::start(&extent, method).await?;
    let with = |token: &str| load::always(post(&format!("/bot{token}/{method}"), body));
    for connections in CONNECTIONS {
        let sides = [
            Side { who: Who::Stub, address: &stub.address, server: &stub.server, requests: with(TOKEN) },
            Side { who: Who::Nginx, address: &nginx.address, server: &nginx.server, requests: with(TOKEN) },
            Side {
                who: Who::Tandem,
                address: &tandem.gateway,
                server: &tandem.server,
                requests: with(&tandem.app_token),
            },
        ];
        let before = tandem.commits().await?;
        let compared = compare(&extent, connections, &sides).await?;
        let commits = tandem.commits().await?.since(before);
        let name = format!("{method}, {}", over(connections));
        let rate = (Who::Nginx, Bar::AtLeast(rate));
        let p50: Vec<_> = p50.map(|most| (Who::Nginx, Bar::AtMost(most))).into_iter().collect();
        report.compared(&format!("{name}, calls/s"), &compared.rates, &[rate]);
        report.compared(&format!("{name}, p50 in µs"), &compared.p50_us, &p50);
        report.compared(&format!("{name}, CPU a call in µs"), &compared.cpu_us, &[]);
        if journaled {
            report.alone(&format!("{name}, writes in a commit"), &[commits.writes_in_one()], None);
            report.alone(&format!("{name}, a commit in µs"), &[commits.each_us()], None);
        }
        let [.., ours] = &sides;
        profile::load(&extent, report, method, connections, ours).await?;
    }
    Ok(())
}
