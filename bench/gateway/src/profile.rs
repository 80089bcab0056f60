//! Where the time goes: `perf` on Tandem's process while it works, drawn as a flame graph.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, ensure};

use crate::{
    Extent,
    comparison::{Side, over},
    flame::Stacks,
    load,
    process::Server,
    report::Report,
};

/// Not a round number, so that nothing keeps step with it.
const PER_SECOND: &str = "997";

/// Profiles a side under a load, if profiles are wanted.
pub(crate) async fn load(
    extent: &Extent,
    report: &mut Report,
    name: &str,
    connections: usize,
    side: &Side<'_>,
) -> anyhow::Result<()> {
    let work = load::round(side.address, connections, extent.profiled(), &side.requests);
    let title = format!("{name}, {}", over(connections));
    during(extent, report, &format!("{name}-{connections}"), &title, side.server, work).await
}

/// Profiles a server while something is done, if profiles are wanted: draws `<file>.svg`.
pub(crate) async fn during<T>(
    extent: &Extent,
    report: &mut Report,
    file: &str,
    title: &str,
    server: &Server,
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<()> {
    let Some(directory) = &extent.profile else { return Ok(()) };
    let data = extent.directory.join("perf.data");
    let mut perf = Command::new("perf")
        .args(["record", "--quiet", "--freq", PER_SECOND, "--call-graph", "fp", "--output"])
        .arg(&data)
        .args(["--pid", &server.id().to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("perf is needed for profiles (on Debian: apt-get install linux-perf)")?;
    // It says nothing when it has begun.
    tokio::time::sleep(Duration::from_millis(500)).await;
    work.await?;
    // So told, it writes what it has.
    Command::new("kill").args(["-INT", &perf.id().to_string()]).status()?;
    perf.wait()?;
    let stacks = read(&data)?;
    std::fs::remove_file(&data)?;
    std::fs::create_dir_all(directory)?;
    std::fs::write(directory.join(format!("{file}.svg")), stacks.draw(title))?;
    report.note(format!("Where Tandem's CPU time goes, {title}: {}.", stacks.shares()));
    Ok(())
}

fn read(data: &Path) -> anyhow::Result<Stacks> {
    let output = Command::new("perf")
        .args(["script", "--fields", "comm,ip,sym", "--no-inline", "--input"])
        .arg(data)
        .stderr(Stdio::null())
        .output()?;
    ensure!(output.status.success(), "perf script: {}", output.status);
    Stacks::read(&String::from_utf8_lossy(&output.stdout))
}
