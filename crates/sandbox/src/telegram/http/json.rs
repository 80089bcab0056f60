//! Parameters as a JSON object, read as leniently as the official server does.
//!
//! A syntax error ends the reading and is no error: what came before it counts. Values that are no strings keep
//! their JSON text.

use serde::de::DeserializeOwned;
use serde_json::{Deserializer, value::RawValue};

use super::reading::Parsed;

/// Adds the members of an object; a bare string becomes the parameter `content`.
pub(super) fn read(body: &[u8], into: &mut Parsed) {
    let mut text = Text(body);
    match text.peek() {
        Some(b'"') => {
            if let Some(content) = text.take::<String>() {
                into.add(b"content".to_vec(), content.into_bytes());
            }
        }
        Some(b'{') => {
            text.skip();
            // The loop ends at the closing brace and at the first thing that is out of place.
            while text.member(into).is_some() && text.peek() == Some(b',') {
                text.skip();
            }
        }
        _ => {}
    }
}

/// What is left of the text.
struct Text<'a>(&'a [u8]);

impl Text<'_> {
    /// The next byte that is no white space.
    fn peek(&mut self) -> Option<u8> {
        self.0 = self.0.trim_ascii_start();
        self.0.first().copied()
    }

    fn skip(&mut self) {
        self.0 = self.0.get(1..).unwrap_or_default();
    }

    /// The next value, if it is whole and of this type.
    fn take<T: DeserializeOwned>(&mut self) -> Option<T> {
        let mut values = Deserializer::from_slice(self.0).into_iter::<T>();
        let value = values.next()?.ok()?;
        self.0 = self.0.get(values.byte_offset()..)?;
        Some(value)
    }

    fn member(&mut self, into: &mut Parsed) -> Option<()> {
        (self.peek()? == b'"').then_some(())?;
        let name: String = self.take()?;
        (self.peek()? == b':').then_some(())?;
        self.skip();
        let value = match self.peek()? {
            b'"' => self.take::<String>()?,
            _ => self.take::<Box<RawValue>>()?.get().to_owned(),
        };
        into.add(name.into_bytes(), value.into_bytes());
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(body: &str) -> Vec<(String, String)> {
        let mut parsed = Parsed::default();
        read(body.as_bytes(), &mut parsed);
        parsed.params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    fn check(body: &str, expected: &[(&str, &str)]) {
        let expected: Vec<_> = expected.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        assert_eq!(params(body), expected, "{body}");
    }

    #[test]
    fn values_keep_their_json_text_and_strings_are_unescaped() {
        check(
            r#" {"a": 7.50, "b":[1, "x"],"c":{"d":null}, "e":null,"f":true,"g":"\u0410\n"} "#,
            &[
                ("a", "7.50"),
                ("b", r#"[1, "x"]"#),
                ("c", r#"{"d":null}"#),
                ("e", "null"),
                ("f", "true"),
                ("g", "А\n"),
            ],
        );
        check(r#""hello""#, &[("content", "hello")]);
    }

    #[test]
    fn what_came_before_a_syntax_error_counts() {
        check(r#"{"a":1,"b":[1,}"#, &[("a", "1")]);
        check(r#"{"a":1 "b":2}"#, &[("a", "1")]);
        check(r#"{"a":"x","b":"y"#, &[("a", "x")]);
        check(r#"{"a":1,}"#, &[("a", "1")]);
        check(r#"{"a":1}{"b":2}"#, &[("a", "1")]);
        for nothing in ["", "{}", "[1]", "7", "{", "{a:1}", "nonsense"] {
            check(nothing, &[]);
        }
    }
}
