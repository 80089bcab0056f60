//! Addresses of webhooks that people type, and what stands behind them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::{HeaderMap, HeaderValue, header};
use tandem_telegram::webhook::{WebhookAddress, WebhookPolicy, headers, is_reserved, retry_after};

pub(crate) fn hold(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let public = WebhookAddress::parse(&text, WebhookPolicy::PublicHttps);
    let any = WebhookAddress::parse(&text, WebhookPolicy::Any);
    if let Ok(address) = &public {
        assert!(any.is_ok(), "what is public may be set anywhere");
        assert_eq!(address.uri().scheme_str(), Some("https"));
        assert!(matches!(address.uri().port_u16(), None | Some(80 | 88 | 443 | 8443)));
        if let Ok(literal) = address.host().trim_matches(['[', ']']).parse::<IpAddr>() {
            assert!(!is_reserved(literal) && literal.is_ipv4(), "{literal}");
        }
    }
    if let Ok(address) = &any {
        let uri = address.uri();
        assert!(matches!(uri.scheme_str(), Some("http" | "https")) && !address.host().is_empty());
        assert!(uri.authority().is_some_and(|authority| !authority.as_str().contains('@')));
        assert_eq!(address.expose(), text.trim());
        let again = WebhookAddress::parse(&uri.to_string(), WebhookPolicy::Any).expect("it is an address");
        assert_eq!(again.uri(), uri);
        assert_eq!(format!("{address:?}"), format!("WebhookAddress({}..)", address.host()));
        let _ = headers(address, None);
    }
    if let Ok(value) = HeaderValue::from_bytes(data) {
        let mut headers = HeaderMap::new();
        headers.insert(header::RETRY_AFTER, value);
        assert!(retry_after(&headers).is_none_or(|wait| wait.as_secs() <= 3600));
    }
    if let Some(bits) = data.first_chunk::<16>() {
        check_disguises(u128::from_be_bytes(*bits));
    }
}

/// An IPv4 address is as reserved in every IPv6 form that reaches it.
fn check_disguises(bits: u128) {
    let inner = Ipv4Addr::from(u32::try_from(bits >> 96).unwrap_or_default());
    let [a, b, c, d] = inner.octets();
    let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    for outer in [
        inner.to_ipv6_mapped(),
        Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
        Ipv6Addr::new(0x0064, 0xff9b, 0, 0, 0, 0, high, low),
    ] {
        assert_eq!(is_reserved(inner.into()), is_reserved(outer.into()), "{inner} in {outer}");
    }
    let outer = Ipv6Addr::from_bits(bits);
    if outer.is_loopback() || outer.is_multicast() || outer.is_unique_local() || outer.is_unicast_link_local()
    {
        assert!(is_reserved(outer.into()), "{outer}");
    }
    if inner.is_private()
        || inner.is_loopback()
        || inner.is_link_local()
        || inner.is_multicast()
        || inner.is_unspecified()
    {
        assert!(is_reserved(inner.into()), "{inner}");
    }
}
