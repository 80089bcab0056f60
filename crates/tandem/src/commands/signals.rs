//! SIGINT and SIGTERM as cancelled tokens.

use std::io;

use tokio::{
    signal::unix::{SignalKind, signal},
    task::JoinHandle,
};

use crate::Stop;

/// The first SIGINT or SIGTERM asks to finish, a second one drops everything.
pub(crate) fn watch(stop: Stop) -> io::Result<JoinHandle<()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(tokio::spawn(async move {
        for token in [stop.soft, stop.hard] {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            token.cancel();
        }
    }))
}
