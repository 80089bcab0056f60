//! Texts with entities as plain texts: what cannot be seen any more is written out.

use super::object::Object;

/// A text or caption, with the addresses behind its words written after them. Everything else that entities do (bold,
/// code, spoilers) leaves the words as they are.
pub(super) fn readable(text: &str, entities: &[Object<'_>]) -> String {
    let mut links: Vec<(usize, String)> = entities.iter().filter_map(link).collect();
    if links.is_empty() {
        return text.to_owned();
    }
    links.sort_by_key(|(end, _)| *end);
    let mut links = links.into_iter().peekable();
    let mut written = String::with_capacity(text.len());
    let mut units = 0;
    for character in text.chars() {
        // Offsets count UTF-16 units.
        while let Some((_, url)) = links.next_if(|(end, _)| *end <= units) {
            write_link(&mut written, &url);
        }
        written.push(character);
        units += character.len_utf16();
    }
    for (_, url) in links {
        write_link(&mut written, &url);
    }
    written
}

/// Writes an address after the words that it stood behind, unless they say it themselves.
pub(super) fn write_link(written: &mut String, url: &str) {
    let bare = url.trim_start_matches("https://").trim_start_matches("http://").trim_end_matches('/');
    let said = written.trim_end_matches('/');
    if bare.is_empty() || said.ends_with(bare) {
        return;
    }
    // Words are often marked with the space behind them.
    let space = if written.ends_with(char::is_whitespace) || written.is_empty() { "" } else { " " };
    written.push_str(space);
    written.push('(');
    written.push_str(url);
    written.push(')');
}

/// Where a link ends, and its address. Of people without a name of their own there is nothing to be written.
fn link(entity: &Object<'_>) -> Option<(usize, String)> {
    if entity.text("type")? != "text_link" {
        return None;
    }
    let url = entity.words("url").filter(|url| !url.starts_with("tg://user?"))?;
    let end = entity.integer("offset")?.checked_add(entity.integer("length")?)?;
    Some((usize::try_from(end).ok()?, url))
}

/// The beginning of a text, in one line.
pub(super) fn excerpt(text: &str, characters: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", line[..end].trim_end()),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, entities: &str) -> String {
        let entities: Vec<_> =
            super::super::object::elements(entities.as_bytes()).into_iter().filter_map(Object::of).collect();
        readable(text, &entities)
    }

    #[test]
    fn addresses_behind_words_are_written_out_and_nothing_else_changes() {
        for (text, entities, expected) in [
            ("plain", "[]", "plain"),
            (
                "see here now",
                r#"[{"type":"text_link","offset":4,"length":4,"url":"https://a.example/x"}]"#,
                "see here (https://a.example/x) now",
            ),
            // A pair of UTF-16 units before it.
            (
                "😀 here",
                r#"[{"type":"text_link","offset":3,"length":4,"url":"https://a.example/"}]"#,
                "😀 here (https://a.example/)",
            ),
            (
                "a.example/x",
                r#"[{"type":"text_link","offset":0,"length":11,"url":"https://a.example/x"}]"#,
                "a.example/x",
            ),
            (
                "one two",
                r#"[{"type":"text_link","offset":4,"length":3,"url":"https://b.example"},
                    {"type":"text_link","offset":0,"length":4,"url":"https://a.example"}]"#,
                "one (https://a.example)two (https://b.example)",
            ),
            (
                "Ann",
                r#"[{"type":"text_mention","offset":0,"length":3,"user":{"id":1,"first_name":"Ann"}}]"#,
                "Ann",
            ),
            (
                "hidden code",
                r#"[{"type":"spoiler","offset":0,"length":6},{"type":"code","offset":7,"length":4}]"#,
                "hidden code",
            ),
            // Places that are no places.
            ("x", r#"[{"type":"text_link","offset":-5,"length":1,"url":"https://a.example"}]"#, "x"),
            (
                "x",
                r#"[{"type":"text_link","offset":9223372036854775807,"length":1,"url":"https://a.example"}]"#,
                "x",
            ),
            (
                "x",
                r#"[{"type":"text_link","offset":5,"length":90,"url":"https://a.example"}]"#,
                "x (https://a.example)",
            ),
        ] {
            assert_eq!(read(text, entities), expected, "{text}");
        }
    }

    #[test]
    fn an_excerpt_is_one_line_and_says_that_there_is_more() {
        assert_eq!(excerpt(" a\n b ", 10), "a b");
        assert_eq!(excerpt("привет, мир", 7), "привет,…");
        assert_eq!(excerpt("abc", 3), "abc");
    }
}
