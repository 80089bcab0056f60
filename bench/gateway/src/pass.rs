//! Calls through the gateway, beside nginx before the same stub.

use crate::{
    Extent,
    connection::post,
    load,
    nginx::Nginx,
    report::{Bar, Report, Sides},
    stub::{Stub, TOKEN},
    tandem_process::Tandem,
};

const GET_ME: (&str, &str) = ("getMe", "{}");
const SEND: (&str, &str) = (
    "sendMessage",
    r#"{"chat_id":5000000000,"text":"Your order is on its way: we will write again when it is there."}"#,
);

pub(crate) async fn measure(extent: &Extent, report: &mut Report) -> anyhow::Result<()> {
    let stub = Stub::start().await?;
    let nginx = Nginx::start(&extent.directory, &stub.address).await?;
    let tandem = Tandem::start(&extent.directory, "pass", &stub).await?;
    for (call, connections, bar) in [(GET_ME, 1, 0.7), (GET_ME, 64, 0.7), (SEND, 1, 0.4), (SEND, 64, 0.4)] {
        let (method, body) = call;
        let ours = load::always(post(&format!("/bot{}/{method}", tandem.app_token), body));
        let theirs = load::always(post(&format!("/bot{TOKEN}/{method}"), body));
        let (mut rates, mut medians) = (Sides::default(), Sides::default());
        let (mut cpu, mut answered) = (std::time::Duration::ZERO, 0.0);
        for round in 0..=extent.rounds {
            let before = tandem.server.cpu()?;
            let ours = load::round(&tandem.gateway, connections, extent.round, &ours).await?;
            let spent = tandem.server.cpu()?.saturating_sub(before);
            let theirs = load::round(&nginx.address, connections, extent.round, &theirs).await?;
            // The first round only warms up.
            if round > 0 {
                rates.add(ours.per_second, theirs.per_second);
                medians.add(ours.p50_us, theirs.p50_us);
                cpu += spent;
                answered += ours.per_second * extent.round.as_secs_f64();
            }
        }
        let name = format!("{method}, {connections} connection{}", if connections == 1 { "" } else { "s" });
        report.rate(&format!("{name}, calls/s"), &rates, Bar::AtLeast(bar));
        let most = if method == GET_ME.0 { Bar::AtMost(1.5) } else { Bar::None };
        report.rate(&format!("{name}, p50 in µs"), &medians, most);
        let each = cpu.as_secs_f64() * 1e6 / answered;
        report.note(format!("Tandem's CPU time for {name}: {each:.0} µs a call."));
    }
    Ok(())
}
