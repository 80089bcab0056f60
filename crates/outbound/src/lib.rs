//! The HTTP client by which vendors' accounts are spoken to: addresses that are allowed and no others (looked at again
//! when a name is resolved), no redirects, no proxy of the environment, no repeats, everything bounded in time and size.
//!
//! **Promises:** whether something may have been sent is told apart from what certainly was not ([`NoAnswer`]); no
//! address stands in an error, since there may be secrets in it.
//!
//! **Does not** know what an answer means, or what follows from there being none: a vendor's crate does.

mod client;
mod settings;

pub use client::{Answered, Client, NoAnswer, Outgoing, SetUpError};
pub use settings::{AddressFilter, Roots, Settings};
