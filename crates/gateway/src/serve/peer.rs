//! Who is at the other end of a connection, and for whom he speaks.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    str::FromStr,
};

use http::HeaderMap;

use super::Limits;

/// Who is at the other end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// This user's own programs, by a socket that nobody else can open: trusted from the start.
    Own,
    /// Whoever has this address.
    At(IpAddr),
}

impl Peer {
    /// Whoever has this address; an IPv4 address that came in by an IPv6 socket is one of IPv4.
    pub const fn at(address: SocketAddr) -> Self {
        Self::At(address.ip().to_canonical())
    }

    /// Under which address his connections are counted; `None` for those who speak for many.
    pub(super) fn counted(self, limits: &Limits) -> Option<IpAddr> {
        match self {
            Self::At(address) if !limits.speaks_for_others(address) => Some(neighbourhood(address)),
            Self::At(_) | Self::Own => None,
        }
    }

    /// Under which address a request is counted: a proxy says for whom it asks, in the last `X-Forwarded-For` that is
    /// not a proxy's own. `None` when nobody knows.
    pub(super) fn asking(self, headers: &HeaderMap, limits: &Limits) -> Option<IpAddr> {
        let Self::At(address) = self else { return None };
        if !limits.speaks_for_others(address) {
            return Some(neighbourhood(address));
        }
        let named = headers.get_all("x-forwarded-for").iter().rev();
        let mut named = named.flat_map(|value| value.to_str().unwrap_or("?").rsplit(','));
        named
            .find_map(|text| match forwarded(text.trim()) {
                Some(address) if limits.speaks_for_others(address) => None,
                // What cannot be read hides whoever stands before it.
                known => Some(known),
            })
            .flatten()
            .map(neighbourhood)
    }
}

/// An address with or without a port.
fn forwarded(text: &str) -> Option<IpAddr> {
    let address = text.parse().ok().or_else(|| text.parse().ok().map(|socket: SocketAddr| socket.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

/// Whoever has one address of IPv6 has its whole /64.
const fn neighbourhood(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
    }
}

/// Addresses that begin alike: `10.0.0.0/8`, `fd00::/8`, or a single one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

/// The text is no network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an address or a network such as 10.0.0.0/8")]
pub struct BadNetwork;

impl Network {
    /// Whether an address is one of them.
    pub const fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                (own.to_bits() ^ other.to_bits()).leading_zeros() >= self.prefix as u32
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                (own.to_bits() ^ other.to_bits()).leading_zeros() >= self.prefix as u32
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = BadNetwork;

    fn from_str(text: &str) -> Result<Self, BadNetwork> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_malformed| BadNetwork)?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(prefix) => prefix.parse().map_err(|_malformed| BadNetwork)?,
            None => longest,
        };
        if prefix > longest { Err(BadNetwork) } else { Ok(Self { address, prefix }) }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Peer {
        Peer::at(SocketAddr::new(text.parse().unwrap(), 1))
    }

    fn limits() -> Limits {
        Limits { trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()], ..Limits::APPS }
    }

    #[test]
    fn networks_are_read_and_know_their_addresses() {
        let contains = |network: &str, address: &str| {
            network.parse::<Network>().unwrap().contains(address.parse().unwrap())
        };
        assert!(contains("10.0.0.0/8", "10.255.0.1") && !contains("10.0.0.0/8", "11.0.0.1"));
        assert!(contains("192.0.2.7", "192.0.2.7") && !contains("192.0.2.7", "192.0.2.6"));
        assert!(contains("fd00::/8", "fd12::1") && !contains("fd00::/8", "fe80::1"));
        assert!(contains("0.0.0.0/0", "8.8.8.8") && !contains("0.0.0.0/0", "::1"));
        for bad in ["", "10.0.0.0/33", "::/129", "10.0.0/8", "a/8", "10.0.0.0/x", "10.0.0.0/-1"] {
            assert_eq!(bad.parse::<Network>(), Err(BadNetwork), "{bad}");
        }
    }

    #[test]
    fn connections_are_counted_by_address_and_by_the_net_of_ipv6() {
        let counted = |text| at(text).counted(&limits()).map(|address| address.to_string());
        assert_eq!(counted("192.0.2.7").as_deref(), Some("192.0.2.7"));
        assert_eq!(counted("::ffff:192.0.2.7").as_deref(), Some("192.0.2.7"));
        assert_eq!(counted("2001:db8:1:2:3:4:5:6").as_deref(), Some("2001:db8:1:2::"));
        for many in ["127.0.0.1", "::1", "10.1.2.3"] {
            assert_eq!(counted(many), None, "{many}");
        }
        assert_eq!(Peer::Own.counted(&limits()), None);
    }

    #[test]
    fn only_a_proxy_is_believed_about_who_asks() {
        let asking = |peer: &str, forwarded: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in forwarded {
                headers.append("x-forwarded-for", http::HeaderValue::from_static(value));
            }
            at(peer).asking(&headers, &limits()).map(|address| address.to_string())
        };
        assert_eq!(asking("192.0.2.7", &["1.2.3.4"]).as_deref(), Some("192.0.2.7"));
        assert_eq!(asking("127.0.0.1", &["1.2.3.4"]).as_deref(), Some("1.2.3.4"));
        assert_eq!(
            asking("10.0.0.1", &["9.9.9.9, 1.2.3.4:567", "10.0.0.2, 127.0.0.1"]).as_deref(),
            Some("1.2.3.4")
        );
        assert_eq!(asking("10.0.0.1", &["[2001:db8::1]:80"]).as_deref(), Some("2001:db8::"));
        assert_eq!(asking("127.0.0.1", &[]), None);
        assert_eq!(asking("127.0.0.1", &["1.2.3.4, unknown"]), None, "what hides behind is not guessed");
    }
}
