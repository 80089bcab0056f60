//! Looks for damage in a write-ahead log that was left behind by a crash.
//!
//! SQLite reads such a log up to the first frame whose checksum is wrong, and takes that for the end: what a power
//! failure has torn. But when a later commit begins behind it, then the disk had confirmed the earlier one, and what
//! looks like a torn end is damage that would make acknowledged commits vanish without a word. Each frame's checksum
//! continues the one that stands in the frame before, so that what comes behind a damaged frame can be verified.
//!
//! Damage in the very last commit cannot be told from a torn one, nor in the log's own header.

use std::{
    fs::File,
    io::{self, BufReader, Read},
    path::Path,
};

const HEADER_BYTES: usize = 32;
const FRAME_HEADER_BYTES: usize = 24;
const MAGIC_LITTLE: u32 = 0x377f_0682;
const MAGIC_BIG: u32 = 0x377f_0683;

/// The number of a damaged frame (from 1) behind which commits were acknowledged.
pub(super) fn find_damage(log: &Path) -> io::Result<Option<u64>> {
    let file = match File::open(log) {
        Ok(file) => BufReader::with_capacity(1 << 20, file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    scan(file)
}

#[derive(Clone, Copy)]
enum Order {
    Little,
    Big,
}

fn scan(mut log: impl Read) -> io::Result<Option<u64>> {
    let mut header = [0; HEADER_BYTES];
    if !fill(&mut log, &mut header)? {
        return Ok(None);
    }
    let order = match be(&header, 0) {
        MAGIC_LITTLE => Order::Little,
        MAGIC_BIG => Order::Big,
        _ => return Ok(None),
    };
    let page = be(&header, 8);
    let stored = (be(&header, 24), be(&header, 28));
    let sound = page.is_power_of_two() && (512..=65_536).contains(&page);
    if !sound || checksum(order, (0, 0), &header[..24]) != stored {
        return Ok(None);
    }
    let mut page = vec![0; usize::try_from(page).unwrap_or(0)];
    let mut frame = [0; FRAME_HEADER_BYTES];
    let mut before = stored;
    let mut before_commits = false;
    let mut first_bad = None;
    for number in 1_u64.. {
        if !fill(&mut log, &mut frame)? || !fill(&mut log, &mut page)? {
            break;
        }
        if frame[8..16] != header[16..24] {
            // Of an earlier round through the file, or its salt is what is damaged.
            first_bad.get_or_insert(number);
            before_commits = false;
            continue;
        }
        let sum = checksum(order, checksum(order, before, &frame[..8]), &page);
        before = (be(&frame, 16), be(&frame, 20));
        if sum != before {
            first_bad.get_or_insert(number);
        } else if before_commits && let Some(bad) = first_bad {
            return Ok(Some(bad));
        }
        before_commits = be(&frame, 4) != 0;
    }
    Ok(None)
}

/// SQLite's checksum of a log, continued.
fn checksum(order: Order, from: (u32, u32), bytes: &[u8]) -> (u32, u32) {
    let (mut a, mut b) = from;
    for pair in bytes.chunks_exact(8) {
        let (x, y) = match order {
            Order::Big => (be(pair, 0), be(pair, 4)),
            Order::Little => (be(pair, 0).swap_bytes(), be(pair, 4).swap_bytes()),
        };
        a = a.wrapping_add(x).wrapping_add(b);
        b = b.wrapping_add(y).wrapping_add(a);
    }
    (a, b)
}

fn be(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// Whether there was enough to fill it.
fn fill(log: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match log.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}
