//! The layer of `tandem.toml`.

use std::path::Path;

use super::{Layer, SettingsError};

pub(super) fn read(path: &Path) -> Result<Layer, SettingsError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| SettingsError::Unreadable { path: path.to_owned(), source })?;
    parse(&path.display().to_string(), &text)
}

pub(super) fn parse(name: &str, text: &str) -> Result<Layer, SettingsError> {
    toml::from_str(text).map_err(|error| {
        // The parser's own rendering would quote the line, and a line may hold a password: only its place is said.
        let place = error.span().map(|span| place(text, span.start)).unwrap_or_default();
        SettingsError::Wrong { source_name: format!("{name}{place}"), message: error.message().to_owned() }
    })
}

/// ` line 3, server.gateway` for a position in the text.
fn place(text: &str, at: usize) -> String {
    let before = &text.as_bytes()[..at.min(text.len())];
    let number = before.split(|byte| *byte == b'\n').count();
    let lines: Vec<&str> = text.lines().take(number).collect();
    let section = lines.iter().rev().find_map(|line| {
        line.trim().strip_prefix('[').and_then(|rest| rest.split(']').next()).map(str::trim)
    });
    let key = lines.last().and_then(|line| line.split_once('=')).map(|(key, _)| key.trim());
    match (section, key) {
        (Some(section), Some(key)) => format!(" line {number}, {section}.{key}"),
        (None, Some(key)) => format!(" line {number}, {key}"),
        (_, None) => format!(" line {number}"),
    }
}
