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
struct Call {
    method: &'static str,
    body: &'static str,
    rate: f64,
    p50: Option<f64>,
}

const CALLS: [Call; 2] = [
    Call { method: "getMe", body: "{}", rate: 0.7, p50: Some(1.5) },
    // This one is noted in the journal before it is answered.
    Call {
        method: "sendMessage",
        body: r#"{"chat_id":5000000000,"text":"Your order is on its way: we will write again when it is there."}"#,
        rate: 0.4,
        p50: None,
    },
];

pub(crate) async fn measure(extent: &Extent, report: &mut Report) -> anyhow::Result<()> {
    let place = tempfile::tempdir_in(&extent.directory)?;
    let extent = Extent { directory: place.path().to_owned(), ..extent.clone() };
    let Rivals { stub, nginx, tandem } = Rivals::start(&extent, "pass").await?;
    for Call { method, body, rate, p50 } in CALLS {
        let with = |token: &str| load::always(post(&format!("/bot{token}/{method}"), body));
        for connections in CONNECTIONS {
            let sides = [
                Side { who: Who::Stub, address: &stub.address, server: &stub.server, requests: with(TOKEN) },
                Side {
                    who: Who::Nginx,
                    address: &nginx.address,
                    server: &nginx.server,
                    requests: with(TOKEN),
                },
                Side {
                    who: Who::Tandem,
                    address: &tandem.gateway,
                    server: &tandem.server,
                    requests: with(&tandem.app_token),
                },
            ];
            let compared = compare(&extent, connections, &sides).await?;
            let name = format!("{method}, {}", over(connections));
            let rate = (Who::Nginx, Bar::AtLeast(rate));
            let p50: Vec<_> = p50.map(|most| (Who::Nginx, Bar::AtMost(most))).into_iter().collect();
            report.compared(&format!("{name}, calls/s"), &compared.rates, &[rate]);
            report.compared(&format!("{name}, p50 in µs"), &compared.p50_us, &p50);
            report.compared(&format!("{name}, CPU a call in µs"), &compared.cpu_us, &[]);
            let [.., ours] = &sides;
            profile::load(&extent, report, method, connections, ours).await?;
        }
    }
    Ok(())
}
