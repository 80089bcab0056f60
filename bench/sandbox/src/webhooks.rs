//! The far end of webhooks: one server for all bots, which takes each update and answers at once.

use std::sync::Arc;

use anyhow::{Context, ensure};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use crate::{
    connection::content_length,
    tally::{Tally, Update},
};

const TAKEN: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// Serves `/<number of the bot>` until the task is dropped or something is wrong.
pub(crate) async fn serve(listener: TcpListener, tally: Arc<Tally>) -> anyhow::Result<()> {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                connections.spawn(take_all(accepted?.0, Arc::clone(&tally)));
            }
            Some(ended) = connections.join_next() => ended??,
        }
    }
}

async fn take_all(mut stream: TcpStream, tally: Arc<Tally>) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = vec![0; 16 * 1024];
    let mut filled = 0;
    loop {
        let request = loop {
            let found = buffer[..filled].windows(4).position(|four| four == b"\r\n\r\n");
            if let Some(head) = found {
                let body = head + 4..head + 4 + content_length(&buffer[..head])?;
                if filled >= body.end {
                    break body;
                }
            }
            ensure!(filled < buffer.len(), "a request of over {filled} bytes");
            match stream.read(&mut buffer[filled..]).await {
                Ok(read) if read > 0 => filled += read,
                // A webhook's sender may leave between two requests.
                _ if filled == 0 => return Ok(()),
                read => anyhow::bail!("a request ended in the middle: {read:?}"),
            }
        };
        let path = buffer.split(|byte| *byte == b' ').nth(1).context("a request has a path")?;
        let bot = std::str::from_utf8(path)?.trim_start_matches('/').parse()?;
        let update: Update = serde_json::from_slice(&buffer[request.clone()])?;
        tally.take(bot, &update)?;
        ensure!(filled == request.end, "a second request before the first was answered");
        filled = 0;
        stream.write_all(TAKEN).await?;
    }
}
