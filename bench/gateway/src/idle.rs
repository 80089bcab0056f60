//! What a bot costs that nobody writes to: many of them taken over from Tandem's own sandbox, posted or polled, and the
//! memory after a fresh start.

use std::{
    fmt::Write as _,
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;

use crate::{
    Extent,
    process::{Server, free_address, this_program},
    report::{Bar, Report},
    tandem_process::{self, command, write_settings},
};

/// When so many looks in a row show the same within a hundredth.
const LOOKS: usize = 8;
const BETWEEN_LOOKS: Duration = Duration::from_millis(500);
/// Enough for every bot's first question to Telegram.
const MOST_LOOKS: usize = 240;
/// Of the files that may be open, for everything but bots that are polled.
const OTHER_FILES: u64 = 1_000;

pub(crate) async fn measure(extent: &Extent, report: &mut Report) -> anyhow::Result<()> {
    // One that is polled has a connection, here and at the sandbox.
    let files = rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(u64::MAX);
    let polled = usize::try_from(files.saturating_sub(OTHER_FILES))?.min(extent.bots);
    ensure!(polled > 1, "only {files} files may be open: ulimit -n says so");
    for (mode, bots, bar) in [("webhook", extent.bots, 20.0), ("polling", polled, 80.0)] {
        let (one, _) = stage(extent, mode, 1).await?;
        let (many, started_ms) = stage(extent, mode, bots).await?;
        let name = format!("{bots} idle bots, upstream by {mode}");
        let each = (many - one) * 1024.0 / crate::load::count(bots - 1);
        report.alone(
            &format!("memory with one idle bot, upstream by {mode}, MB"),
            &[one],
            Some(Bar::AtMost(30.0)),
        );
        report.alone(&format!("memory with {name}, MB"), &[many], None);
        report.alone("… for each further bot, kB", &[each], Some(Bar::AtMost(bar)));
        report.alone(&format!("start with {name}, ms"), &[started_ms], None);
    }
    Ok(())
}

/// Takes so many bots over, and gives memory in MB and time in ms of a fresh start with them.
async fn stage(extent: &Extent, mode: &str, bots: usize) -> anyhow::Result<(f64, f64)> {
    let place = tempfile::tempdir_in(&extent.directory)?;
    let place = place.path();
    let (_sandbox, printed) = sandbox(place, bots)?;
    let telegram = printed["telegram"].as_str().context("the sandbox's address")?;
    let (gateway, public) = (free_address()?, free_address()?);
    // The sandbox asks whether there is such a host.
    let public_url = format!("http://{public}");
    write_settings(place, &gateway, &public, &public_url, telegram.trim_start_matches("http://"))?;
    write_bots(place, mode, &printed)?;

    let serve = || -> anyhow::Result<Command> {
        let mut serve = command(place)?;
        // The sandbox asks bots that poll again at once to wait a second, and Tandem tells of each.
        serve.arg("serve").stderr(fs::File::create(place.join("log"))?);
        Ok(serve)
    };
    let mut server = Server::start(&mut serve()?, &gateway).await?;
    let output = command(place)?.args(["apply", "bots.toml", "--yes", "--json"]).output()?;
    ensure!(output.status.success(), "apply: {}", String::from_utf8_lossy(&output.stderr));
    server.end()?;
    let server = Server::start(&mut serve()?, &gateway).await?;
    Ok((settled(&server).await?, server.started_in.as_secs_f64() * 1e3))
}

/// The sandbox with so many bots, and what it prints of them.
fn sandbox(directory: &Path, bots: usize) -> anyhow::Result<(Server, Value)> {
    let mut command = this_program(tandem_process::NAME)?;
    command.current_dir(directory).args(["sandbox", "--json", "--bots", &bots.to_string()]);
    for address in ["--telegram", "--amocrm", "--wahelp", "--control"] {
        command.args([address, "127.0.0.1:0"]);
    }
    let mut child = command.stdout(Stdio::piped()).spawn().context("the sandbox")?;
    let output = child.stdout.take().context("its output")?;
    let server = Server::running(child);
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line)?;
    Ok((server, serde_json::from_str(&line).context("what the sandbox prints")?))
}

/// The file of bots, with their tokens beside it.
fn write_bots(directory: &Path, mode: &str, printed: &Value) -> anyhow::Result<()> {
    fs::create_dir_all(directory.join("tokens"))?;
    let mut file = String::new();
    for bot in printed["bots"].as_array().context("the sandbox's bots")? {
        let (id, token) = (&bot["id"], bot["token"].as_str().context("a bot's token")?);
        fs::write(directory.join(format!("tokens/{id}")), token)?;
        writeln!(file, "[[bot]]\ntoken_file = 'tokens/{id}'\nupstream = '{mode}'")?;
    }
    Ok(fs::write(directory.join("bots.toml"), file)?)
}

/// Waits until its memory stays the same, and gives that.
async fn settled(server: &Server) -> anyhow::Result<f64> {
    let mut looks: Vec<f64> = Vec::new();
    for _ in 0..MOST_LOOKS {
        tokio::time::sleep(BETWEEN_LOOKS).await;
        looks.push(server.memory_mb()?.0);
        let latest = &looks[looks.len().saturating_sub(LOOKS)..];
        let most = latest.iter().copied().fold(f64::MIN, f64::max);
        let least = latest.iter().copied().fold(f64::MAX, f64::min);
        if latest.len() == LOOKS && most - least <= most / 100.0 {
            return Ok(most);
        }
    }
    bail!("its memory does not settle: {:?}", looks.last())
}
