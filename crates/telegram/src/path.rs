//! Addresses that apps ask for: `/bot<token>/<method>` and `/file/bot<token>/<path>` (reference/telegram.md 1.1).

use std::fmt;

use http::Uri;
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    envelope::Failure,
    token::{Token, TokenError},
    upstream::Target,
};

/// What an app asks for, and as whom.
#[derive(Clone)]
pub struct CallPath {
    token: SecretString,
    wanted: Wanted,
}

#[derive(Debug, Clone)]
enum Wanted {
    Method(String),
    File(String),
}

impl CallPath {
    /// Reads the address of a request. The path is decoded before it is cut, as Telegram does it, so that `%3A` in a
    /// token and `%2F` in a file's path mean what they stand for. The error is the answer to give.
    pub fn parse(uri: &Uri) -> Result<Self, Failure> {
        if uri.scheme().is_some() {
            return Err(Failure::ABSOLUTE_URI);
        }
        let path = percent_decode_str(uri.path()).decode_utf8_lossy();
        let (rest, wanted): (_, fn(String) -> Wanted) = if let Some(rest) = path.strip_prefix("/bot") {
            (rest, Wanted::Method)
        } else if let Some(rest) = path.strip_prefix("/file/bot") {
            (rest, Wanted::File)
        } else {
            return Err(Failure::NOT_FOUND);
        };
        let (token, rest) = rest.split_once('/').ok_or(Failure::NOT_FOUND)?;
        Ok(Self { token: token.into(), wanted: wanted(rest.to_owned()) })
    }

    /// The token that was presented, if it can be one.
    pub fn token(&self) -> Result<Token, TokenError> {
        Token::parse(self.token.expose_secret())
    }

    /// What is wanted, for [`crate::upstream::Upstream::pipe`]. A method may be empty: the parameter `method` then
    /// names it. A slash at the end is part of the name and makes it an unknown one.
    pub fn target(&self) -> Target<'_> {
        match &self.wanted {
            Wanted::Method(method) => Target::Method(method),
            Wanted::File(path) => Target::File(path),
        }
    }

    /// The name of the method without the segment of the test environment, for [`crate::methods::Class::of`].
    pub fn method(&self) -> Option<&str> {
        match &self.wanted {
            Wanted::Method(method) => Some(method.strip_prefix("test/").unwrap_or(method)),
            Wanted::File(_) => None,
        }
    }
}

impl fmt::Debug for CallPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CallPath").field(&self.wanted).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "42:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0";

    fn parse(path: &str) -> Result<CallPath, Failure> {
        CallPath::parse(&path.replace("TOKEN", TOKEN).parse().unwrap())
    }

    #[test]
    fn paths_are_decoded_and_then_cut() {
        for (path, wanted, method) in [
            ("/botTOKEN/getMe", "Method(\"getMe\")", Some("getMe")),
            ("/botTOKEN/getMe?method=x", "Method(\"getMe\")", Some("getMe")),
            (
                "/bot42%3AAAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0/SendMessage",
                "Method(\"SendMessage\")",
                Some("SendMessage"),
            ),
            ("/%62otTOKEN/test/getMe", "Method(\"test/getMe\")", Some("getMe")),
            ("/botTOKEN/getMe/", "Method(\"getMe/\")", Some("getMe/")),
            ("/botTOKEN/", "Method(\"\")", Some("")),
            ("/file/botTOKEN/photos%2Ffile_1.jpg", "File(\"photos/file_1.jpg\")", None),
            ("/file/botTOKEN/test/photos/file_1.jpg", "File(\"test/photos/file_1.jpg\")", None),
        ] {
            let call = parse(path).unwrap();
            assert_eq!(call.token().unwrap().expose(), TOKEN, "{path}");
            assert_eq!(format!("{:?}", call.target()), wanted, "{path}");
            assert_eq!(call.method(), method, "{path}");
            assert!(!format!("{call:?}").contains("AAHd"));
        }
    }

    #[test]
    fn other_paths_are_not_found() {
        for path in [
            "/",
            "/botTOKEN",
            "/getMe",
            "/ui/botTOKEN/getMe",
            "/file/TOKEN/x",
            "/file/botTOKEN",
            "//botTOKEN/getMe",
        ] {
            assert_eq!(parse(path).unwrap_err(), Failure::NOT_FOUND, "{path}");
        }
        assert_eq!(parse("http://gateway/botTOKEN/getMe").unwrap_err(), Failure::ABSOLUTE_URI);
        assert_eq!(parse("/bot/getMe").unwrap().token(), Err(TokenError::Malformed));
        assert!(parse("/bot42:short/getMe").unwrap().token().is_err());
    }
}
