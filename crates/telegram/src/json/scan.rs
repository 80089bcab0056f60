//! Where values end.

use super::Malformed;

/// The first byte at or after `pos` that is no white space.
pub(crate) fn skip_space(bytes: &[u8], mut pos: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = bytes.get(pos) {
        pos += 1;
    }
    pos
}

/// Bytes that end or complicate a string: quote, backslash, control characters.
const SPECIAL: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = true;
        byte += 1;
    }
    table[b'"' as usize] = true;
    table[b'\\' as usize] = true;
    table
};

/// Whether any of eight bytes is [`SPECIAL`]. May say yes where the answer is no (after a real match), never the
/// other way round.
const fn any_special(word: u64) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    const fn zero(word: u64) -> u64 {
        word.wrapping_sub(ONES) & !word & HIGH
    }
    let control = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
    control | zero(word ^ (ONES * b'"' as u64)) | zero(word ^ (ONES * b'\\' as u64)) != 0
}

/// Past the closing quote of the string whose first byte after the opening quote is at `pos`.
fn string_end(bytes: &[u8], mut pos: usize) -> Result<usize, Malformed> {
    loop {
        while let Some(Ok(chunk)) = bytes.get(pos..pos + 8).map(<[u8; 8]>::try_from)
            && !any_special(u64::from_le_bytes(chunk))
        {
            pos += 8;
        }
        while bytes.get(pos).is_some_and(|byte| !SPECIAL[usize::from(*byte)]) {
            pos += 1;
        }
        match bytes.get(pos) {
            Some(b'"') => return Ok(pos + 1),
            Some(b'\\') => match bytes.get(pos + 1) {
                Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => pos += 2,
                Some(b'u') => {
                    let digits = bytes.get(pos + 2..pos + 6).ok_or(Malformed { at: bytes.len() })?;
                    if !digits.iter().all(u8::is_ascii_hexdigit) {
                        return Err(Malformed { at: pos });
                    }
                    pos += 6;
                }
                _ => return Err(Malformed { at: pos }),
            },
            _ => return Err(Malformed { at: pos }),
        }
    }
}

fn digits_end(bytes: &[u8], start: usize) -> Result<usize, Malformed> {
    let mut pos = start;
    while bytes.get(pos).is_some_and(u8::is_ascii_digit) {
        pos += 1;
    }
    if pos == start { Err(Malformed { at: start }) } else { Ok(pos) }
}

fn number_end(bytes: &[u8], start: usize) -> Result<usize, Malformed> {
    let mut pos = start;
    if bytes.get(pos) == Some(&b'-') {
        pos += 1;
    }
    pos = if bytes.get(pos) == Some(&b'0') { pos + 1 } else { digits_end(bytes, pos)? };
    if bytes.get(pos) == Some(&b'.') {
        pos = digits_end(bytes, pos + 1)?;
    }
    if let Some(b'e' | b'E') = bytes.get(pos) {
        pos += 1;
        if let Some(b'+' | b'-') = bytes.get(pos) {
            pos += 1;
        }
        pos = digits_end(bytes, pos)?;
    }
    Ok(pos)
}

/// Past a string, number or literal that begins at `pos`.
fn scalar_end(bytes: &[u8], pos: usize) -> Result<usize, Malformed> {
    let literal = |word: &[u8]| {
        if bytes[pos..].starts_with(word) { Ok(pos + word.len()) } else { Err(Malformed { at: pos }) }
    };
    match bytes.get(pos) {
        Some(b'"') => string_end(bytes, pos + 1),
        Some(b'-' | b'0'..=b'9') => number_end(bytes, pos),
        Some(b't') => literal(b"true"),
        Some(b'f') => literal(b"false"),
        Some(b'n') => literal(b"null"),
        _ => Err(Malformed { at: pos }),
    }
}

/// Which brackets are open: one bit each, so that a hostile text of half a million brackets costs 64 KiB.
#[derive(Default)]
struct Open {
    depth: usize,
    word: u64,
    full: Vec<u64>,
}

impl Open {
    fn push(&mut self, object: bool) {
        if self.depth > 0 && self.depth.is_multiple_of(64) {
            self.full.push(self.word);
        }
        self.word = self.word << 1 | u64::from(object);
        self.depth += 1;
    }

    fn pop(&mut self) {
        self.depth -= 1;
        self.word >>= 1;
        if self.depth > 0 && self.depth.is_multiple_of(64) {
            self.word = self.full.pop().unwrap_or(0);
        }
    }

    const fn in_object(&self) -> bool {
        self.word & 1 == 1
    }
}

/// Where a key ends.
pub(super) struct KeyEnd {
    /// Its closing quote.
    pub(super) quote: usize,
    /// The first byte of its value.
    pub(super) value: usize,
}

/// The end of the key that begins at `pos`, and of the colon behind it.
pub(super) fn key_end(bytes: &[u8], pos: usize) -> Result<KeyEnd, Malformed> {
    if bytes.get(pos) != Some(&b'"') {
        return Err(Malformed { at: pos });
    }
    let end = string_end(bytes, pos + 1)?;
    let colon = skip_space(bytes, end);
    if bytes.get(colon) != Some(&b':') {
        return Err(Malformed { at: colon });
    }
    Ok(KeyEnd { quote: end - 1, value: skip_space(bytes, colon + 1) })
}

/// Past the value that begins at `pos`, which must be its first byte.
pub(super) fn value_end(bytes: &[u8], mut pos: usize) -> Result<usize, Malformed> {
    let mut open = Open::default();
    loop {
        // One value begins at `pos`.
        let (object, close) = match bytes.get(pos) {
            Some(b'{') => (true, b'}'),
            Some(b'[') => (false, b']'),
            _ => {
                pos = scalar_end(bytes, pos)?;
                match after_value(bytes, pos, &mut open)? {
                    After::Done(end) => return Ok(end),
                    After::Next(next) => pos = next,
                }
                continue;
            }
        };
        pos = skip_space(bytes, pos + 1);
        if bytes.get(pos) == Some(&close) {
            match after_value(bytes, pos + 1, &mut open)? {
                After::Done(end) => return Ok(end),
                After::Next(next) => pos = next,
            }
        } else {
            open.push(object);
            if object {
                pos = key_end(bytes, pos)?.value;
            }
        }
    }
}

enum After {
    Done(usize),
    Next(usize),
}

/// A value ended at `pos`: closes what closes here and finds where the next value begins.
fn after_value(bytes: &[u8], mut pos: usize, open: &mut Open) -> Result<After, Malformed> {
    loop {
        if open.depth == 0 {
            return Ok(After::Done(pos));
        }
        pos = skip_space(bytes, pos);
        match (bytes.get(pos), open.in_object()) {
            (Some(b','), true) => return Ok(After::Next(key_end(bytes, skip_space(bytes, pos + 1))?.value)),
            (Some(b','), false) => return Ok(After::Next(skip_space(bytes, pos + 1))),
            (Some(b'}'), true) | (Some(b']'), false) => {
                open.pop();
                pos += 1;
            }
            _ => return Err(Malformed { at: pos }),
        }
    }
}
