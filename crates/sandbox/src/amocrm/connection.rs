//! One bot connected to the account: its token, the Bot API server it was given, and the address of its hook.

use super::fault::Faults;
use super::ids::uuid;
use super::insist::Insisting;
use super::link::Link;
use super::salesbot::Flow;
use super::tally::Tally;
use crate::random::Random;

/// The path of today's hook; the token stands in the query.
pub(crate) const TOKEN_HOOK: &str = "/~external/hooks/telegram";

/// A connected bot.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) bot_id: i64,
    pub(crate) username: String,
    pub(crate) link: Link,
    /// False once the source was removed from the account.
    pub(crate) connected: bool,
    pub(crate) source_id: u64,
    pub(crate) source_uuid: String,
    pub(crate) salesbot: Option<Flow>,
    /// How it is connected again and again, or was.
    pub(crate) insisting: Option<Insisting>,
    pub(crate) faults: Faults,
    pub(crate) deliveries: Tally,
}

impl Connection {
    pub(crate) fn new(bot_id: i64, username: String, link: Link) -> Self {
        // The source's ids are the same for the same bot in every run.
        let number = bot_id.unsigned_abs();
        Self {
            bot_id,
            username,
            link,
            connected: true,
            source_id: 9_000_000 + number % 1_000_000,
            source_uuid: uuid(&Random::seeded(number)),
            salesbot: None,
            insisting: None,
            faults: Faults::default(),
            deliveries: Tally::default(),
        }
    }
}

/// Where a bot's updates are expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Address {
    /// `/~external/hooks/telegram?t=<token>&`.
    Token,
    /// The older `/webhook/<number>`.
    Numbered(u64),
    /// Some other path: an address amoCRM has moved to.
    Path(String),
}

impl Address {
    /// Path and query of the hook.
    pub(crate) fn target(&self, token: &str) -> String {
        match self {
            Self::Token => format!("{TOKEN_HOOK}?t={token}&"),
            Self::Numbered(number) => format!("/webhook/{number}"),
            Self::Path(path) => path.clone(),
        }
    }

    /// What a request is recognised by.
    pub(crate) fn route(&self, token: &str) -> Route {
        match self {
            Self::Token => Route::Token(token.to_owned()),
            Self::Numbered(_) | Self::Path(_) => Route::Path(self.target(token)),
        }
    }
}

/// How a request names its bot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Route {
    Token(String),
    Path(String),
}

impl Route {
    /// Reads a request's target. A hook without `t` names nobody.
    pub(crate) fn of(path: &str, query: Option<&str>) -> Option<Self> {
        if path != TOKEN_HOOK {
            return Some(Self::Path(path.to_owned()));
        }
        let mut parameters = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        parameters.find(|(name, _)| name == "t").map(|(_, token)| Self::Token(token.into_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_recognised_by_the_address_that_was_given_out() {
        let token = "7:AA-b_c";
        for address in [Address::Token, Address::Numbered(31), Address::Path("/moved/here".into())] {
            let target = address.target(token);
            let (path, query) = target.split_once('?').map_or((target.as_str(), None), |(p, q)| (p, Some(q)));
            assert_eq!(Route::of(path, query), Some(address.route(token)), "{target}");
        }
        assert_eq!(Address::Token.target(token), "/~external/hooks/telegram?t=7:AA-b_c&");
        assert_eq!(Route::of(TOKEN_HOOK, Some("t=7%3AAA-b_c")), Some(Route::Token(token.into())));
        assert_eq!(Route::of(TOKEN_HOOK, None), None);
    }
}
