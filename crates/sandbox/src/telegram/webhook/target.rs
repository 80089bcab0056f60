//! Where a webhook goes: its address taken apart, judged and resolved (reference/telegram.md 3.2).

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::{HeaderValue, Uri};
use percent_encoding::percent_decode_str;
use url::{Host, Url};

use super::{MAX_CERTIFICATE_BYTES, Wish};
use crate::telegram::ApiError;

const CLOUD_PORTS: [u16; 4] = [80, 88, 443, 8443];

/// A webhook's address, ready for connections.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) wish: Wish,
    pub(super) scheme: Scheme,
    /// The name for TLS.
    pub(super) host: String,
    /// The `Host` header.
    pub(super) host_header: HeaderValue,
    /// Path and query of the request line.
    pub(super) path: Uri,
    /// From the user info of the address.
    pub(super) authorization: Option<HeaderValue>,
    pub(super) address: SocketAddr,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    Http,
    Https,
}

/// Judges a wish and resolves its name.
pub(super) async fn accept(wish: Wish, strict: bool) -> Result<Target, ApiError> {
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
    let ip = match &wish.fixed_address {
        Some(text) => text.parse().map_err(|_not_an_address| bad("Invalid IP address specified"))?,
        None => resolve(&host, port, strict).await?,
    };
    if strict && is_reserved(ip) {
        return Err(bad(format!("IP address {ip} is reserved")));
    }
    let host_header = match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_string(),
    };
    let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
    Ok(Target {
        scheme,
        host: host.to_string(),
        host_header: HeaderValue::try_from(host_header).map_err(|_not_a_header| invalid())?,
        path: path.parse().map_err(|_not_a_path| invalid())?,
        authorization: authorization(&url),
        address: SocketAddr::new(ip, port),
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

async fn resolve(host: &Host<String>, port: u16, strict: bool) -> Result<IpAddr, ApiError> {
    let name = match host {
        Host::Ipv4(ip) => return Ok(IpAddr::V4(*ip)),
        Host::Ipv6(_) if strict => return Err(bad("IPv6-only addresses are not allowed")),
        Host::Ipv6(ip) => return Ok(IpAddr::V6(*ip)),
        Host::Domain(name) => name,
    };
    let found = tokio::net::lookup_host((name.as_str(), port)).await;
    let addresses: Vec<IpAddr> = match found {
        Ok(addresses) => addresses.map(|address| address.ip()).collect(),
        Err(error) => {
            tracing::debug!(%error, "the name of a webhook cannot be resolved");
            return Err(bad("Failed to resolve host: Name or service not known"));
        }
    };
    let v4 = addresses.iter().copied().find(IpAddr::is_ipv4);
    match (v4, addresses.first()) {
        (Some(ip), _) => Ok(ip),
        (None, Some(_)) if strict => Err(bad("IPv6-only addresses are not allowed")),
        (None, Some(ip)) => Ok(*ip),
        (None, None) => Err(bad("Failed to resolve host: No address associated with hostname")),
    }
}

/// Addresses that are nobody's on the internet.
fn is_reserved(ip: IpAddr) -> bool {
    const RESERVED: [([u8; 4], u32); 15] = [
        ([0, 0, 0, 0], 8),
        ([10, 0, 0, 0], 8),
        ([100, 64, 0, 0], 10),
        ([127, 0, 0, 0], 8),
        ([169, 254, 0, 0], 16),
        ([172, 16, 0, 0], 12),
        ([192, 0, 0, 0], 24),
        ([192, 0, 2, 0], 24),
        ([192, 88, 99, 0], 24),
        ([192, 168, 0, 0], 16),
        ([198, 18, 0, 0], 15),
        ([198, 51, 100, 0], 24),
        ([203, 0, 113, 0], 24),
        ([224, 0, 0, 0], 4),
        ([240, 0, 0, 0], 4),
    ];
    let IpAddr::V4(ip) = ip else { return true };
    let number = ip.to_bits();
    RESERVED.iter().any(|(net, bits)| {
        let shift = 32 - bits;
        number >> shift == Ipv4Addr::from(*net).to_bits() >> shift
    })
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
        accept(wish, true).await.unwrap_err().description
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
        assert!(accept(fixed("8.8.8.8"), true).await.is_ok());
        for url in ["ftp://example.org/", "https://", "https://exa mple.org/", "://x"] {
            assert_eq!(refusal(wish(url)).await, "Bad Request: invalid webhook URL specified", "{url}");
        }
    }

    #[tokio::test]
    async fn an_address_is_taken_apart_for_the_request() {
        let url = "http://us%40er:p:w@127.0.0.1:8080/~external/hooks/telegram?t=1:AA&";
        let target = accept(wish(url), false).await.unwrap();
        assert_eq!(target.path, "/~external/hooks/telegram?t=1:AA&");
        assert_eq!(target.host_header, "127.0.0.1:8080");
        assert_eq!(target.authorization.unwrap(), "Basic dXNAZXI6cDp3");
        let target = accept(wish("8.8.8.8"), false).await.unwrap();
        assert_eq!((target.scheme, target.address.port()), (Scheme::Https, 443));
        assert_eq!(
            (target.path.to_string().as_str(), target.host_header.to_str().unwrap()),
            ("/", "8.8.8.8")
        );
    }
}
