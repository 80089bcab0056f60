//! The bytes of one file: as programs see them, as the platter has them, and every change between the two.

use std::mem;

use rand::{RngExt, rngs::StdRng};

use crate::machine::Losses;

/// A change that was accepted and not yet asked to be kept.
#[derive(Debug, Clone)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Resize { len: usize },
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write { at, bytes: written } => put(bytes, *at, written),
            Self::Resize { len } => bytes.resize(*len, 0),
        }
    }
}

/// What a crash does to the changes of one file, in their order.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Nothing,
    Everything,
    /// The first so many, and the next one torn.
    Prefix(usize),
    /// Each by itself: kept, torn or lost.
    Each {
        kept: f64,
        torn: f64,
    },
}

impl Fate {
    fn draw(rng: &mut StdRng, changes: usize) -> Self {
        match rng.random_range(0..8_u32) {
            0 => Self::Nothing,
            1 => Self::Everything,
            2..=4 => Self::Prefix(rng.random_range(0..=changes)),
            _ => Self::Each { kept: rng.random_range(0.0..1.0), torn: rng.random_range(0.0..1.0) },
        }
    }

    fn of(self, index: usize, rng: &mut StdRng) -> Survival {
        match self {
            Self::Everything => Survival::Whole,
            Self::Prefix(kept) if index < kept => Survival::Whole,
            Self::Prefix(kept) if index == kept => Survival::Torn,
            Self::Nothing | Self::Prefix(_) => Survival::Lost,
            Self::Each { kept, torn } => {
                if rng.random_bool(kept) {
                    Survival::Whole
                } else if rng.random_bool(torn) {
                    Survival::Torn
                } else {
                    Survival::Lost
                }
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Survival {
    Whole,
    Torn,
    Lost,
}

/// One file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Contents {
    live: Vec<u8>,
    synced: Vec<u8>,
    pending: Vec<Change>,
}

impl Contents {
    /// A file that has been on the disk for a while.
    pub(crate) fn on_disk(bytes: Vec<u8>) -> Self {
        Self { live: bytes.clone(), synced: bytes, pending: Vec::new() }
    }

    /// As programs see it.
    pub(crate) fn live(&self) -> &[u8] {
        &self.live
    }

    pub(crate) fn write(&mut self, at: usize, bytes: &[u8]) {
        put(&mut self.live, at, bytes);
        self.pending.push(Change::Write { at, bytes: bytes.to_vec() });
    }

    pub(crate) fn resize(&mut self, len: usize) {
        self.live.resize(len, 0);
        self.pending.push(Change::Resize { len });
    }

    /// Everything so far is on the platter.
    pub(crate) fn sync(&mut self) {
        for change in mem::take(&mut self.pending) {
            change.apply(&mut self.synced);
        }
    }

    /// A sync that failed. Linux marks the pages clean all the same, so that the next sync succeeds without
    /// them: what programs read is unchanged, what a crash leaves is not what they read.
    pub(crate) fn fail_sync(&mut self, rng: &mut StdRng, sector: usize) {
        self.settle(rng, sector);
    }

    /// The power goes: what is pending meets its fate, and only the platter is left.
    pub(crate) fn crash(&mut self, rng: &mut StdRng, sector: usize) -> Losses {
        let losses = self.settle(rng, sector);
        self.live.clone_from(&self.synced);
        losses
    }

    /// One bit of the medium, and of what programs read, turns over. `false` past the end.
    pub(crate) fn flip_bit(&mut self, at: usize, bit: u8) -> bool {
        let mask = 1_u8 << (bit % 8);
        for bytes in [&mut self.live, &mut self.synced] {
            let Some(byte) = bytes.get_mut(at) else { return false };
            *byte ^= mask;
        }
        true
    }

    fn settle(&mut self, rng: &mut StdRng, sector: usize) -> Losses {
        let pending = mem::take(&mut self.pending);
        let mut losses = Losses { unsynced: pending.len(), ..Losses::default() };
        let fate = Fate::draw(rng, pending.len());
        for (index, change) in pending.iter().enumerate() {
            match (fate.of(index, rng), change) {
                (Survival::Whole, change) => change.apply(&mut self.synced),
                (Survival::Torn, Change::Write { at, bytes }) => {
                    losses.torn += 1;
                    tear(&mut self.synced, *at, bytes, sector, rng);
                }
                (Survival::Lost, Change::Write { at, bytes }) => {
                    losses.lost += 1;
                    leave_hole(&mut self.synced, *at + bytes.len(), rng);
                }
                // A new length is one entry of the file's inode: it is there or it is not.
                (Survival::Torn | Survival::Lost, Change::Resize { .. }) => losses.lost += 1,
            }
        }
        losses
    }
}

/// Writes as a file does: a gap before `at` reads as zeros.
fn put(file: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    if file.len() < at {
        file.resize(at, 0);
    }
    let (over, beyond) = bytes.split_at(bytes.len().min(file.len() - at));
    file[at..at + over.len()].copy_from_slice(over);
    file.extend_from_slice(beyond);
}

/// Keeps some sectors of a write: the first ones, the last ones, or any.
fn tear(file: &mut Vec<u8>, at: usize, bytes: &[u8], sector: usize, rng: &mut StdRng) {
    let pieces = pieces(at, bytes, sector);
    let cut = rng.random_range(0..=pieces.len());
    let how = rng.random_range(0..3_u32);
    for (index, (at, piece)) in pieces.into_iter().enumerate() {
        let kept = match how {
            0 => index < cut,
            1 => index >= cut,
            _ => rng.random_bool(0.5),
        };
        if kept {
            put(file, at, piece);
        } else {
            leave_hole(file, at + piece.len(), rng);
        }
    }
}

/// The write, cut where sectors begin.
fn pieces(at: usize, bytes: &[u8], sector: usize) -> Vec<(usize, &[u8])> {
    let mut pieces = Vec::new();
    let (mut at, mut rest) = (at, bytes);
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(rest.len().min(sector - at % sector));
        pieces.push((at, piece));
        at += piece.len();
        rest = after;
    }
    pieces
}

/// A lost write beyond the end may still have moved the end: then zeros, or whatever the blocks held before,
/// stand where its bytes should be.
fn leave_hole(file: &mut Vec<u8>, end: usize, rng: &mut StdRng) {
    if file.len() >= end || !rng.random_bool(0.25) {
        return;
    }
    let old = file.len();
    file.resize(end, 0);
    if rng.random_bool(0.5) {
        rng.fill(&mut file[old..]);
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    const SECTOR: usize = 512;

    /// What is left of a file with `synced` bytes after `change` and a crash, for many seeds.
    fn crashes(synced: &[u8], change: impl Fn(&mut Contents)) -> Vec<Vec<u8>> {
        (0..400)
            .map(|seed| {
                let mut file = Contents::on_disk(synced.to_vec());
                change(&mut file);
                file.crash(&mut StdRng::seed_from_u64(seed), SECTOR);
                file.live().to_vec()
            })
            .collect()
    }

    #[test]
    fn synced_bytes_survive_every_crash() {
        let left = crashes(b"old", |file| {
            file.write(0, b"new");
            file.resize(2);
            file.write(2, b"ver");
            file.sync();
        });
        assert!(left.iter().all(|bytes| bytes == b"never"));
    }

    #[test]
    fn an_unsynced_write_is_kept_lost_or_torn_at_sectors_and_harms_nothing_beside_it() {
        let left = crashes(&[1; 4 * SECTOR], |file| file.write(100, &[2; 2 * SECTOR]));
        let edges = [0, 100, SECTOR, 2 * SECTOR, 100 + 2 * SECTOR, 4 * SECTOR];
        for bytes in &left {
            assert_eq!(bytes.len(), 4 * SECTOR);
            assert!(bytes[..100].iter().chain(&bytes[100 + 2 * SECTOR..]).all(|byte| *byte == 1));
            for pair in edges.windows(2) {
                assert!(
                    bytes[pair[0]..pair[1]].windows(2).all(|two| two[0] == two[1]),
                    "torn inside a sector"
                );
            }
        }
        let lost = left.iter().filter(|bytes| !bytes.contains(&2)).count();
        let whole = left.iter().filter(|bytes| bytes[100..100 + 2 * SECTOR] == [2; 2 * SECTOR]).count();
        assert!(lost > 20 && whole > 20 && lost + whole < left.len(), "{lost} lost, {whole} whole");
    }

    #[test]
    fn later_writes_may_survive_earlier_ones_and_shortening_may_be_forgotten() {
        let left = crashes(b"....", |file| {
            file.write(0, b"a");
            file.write(1, b"b");
        });
        for wanted in [&b"...."[..], b"a...", b".b..", b"ab.."] {
            assert!(left.iter().any(|bytes| bytes == wanted));
        }
        let left = crashes(b"....", |file| file.resize(1));
        assert!(left.iter().any(|bytes| bytes == b".") && left.iter().any(|bytes| bytes == b"...."));
    }

    #[test]
    fn the_end_of_a_file_may_hold_zeros_or_rubbish() {
        let left = crashes(b"", |file| file.write(0, &[7; 600]));
        assert!(left.iter().any(|bytes| bytes.len() == 600 && bytes.iter().all(|byte| *byte == 0)));
        assert!(left.iter().any(|bytes| bytes.iter().any(|byte| *byte != 0 && *byte != 7)));
    }

    #[test]
    fn after_a_failed_sync_a_later_one_does_not_bring_the_bytes_back() {
        let lost = (0..100).any(|seed| {
            let mut rng = StdRng::seed_from_u64(seed);
            let mut file = Contents::on_disk(b"old".to_vec());
            file.write(0, b"new");
            file.fail_sync(&mut rng, SECTOR);
            assert_eq!(file.live(), b"new");
            file.sync();
            file.crash(&mut rng, SECTOR);
            file.live() == b"old"
        });
        assert!(lost);
    }
}
