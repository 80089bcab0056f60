//! Grants that we have sent somebody for: what comes back to our public address must name one of them.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tandem_model::{ConnectionId, Rng, Timestamp};

/// How long somebody has to grant access: as long as the vendor's code lives (amocrm.md 6.2).
const LASTS: Duration = Duration::from_mins(20);
/// So many may be under way; the oldest goes first.
const MOST: usize = 64;

/// States that were minted and not used. They end with the process: whoever asked asks again.
#[derive(Debug, Default)]
pub(crate) struct Authorizations(Mutex<BTreeMap<String, (ConnectionId, Timestamp)>>);

impl Authorizations {
    /// A new state for a connection, and until when it holds.
    pub(crate) fn mint(
        &self,
        connection: ConnectionId,
        rng: &dyn Rng,
        now: Timestamp,
    ) -> (String, Timestamp) {
        let mut random = [0; 32];
        rng.fill(&mut random);
        let (state, until) = (hex::encode(random), now.plus(LASTS));
        let mut minted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        minted.retain(|_, (_, until)| *until > now);
        if minted.len() >= MOST
            && let Some(oldest) =
                minted.iter().min_by_key(|(_, (_, until))| *until).map(|(state, _)| state.clone())
        {
            minted.remove(&oldest);
        }
        minted.insert(state.clone(), (connection, until));
        (state, until)
    }

    /// Takes a state: it holds once.
    pub(crate) fn take(&self, state: &str, now: Timestamp) -> Option<ConnectionId> {
        let mut minted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (connection, until) = minted.remove(state)?;
        (until > now).then_some(connection)
    }
}

#[cfg(test)]
mod tests {
    use tandem_model::SeededRng;

    use super::*;

    #[test]
    fn a_state_holds_once_and_for_twenty_minutes() {
        let (rng, shop) = (SeededRng::from_seed(1), ConnectionId::new(3).unwrap());
        let (authorizations, now) = (Authorizations::default(), Timestamp::from_secs(1_800_000_000));
        let (state, until) = authorizations.mint(shop, &rng, now);
        assert!(state.len() == 64 && until == now.plus(LASTS));
        assert_eq!(authorizations.take("another", now), None);
        assert_eq!(authorizations.take(&state, now), Some(shop));
        assert_eq!(authorizations.take(&state, now), None, "once");
        let (state, until) = authorizations.mint(shop, &rng, now);
        assert_eq!(authorizations.take(&state, until), None, "too late");
        let first = authorizations.mint(shop, &rng, now).0;
        for _ in 0..MOST {
            authorizations.mint(shop, &rng, now.plus(Duration::from_secs(1)));
        }
        assert_eq!(authorizations.take(&first, now), None, "the oldest goes when there are too many");
    }
}
