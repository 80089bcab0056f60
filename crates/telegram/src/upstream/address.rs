//! Addresses of requests: the only place where a token becomes part of one.

use http::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::ServerBase;
use crate::token::Token;

/// What stands for itself in one segment of a path.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b':');
/// The same and slashes.
const PATH: &AsciiSet = &SEGMENT.remove(b'/');

/// Which of Telegram's two environments a path is in (reference/telegram.md 1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Environment {
    Production,
    Test,
}

impl Environment {
    const fn segment(self) -> &'static str {
        match self {
            Self::Production => "",
            Self::Test => "/test",
        }
    }
}

/// `<base>/bot<token>/<method>`. `None` when that is no address: too long, mostly.
pub(super) fn method(
    base: &ServerBase,
    token: &Token,
    environment: Environment,
    method: &str,
    query: Option<&str>,
) -> Option<Uri> {
    let method = utf8_percent_encode(method, SEGMENT);
    let (base, token, test) = (base.as_str(), token.expose(), environment.segment());
    with_query(format!("{base}/bot{token}{test}/{method}"), query)
}

/// `<base>/file/bot<token>/<path>`. `None` also for a path that would climb out of the bot's own files.
pub(super) fn file(
    base: &ServerBase,
    token: &Token,
    environment: Environment,
    path: &str,
    query: Option<&str>,
) -> Option<Uri> {
    if path.split('/').any(|segment| matches!(segment, "." | "..")) {
        return None;
    }
    let path = utf8_percent_encode(path, PATH);
    let (base, token, test) = (base.as_str(), token.expose(), environment.segment());
    with_query(format!("{base}/file/bot{token}{test}/{path}"), query)
}

fn with_query(mut address: String, query: Option<&str>) -> Option<Uri> {
    if let Some(query) = query {
        address.push('?');
        address.push_str(query);
    }
    address.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_telegrams() {
        let base = ServerBase::parse("https://api.telegram.org").unwrap();
        let token = Token::parse("42:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0").unwrap();
        let at = "/bot42:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0";
        let method = |environment, name, query| {
            method(&base, &token, environment, name, query).unwrap().path_and_query().unwrap().to_string()
        };
        assert_eq!(method(Environment::Production, "getMe", None), format!("{at}/getMe"));
        assert_eq!(method(Environment::Test, "getMe", Some("a=b%20c")), format!("{at}/test/getMe?a=b%20c"));
        assert_eq!(method(Environment::Production, "", Some("method=getMe")), format!("{at}/?method=getMe"));
        assert_eq!(
            method(Environment::Production, "a/../b?c#é", None),
            format!("{at}/a%2F..%2Fb%3Fc%23%C3%A9")
        );
        let file = |path| file(&base, &token, Environment::Production, path, None);
        assert_eq!(file("photos/file 1.jpg").unwrap().path(), format!("/file{at}/photos/file%201.jpg"));
        assert_eq!(file("../bot7/secret"), None);
        assert_eq!(file("photos/.."), None);
    }

    #[test]
    fn an_address_that_is_too_long_is_none() {
        let base = ServerBase::parse("https://api.telegram.org").unwrap();
        let token = Token::parse("42:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0").unwrap();
        let query = "a".repeat(66_000);
        assert_eq!(method(&base, &token, Environment::Production, "sendMessage", Some(&query)), None);
    }
}
