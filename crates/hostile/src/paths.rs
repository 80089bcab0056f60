//! Addresses that apps ask for, and their percent-encoding.

use std::fmt::Write as _;

use http::Uri;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode, percent_encode};
use tandem_telegram::{methods::Class, path::CallPath, upstream::Target};

pub(crate) fn hold(data: &[u8]) {
    let encoded = percent_encode(data, NON_ALPHANUMERIC).to_string();
    assert_eq!(percent_decode(encoded.as_bytes()).collect::<Vec<_>>(), data);
    for text in [String::from_utf8_lossy(data).into_owned(), format!("/{encoded}"), format!("/bot{encoded}")]
    {
        if let Ok(uri) = text.parse() {
            check(&uri);
        }
    }
}

fn check(uri: &Uri) {
    let Ok(call) = CallPath::parse(uri) else { return };
    let secret = call.token().ok().and_then(|token| Some(token.expose().split_once(':')?.1.to_owned()));
    let target = match call.target() {
        Target::Method(method) => format!("bot|{method}"),
        Target::File(path) => format!("file/bot|{path}"),
    };
    if let (Some(secret), Some(method)) = (&secret, call.method()) {
        assert!(method.contains(secret.as_str()) || !format!("{call:?}").contains(secret.as_str()));
        let _ = Class::of(method);
    }
    // Whatever is encoded of it, it means the same.
    let (prefix, rest) = target.split_once('|').expect("it was put there");
    let token = call.token().map(|token| token.expose().to_owned());
    let Ok(token) = token else { return };
    let mut again = format!("/{prefix}");
    for byte in token.bytes() {
        let _ = write!(again, "%{byte:02x}");
    }
    let _ = write!(again, "/{}", percent_encode(rest.as_bytes(), NON_ALPHANUMERIC));
    let Ok(again) = again.parse() else { return };
    let again = CallPath::parse(&again).expect("it is an address still");
    assert_eq!(format!("{call:?}"), format!("{again:?}"));
    assert_eq!(call.token(), again.token());
}
