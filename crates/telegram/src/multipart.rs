//! `multipart/form-data` as it streams by: fed with chunks, it tells where parts begin, what they hold, and how they
//! end, and keeps no more than one delimiter and one part's headers.
//!
//! Written here rather than taken from a crate because the same parser has to serve two masters: the reader of small
//! bodies, and the tee over a passing upload, which must never wait, never fail and never hold a file.

use std::ops::ControlFlow;

use memchr::memmem;

/// Longest header block of one part.
const MAX_PART_HEADERS: usize = 16 * 1024;
/// Longest boundary (reference/telegram.md 1.2).
const MAX_BOUNDARY: usize = 70;

/// The headers of a part that matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PartHead {
    pub(crate) name: String,
    /// Set, even empty: the part is a file.
    pub(crate) file_name: Option<String>,
    pub(crate) content_type: Option<String>,
}

/// What came by.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    Begin(PartHead),
    Data(&'a [u8]),
    End,
}

/// How far a body was understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// More is expected.
    Open,
    /// The closing delimiter has come; what follows is of no interest.
    Complete,
    /// It is no multipart body from some point on.
    Broken,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Preamble,
    /// After a delimiter: the end of its line, or `--`.
    Delimiter,
    Headers,
    Body,
    Finished(Progress),
}

#[derive(Debug)]
pub(crate) struct Multipart {
    /// `\r\n--boundary`.
    delimiter: memmem::Finder<'static>,
    state: State,
    /// What could not be decided yet. Begins with a line break so that the first delimiter needs none.
    held: Vec<u8>,
}

impl Multipart {
    /// For the `Content-Type` of a body; `None` when it names no usable boundary.
    pub(crate) fn for_content_type(content_type: &str) -> Option<Self> {
        let boundary = parameter(content_type, "boundary")?;
        if boundary.is_empty() || boundary.len() > MAX_BOUNDARY {
            return None;
        }
        let delimiter = memmem::Finder::new(&[b"\r\n--", boundary.as_bytes()].concat()).into_owned();
        Some(Self { delimiter, state: State::Preamble, held: b"\r\n".to_vec() })
    }

    pub(crate) const fn progress(&self) -> Progress {
        match self.state {
            State::Finished(progress) => progress,
            _ => Progress::Open,
        }
    }

    /// Takes the next chunk and tells `sink` what it holds.
    pub(crate) fn feed(&mut self, chunk: &[u8], sink: &mut dyn FnMut(Piece<'_>)) {
        if matches!(self.state, State::Finished(_)) {
            return;
        }
        // Joining costs a copy only while something is held: a few bytes inside a file, a header block otherwise.
        let mut held = std::mem::take(&mut self.held);
        let joined = if held.is_empty() {
            chunk
        } else {
            held.extend_from_slice(chunk);
            &held
        };
        let mut rest = joined;
        while let ControlFlow::Continue(used) = self.step(rest, sink) {
            rest = &rest[used..];
        }
        if !matches!(self.state, State::Finished(_)) {
            self.held = rest.to_vec();
        }
    }

    /// One step on what is there; breaks when more is needed.
    fn step(&mut self, input: &[u8], sink: &mut dyn FnMut(Piece<'_>)) -> ControlFlow<(), usize> {
        let delimiter = self.delimiter.needle().len();
        match self.state {
            State::Finished(_) => ControlFlow::Break(()),
            State::Preamble | State::Body => {
                let in_body = self.state == State::Body;
                let data_end = match self.delimiter.find(input) {
                    Some(at) => at,
                    // The end of what is there may be the beginning of a delimiter.
                    None if input.len() >= delimiter => input.len() + 1 - delimiter,
                    None => return ControlFlow::Break(()),
                };
                if in_body && data_end > 0 {
                    sink(Piece::Data(&input[..data_end]));
                }
                if input[data_end..].starts_with(self.delimiter.needle()) {
                    if in_body {
                        sink(Piece::End);
                    }
                    self.state = State::Delimiter;
                    ControlFlow::Continue(data_end + delimiter)
                } else if data_end > 0 {
                    ControlFlow::Continue(data_end)
                } else {
                    ControlFlow::Break(())
                }
            }
            State::Delimiter => {
                if input.starts_with(b"--") {
                    self.state = State::Finished(Progress::Complete);
                    return ControlFlow::Continue(2);
                }
                let padding = input.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
                match &input[padding..] {
                    [b'\r', b'\n', ..] => {
                        self.state = State::Headers;
                        // The line break stays: an empty header block is then a blank line too.
                        ControlFlow::Continue(padding)
                    }
                    [] | [b'\r'] if padding < MAX_PART_HEADERS => ControlFlow::Break(()),
                    [b'-'] if padding == 0 => ControlFlow::Break(()),
                    _ => self.broken(),
                }
            }
            State::Headers => match memmem::find(input, b"\r\n\r\n") {
                Some(end) if end <= MAX_PART_HEADERS => {
                    sink(Piece::Begin(part_head(&input[..end])));
                    self.state = State::Body;
                    ControlFlow::Continue(end + 4)
                }
                None if input.len() <= MAX_PART_HEADERS => ControlFlow::Break(()),
                _ => self.broken(),
            },
        }
    }

    fn broken(&mut self) -> ControlFlow<(), usize> {
        self.state = State::Finished(Progress::Broken);
        ControlFlow::Break(())
    }
}

fn part_head(block: &[u8]) -> PartHead {
    let mut head = PartHead::default();
    for line in String::from_utf8_lossy(block).split("\r\n") {
        let Some((name, value)) = line.split_once(':') else { continue };
        let value = value.trim();
        if name.trim().eq_ignore_ascii_case("content-disposition") {
            head.name = parameter(value, "name").unwrap_or_default();
            head.file_name = parameter(value, "filename");
        } else if name.trim().eq_ignore_ascii_case("content-type") {
            head.content_type = Some(value.to_owned());
        }
    }
    head
}

/// A parameter of a header value, quoted or not.
fn parameter(value: &str, wanted: &str) -> Option<String> {
    let mut rest = value.split_once(';')?.1;
    loop {
        let (name, after) = rest.split_once('=')?;
        let name = name.rsplit(';').next()?.trim();
        let (text, next) = if let Some(quoted) = after.trim_start().strip_prefix('"') {
            let mut text = String::new();
            let mut characters = quoted.char_indices();
            let mut end = quoted.len();
            while let Some((at, character)) = characters.next() {
                match character {
                    '"' => {
                        end = at + 1;
                        break;
                    }
                    '\\' => text.extend(characters.next().map(|(_, escaped)| escaped)),
                    other => text.push(other),
                }
            }
            (text, &quoted[end..])
        } else {
            let (text, next) = after.split_at(after.find(';').unwrap_or(after.len()));
            (text.trim().to_owned(), next)
        };
        if name.eq_ignore_ascii_case(wanted) {
            return Some(text);
        }
        rest = next;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Part = (PartHead, Vec<u8>);

    fn parse(content_type: &str, chunks: &[&[u8]]) -> (Vec<Part>, Progress) {
        let mut parser = Multipart::for_content_type(content_type).unwrap();
        let mut parts: Vec<Part> = Vec::new();
        for chunk in chunks {
            parser.feed(chunk, &mut |piece| match piece {
                Piece::Begin(head) => parts.push((head, Vec::new())),
                Piece::Data(data) => parts.last_mut().unwrap().1.extend_from_slice(data),
                Piece::End => {}
            });
        }
        (parts, parser.progress())
    }

    fn head(name: &str, file_name: Option<&str>) -> PartHead {
        PartHead { name: name.to_owned(), file_name: file_name.map(str::to_owned), content_type: None }
    }

    const BODY: &str = "preamble\r\n--b\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n7\r\n--b \r\n\
        content-disposition:form-data; filename=\"a\\\"b;c=d.png\"; name=photo\r\nX: y\r\n\r\n\r\n--a\r\n--bb\r\n--b\r\n\
        Content-Disposition: form-data; name=\"e\"; filename=\"\"\r\n\r\n\r\n--b--\r\nepilogue";

    fn expected() -> Vec<Part> {
        vec![
            (head("chat_id", None), b"7".to_vec()),
            (head("photo", Some("a\"b;c=d.png")), b"\r\n--a".to_vec()),
        ]
    }

    #[test]
    fn parts_come_out_whatever_the_chunks() {
        // `--bb` begins with the delimiter: as RFC 2046 has it, that line breaks the body.
        let (parts, progress) = parse("multipart/form-data; boundary=b", &[BODY.as_bytes()]);
        assert_eq!((parts, progress), (expected(), Progress::Broken));
        let whole = BODY.replace("\r\n--bb", "");
        for size in 1..whole.len() {
            let chunks: Vec<_> = whole.as_bytes().chunks(size).collect();
            let (parts, progress) = parse("Multipart/Form-Data; charset=x; Boundary=\"b\"", &chunks);
            assert_eq!(progress, Progress::Complete, "{size}");
            assert_eq!(parts[..2], expected());
            assert_eq!(parts[2], (head("e", Some("")), Vec::new()));
        }
    }

    #[test]
    fn an_empty_body_has_no_parts_and_a_cut_one_those_before_the_cut() {
        assert_eq!(parse("multipart/form-data; boundary=b", &[b""]), (vec![], Progress::Open));
        assert_eq!(parse("multipart/form-data; boundary=b", &[b"--b--"]), (vec![], Progress::Complete));
        let cut = "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n12345678";
        let (parts, progress) = parse("multipart/form-data; boundary=b", &[cut.as_bytes()]);
        assert_eq!(progress, Progress::Open);
        assert_eq!(parts[0].0, head("a", None));
        assert!(parts[0].1.len() >= 3);
    }

    #[test]
    fn boundaries_out_of_bounds_are_refused() {
        assert!(Multipart::for_content_type("multipart/form-data").is_none());
        assert!(Multipart::for_content_type("multipart/form-data; boundary=").is_none());
        assert!(
            Multipart::for_content_type(&format!("multipart/form-data; boundary={}", "b".repeat(71)))
                .is_none()
        );
        assert!(
            Multipart::for_content_type(&format!("multipart/form-data; boundary={}", "b".repeat(70)))
                .is_some()
        );
    }

    #[test]
    fn endless_headers_break_the_body_and_hold_nothing() {
        let mut parser = Multipart::for_content_type("multipart/form-data; boundary=b").unwrap();
        parser.feed(b"--b\r\n", &mut |_| {});
        for _ in 0..1000 {
            parser.feed(&[b'x'; 1000], &mut |_| {});
            assert!(parser.held.len() <= MAX_PART_HEADERS + 1000);
        }
        assert_eq!(parser.progress(), Progress::Broken);
        assert!(parser.held.is_empty());
    }

    proptest! {
        #[test]
        fn any_bytes_in_any_chunks_are_survived(
            body in proptest::collection::vec(prop_oneof![Just(b'-'), Just(b'b'), Just(b'\r'), Just(b'\n'), any::<u8>()], 0..300),
            size in 1_usize..40,
        ) {
            let chunks: Vec<_> = body.chunks(size).collect();
            let (split, progress) = parse("multipart/form-data; boundary=b", &chunks);
            let (whole, whole_progress) = parse("multipart/form-data; boundary=b", &[&body]);
            prop_assert_eq!(progress, whole_progress);
            prop_assert_eq!(split.len(), whole.len());
        }

        #[test]
        fn contents_come_back(
            contents in proptest::collection::vec(proptest::collection::vec(prop_oneof![Just(b'-'), Just(b'\r'), Just(b'\n'), any::<u8>()], 0..100), 0..5),
            size in 1_usize..60,
        ) {
            let mut body = Vec::new();
            for (index, content) in contents.iter().enumerate() {
                body.extend_from_slice(format!("--Xboundary\r\nContent-Disposition: form-data; name=\"p{index}\"\r\n\r\n").as_bytes());
                body.extend_from_slice(content);
                body.extend_from_slice(b"\r\n");
            }
            body.extend_from_slice(b"--Xboundary--\r\n");
            let chunks: Vec<_> = body.chunks(size).collect();
            let (parts, progress) = parse("multipart/form-data; boundary=Xboundary", &chunks);
            prop_assert_eq!(progress, Progress::Complete);
            let got: Vec<_> = parts.into_iter().map(|(_, content)| content).collect();
            prop_assert_eq!(got, contents);
        }
    }
}
