//! Where a webhook goes: its address taken apart, judged and resolved (reference/telegram.md 3.2).

use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::{HeaderValue, Uri};
use percent_encoding::percent_decode_str;
use url::Url;

use super::{MAX_CERTIFICATE_BYTES, Wish, address::Address};
use crate::telegram::{ApiError, Bot};

const CLOUD_PORTS: [u16; 4] = [80, 88, 443, 8443];

/// A webhook's address, ready for connections.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) wish: Wish,
    pub(super) scheme: Scheme,
    /// The `Host` header.
    pub(super) host_header: HeaderValue,
    /// Path and query of the request line.
    pub(super) path: Uri,
    /// From the user info of the address.
    pub(super) authorization: Option<HeaderValue>,
    pub(super) address: Address,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    Http,
    Https,
}

/// Judges a wish and resolves its name.
pub(super) async fn accept(bot: &Bot, wish: Wish, strict: bool) -> Result<Target, ApiError> {
    let invalid = || ApiError::bad_request("invalid webhook URL specified");
    let url = parse(&wish.url).ok_or_else(invalid)?;
    if let Some(certificate) = &wish.certificate
        && certificate.len() > MAX_CERTIFICATE_BYTES
    {
        let text = format!("certificate size is too big ({} bytes)", certificate.len());
        return Err(ApiError::bad_request(text));
    }
    let scheme = if url.scheme() == "https" { Scheme::Https } else { Scheme::Http };
    let port = url.port_or_known_default().ok_or_else(invalid)?;
    if strict {
        if scheme == Scheme::Http {
            return Err(bad("An HTTPS URL must be provided for webhook"));
        }
        if !CLOUD_PORTS.contains(&port) {
            return Err(bad("Webhook can be set up only on ports 80, 88, 443 or 8443"));
        }
    }
    let host = url.host().ok_or_else(invalid)?.to_owned();
    let fixed = wish.fixed_address.as_deref();
    let address = Address::find(bot, host.clone(), port, fixed, strict).await.map_err(bad)?;
    let host_header = match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_string(),
    };
    let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
    Ok(Target {
        scheme,
        host_header: HeaderValue::try_from(host_header).map_err(|_not_a_header| invalid())?,
        path: path.parse().map_err(|_not_a_path| invalid())?,
        authorization: authorization(&url),
        address,
        wish,
    })
}

fn bad(reason: impl AsRef<str>) -> ApiError {
    ApiError::bad_request(format!("bad webhook: {}", reason.as_ref()))
}

/// An http or https address; without a scheme, https.
fn parse(url: &str) -> Option<Url> {
    let url = if url.contains("://") { Url::parse(url) } else { Url::parse(&format!("https://{url}")) };
    url.ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

fn authorization(url: &Url) -> Option<HeaderValue> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let mut pair: Vec<u8> = percent_decode_str(url.username()).collect();
    pair.push(b':');
    pair.extend(percent_decode_str(url.password().unwrap_or_default()));
    let mut value = HeaderValue::try_from(format!("Basic {}", BASE64_STANDARD.encode(pair))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(url: &str) -> Wish {
        Wish {
            url: url.to_owned(),
            max_connections: 40,
            fixed_address: None,
            secret: None,
            certificate: None,
        }
    }

    async fn refusal(wish: Wish) -> String {
        accept(&Bot::for_test(), wish, true).await.unwrap_err().description
    }

    #[tokio::test]
    async fn the_cloud_refuses_what_it_cannot_reach() {
        let bad = |reason: &str| format!("Bad Request: bad webhook: {reason}");
        assert_eq!(refusal(wish("http://8.8.8.8/")).await, bad("An HTTPS URL must be provided for webhook"));
        assert_eq!(
            refusal(wish("https://8.8.8.8:8080/")).await,
            bad("Webhook can be set up only on ports 80, 88, 443 or 8443")
        );
        assert_eq!(refusal(wish("https://[2001:db8::1]/")).await, bad("IPv6-only addresses are not allowed"));
        for ip in ["127.0.0.1", "10.2.3.4", "172.31.0.1", "192.168.1.1", "100.127.0.1", "169.254.1.1"] {
            let reserved = bad(&format!("IP address {ip} is reserved"));
            assert_eq!(refusal(wish(&format!("https://{ip}:8443/x"))).await, reserved);
        }
        let fixed = |ip: &str| Wish { fixed_address: Some(ip.to_owned()), ..wish("https://example.org/") };
        assert_eq!(refusal(fixed("nonsense")).await, bad("Invalid IP address specified"));
        assert_eq!(refusal(fixed("10.0.0.1")).await, bad("IP address 10.0.0.1 is reserved"));
        assert!(accept(&Bot::for_test(), fixed("8.8.8.8"), true).await.is_ok());
        for url in ["ftp://example.org/", "https://", "https://exa mple.org/", "://x"] {
            assert_eq!(refusal(wish(url)).await, "Bad Request: invalid webhook URL specified", "{url}");
        }
    }

    #[tokio::test]
    async fn an_address_is_taken_apart_for_the_request() {
        let url = "http://us%40er:p:w@127.0.0.1:8080/~external/hooks/telegram?t=1:AA&";
        let target = accept(&Bot::for_test(), wish(url), false).await.unwrap();
        assert_eq!(target.path, "/~external/hooks/telegram?t=1:AA&");
        assert_eq!(target.host_header, "127.0.0.1:8080");
        assert_eq!(target.authorization.unwrap(), "Basic dXNAZXI6cDp3");
        let target = accept(&Bot::for_test(), wish("8.8.8.8"), false).await.unwrap();
        let address = target.address.current(&Bot::for_test()).await.unwrap();
        assert_eq!((target.scheme, address.to_string().as_str()), (Scheme::Https, "8.8.8.8:443"));
        assert_eq!(
            (target.path.to_string().as_str(), target.host_header.to_str().unwrap()),
            ("/", "8.8.8.8")
        );
    }
}
