//! What is stored of a route.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use tandem_model::{Authorship, EventKind, EventKinds, Filter, Flags, Topics};
use tandem_telegram::{allowed::AllowedUpdates, update::Kind};

use super::{ChannelDocument, CompanionDocument};
use crate::rules::{Audience, RuleHistory};

/// A route, as stored. Address, foreign secret and certificate are stored sealed, apart
/// ([`crate::secrets`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteDocument {
    /// To whom.
    pub kind: RouteKind,
    /// How, where there is more than one way.
    pub mode: Option<RouteMode>,
    /// The kinds of update it gets, by name; `None` for Telegram's default.
    pub kinds: Option<Vec<String>>,
    /// Connections at one time.
    pub max_connections: Option<u32>,
    /// An address to use whatever the name of its host resolves to. Not what `getWebhookInfo` shows, which is only
    /// what the name resolved to then.
    pub ip_address: Option<IpAddr>,
    /// What belongs to the modes `channel` and `api`: there for each of their routes, and for no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Box<ChannelDocument>>,
    /// What belongs to routes of the mode `native` that have a connection; the defaults where this says nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub companion: Option<Box<CompanionDocument>>,
    /// What of it all it is told, and from which event on.
    #[serde(default, skip_serializing_if = "RuleHistory::is_empty")]
    pub rules: RuleHistory,
}

/// To whom a route goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RouteKind {
    /// A webhook.
    Relay,
    /// amoCRM or Kommo.
    Amocrm,
    /// Wahelp.
    Wahelp,
}

/// In which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RouteMode {
    /// The vendor's built-in integration stays and gets what it got before.
    Native,
    /// Tandem speaks to the vendor itself, message by message, through a channel of its own.
    Channel,
    /// The same through the vendor's ordinary API: what is told goes out as messages of one of its channels.
    Api,
}

impl RouteDocument {
    /// Connections at one time that Telegram allows a webhook which did not ask.
    const DEFAULT_CONNECTIONS: u32 = 40;
    /// Whatever happens in conversations, but for its own managers' words, which it has already; of those it gets what
    /// became of them.
    const CHANNEL: Filter = Filter {
        kinds: EventKinds::of(&[EventKind::Update, EventKind::Sent, EventKind::Outcome, EventKind::Mark]),
        topics: Topics::ALL,
        without: Flags::NONE,
        authorship: Authorship::OthersOnly,
    };

    /// What its lane lets through of what is appended from now on.
    pub fn filter(&self) -> Filter {
        match self.mode {
            // What of it is shown is for the route's rules to say, when it is delivered.
            Some(RouteMode::Channel | RouteMode::Api) => Self::CHANNEL,
            Some(RouteMode::Native) | None => self.updates(),
        }
    }

    /// Whom it is that its rules decide for.
    pub const fn audience(&self) -> Audience {
        match self.mode {
            Some(RouteMode::Channel | RouteMode::Api) => Audience::Conversation,
            Some(RouteMode::Native) | None => Audience::Everything,
        }
    }

    fn updates(&self) -> Filter {
        let asked = self.kinds.as_ref().and_then(|names| serde_json::to_string(names).ok());
        let topics = AllowedUpdates::of(asked.as_deref()).over(Kind::default_topics());
        Filter { topics, ..Filter::UPDATES }
    }

    /// Whether its vendor tells us what managers want done.
    pub(crate) fn hears_managers(&self) -> bool {
        self.mode.is_some_and(RouteMode::tells)
    }

    /// How many deliveries may be under way at a time.
    pub fn connections(&self) -> usize {
        let asked = self.max_connections.unwrap_or(Self::DEFAULT_CONNECTIONS).clamp(1, 100);
        usize::try_from(asked).unwrap_or(1)
    }
}

impl RouteMode {
    /// Whether Tandem itself speaks to the vendor.
    pub const fn tells(self) -> bool {
        matches!(self, Self::Channel | Self::Api)
    }

    /// The word in settings, logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Channel => "channel",
            Self::Api => "api",
        }
    }
}

impl RouteKind {
    /// The word in settings, logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Relay => "relay",
            Self::Amocrm => "amocrm",
            Self::Wahelp => "wahelp",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(kinds: Option<&[&str]>) -> RouteDocument {
        RouteDocument {
            kind: RouteKind::Relay,
            mode: None,
            kinds: kinds.map(|names| names.iter().map(|&name| name.to_owned()).collect()),
            max_connections: None,
            ip_address: None,
            channel: None,
            companion: None,
            rules: RuleHistory::default(),
        }
    }

    #[test]
    fn a_channel_gets_what_both_sides_say_and_never_a_managers_wish() {
        let channel = RouteDocument {
            kind: RouteKind::Amocrm,
            mode: Some(RouteMode::Channel),
            channel: Some(Box::default()),
            ..route(Some(&["message"]))
        };
        let filter = channel.filter();
        for kind in EventKind::ALL {
            assert_eq!(filter.kinds.contains(kind), kind != EventKind::Reply, "{kind:?}");
        }
        assert_eq!((filter.topics, filter.authorship), (Topics::ALL, Authorship::OthersOnly));
    }

    #[test]
    fn a_route_gets_the_kinds_it_asked_for_and_the_default_when_it_asked_for_none() {
        let topic = |name: &str| Kind::of_name(name.as_bytes()).topic();
        let filter = route(Some(&["message", "chat_member"])).filter();
        assert!(filter.topics.contains(topic("chat_member")) && !filter.topics.contains(topic("poll")));
        assert_eq!(route(None).filter().topics, Kind::default_topics());
        assert_eq!(route(Some(&[])).filter().topics, Kind::default_topics());
    }

    #[test]
    fn connections_are_bounded_as_telegram_bounds_them() {
        assert_eq!(route(None).connections(), 40);
        for (asked, given) in [(0, 1), (7, 7), (100_000, 100)] {
            assert_eq!(RouteDocument { max_connections: Some(asked), ..route(None) }.connections(), given);
        }
    }

    #[test]
    fn a_field_of_a_newer_version_is_an_error_and_not_lost() {
        let stored =
            r#"{"kind":"relay","mode":null,"kinds":null,"max_connections":null,"ip_address":null,"speed":1}"#;
        let error = serde_json::from_str::<RouteDocument>(stored).unwrap_err();
        assert!(error.to_string().contains("unknown field `speed`"));
    }
}
