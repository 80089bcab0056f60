//! Checksums of rows (CRC-32). They find what the disk has changed, not what somebody has forged.

use crc32fast::Hasher;

use super::fault::Fault;

/// A checksum being computed. Each part is framed, so that no two rows read the same.
pub(super) struct Sum(Hasher);

impl Sum {
    /// Begins one for a row of this table.
    pub(super) fn of(table: &str) -> Self {
        Self(Hasher::new()).text(table)
    }

    #[must_use]
    pub(super) fn int(mut self, value: i64) -> Self {
        self.0.update(&value.to_le_bytes());
        self
    }

    #[must_use]
    pub(super) fn maybe(self, value: Option<i64>) -> Self {
        match value {
            None => self.int(0),
            Some(value) => self.int(1).int(value),
        }
    }

    #[must_use]
    pub(super) fn bytes(mut self, value: &[u8]) -> Self {
        self.0.update(&(value.len() as u64).to_le_bytes());
        self.0.update(value);
        self
    }

    #[must_use]
    pub(super) fn text(self, value: &str) -> Self {
        self.bytes(value.as_bytes())
    }

    #[must_use]
    pub(super) fn maybe_text(self, value: Option<&str>) -> Self {
        match value {
            None => self.int(0),
            Some(value) => self.int(1).text(value),
        }
    }

    pub(super) fn done(self) -> i64 {
        self.0.finalize().into()
    }

    /// Compares with what is stored.
    pub(super) fn verify(self, stored: i64, what: impl FnOnce() -> String) -> Result<(), Fault> {
        if self.done() == stored { Ok(()) } else { Err(Fault::Corrupt(what())) }
    }
}

/// The checksum of a body.
pub(super) fn body_sum(body: &[u8]) -> i64 {
    crc32fast::hash(body).into()
}
