//! Makes destinations of routes of modes `channel` and `api`.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use tandem_journal::Store;
use tandem_lanes::{LaneAddress, LeaseSource, OrderBy, PushSpec, Repeats};
use tandem_model::{BotId, Clock, ConnectionId, UserId, Verdict, message::Attachment};
use tandem_vendor::Account;

use super::{
    Accounts, MediaLinks, Shared, destination::ChatRoute, earlier::Moments, entrance::Entrance,
    known::KnownChats, names::Names, reading::Reading,
};
use crate::{
    ConnectError, Connected, Connections, Connector, Media, RouteDocument, RouteMode, RouteSetting,
    rules::RouteRules,
};

/// How many chats of all routes together are kept in memory: about a kilobyte each.
const CHATS: usize = 16_384;
/// How many chats of a route are spoken of at a time.
const AT_A_TIME: usize = 64;
/// How many of them may be new ones, which take longer.
const OPENINGS: usize = 32;
/// How many events of one chat are taken at a time, so that a chat with a backlog does not wait for its lane each time.
const RUN: usize = 8;

/// Makes them, all with one memory.
#[derive(Debug)]
pub(crate) struct Chats {
    shared: Arc<Shared>,
    made: AtomicU64,
}

impl Chats {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        accounts: Arc<dyn Accounts>,
        leases: Arc<dyn LeaseSource>,
        media: Arc<dyn MediaLinks>,
    ) -> Self {
        let known = KnownChats::new(CHATS);
        Self {
            shared: Arc::new(Shared { store, clock, accounts, leases, media, known }),
            made: AtomicU64::new(0),
        }
    }
}

impl Connector for Chats {
    fn serves(&self, route: &RouteDocument) -> bool {
        route.mode.is_some_and(RouteMode::tells)
    }

    fn connect(&self, lane: LaneAddress, route: &RouteSetting) -> Result<Connected, ConnectError> {
        let connection = route.connection.ok_or(ConnectError::Missing { name: "connection" })?;
        let channel = route.document.channel.as_ref();
        let channel = channel.ok_or(ConnectError::Missing { name: "settings of the channel" })?;
        let reading = Reading {
            route: route.name.clone(),
            rules: RouteRules::of(&route.document.rules, route.document.audience()),
            language: channel.language,
        };
        let destination = ChatRoute {
            shared: Arc::clone(&self.shared),
            number: self.made.fetch_add(1, Ordering::Relaxed),
            names: Names { lane, connection },
            reading,
            document: channel.for_vendor(lane.bot),
            without_rest: channel.without_rest,
            look_after: Duration::from_mins(u64::from(channel.lead_check_minutes)),
            silent: channel.silent,
            moments: Moments::default(),
            entrance: Entrance::new(OPENINGS, Arc::clone(&self.shared.clock)),
        };
        let spec = PushSpec {
            order: OrderBy::Conversation,
            // Also where the vendor recognises none: what was begun is noted message by message ([`super::once`]).
            repeats: Repeats::Recognised,
            max_in_flight: AT_A_TIME,
            run_events: RUN,
            ..PushSpec::route()
        };
        Ok(Connected { spec, destination: Arc::new(destination) })
    }
}

impl Accounts for Connections {
    fn account(&self, connection: ConnectionId) -> Result<Arc<dyn Account>, Verdict> {
        Self::account(self, connection).map_err(|unusable| unusable.verdict())
    }
}

#[async_trait]
impl MediaLinks for Media {
    fn file(&self, bot: BotId, file: &Attachment) -> Option<String> {
        self.link(bot, file)
    }

    async fn avatar(&self, bot: BotId, user: UserId) -> Option<String> {
        self.avatar_link(bot, user).await
    }
}
