//! Which addresses routes may be posted to.

use std::net::IpAddr;

use tandem_telegram::{upstream::AddressGuard, webhook::is_reserved};

/// Keeps deliveries out of the machine itself and of private networks, whatever a receiver's name resolves to.
#[derive(Debug, Clone, Copy)]
pub(super) struct PublicOnly;

impl AddressGuard for PublicOnly {
    fn allows(&self, address: IpAddr) -> bool {
        !is_reserved(address)
    }
}
