//! From an address to a bot and a method (reference/telegram.md 1.1).

use percent_encoding::percent_decode_str;

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    /// `/bot<token>/<method>`, also in the test environment.
    Method {
        token: String,
        method: String,
    },
    /// `/file/bot<token>/<path>`, also in the test environment.
    File {
        token: String,
        path: String,
    },
    Unknown,
}

/// The path is decoded before it is split, so an escaped colon or slash is as good as a plain one.
pub(super) fn route(path: &str) -> Route {
    let path = percent_decode_str(path).decode_utf8_lossy();
    let split = |rest: &str| {
        let (token, rest) = rest.split_once('/')?;
        // Both environments are one here: a test environment is a Telegram of its own anyway.
        Some((token.to_owned(), rest.strip_prefix("test/").unwrap_or(rest).to_owned()))
    };
    if let Some(rest) = path.strip_prefix("/bot") {
        return split(rest).map_or(Route::Unknown, |(token, method)| Route::Method { token, method });
    }
    if let Some(rest) = path.strip_prefix("/file/bot") {
        return split(rest).map_or(Route::Unknown, |(token, path)| Route::File { token, path });
    }
    Route::Unknown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_split_as_the_official_server_does() {
        let method = |token: &str, method: &str| Route::Method { token: token.into(), method: method.into() };
        let file = |path: &str| Route::File { token: "1:a".into(), path: path.into() };
        let cases = [
            ("/bot1:a/getMe", method("1:a", "getMe")),
            ("/bot1%3Aa/getMe", method("1:a", "getMe")),
            ("/bot1:a%2FgetMe", method("1:a", "getMe")),
            ("/bot1:a/test/getMe", method("1:a", "getMe")),
            ("/bot1:a/", method("1:a", "")),
            ("/bot1:a/getMe/", method("1:a", "getMe/")),
            ("/bot1:a", Route::Unknown),
            ("/", Route::Unknown),
            ("/Bot1:a/getMe", Route::Unknown),
            ("/x/bot1:a/getMe", Route::Unknown),
            ("/file/bot1:a/photos/file_1.jpg", file("photos/file_1.jpg")),
            ("/file/bot1:a/photos%2Ffile_1.jpg", file("photos/file_1.jpg")),
            ("/file/bot1:a/test/photos/file_1.jpg", file("photos/file_1.jpg")),
        ];
        for (path, expected) in cases {
            assert_eq!(route(path), expected, "{path}");
        }
    }
}
