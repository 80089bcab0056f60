//! A newtype for each id, so that no two of them can be exchanged by mistake.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An id that is out of the range its kind allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} {value} is out of range {min}..={max}")]
pub struct IdError {
    /// Which id.
    pub what: &'static str,
    /// The value that was offered.
    pub value: i64,
    /// Smallest allowed.
    pub min: i64,
    /// Largest allowed.
    pub max: i64,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $min:expr, $max:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "i64", into = "i64")]
        pub struct $name(i64);

        impl $name {
            /// Smallest value.
            pub const MIN: Self = Self($min);
            /// Largest value.
            pub const MAX: Self = Self($max);

            /// Checks the range.
            pub const fn new(value: i64) -> Result<Self, IdError> {
                if value < $min || value > $max {
                    return Err(IdError { what: $what, value, min: $min, max: $max });
                }
                Ok(Self(value))
            }

            /// The number, for storage and for the wire.
            pub const fn get(self) -> i64 {
                self.0
            }
        }

        impl TryFrom<i64> for $name {
            type Error = IdError;
            fn try_from(value: i64) -> Result<Self, IdError> {
                Self::new(value)
            }
        }

        impl From<$name> for i64 {
            fn from(id: $name) -> i64 {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    };
}

id!(
    /// A Telegram bot. `0 < id < 2^54` (reference/telegram.md 1.1).
    BotId, "bot id", 1, (1 << 54) - 1
);
id!(
    /// A Telegram user. Fits in 52 bits (reference/telegram.md 1.4).
    UserId, "user id", 1, (1 << 52) - 1
);
id!(
    /// A position in one bot's journal. The first event has 1; 0 is "before everything".
    Seq, "seq", 0, i64::MAX
);
id!(
    /// A lane of one bot: numbered by the store from 1 on, never reused, so that it can stand in events as
    /// who caused them.
    LaneId, "lane id", 1, u32::MAX as i64
);
id!(
    /// Where updates of a bot come from. Ids of two sources are unrelated (reference/telegram.md 2.6): another
    /// server, or the same bot after its owner moved it, is another source.
    SourceId, "source id", 0, u32::MAX as i64
);
id!(
    /// The `update_id` a source gave. Positive 32-bit, may go down (reference/telegram.md 2.6).
    UpstreamId, "upstream id", 0, i32::MAX as i64
);
id!(
    /// The `update_id` that apps see: strictly increasing per bot, positive 32-bit.
    VirtualId, "virtual id", 1, i32::MAX as i64
);
id!(
    /// An account at a vendor, numbered by the store from 1 on.
    ConnectionId, "connection id", 1, u32::MAX as i64
);
id!(
    /// The fencing number of a lease. Each new owner of a shard gets a larger one; a write with an older one
    /// is refused (DESIGN section 10).
    Fence, "fence", 1, i64::MAX
);

impl Seq {
    /// Before the first event.
    pub const ZERO: Self = Self(0);

    /// The position after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// The position before this one; stays at zero.
    #[must_use]
    pub const fn previous(self) -> Self {
        Self(if self.0 == 0 { 0 } else { self.0 - 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_out_of_range_are_refused_with_the_range() {
        let error = BotId::new(0).unwrap_err();
        assert_eq!(error.to_string(), "bot id 0 is out of range 1..=18014398509481983");
        assert!(BotId::new(1 << 54).is_err());
        assert!(UpstreamId::new(i64::from(i32::MAX) + 1).is_err());
        assert_eq!(Seq::ZERO.previous(), Seq::ZERO);
    }
}
