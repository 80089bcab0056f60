//! Going through the members of an object and the elements of an array.

use std::{borrow::Cow, ops::Range};

use super::{
    Malformed,
    scan::{key_end, skip_space, value_end},
    unescape,
};

/// One member of an object.
#[derive(Debug, Clone)]
pub(crate) struct Member<'a> {
    /// The key as it stands between its quotes.
    pub(crate) raw_key: &'a [u8],
    /// Where the value stands.
    pub(crate) value: Range<usize>,
}

impl<'a> Member<'a> {
    /// The key, unescaped.
    pub(crate) fn key(&self) -> Cow<'a, [u8]> {
        if memchr::memchr(b'\\', self.raw_key).is_none() {
            Cow::Borrowed(self.raw_key)
        } else {
            Cow::Owned(unescape(self.raw_key).into_owned().into_bytes())
        }
    }
}

/// The parts of an object or array, one after the other. After an error there are no more.
#[derive(Debug)]
pub(crate) struct Parts<'a> {
    bytes: &'a [u8],
    pos: usize,
    close: u8,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// A part begins at `pos`, or the closing bracket stands there.
    Open,
    /// What stands at `pos` belongs to no JSON; said when the next part is asked for.
    Broken,
    Done,
}

impl<'a> Parts<'a> {
    /// Of the object that begins at `pos`; `None` when none does.
    pub(crate) fn of_object(bytes: &'a [u8], pos: usize) -> Option<Self> {
        Self::of(bytes, pos, b'{', b'}')
    }

    /// Of the array that begins at `pos`; `None` when none does.
    pub(crate) fn of_array(bytes: &'a [u8], pos: usize) -> Option<Self> {
        Self::of(bytes, pos, b'[', b']')
    }

    fn of(bytes: &'a [u8], pos: usize, start: u8, close: u8) -> Option<Self> {
        if bytes.get(pos) != Some(&start) {
            return None;
        }
        let pos = skip_space(bytes, pos + 1);
        Some(Self { bytes, pos, close, state: State::Open })
    }

    /// Past the closing bracket, once there are no more parts and there was no error.
    pub(crate) const fn end(&self) -> usize {
        self.pos
    }

    /// The next member of an object.
    pub(crate) fn next_member(&mut self) -> Option<Result<Member<'a>, Malformed>> {
        let pos = match self.begin()? {
            Ok(pos) => pos,
            Err(malformed) => return Some(Err(malformed)),
        };
        let member = key_end(self.bytes, pos).and_then(|key| {
            let value = self.value_at(key.value)?;
            Ok(Member { raw_key: &self.bytes[pos + 1..key.quote], value })
        });
        if member.is_err() {
            self.state = State::Done;
        }
        Some(member)
    }

    /// The next element of an array.
    pub(crate) fn next_element(&mut self) -> Option<Result<Range<usize>, Malformed>> {
        let element = self.begin()?.and_then(|pos| self.value_at(pos));
        if element.is_err() {
            self.state = State::Done;
        }
        Some(element)
    }

    fn begin(&mut self) -> Option<Result<usize, Malformed>> {
        match self.state {
            State::Done => return None,
            State::Broken => {
                self.state = State::Done;
                return Some(Err(Malformed { at: self.pos }));
            }
            State::Open => {}
        }
        if self.bytes.get(self.pos) == Some(&self.close) {
            self.pos += 1;
            self.state = State::Done;
            return None;
        }
        Some(Ok(self.pos))
    }

    /// The value at `pos`; moves on to the next part or to the closing bracket.
    fn value_at(&mut self, pos: usize) -> Result<Range<usize>, Malformed> {
        let end = value_end(self.bytes, pos)?;
        // The value is whole and is given; whatever is wrong after it comes out with the next part.
        self.pos = skip_space(self.bytes, end);
        match self.bytes.get(self.pos) {
            Some(byte) if *byte == self.close => {}
            Some(b',') => {
                self.pos = skip_space(self.bytes, self.pos + 1);
                if self.bytes.get(self.pos) == Some(&self.close) {
                    self.state = State::Broken;
                }
            }
            _ => self.state = State::Broken,
        }
        Ok(pos..end)
    }
}
