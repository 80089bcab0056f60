//! Randomness as a parameter.

use std::{fmt, sync::Mutex};

use rand::{RngExt, SeedableRng, rngs::StdRng};

/// Where random numbers come from. Production seeds it from the system, tests from a number they print.
pub trait Rng: fmt::Debug + Send + Sync {
    /// Fills the buffer. Fit for secrets when the generator was seeded from the system.
    fn fill(&self, buffer: &mut [u8]);

    /// A number in `0..bound`; 0 when `bound` is 0.
    fn below(&self, bound: u64) -> u64 {
        if bound == 0 {
            return 0;
        }
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        // The bias of a plain remainder is below 2^-32 for every bound we use (milliseconds, list lengths).
        u64::from_le_bytes(bytes) % bound
    }
}

/// The standard generator behind a lock.
pub struct SeededRng(Mutex<StdRng>);

impl SeededRng {
    /// The same numbers for the same seed.
    pub fn from_seed(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }

    /// Seeded from the operating system.
    pub fn from_system() -> Self {
        Self(Mutex::new(rand::make_rng()))
    }
}

impl Rng for SeededRng {
    fn fill(&self, buffer: &mut [u8]) {
        let mut rng = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        rng.fill(buffer);
    }
}

impl fmt::Debug for SeededRng {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SeededRng(..)")
    }
}
