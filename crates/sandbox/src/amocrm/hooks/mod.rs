//! Account hooks: what amoCRM tells any address that subscribed (reference 5).
//!
//! Not to be mixed up with the Telegram hook, which amoCRM *receives*. These are sent: form-encoded, unsigned,
//! within two seconds, up to five times, until a destination is disabled for failing too often.

pub(crate) mod delivery;
pub(crate) mod event;
mod form;
mod policy;
pub(crate) mod subscription;
