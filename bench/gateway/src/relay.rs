//! The relay that people write by hand: `relay.py`, aiogram before the stub, one process as it is.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use anyhow::Context as _;

use crate::{
    process::{Server, free_address},
    updates,
};

const PROGRAM: &str = include_str!("../relay.py");

/// A running relay.
pub(crate) struct Relay {
    pub(crate) address: String,
    pub(crate) server: Server,
}

impl Relay {
    /// `python` has aiogram; `crm` is where updates are handed on to.
    pub(crate) async fn start(
        python: &Path,
        directory: &Path,
        secret: &str,
        crm: &str,
    ) -> anyhow::Result<Self> {
        let address = free_address()?;
        let port = address.rsplit(':').next().context("an address has a port")?;
        let program = directory.join("relay.py");
        std::fs::write(&program, PROGRAM)?;
        let mut command = Command::new(python);
        command.arg(&program).args([port, &updates::path(), secret, &format!("http://{crm}/crm")]);
        command.stdout(Stdio::null());
        let server = Server::start(&mut command, &address)
            .await
            .context("the relay needs a Python with aiogram (scripts/setup makes one; --python names it)")?;
        Ok(Self { address, server })
    }
}
