//! `parse_mode=MarkdownV2`: nesting, escapes and the reserved characters, in the order Telegram reads them.

use super::{Entity, Formatted, Kind, Unparsable, markdown::link};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Bold,
    Italic,
    Underline,
    Strikethrough,
    Spoiler,
    Code,
    Pre,
    TextUrl,
    CustomEmoji,
    BlockQuote,
}

impl Style {
    /// The name Telegram uses in its errors.
    fn name(self, language: &str) -> &'static str {
        match self {
            Self::Bold => "Bold",
            Self::Italic => "Italic",
            Self::Underline => "Underline",
            Self::Strikethrough => "Strikethrough",
            Self::Spoiler => "Spoiler",
            Self::Code => "Code",
            Self::Pre if language.is_empty() => "Pre",
            Self::Pre => "PreCode",
            Self::TextUrl => "TextUrl",
            Self::CustomEmoji => "CustomEmoji",
            Self::BlockQuote => "BlockQuote",
        }
    }
}

/// An entity that has begun and not ended yet.
struct Open {
    style: Style,
    language: String,
    offset: usize,
    byte_offset: usize,
    begin: usize,
}

struct Parser<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    out: String,
    offset: usize,
    open: Vec<Open>,
    entities: Vec<Entity>,
    line_start: bool,
}

pub(super) fn parse(text: &str) -> Result<Formatted, Unparsable> {
    let mut parser = Parser {
        text,
        bytes: text.as_bytes(),
        at: 0,
        out: String::with_capacity(text.len()),
        offset: 0,
        open: Vec::new(),
        entities: Vec::new(),
        line_start: true,
    };
    while parser.at < text.len() {
        parser.step()?;
    }
    if parser.open.last().is_some_and(|open| open.style == Style::BlockQuote) {
        parser.end_quote("blockquote");
    }
    if let Some(open) = parser.open.last() {
        let name = open.style.name(&open.language);
        return Err(Unparsable(format!(
            "Can't find end of {name} entity at byte offset {}",
            open.byte_offset
        )));
    }
    Ok(Formatted { text: parser.out, entities: parser.entities })
}

impl Parser<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn rest_starts(&self, mark: &str) -> bool {
        self.text[self.at..].starts_with(mark)
    }

    fn take_char(&mut self) {
        let c = self.text[self.at..].chars().next().expect("within the text");
        self.out.push(c);
        self.offset += c.len_utf16();
        self.at += c.len_utf8();
        self.line_start = c == '\n';
    }

    fn step(&mut self) -> Result<(), Unparsable> {
        let c = self.peek(0);
        if c == b'\\' && (1..=126).contains(&self.peek(1)) {
            self.at += 1;
            self.take_char();
            self.line_start = false;
            return Ok(());
        }
        let inside = self.open.last().map(|open| open.style);
        let reserved: &[u8] = match inside {
            Some(Style::Code | Style::Pre) => b"`",
            _ => b"_*[]()~`>#+-=|{}.!\n",
        };
        if !reserved.contains(&c) {
            self.take_char();
            return Ok(());
        }
        if c == b'\n' {
            self.take_line_end();
            return Ok(());
        }
        if let Some(style) = inside
            && self.ends(style)
        {
            return self.end(style);
        }
        // The mark of an expandable quotation stands at the very end of its last line.
        if inside == Some(Style::BlockQuote) && self.rest_starts("||") && matches!(self.peek(2), 0 | b'\n') {
            self.at += 2;
            self.end_quote("expandable_blockquote");
            return Ok(());
        }
        self.begin(c)
    }

    fn take_line_end(&mut self) {
        let quoted = self.open.last().is_some_and(|open| open.style == Style::BlockQuote);
        self.take_char();
        if quoted {
            if self.peek(0) == b'>' {
                self.at += 1;
                self.line_start = false;
            } else {
                self.end_quote("blockquote");
            }
        }
    }

    fn ends(&self, style: Style) -> bool {
        match style {
            Style::Bold => self.peek(0) == b'*',
            Style::Italic => self.peek(0) == b'_' && self.peek(1) != b'_',
            Style::Underline => self.rest_starts("__"),
            Style::Strikethrough => self.peek(0) == b'~',
            Style::Spoiler => self.rest_starts("||"),
            Style::Code => self.peek(0) == b'`',
            Style::Pre => self.rest_starts("```"),
            Style::TextUrl | Style::CustomEmoji => self.peek(0) == b']',
            Style::BlockQuote => false,
        }
    }

    fn begin(&mut self, c: u8) -> Result<(), Unparsable> {
        let byte_offset = self.at;
        let mut language = String::new();
        let (style, mark) = match c {
            b'_' if self.peek(1) == b'_' => (Style::Underline, 2),
            b'_' => (Style::Italic, 1),
            b'*' => (Style::Bold, 1),
            b'~' => (Style::Strikethrough, 1),
            b'|' if self.peek(1) == b'|' => (Style::Spoiler, 2),
            b'[' => (Style::TextUrl, 1),
            b'!' if self.peek(1) == b'[' => (Style::CustomEmoji, 2),
            b'`' if self.rest_starts("```") => (Style::Pre, 3),
            b'`' => (Style::Code, 1),
            b'>' if self.line_start => (Style::BlockQuote, 1),
            _ => {
                let c = char::from(c);
                return Err(Unparsable(format!(
                    "Character '{c}' is reserved and must be escaped with the preceding '\\'"
                )));
            }
        };
        self.at += mark;
        if style == Style::Pre {
            let rest = &self.text[self.at..];
            if let Some(end) = rest.find(|c: char| c.is_whitespace() || c == '`')
                && !rest[end..].starts_with('`')
            {
                rest[..end].clone_into(&mut language);
                self.at += end;
            }
            if self.peek(0) == b'\n' {
                self.at += 1;
            }
        }
        self.line_start = false;
        self.open.push(Open { style, language, offset: self.offset, byte_offset, begin: self.out.len() });
        Ok(())
    }

    fn end(&mut self, style: Style) -> Result<(), Unparsable> {
        let open = self.open.pop().expect("an entity is open");
        let kind = match style {
            Style::Bold => Some(Kind::Plain("bold")),
            Style::Italic => Some(Kind::Plain("italic")),
            Style::Underline => Some(Kind::Plain("underline")),
            Style::Strikethrough => Some(Kind::Plain("strikethrough")),
            Style::Spoiler => Some(Kind::Plain("spoiler")),
            Style::Code => Some(Kind::Plain("code")),
            Style::Pre => Some(Kind::Pre(Some(open.language).filter(|name| !name.is_empty()))),
            Style::TextUrl | Style::CustomEmoji => {
                self.at += 1;
                let url = self.address(open.begin, style)?;
                match style {
                    Style::CustomEmoji => Some(Kind::CustomEmoji(custom_emoji(&url)?)),
                    _ => link(&url),
                }
            }
            Style::BlockQuote => None,
        };
        self.at += match style {
            Style::Underline | Style::Spoiler => 2,
            Style::Pre => 3,
            Style::TextUrl | Style::CustomEmoji => 0,
            _ => 1,
        };
        self.close(kind, open.offset);
        Ok(())
    }

    /// The `(address)` behind `[text]`; without one the text is its own address.
    fn address(&mut self, begin: usize, style: Style) -> Result<String, Unparsable> {
        if self.peek(0) != b'(' {
            if style == Style::CustomEmoji {
                return Err(Unparsable("Custom emoji entity must contain a tg://emoji URL".to_owned()));
            }
            return Ok(self.out[begin..].to_owned());
        }
        self.at += 1;
        let begin = self.at;
        let mut url = String::new();
        loop {
            match self.peek(0) {
                0 => return Err(Unparsable(format!("Can't find end of a URL at byte offset {begin}"))),
                b')' => break,
                b'\\' if (1..=126).contains(&self.peek(1)) => self.at += 1,
                _ => {}
            }
            let c = self.text[self.at..].chars().next().expect("within the text");
            url.push(c);
            self.at += c.len_utf8();
        }
        self.at += 1;
        Ok(url)
    }

    fn end_quote(&mut self, kind: &'static str) {
        let open = self.open.pop().expect("a quotation is open");
        self.close(Some(Kind::Plain(kind)), open.offset);
    }

    fn close(&mut self, kind: Option<Kind>, offset: usize) {
        let length = self.offset - offset;
        if let Some(kind) = kind.filter(|_| length > 0) {
            self.entities.push(Entity { kind, offset, length });
        }
    }
}

/// The id in `tg://emoji?id=…`.
fn custom_emoji(url: &str) -> Result<String, Unparsable> {
    url.strip_prefix("tg://emoji?id=")
        .filter(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()))
        .map(str::to_owned)
        .ok_or_else(|| Unparsable("Custom emoji URL must have an emoji identifier".to_owned()))
}
