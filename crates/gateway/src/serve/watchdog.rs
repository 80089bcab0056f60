//! Ends a connection when its peer is too slow with a head, has been quiet for too long, or has to make room.
//!
//! Polled together with the connection rather than from its reads: hyper does not read again just because an answer
//! has gone out, so nobody would begin to count then.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use tokio::time::{Instant, Sleep};

use super::{Limits, connection::Connection};

#[derive(Debug)]
pub(super) struct Watchdog {
    connection: Arc<Connection>,
    limits: Arc<Limits>,
    /// Armed for a deadline that may have moved on since: it is looked at when it fires. That is cheaper than to arm
    /// it at each request.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Watchdog {
    pub(super) const fn new(connection: Arc<Connection>, limits: Arc<Limits>) -> Self {
        Self { connection, limits, timer: None }
    }

    /// Ready when the connection is to end.
    pub(super) fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let deadline = match self.connection.deadline(&self.limits, cx.waker()) {
                Some(deadline) if deadline <= Instant::now() => return Poll::Ready(()),
                Some(deadline) => deadline,
                None => return Poll::Pending,
            };
            let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
            if timer.deadline() > deadline || timer.is_elapsed() {
                timer.as_mut().reset(deadline);
            }
            ready!(timer.as_mut().poll(cx));
        }
    }
}
