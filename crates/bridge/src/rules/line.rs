//! A line of the owner's that is shown in place of an event: `Заказал: {text}`.

use super::Facts;

/// Longest template, and longest line it makes, in characters.
pub(super) const TEMPLATE_CHARACTERS: usize = 512;
const LINE_CHARACTERS: usize = 4096;

/// A template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Words(String),
    Fill(Fill),
}

/// What a template can be filled with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fill {
    Text,
    Command,
    Arguments,
    Kind,
    App,
}

impl Fill {
    const ALL: [(&'static str, Self); 5] = [
        ("text", Self::Text),
        ("command", Self::Command),
        ("arguments", Self::Arguments),
        ("kind", Self::Kind),
        ("app", Self::App),
    ];
}

impl Line {
    /// Reads a template; says what is wrong with it.
    pub(super) fn parse(template: &str) -> Result<Self, String> {
        if template.trim().is_empty() {
            return Err("the line is empty".to_owned());
        }
        if template.chars().count() > TEMPLATE_CHARACTERS {
            return Err(format!("the line is too long: at most {TEMPLATE_CHARACTERS} characters"));
        }
        let (mut pieces, mut words, mut rest) = (Vec::new(), String::new(), template);
        while let Some(at) = rest.find(['{', '}']) {
            words.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            rest = &rest[at + 1..];
            if let Some(doubled) = rest.strip_prefix(brace) {
                words.push_str(brace);
                rest = doubled;
                continue;
            }
            let ("{", Some((name, behind))) = (brace, rest.split_once('}')) else {
                return Err(format!("a {brace} stands alone; write {brace}{brace} for the character"));
            };
            let fill = Fill::ALL.iter().find(|(known, _)| *known == name).ok_or_else(|| {
                let known: Vec<_> = Fill::ALL.iter().map(|(known, _)| format!("{{{known}}}")).collect();
                format!("{{{name}}} is not known; expected one of {}", known.join(", "))
            })?;
            pieces.push(Piece::Words(std::mem::take(&mut words)));
            pieces.push(Piece::Fill(fill.1));
            rest = behind;
        }
        words.push_str(rest);
        pieces.push(Piece::Words(words));
        Ok(Self(pieces))
    }

    /// Fills it in; `None` when nothing readable comes of it.
    pub(super) fn write(&self, facts: &Facts<'_>) -> Option<String> {
        let mut line = String::new();
        for piece in &self.0 {
            let filled = match piece {
                Piece::Words(words) => words,
                Piece::Fill(Fill::Text) => facts.text(),
                Piece::Fill(Fill::Command) => facts.command().unwrap_or_default(),
                Piece::Fill(Fill::Arguments) => facts.arguments(),
                Piece::Fill(Fill::Kind) => facts.kind(),
                Piece::Fill(Fill::App) => facts.app().unwrap_or_default(),
            };
            line.push_str(filled);
        }
        let line: String = line.trim().chars().take(LINE_CHARACTERS).collect();
        (!line.is_empty()).then_some(line)
    }
}
