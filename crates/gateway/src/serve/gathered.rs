//! Wakes from other threads, gathered: many for one knock.
//!
//! Whoever wakes a task of a [thread of connections](super::Threads) from outside it has to knock, which is a write to
//! an event descriptor, each time: tokio does not look whether that thread is awake. The journal's writer answers a
//! whole commit at once, so that most of its knocks say nothing new. What waits through [`gathered`] is put down
//! instead, and one task of the thread, which is knocked for once, wakes all that is there by then.
//!
//! On other threads it does nothing: a runtime of several knows which of them sleep.

use std::{
    cell::RefCell,
    future::poll_fn,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Wake, Waker},
};

thread_local! {
    static HERE: RefCell<Option<Arc<Door>>> = const { RefCell::new(None) };
}

/// Where those put down whom they wake who are outside.
#[derive(Debug, Default)]
pub(super) struct Door(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    woken: Vec<Waker>,
    /// Of the task that lets them in.
    inside: Option<Waker>,
}

impl Door {
    /// Makes it the door of this thread.
    pub(super) fn open(self: &Arc<Self>) {
        HERE.set(Some(Arc::clone(self)));
    }

    /// Wakes whom it is asked to, for ever. To be run on the door's thread.
    pub(super) async fn let_in(&self) {
        let mut woken = Vec::new();
        poll_fn(|cx| {
            {
                let mut state = self.state();
                std::mem::swap(&mut state.woken, &mut woken);
                if !state.inside.as_ref().is_some_and(|inside| inside.will_wake(cx.waker())) {
                    state.inside = Some(cx.waker().clone());
                }
            }
            woken.drain(..).for_each(Waker::wake);
            Poll::<()>::Pending
        })
        .await;
    }

    fn put_down(&self, task: Waker) {
        let mut state = self.state();
        state.woken.push(task);
        // Whoever was the first has knocked.
        let inside = if state.woken.len() == 1 { state.inside.clone() } else { None };
        drop(state);
        if let Some(inside) = inside {
            inside.wake();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A task behind a door.
struct Behind {
    door: Arc<Door>,
    task: Waker,
}

impl Wake for Behind {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.door.put_down(self.task.clone());
    }
}

/// The same future, whose wakes from other threads are gathered if it is run on a thread of connections.
pub(crate) async fn gathered<F: Future>(future: F) -> F::Output {
    let Some(door) = HERE.with_borrow(Clone::clone) else { return future.await };
    let mut future = pin!(future);
    let mut known: Option<(Arc<Behind>, Waker)> = None;
    poll_fn(|cx| {
        let (_, waker) = match &mut known {
            Some(known) if known.0.task.will_wake(cx.waker()) => known,
            known => {
                let behind = Arc::new(Behind { door: Arc::clone(&door), task: cx.waker().clone() });
                let waker = Waker::from(Arc::clone(&behind));
                known.insert((behind, waker))
            }
        };
        future.as_mut().poll(&mut Context::from_waker(waker))
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::oneshot;

    use super::*;

    #[derive(Default)]
    struct Counted(AtomicUsize);

    impl Counted {
        fn count(&self) -> usize {
            self.0.load(Ordering::Relaxed)
        }
    }

    impl Wake for Counted {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// What is run on one thread by hand: who waits, and who lets in.
    #[test]
    fn many_who_are_woken_cost_one_knock_and_each_is_woken() {
        let door = Arc::new(Door::default());
        door.open();
        let inside = Arc::new(Counted::default());
        let waker = Waker::from(Arc::clone(&inside));
        let mut letting_in = pin!(door.let_in());
        let mut let_in = || letting_in.as_mut().poll(&mut Context::from_waker(&waker)).is_pending();
        assert!(let_in());
        for knocks in 1..=2 {
            let task = Arc::new(Counted::default());
            let task_waker = Waker::from(Arc::clone(&task));
            let mut cx = Context::from_waker(&task_waker);
            let (answers, mut waiting): (Vec<_>, Vec<_>) = (0..64)
                .map(|number| {
                    let (answer, answered) = oneshot::channel();
                    ((number, answer), Box::pin(gathered(answered)))
                })
                .unzip();
            assert!(waiting.iter_mut().all(|one| one.as_mut().poll(&mut cx).is_pending()));
            std::thread::scope(|scope| {
                scope.spawn(|| answers.into_iter().for_each(|(number, answer)| answer.send(number).unwrap()));
            });
            assert_eq!((inside.count(), task.count()), (knocks, 0));
            assert!(let_in());
            assert_eq!((inside.count(), task.count()), (knocks, 64));
            for (number, one) in waiting.iter_mut().enumerate() {
                assert_eq!(one.as_mut().poll(&mut cx), Poll::Ready(Ok(number)));
            }
        }
    }

    #[tokio::test]
    async fn elsewhere_it_is_the_future_itself() {
        let (answer, answered) = oneshot::channel();
        let waiting = tokio::task::spawn(gathered(answered));
        answer.send(7).unwrap();
        assert_eq!(waiting.await.unwrap(), Ok(7));
    }
}
