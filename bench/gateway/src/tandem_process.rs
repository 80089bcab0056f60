//! Tandem with one bot that it has adopted, taking in by webhook, on a database of its own.

use std::{path::Path, process::Command};

use anyhow::{Context as _, ensure};
use serde_json::Value;

use crate::{
    process::{Server, free_address, this_program},
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
}

impl Tandem {
    /// Adopts the stub's bot and serves it. `name` keeps its files apart from another's.
    pub(crate) async fn start(directory: &Path, name: &str, stub: &Stub) -> anyhow::Result<Self> {
        let directory = directory.join(name);
        std::fs::create_dir_all(&directory)?;
        let (gateway, public) = (free_address()?, free_address()?);
        let settings = format!(
            "[server]\ngateway = '{gateway}'\npublic = '{public}'\npublic_url = '{PUBLIC_URL}'\n\
             [telegram]\napi_base = 'http://{}'\nupstream = 'webhook'\n[log]\nfilter = 'warn'\n",
            stub.address
        );
        std::fs::write(directory.join("tandem.toml"), settings)?;
        std::fs::write(directory.join("bot.token"), TOKEN)?;

        let output = command(&directory)?
            .args(["adopt", "--upstream", "webhook", "--token-file", "bot.token", "--json"])
            .output()?;
        ensure!(output.status.success(), "adopt: {}", String::from_utf8_lossy(&output.stderr));
        let adopted: Value = serde_json::from_slice(&output.stdout)?;
        let app_token = adopted["app_token"].as_str().context("an app's token")?.to_owned();

        let server = Server::start(command(&directory)?.arg("serve"), &gateway).await?;
        let secret = stub.webhook_secret().await?;
        Ok(Self { gateway, public, app_token, secret, server })
    }
}

fn command(directory: &Path) -> anyhow::Result<Command> {
    let mut command = this_program(NAME)?;
    command.current_dir(directory);
    Ok(command)
}
