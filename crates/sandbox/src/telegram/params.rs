//! A call after its request was read: method, parameters and files, whatever form they came in.
//!
//! The parameters are a list of names and texts, as the official server has it: the first occurrence of a name
//! wins, an empty value is an absent one, and a number or an object sent as JSON is its JSON text.

use bytes::Bytes;
use serde_json::Value;

use super::ApiError;

/// One call of a Bot API method.
#[derive(Debug, Clone, Default)]
pub(crate) struct Call {
    /// The name as it was sent, in any case.
    pub(crate) method: String,
    /// Its parameters.
    pub(crate) params: Params,
    /// The files of a multipart body.
    pub(crate) files: Vec<UploadedFile>,
}

impl Call {
    /// The file that came in the part of this name.
    pub(crate) fn file(&self, part: &str) -> Option<&UploadedFile> {
        self.files.iter().find(|file| file.field == part)
    }

    /// The file a parameter's value names: `attach://<part>`, or the bytes in a part of the parameter's own
    /// name.
    pub(crate) fn attached(&self, name: &str) -> Option<&UploadedFile> {
        match self.params.text(name).and_then(|value| value.strip_prefix("attach://")) {
            Some(part) => self.file(part),
            None => self.file(name),
        }
    }
}

/// A file part of a multipart body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UploadedFile {
    /// Name of the part.
    pub(crate) field: String,
    /// The client's name for it; may be empty.
    pub(crate) file_name: String,
    /// The part's own type, if it named one.
    pub(crate) content_type: Option<String>,
    /// Its content.
    pub(crate) bytes: Bytes,
}

/// Names and texts in the order they were read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    /// Adds a pair; an earlier one of the same name stays the one that counts.
    pub(crate) fn push(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.push((name.into(), value.into()));
    }

    /// All pairs, repeated names included.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The value, unless it is absent or empty.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(key, _)| key == name)?;
        (!value.is_empty()).then_some(value.as_str())
    }

    /// The value, or the error the official server has for a missing one.
    pub(crate) fn required(&self, name: &str) -> Result<&str, ApiError> {
        self.text(name).ok_or_else(|| ApiError::required(name))
    }

    /// The value as the official server reads numbers: leading digits count, garbage is 0.
    pub(crate) fn int(&self, name: &str) -> Option<i64> {
        self.text(name).map(lenient_int)
    }

    /// `true`, `yes` and `1` in any case are true, all else and an absent value false.
    pub(crate) fn bool(&self, name: &str) -> bool {
        let value = self.text(name).unwrap_or_default().trim();
        value == "1" || value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("yes")
    }

    /// The value as JSON; `None` when it is absent or no JSON.
    pub(crate) fn json(&self, name: &str) -> Option<Value> {
        serde_json::from_str(self.text(name)?).ok()
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Params {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

/// Sign and leading digits, saturating; 0 when there are none.
fn lenient_int(text: &str) -> i64 {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let digits = digits.bytes().map_while(|byte| byte.is_ascii_digit().then(|| i64::from(byte - b'0')));
    digits.fold(0_i64, |number, digit| number.saturating_mul(10).saturating_add(sign * digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_occurrence_of_a_name_wins_and_empty_is_absent() {
        let params = Params::from_iter([("a", "1"), ("a", "2"), ("b", ""), ("b", "x")]);
        assert_eq!(params.text("a"), Some("1"));
        assert_eq!(params.text("b"), None);
        let error = params.required("b").unwrap_err();
        assert_eq!(error.description, "Bad Request: parameter \"b\" is required");
    }

    #[test]
    fn numbers_and_booleans_are_read_leniently() {
        let cases = [
            ("7", 7),
            ("-7", -7),
            ("12ab", 12),
            ("ab", 0),
            ("null", 0),
            ("-", 0),
            ("99999999999999999999", i64::MAX),
            ("-99999999999999999999", i64::MIN),
        ];
        for (text, number) in cases {
            assert_eq!(lenient_int(text), number, "{text}");
        }
        for yes in ["true", "TRUE", " yes ", "1"] {
            assert!(Params::from_iter([("x", yes)]).bool("x"), "{yes}");
        }
        for no in ["false", "on", "2", "null"] {
            assert!(!Params::from_iter([("x", no)]).bool("x"), "{no}");
        }
    }
}
