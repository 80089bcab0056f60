//! How many new clients a route lets in at a time.
//!
//! Opening a chat takes long where its client is looked up in an API that may be asked only so often. So only a part of
//! the lane's places is for that: those whose chats are open are told of meanwhile, however many new ones come. Who finds
//! no place waits a moment for one; while openings take longer than such a moment, he comes again later and holds up
//! nobody.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tandem_model::{Clock, Timestamp};
use tokio::sync::{Semaphore, SemaphorePermit};

/// How long a place is waited for. Openings that take longer are slow.
const MOMENT: Duration = Duration::from_secs(1);
/// The longest until somebody comes again.
const LATEST: Duration = Duration::from_secs(15);

/// Where new clients come in.
pub(super) struct Entrance {
    clock: Arc<dyn Clock>,
    places: Semaphore,
    /// What an opening took last, as far as that is known.
    took: Mutex<Duration>,
}

/// A place, for as long as one opening takes.
pub(super) struct Admission<'a> {
    entrance: &'a Entrance,
    began: Timestamp,
    _permit: SemaphorePermit<'a>,
}

impl Entrance {
    pub(super) fn new(places: usize, clock: Arc<dyn Clock>) -> Self {
        Self { clock, places: Semaphore::new(places), took: Mutex::default() }
    }

    /// A place, or when to come again.
    pub(super) async fn enter(&self) -> Result<Admission<'_>, Timestamp> {
        let permit = match self.places.try_acquire() {
            Ok(permit) => Some(permit),
            Err(_) if self.took() >= MOMENT => None,
            Err(_) => self.wait().await,
        };
        let now = self.clock.now();
        match permit {
            Some(permit) => Ok(Admission { entrance: self, began: now, _permit: permit }),
            // Many places are taken for about that time: some of them are free then.
            None => Err(now.plus((self.took() / 4).clamp(MOMENT, LATEST))),
        }
    }

    async fn wait(&self) -> Option<SemaphorePermit<'_>> {
        let until = self.clock.now().plus(MOMENT);
        tokio::select! {
            // Nobody closes it.
            permit = self.places.acquire() => permit.ok(),
            () = self.clock.sleep_until(until) => {
                self.note(self.took().max(MOMENT));
                None
            }
        }
    }

    fn took(&self) -> Duration {
        *self.took.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, took: Duration) {
        *self.took.lock().unwrap_or_else(PoisonError::into_inner) = took;
    }
}

impl Drop for Admission<'_> {
    fn drop(&mut self) {
        self.entrance.note(self.entrance.clock.now().since(self.began));
    }
}

#[cfg(test)]
mod tests {
    use tandem_testkit::ManualClock;

    use super::*;

    #[tokio::test]
    async fn who_finds_no_place_waits_a_moment_and_comes_again_while_it_takes_long() {
        let clock = ManualClock::new();
        let entrance = Arc::new(Entrance::new(1, Arc::new(clock.clone())));
        let place = entrance.enter().await.unwrap();
        let waiting = |entrance: &Arc<Entrance>| {
            let entrance = Arc::clone(entrance);
            tokio::spawn(async move { entrance.enter().await.err() })
        };
        let sleeps = async |clock: &ManualClock| {
            while clock.sleeping() == 0 {
                tokio::task::yield_now().await;
            }
        };

        let soon = waiting(&entrance);
        sleeps(&clock).await;
        drop(place);
        assert_eq!(soon.await.unwrap(), None, "a place that is free soon is waited for");

        let place = entrance.enter().await.unwrap();
        let in_vain = waiting(&entrance);
        sleeps(&clock).await;
        clock.advance(MOMENT);
        assert_eq!(in_vain.await.unwrap(), Some(clock.now().plus(MOMENT)));
        assert_eq!(entrance.enter().await.err(), Some(clock.now().plus(MOMENT)), "nobody waits any more");

        clock.advance(Duration::from_secs(39));
        drop(place);
        let place = entrance.enter().await.unwrap();
        assert_eq!(entrance.enter().await.err(), Some(clock.now().plus(Duration::from_secs(10))));
        drop(place);

        let place = entrance.enter().await.unwrap();
        let soon = waiting(&entrance);
        sleeps(&clock).await;
        drop(place);
        assert_eq!(soon.await.unwrap(), None, "it takes long no more");
    }
}
