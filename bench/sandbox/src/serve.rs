//! The sandbox as a process of its own.

use std::io::Read;

use anyhow::Context;
use tandem_sandbox::{Config, Sandbox};

/// Prints the addresses of the Bot API and of the control API; ends with the standard input.
#[tokio::main]
pub(crate) async fn serve() -> anyhow::Result<()> {
    let sandbox = Sandbox::start(Config::default()).await?;
    let address = |url: String| url.trim_start_matches("http://").trim_end_matches('/').to_owned();
    #[expect(clippy::print_stdout, reason = "the parent reads it")]
    {
        println!("{} {}", address(sandbox.telegram_url()), address(sandbox.control_url()));
    }
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()))
        .await
        .context("waiting for the end of the input")??;
    sandbox.stop().await;
    Ok(())
}
