//! Where a webhook's name leads, looked up again every half hour (reference/telegram.md 3.2 and 3.3).

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Mutex, PoisonError},
};

use url::Host;

use crate::telegram::Bot;

/// A name is looked up again after 30 to 33 minutes.
const KNOWN_FOR_MS: std::ops::Range<i64> = 30 * 60_000..33 * 60_000;

/// The address behind a webhook's name.
#[derive(Debug)]
pub(super) struct Address {
    host: Host<String>,
    port: u16,
    strict: bool,
    known: Mutex<Known>,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    ip: IpAddr,
    until_ms: i64,
}

impl Address {
    /// Looks the name up, or takes the address that `setWebhook` has fixed. The error is a reason for "bad
    /// webhook".
    pub(super) async fn find(
        bot: &Bot,
        host: Host<String>,
        port: u16,
        fixed: Option<&str>,
        strict: bool,
    ) -> Result<Self, String> {
        let known = match fixed {
            Some(text) => {
                let ip = text.parse().map_err(|_not_an_address| "Invalid IP address specified".to_owned())?;
                Known { ip: accept(ip, strict)?, until_ms: i64::MAX }
            }
            None => look_up(bot, &host, port, strict).await?,
        };
        Ok(Self { host, port, strict, known: Mutex::new(known) })
    }

    /// The address that was found last.
    pub(super) fn ip(&self) -> IpAddr {
        self.known().ip
    }

    /// The name for TLS.
    pub(super) fn server_name(&self) -> String {
        match &self.host {
            Host::Domain(name) => name.clone(),
            Host::Ipv4(ip) => ip.to_string(),
            Host::Ipv6(ip) => ip.to_string(),
        }
    }

    /// The address to connect to now. The error is a text for `last_error_message`.
    pub(super) async fn current(&self, bot: &Bot) -> Result<SocketAddr, String> {
        let mut known = self.known();
        if known.until_ms <= bot.clock.now_ms() {
            known = look_up(bot, &self.host, self.port, self.strict).await?;
            *self.known.lock().unwrap_or_else(PoisonError::into_inner) = known;
        }
        Ok(SocketAddr::new(known.ip, self.port))
    }

    fn known(&self) -> Known {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn look_up(bot: &Bot, host: &Host<String>, port: u16, strict: bool) -> Result<Known, String> {
    let name = match host {
        Host::Ipv4(ip) => return Ok(Known { ip: accept(IpAddr::V4(*ip), strict)?, until_ms: i64::MAX }),
        Host::Ipv6(ip) => return Ok(Known { ip: accept(IpAddr::V6(*ip), strict)?, until_ms: i64::MAX }),
        Host::Domain(name) => name,
    };
    let found = tokio::net::lookup_host((name.as_str(), port)).await;
    let addresses: Vec<IpAddr> = found
        .map_err(|error| {
            tracing::debug!(%error, "the name of a webhook cannot be resolved");
            "Failed to resolve host: Name or service not known".to_owned()
        })?
        .map(|address| address.ip())
        .collect();
    let first = addresses.iter().find(|ip| ip.is_ipv4()).or(addresses.first());
    let ip = first.ok_or("Failed to resolve host: No address associated with hostname")?;
    let until_ms = bot.clock.now_ms().saturating_add(bot.random.range(KNOWN_FOR_MS));
    Ok(Known { ip: accept(*ip, strict)?, until_ms })
}

/// Refuses what the cloud does not connect to.
fn accept(ip: IpAddr, strict: bool) -> Result<IpAddr, String> {
    if !strict {
        return Ok(ip);
    }
    let IpAddr::V4(v4) = ip else { return Err("IPv6-only addresses are not allowed".to_owned()) };
    if is_reserved(v4) { Err(format!("IP address {ip} is reserved")) } else { Ok(ip) }
}

/// Addresses that are nobody's on the internet.
fn is_reserved(ip: Ipv4Addr) -> bool {
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
    let number = ip.to_bits();
    RESERVED.iter().any(|(net, bits)| {
        let shift = 32 - bits;
        number >> shift == Ipv4Addr::from(*net).to_bits() >> shift
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_name_is_looked_up_again_after_half_an_hour_and_a_fixed_address_never() {
        let bot = Bot::for_test();
        let name = || Host::Domain("localhost".to_owned());
        let address = Address::find(&bot, name(), 80, None, false).await.unwrap();
        let elsewhere = IpAddr::V4(Ipv4Addr::new(127, 9, 9, 9));
        address.known.lock().unwrap().ip = elsewhere;
        let fixed = Address::find(&bot, name(), 80, Some("127.9.9.9"), false).await.unwrap();
        bot.clock.advance(Duration::from_mins(30) - Duration::from_millis(1));
        assert_eq!(address.current(&bot).await.unwrap().ip(), elsewhere);
        bot.clock.advance(Duration::from_mins(4));
        assert_eq!(address.current(&bot).await.unwrap().ip(), Ipv4Addr::LOCALHOST);
        assert_eq!(address.ip(), Ipv4Addr::LOCALHOST, "getWebhookInfo shows it");
        assert_eq!(fixed.current(&bot).await.unwrap().ip(), elsewhere);
    }

    #[tokio::test]
    async fn a_name_that_is_gone_is_an_error_of_the_delivery() {
        let bot = Bot::for_test();
        let gone = Host::Domain("no-such-host.invalid".to_owned());
        let error = Address::find(&bot, gone, 80, None, false).await.unwrap_err();
        assert_eq!(error, "Failed to resolve host: Name or service not known");
    }
}
