//! What a head says of its request's length.
//!
//! hyper lets `Transfer-Encoding` win over `Content-Length` and hides that both were there; a proxy before us that
//! decides otherwise would take the rest of a request for the next one. So the bytes of heads are looked at on their
//! way. A head that came on the heels of the request before it is not seen, and read as hyper reads it.

/// Longest part of a line that matters.
const NAME: &[u8] = b"content-length";

/// Looks for `Content-Length` in the bytes of one head.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct HeadScan {
    /// How the line that has begun begins.
    line: [u8; NAME.len() + 1],
    length: usize,
    /// A line of the head has come: an empty one is its end now.
    begun: bool,
    ended: bool,
    found: bool,
}

impl HeadScan {
    /// Takes the next bytes; those behind the head are not looked at.
    pub(super) fn feed(&mut self, mut bytes: &[u8]) {
        while !self.ended && !bytes.is_empty() {
            let (line, rest, whole) = match memchr::memchr(b'\n', bytes) {
                Some(at) => (&bytes[..at], &bytes[at + 1..], true),
                None => (bytes, &[][..], false),
            };
            let kept = line.len().min(self.line.len() - self.length);
            self.line[self.length..self.length + kept].copy_from_slice(&line[..kept]);
            self.length += kept;
            bytes = rest;
            if whole {
                self.end_line();
            }
        }
    }

    /// Whether it was there.
    pub(super) const fn names_length(&self) -> bool {
        self.found
    }

    fn end_line(&mut self) {
        let line = &self.line[..self.length];
        match line {
            [] | [b'\r'] => self.ended = self.begun,
            _ => {
                self.begun = true;
                self.found |= line.len() > NAME.len()
                    && line[..NAME.len()].eq_ignore_ascii_case(NAME)
                    && matches!(line[NAME.len()], b':' | b' ' | b'\t');
            }
        }
        self.length = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_length(head: &str, size: usize) -> bool {
        let mut scan = HeadScan::default();
        for chunk in head.as_bytes().chunks(size) {
            scan.feed(chunk);
        }
        scan.names_length()
    }

    #[test]
    fn a_length_is_found_in_the_head_and_not_behind_it() {
        for (head, found) in [
            ("POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n", true),
            ("\r\n\r\nPOST / HTTP/1.1\nhost: x\ncOnTeNt-LeNgTh:5\n\n", true),
            ("POST / HTTP/1.1\r\nContent-Lengths: 5\r\n\r\n", false),
            ("POST / HTTP/1.1\r\nX-Content-Length: 5\r\n\r\n", false),
            ("POST /?\r\nHost: content-length:\r\n\r\n", false),
            ("POST / HTTP/1.1\r\nHost: x\r\n\r\nContent-Length: 5\r\n\r\n", false),
            ("POST / HTTP/1.1\r\nHost: x\r\n\n--b\nContent-Length: 5\r\n\r\n", false),
        ] {
            for size in 1..=head.len() {
                assert_eq!(names_length(head, size), found, "{head:?} in chunks of {size}");
            }
        }
    }
}
