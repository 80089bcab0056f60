//! The sandbox's randomness: one seeded generator, so that a run can be repeated.

use std::{
    fmt,
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use rand::{Rng as _, RngExt as _, SeedableRng, rngs::ChaCha12Rng};

/// A shared seeded generator. Clones draw from the same sequence.
#[derive(Clone)]
pub struct Random(Arc<Mutex<ChaCha12Rng>>);

impl Random {
    /// The same numbers for the same seed.
    pub fn seeded(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(ChaCha12Rng::seed_from_u64(seed))))
    }

    /// A number of the range.
    pub fn range(&self, range: Range<i64>) -> i64 {
        self.with(|rng| rng.random_range(range))
    }

    /// Random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.with(|rng| rng.fill_bytes(&mut bytes));
        bytes
    }

    /// Characters of the alphabet of tokens and file ids: `A-Z a-z 0-9 _ -`.
    pub fn word(&self, length: usize) -> String {
        const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
        self.with(|rng| (0..length).map(|_| char::from(ALPHABET[rng.random_range(0..64)])).collect())
    }

    fn with<T>(&self, draw: impl FnOnce(&mut ChaCha12Rng) -> T) -> T {
        draw(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random(..)")
    }
}
