//! As many open files as the system lets this process have.
//!
//! A bot that is polled has a connection of its own to Telegram, and each waiting app one to us. Systems start a
//! process with a low limit (1,024) that it may raise up to a high one: the low one is there for old programs that
//! `select`, which this is not.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the limit of this process, and of those it starts, as far as it may be. Where that is refused, it stays as
/// it is: what does not fit is then refused connection by connection.
pub(crate) fn allow_all() {
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_becomes_as_high_as_it_may_be() {
        let limit = getrlimit(Resource::Nofile);
        setrlimit(Resource::Nofile, Rlimit { current: Some(100), ..limit }).unwrap();
        allow_all();
        assert_eq!(getrlimit(Resource::Nofile).current, limit.maximum);
    }
}
