//! Collecting parameters from a body that arrives in chunks, with bounded memory.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::write::{GzDecoder, ZlibDecoder};
use http::{HeaderMap, header};

use super::{
    FilePart, Params, ParamsError, content_type,
    form::{self, Form, Texts},
};
use crate::multipart::{Multipart, PartHead, Piece, Progress};

/// How much is kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Of names and values together.
    pub(crate) text_bytes: usize,
    /// Of files' contents together; 0 keeps names and sizes only.
    pub(crate) file_bytes: usize,
    /// How many files.
    pub(crate) files: usize,
}

impl Limits {
    const MEBIBYTE: usize = 1 << 20;

    pub(crate) const fn for_reading() -> Self {
        Self { text_bytes: Self::MEBIBYTE, file_bytes: 4 * Self::MEBIBYTE, files: 50 }
    }

    pub(crate) const fn for_capture() -> Self {
        Self { text_bytes: Self::MEBIBYTE, file_bytes: 0, files: 50 }
    }
}

#[derive(Debug)]
pub(crate) struct Collector(Coding);

#[derive(Debug)]
enum Coding {
    Plain(Sink),
    Gzip(GzDecoder<Sink>),
    Deflate(ZlibDecoder<Sink>),
    /// Decompressing failed: what was read before counts.
    Failed(Sink),
}

impl Collector {
    /// Takes the query at once; the body follows by [`Collector::feed`].
    pub(crate) fn new(query: Option<&str>, headers: &HeaderMap, limits: Limits) -> Result<Self, ParamsError> {
        let sink = Sink::new(query, content_type(headers), limits);
        let coding = headers.get(header::CONTENT_ENCODING).map(|coding| coding.as_bytes().trim_ascii());
        Ok(Self(match coding {
            None | Some(b"") => Coding::Plain(sink),
            Some(coding) if coding.eq_ignore_ascii_case(b"identity") => Coding::Plain(sink),
            Some(coding) if coding.eq_ignore_ascii_case(b"gzip") => Coding::Gzip(GzDecoder::new(sink)),
            Some(coding) if coding.eq_ignore_ascii_case(b"deflate") => {
                Coding::Deflate(ZlibDecoder::new(sink))
            }
            Some(_) => return Err(ParamsError::UnsupportedEncoding),
        }))
    }

    /// Takes a chunk of the body.
    pub(crate) fn feed(&mut self, chunk: &[u8]) {
        let written = match &mut self.0 {
            Coding::Plain(sink) => {
                sink.take(chunk);
                return;
            }
            Coding::Gzip(decoder) => decoder.write_all(chunk),
            Coding::Deflate(decoder) => decoder.write_all(chunk),
            Coding::Failed(_) => return,
        };
        if written.is_err() {
            let sink = match &mut self.0 {
                Coding::Gzip(decoder) => std::mem::take(decoder.get_mut()),
                Coding::Deflate(decoder) => std::mem::take(decoder.get_mut()),
                Coding::Plain(_) | Coding::Failed(_) => return,
            };
            self.0 = Coding::Failed(sink);
        }
    }

    /// What was found, with [`Params::whole`] saying whether that is all.
    pub(crate) fn finish(self) -> Params {
        let (sink, readable) = self.decoded();
        let ended = sink.finish();
        Params { whole: readable && !ended.too_large && ended.complete, ..ended.params }
    }

    /// What was found, or why there cannot be a whole.
    pub(crate) fn finish_strictly(self) -> Result<Params, ParamsError> {
        let (sink, readable) = self.decoded();
        let multipart = sink.form == Form::Multipart;
        let ended = sink.finish();
        if ended.too_large {
            return Err(ParamsError::TooLarge);
        }
        if !readable || (multipart && !ended.complete) {
            return Err(ParamsError::Broken);
        }
        Ok(Params { whole: ended.complete, ..ended.params })
    }

    fn decoded(self) -> (Sink, bool) {
        match self.0 {
            Coding::Plain(sink) => (sink, true),
            Coding::Failed(sink) => (sink, false),
            Coding::Gzip(mut decoder) => {
                let ended = decoder.try_finish().is_ok();
                (std::mem::take(decoder.get_mut()), ended)
            }
            Coding::Deflate(mut decoder) => {
                let ended = decoder.try_finish().is_ok();
                (std::mem::take(decoder.get_mut()), ended)
            }
        }
    }
}

/// Where the decoded body goes. `Write` only so that a decompressor can pour into it: a body that blows up is
/// counted here piece by piece, never held.
#[derive(Debug)]
struct Sink {
    form: Form,
    /// A body that must be here whole before it can be read.
    buffer: Vec<u8>,
    /// `None` when the type names no boundary.
    multipart: Option<Multipart>,
    seen_bytes: u64,
    kept: Kept,
}

/// What is kept of the parts.
#[derive(Debug)]
struct Kept {
    limits: Limits,
    texts: Texts,
    text_bytes: usize,
    files: Vec<FilePart>,
    file_bytes: usize,
    too_large: bool,
    part: Part,
}

/// The part that is passing.
#[derive(Debug)]
enum Part {
    None,
    Text(PartHead, Vec<u8>),
    File(FilePart, Vec<u8>),
    /// One that is not kept.
    Dropped,
}

struct Ended {
    params: Params,
    too_large: bool,
    complete: bool,
}

impl Default for Sink {
    fn default() -> Self {
        Self::new(None, "", Limits::for_capture())
    }
}

impl Sink {
    fn new(query: Option<&str>, content_type: &str, limits: Limits) -> Self {
        let form = Form::of(content_type);
        let multipart =
            if form == Form::Multipart { Multipart::for_content_type(content_type) } else { None };
        let query = query.unwrap_or("");
        let mut texts = Texts::default();
        let too_large = query.len() > limits.text_bytes;
        if !too_large {
            form::read_urlencoded(query.as_bytes(), &mut texts);
        }
        let kept = Kept {
            limits,
            texts,
            text_bytes: query.len(),
            files: Vec::new(),
            file_bytes: 0,
            too_large,
            part: Part::None,
        };
        Self { form, buffer: Vec::new(), multipart, seen_bytes: 0, kept }
    }

    fn take(&mut self, chunk: &[u8]) {
        self.seen_bytes += chunk.len() as u64;
        match self.form {
            Form::Other => {}
            Form::Urlencoded | Form::Json => {
                if self.kept.reserve(chunk.len()) {
                    self.buffer.extend_from_slice(chunk);
                } else {
                    self.buffer = Vec::new();
                }
            }
            Form::Multipart => {
                if let Some(multipart) = &mut self.multipart {
                    let kept = &mut self.kept;
                    multipart.feed(chunk, &mut |piece| kept.take(piece));
                }
            }
        }
    }

    fn finish(mut self) -> Ended {
        let complete = match self.form {
            Form::Other => true,
            Form::Urlencoded => {
                form::read_urlencoded(&self.buffer, &mut self.kept.texts);
                true
            }
            Form::Json => form::read_json(&self.buffer, &mut self.kept.texts),
            // A client announces multipart and sends nothing when a method has no parameters.
            Form::Multipart => {
                self.seen_bytes == 0
                    || self.multipart.is_some_and(|multipart| multipart.progress() == Progress::Complete)
            }
        };
        let too_large = self.kept.too_large || self.kept.texts.overflowed;
        let params = Params { texts: self.kept.texts.values, files: self.kept.files, whole: complete };
        Ended { params, too_large, complete }
    }
}

impl Write for Sink {
    fn write(&mut self, chunk: &[u8]) -> io::Result<usize> {
        self.take(chunk);
        Ok(chunk.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Kept {
    /// Whether so many more bytes of text may be kept. Once they may not, nothing more is.
    fn reserve(&mut self, bytes: usize) -> bool {
        self.text_bytes = self.text_bytes.saturating_add(bytes);
        self.too_large |= self.text_bytes > self.limits.text_bytes;
        !self.too_large
    }

    fn take(&mut self, piece: Piece<'_>) {
        match piece {
            Piece::Begin(head) => self.begin(head),
            Piece::Data(data) => self.data(data),
            Piece::End => self.end(),
        }
    }

    fn begin(&mut self, head: PartHead) {
        let names = head.name.len() + head.file_name.as_ref().map_or(0, String::len);
        let kept = self.reserve(names);
        self.part = match head.file_name {
            _ if !kept => Part::Dropped,
            None => Part::Text(head, Vec::new()),
            Some(_) if self.files.len() == self.limits.files => {
                self.too_large = true;
                Part::Dropped
            }
            Some(file_name) => {
                let (name, content_type) = (head.name, head.content_type);
                let file = FilePart { name, file_name, content_type, size_bytes: 0, content: Bytes::new() };
                Part::File(file, Vec::new())
            }
        };
    }

    fn data(&mut self, data: &[u8]) {
        let text = matches!(self.part, Part::Text(..));
        if text && !self.reserve(data.len()) {
            self.part = Part::Dropped;
        }
        match &mut self.part {
            Part::None | Part::Dropped => {}
            Part::Text(_, value) => value.extend_from_slice(data),
            Part::File(file, content) => {
                file.size_bytes += data.len() as u64;
                if self.limits.file_bytes > 0 {
                    self.file_bytes += data.len();
                    if self.file_bytes > self.limits.file_bytes {
                        self.too_large = true;
                        self.part = Part::Dropped;
                    } else {
                        content.extend_from_slice(data);
                    }
                }
            }
        }
    }

    fn end(&mut self) {
        match std::mem::replace(&mut self.part, Part::None) {
            Part::None | Part::Dropped => {}
            Part::Text(head, value) => {
                if head.content_type.as_deref().is_some_and(|own| Form::of(own) == Form::Urlencoded) {
                    form::read_urlencoded(&value, &mut self.texts);
                } else {
                    let value = String::from_utf8_lossy(&value).into_owned();
                    self.texts.insert(head.name, value);
                }
            }
            Part::File(file, content) => self.files.push(FilePart { content: content.into(), ..file }),
        }
    }
}
