//! How commits are spread over what they take and what they carry: counted in closed ranges, so that one slow commit
//! among thousands is seen.

use std::time::Duration;

/// How many commits fell into which range, since the store was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CommitSpread {
    /// By their time: each up to its bound of [`TIMES`](Self::TIMES), the last beyond all of them.
    pub times: [u64; Self::TIMES.len() + 1],
    /// By the writes that they carried: each up to its bound of [`WRITES`](Self::WRITES), the last beyond all of them.
    pub writes: [u64; Self::WRITES.len() + 1],
}

impl CommitSpread {
    /// From a disk that costs nothing to one that has stopped.
    pub const TIMES: [Duration; 14] = [
        Duration::from_micros(100),
        Duration::from_micros(250),
        Duration::from_micros(500),
        Duration::from_millis(1),
        Duration::from_micros(2_500),
        Duration::from_millis(5),
        Duration::from_millis(10),
        Duration::from_millis(25),
        Duration::from_millis(50),
        Duration::from_millis(100),
        Duration::from_millis(250),
        Duration::from_millis(500),
        Duration::from_secs(1),
        Duration::from_millis(2_500),
    ];
    /// From one that shares its commit with nobody on.
    pub const WRITES: [u64; 9] = [1, 2, 4, 8, 16, 32, 64, 128, 256];

    /// The range of such a time.
    pub fn range_of_time(took: Duration) -> usize {
        Self::TIMES.partition_point(|bound| *bound < took)
    }

    /// The range of so many writes.
    pub fn range_of_writes(count: u64) -> usize {
        Self::WRITES.partition_point(|bound| *bound < count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_its_range_and_what_is_beyond_all_to_the_last() {
        assert_eq!(CommitSpread::range_of_time(Duration::ZERO), 0);
        assert_eq!(CommitSpread::range_of_time(Duration::from_micros(100)), 0);
        assert_eq!(CommitSpread::range_of_time(Duration::from_micros(101)), 1);
        assert_eq!(
            CommitSpread::range_of_time(Duration::from_mins(1)),
            CommitSpread::default().times.len() - 1
        );
        assert_eq!(CommitSpread::range_of_writes(1), 0);
        assert_eq!(CommitSpread::range_of_writes(3), 2);
        assert_eq!(CommitSpread::range_of_writes(257), CommitSpread::default().writes.len() - 1);
    }
}
