//! Addresses that a webhook may have.

use std::{fmt, net::IpAddr};

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderValue, Uri};
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

/// Which addresses are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookPolicy {
    /// What Telegram's cloud takes: https, four ports, no private addresses.
    PublicHttps,
    /// What a server in local mode takes: http too, any port, any address.
    Any,
}

/// Why an address is refused. `Display` is the reason in Telegram's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadWebhook {
    /// No address at all; Telegram answers this one with [`crate::envelope::Failure::INVALID_WEBHOOK_URL`].
    #[error("invalid webhook URL specified")]
    Invalid,
    /// Plain http.
    #[error("An HTTPS URL must be provided for webhook")]
    NotHttps,
    /// Another port.
    #[error("Webhook can be set up only on ports 80, 88, 443 or 8443")]
    Port,
    /// An IPv6 address.
    #[error("IPv6-only addresses are not allowed")]
    Ipv6,
    /// A private, local or otherwise special address.
    #[error("IP address {0} is reserved")]
    Reserved(IpAddr),
}

/// The address of a webhook. May hold secrets (a token in the query, a password), so it shows only its host.
#[derive(Clone)]
pub struct WebhookAddress {
    text: SecretString,
    uri: Uri,
    authorization: Option<HeaderValue>,
}

impl WebhookAddress {
    /// Reads an address. Without a scheme https is meant; user and password become a header.
    pub fn parse(text: &str, policy: WebhookPolicy) -> Result<Self, BadWebhook> {
        let text = text.trim();
        let absolute = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
        let mut url = Url::parse(&absolute).map_err(|_malformed| BadWebhook::Invalid)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(BadWebhook::Invalid);
        }
        if policy == WebhookPolicy::PublicHttps {
            check_public(&url)?;
        }
        let authorization = authorization(&url)?;
        let cleared = url.set_username("").and_then(|()| url.set_password(None));
        cleared.map_err(|()| BadWebhook::Invalid)?;
        url.set_fragment(None);
        let uri = Uri::try_from(url.as_str()).map_err(|_malformed| BadWebhook::Invalid)?;
        Ok(Self { text: text.into(), uri, authorization })
    }

    /// As it was given, for `WebhookInfo`.
    pub fn expose(&self) -> &str {
        self.text.expose_secret()
    }

    /// Where to post.
    pub const fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The host, for people and logs.
    pub fn host(&self) -> &str {
        self.uri.host().unwrap_or("")
    }

    /// The `Authorization` header of an address with a user.
    pub const fn authorization(&self) -> Option<&HeaderValue> {
        self.authorization.as_ref()
    }
}

fn check_public(url: &Url) -> Result<(), BadWebhook> {
    if url.scheme() != "https" {
        return Err(BadWebhook::NotHttps);
    }
    if !matches!(url.port_or_known_default(), Some(80 | 88 | 443 | 8443)) {
        return Err(BadWebhook::Port);
    }
    match url.host() {
        Some(Host::Ipv6(_)) => Err(BadWebhook::Ipv6),
        Some(Host::Ipv4(ip)) if is_reserved(ip.into()) => Err(BadWebhook::Reserved(ip.into())),
        Some(_) => Ok(()),
        None => Err(BadWebhook::Invalid),
    }
}

fn authorization(url: &Url) -> Result<Option<HeaderValue>, BadWebhook> {
    if url.username().is_empty() && url.password().is_none() {
        return Ok(None);
    }
    let mut pair = percent_decode_str(url.username()).collect::<Vec<u8>>();
    pair.push(b':');
    pair.extend(percent_decode_str(url.password().unwrap_or("")));
    let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(pair)))
        .map_err(|_invalid| BadWebhook::Invalid)?;
    value.set_sensitive(true);
    Ok(Some(value))
}

impl fmt::Debug for WebhookAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebhookAddress({}..)", self.host())
    }
}

/// Whether an address belongs to no public host: private, local, documentation, multicast and the like.
pub fn is_reserved(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            match a {
                0 | 10 | 127 | 224..=255 => true,
                100 => (64..128).contains(&b),
                169 => b == 254,
                172 => (16..32).contains(&b),
                192 => matches!((b, c), (0, 0 | 2) | (88, 99) | (168, _)),
                198 => matches!((b, c), (18 | 19, _) | (51, 100)),
                203 => (b, c) == (0, 113),
                _ => false,
            }
        }
        IpAddr::V6(ip) => match ip.to_ipv4_mapped() {
            // The mapped form reaches the IPv4 address it holds.
            Some(ip) => is_reserved(ip.into()),
            // Global unicast is 2000::/3; of it, 6to4 (and NAT64 outside it) hold an IPv4 address. Of the rest of it,
            // protocols (Teredo and ORCHID among them) and documents have their own.
            None => match ip.segments() {
                [0x2002, high, low, ..] | [0x0064, 0xff9b, 0, 0, 0, 0, high, low] => {
                    let [a, b] = high.to_be_bytes();
                    let [c, d] = low.to_be_bytes();
                    is_reserved(IpAddr::from([a, b, c, d]))
                }
                [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => true,
                [first, ..] => first >> 13 != 1,
            },
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_addresses_are_what_telegram_takes() {
        let parse = |text| WebhookAddress::parse(text, WebhookPolicy::PublicHttps);
        for good in [
            "https://a.example/x?t=1&",
            "a.example",
            "https://a.example:8443",
            "HTTPS://A.example:88/",
            "https://8.8.8.8:443/",
        ] {
            assert!(parse(good).is_ok(), "{good}");
        }
        for (bad, reason) in [
            ("http://a.example/", "An HTTPS URL must be provided for webhook"),
            ("https://a.example:8080/", "Webhook can be set up only on ports 80, 88, 443 or 8443"),
            ("https://[2001:4860::8888]/", "IPv6-only addresses are not allowed"),
            ("https://192.168.1.2/", "IP address 192.168.1.2 is reserved"),
            ("https://2130706433/", "IP address 127.0.0.1 is reserved"),
            ("ftp://a.example/", "invalid webhook URL specified"),
            ("https://", "invalid webhook URL specified"),
            ("https://a b/", "invalid webhook URL specified"),
        ] {
            assert_eq!(parse(bad).unwrap_err().to_string(), reason, "{bad}");
        }
    }

    #[test]
    fn local_mode_takes_any_address() {
        for good in ["http://127.0.0.1:3000/hook", "http://[::1]/", "http://bot"] {
            assert!(WebhookAddress::parse(good, WebhookPolicy::Any).is_ok(), "{good}");
        }
    }

    #[test]
    fn what_is_posted_to_is_what_was_given_and_nothing_of_it_shows() {
        let text = "https://us%40er:pa%3Ass@amojo.example/~external/hooks/telegram?t=1:secret&";
        let address = WebhookAddress::parse(text, WebhookPolicy::PublicHttps).unwrap();
        assert_eq!(*address.uri(), "https://amojo.example/~external/hooks/telegram?t=1:secret&");
        assert_eq!(address.expose(), text);
        assert_eq!(address.authorization().unwrap(), "Basic dXNAZXI6cGE6c3M=");
        assert_eq!(
            format!("{address:?} {:?}", address.authorization()),
            "WebhookAddress(amojo.example..) Some(Sensitive)"
        );
    }

    #[test]
    fn reserved_addresses_are_known_in_every_disguise() {
        for reserved in [
            "127.0.0.1",
            "10.1.2.3",
            "172.31.0.1",
            "192.168.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "198.19.0.1",
            "::",
            "::1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "fe80::1",
            "fd00::1",
            "ff02::1",
            "2002:7f00:1::",
            "64:ff9b::a00:1",
            "2001:db8::1",
            "2001:0:53aa::1",
            "2001:2::1",
            "2001:20::1",
            "3fff:fff::1",
            "64:ff9b:1::a00:1",
            "::8.8.8.8",
            "::ffff:0:8.8.8.8",
            "fec0::1",
            "100::1",
            "5f00::1",
            "192.88.99.1",
            "0.255.255.255",
            "239.255.255.250",
        ] {
            assert!(is_reserved(reserved.parse().unwrap()), "{reserved}");
        }
        for public in [
            "8.8.8.8",
            "149.154.167.220",
            "172.32.0.1",
            "100.128.0.1",
            "2001:67c:4e8:f004::9",
            "2606:4700::1111",
            "2002:808:808::1",
            "64:ff9b::808:808",
            "::ffff:8.8.8.8",
        ] {
            assert!(!is_reserved(public.parse().unwrap()), "{public}");
        }
    }
}
