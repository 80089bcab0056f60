//! One verb on its way through the writer.

use tokio::sync::oneshot;

use super::{
    fault::{Abort, Fault},
    writing::Writing,
};
use crate::{Urgency, WriteError};

/// A verb that writes. May be run again after a rollback, until it is answered.
pub(super) trait Job: Send {
    /// Does the work in the open transaction and keeps the result. On a fault the transaction is rolled back.
    fn run(&mut self, writing: &mut Writing<'_>) -> Result<(), Fault>;

    /// Whether it may be refused on a disk that is nearly full.
    fn urgency(&self) -> Urgency;

    /// The commit is durable: gives the caller what [`Job::run`] kept.
    fn answer(self: Box<Self>);

    /// Nothing of it was done.
    fn refuse(self: Box<Self>, error: WriteError);
}

/// The job of a closure.
pub(super) struct Task<F, T, E> {
    urgency: Urgency,
    work: F,
    result: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> Task<F, T, E>
where
    F: FnMut(&mut Writing<'_>) -> Result<T, Abort<E>> + Send + 'static,
    T: Send + 'static,
    E: From<WriteError> + Send + 'static,
{
    pub(super) fn job(urgency: Urgency, work: F) -> (Box<dyn Job>, oneshot::Receiver<Result<T, E>>) {
        let (reply, answer) = oneshot::channel();
        (Box::new(Self { urgency, work, result: None, reply }), answer)
    }
}

impl<F, T, E> Job for Task<F, T, E>
where
    F: FnMut(&mut Writing<'_>) -> Result<T, Abort<E>> + Send + 'static,
    T: Send + 'static,
    E: From<WriteError> + Send + 'static,
{
    fn run(&mut self, writing: &mut Writing<'_>) -> Result<(), Fault> {
        self.result = Some(match (self.work)(writing) {
            Ok(value) => Ok(value),
            Err(Abort::Refuse(error)) => Err(error),
            Err(Abort::Fault(fault)) => return Err(fault),
        });
        Ok(())
    }

    fn urgency(&self) -> Urgency {
        self.urgency
    }

    fn answer(self: Box<Self>) {
        if let Some(result) = self.result {
            // Nobody listens any more when the caller was cancelled; the commit stands.
            let _ = self.reply.send(result);
        }
    }

    fn refuse(self: Box<Self>, error: WriteError) {
        let _ = self.reply.send(Err(error.into()));
    }
}
