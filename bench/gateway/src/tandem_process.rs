//! Tandem with one bot that it has adopted, taking in by webhook, on a database of its own.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, ensure};
use serde_json::Value;

use crate::{
    connection::{Connection, get},
    process::{Server, called, free_address, this_program},
    stub::{PUBLIC_URL, Stub, TOKEN},
};

/// What this program is called when it is Tandem.
pub(crate) const NAME: &str = "tandem";

/// A running Tandem.
pub(crate) struct Tandem {
    /// Where apps speak to it.
    pub(crate) gateway: String,
    /// Where updates are posted to it.
    pub(crate) public: String,
    /// Its app `main`.
    pub(crate) app_token: String,
    /// What updates have to carry.
    pub(crate) secret: String,
    pub(crate) server: Server,
    directory: PathBuf,
}

impl Tandem {
    /// Adopts the stub's bot and serves it. Its files are in that directory.
    pub(crate) async fn start(directory: &Path, stub: &Stub) -> anyhow::Result<Self> {
        let (gateway, public) = (free_address()?, free_address()?);
        write_settings(directory, &gateway, &public, PUBLIC_URL, &stub.address)?;
        fs::write(directory.join("bot.token"), TOKEN)?;

        let output = command(directory)?
            .args(["adopt", "--upstream", "webhook", "--token-file", "bot.token", "--json"])
            .output()?;
        ensure!(output.status.success(), "adopt: {}", String::from_utf8_lossy(&output.stderr));
        let adopted: Value = serde_json::from_slice(&output.stdout)?;
        let app_token = adopted["app_token"].as_str().context("an app's token")?.to_owned();

        let server = Server::start(command(directory)?.arg("serve"), &gateway).await?;
        let secret = stub.webhook_secret().await?;
        Ok(Self { gateway, public, app_token, secret, server, directory: directory.to_owned() })
    }

    /// Ends it, so that its files are at rest.
    pub(crate) fn end(&mut self) -> anyhow::Result<()> {
        self.server.end()
    }

    /// Ends it and starts it again on what it has, as this program or as that copy of it.
    pub(crate) async fn start_again(&mut self, program: Option<&Path>) -> anyhow::Result<()> {
        self.end()?;
        let mut command = match program {
            Some(program) => called(program, NAME),
            None => this_program(NAME)?,
        };
        command.current_dir(&self.directory).arg("serve");
        self.server = Server::start(&mut command, &self.gateway).await?;
        Ok(())
    }

    /// The commits of its journal so far, as it tells Prometheus of them.
    pub(crate) async fn commits(&self) -> anyhow::Result<Commits> {
        let mut connection = Connection::open(&self.gateway).await?;
        let text = String::from_utf8(connection.call(&get("/metrics")).await?.to_vec())?;
        let value = |name: &str| -> anyhow::Result<f64> {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            Ok(line.with_context(|| name.to_owned())?.trim().parse()?)
        };
        Ok(Commits {
            count: value("tandem_store_commit_seconds_count ")?,
            seconds: value("tandem_store_commit_seconds_sum ")?,
            writes: value("tandem_store_commit_writes_sum ")?,
        })
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }
}

/// What commits were for and what they took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Commits {
    count: f64,
    seconds: f64,
    writes: f64,
}

impl Commits {
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            count: self.count - before.count,
            seconds: self.seconds - before.seconds,
            writes: self.writes - before.writes,
        }
    }

    pub(crate) fn writes_in_one(self) -> f64 {
        self.writes / self.count
    }

    pub(crate) fn each_us(self) -> f64 {
        self.seconds * 1e6 / self.count
    }
}

/// Makes the directory, and its `tandem.toml`.
pub(crate) fn write_settings(
    directory: &Path,
    gateway: &str,
    public: &str,
    public_url: &str,
    telegram: &str,
) -> anyhow::Result<()> {
    fs::create_dir_all(directory)?;
    let settings = format!(
        "[server]\ngateway = '{gateway}'\npublic = '{public}'\npublic_url = '{public_url}'\n\
         [telegram]\napi_base = 'http://{telegram}'\nupstream = 'webhook'\n\
         [security]\nallow_private_addresses = true\n[log]\nfilter = 'warn'\n"
    );
    Ok(fs::write(directory.join("tandem.toml"), settings)?)
}

/// Tandem's command line in a directory.
pub(crate) fn command(directory: &Path) -> anyhow::Result<Command> {
    let mut command = this_program(NAME)?;
    command.current_dir(directory);
    Ok(command)
}
