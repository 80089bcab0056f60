//! Tandem with one bot that it has adopted, taking in by webhook, on a database of its own.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, ensure};
use serde_json::Value;

use crate::{
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

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
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
