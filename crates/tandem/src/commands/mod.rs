//! One module a command.

pub(crate) mod sandbox;
pub(crate) mod signals;
