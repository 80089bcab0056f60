//! Two routes of one bot into one account of a CRM show everything there twice: refused, unless one of them keeps
//! silent for the time of a move (DESIGN section 6).

use tandem_model::ConnectionId;

use super::{DesiredBot, plan::Known};
use crate::{
    Bridge, RouteDocument, RouteKind, RouteMode,
    adopt::route_kind,
    operations::{Others, Refusal, RefusalCode, trouble::unreadable},
};

/// A route, as far as it matters here.
struct Shown {
    name: String,
    kind: RouteKind,
    mode: Option<RouteMode>,
    account: Account,
    is_silent: bool,
}

/// Into which account a route goes.
#[derive(PartialEq, Eq)]
enum Account {
    /// That of a connection that is in the store.
    Stored(ConnectionId),
    /// That of a connection that the file makes.
    Made(String),
    /// Nobody knows: a built-in integration.
    Unknown,
}

impl Shown {
    /// Whether both show the same to the same people.
    fn doubles(&self, other: &Self) -> bool {
        if self.is_silent || other.is_silent || self.kind != other.kind || self.kind == RouteKind::Relay {
            return false;
        }
        match (&self.account, &other.account) {
            // What a built-in integration goes to cannot be seen; beside a channel it is most likely the same.
            (Account::Unknown, _) | (_, Account::Unknown) => {
                [self.mode, other.mode].into_iter().flatten().any(RouteMode::tells)
            }
            (one, another) => one == another,
        }
    }
}

impl Bridge {
    /// Looks at the routes a bot would have, before anything is done.
    pub(super) async fn refuse_doubled(
        &self,
        bot: &DesiredBot,
        known: &Known,
        others: Others,
    ) -> Result<(), Refusal> {
        let rows = match &known.found {
            Some(found) if !found.is_released() => self.parts().store.list_routes(found.bot).await?,
            Some(_) | None => Vec::new(),
        };
        let mut routes = Vec::new();
        for route in &bot.routes {
            let row = rows.iter().find(|row| row.name == route.name);
            let account = match &route.connection {
                Some(name) => match self.parts().store.find_connection(name.clone()).await? {
                    Some(connection) => Account::Stored(connection.id),
                    None => Account::Made(name.clone()),
                },
                None => row.and_then(|row| row.connection).map_or(Account::Unknown, Account::Stored),
            };
            routes.push(shown(route.name.clone(), &route.document, account));
        }
        for row in rows.iter().filter(|_| others == Others::Keep) {
            if !bot.routes.iter().any(|route| route.name == row.name) {
                let document: RouteDocument = row
                    .document
                    .read()
                    .map_err(|error| unreadable(&format!("route {}", row.name), &error))?;
                let account = row.connection.map_or(Account::Unknown, Account::Stored);
                routes.push(shown(row.name.clone(), &document, account));
            }
        }
        routes.extend(known.to_adopt.as_ref().filter(|_| others == Others::Keep).and_then(|holder| {
            let (kind, mode) = route_kind(holder.kind)?;
            let is_named = bot.routes.iter().any(|route| {
                route.url.is_none() && (route.document.kind, route.document.mode) == (kind, mode)
            });
            let name = format!("the one that {} has now", holder.kind.as_str());
            (!is_named).then_some(Shown { name, kind, mode, account: Account::Unknown, is_silent: false })
        }));
        for (at, one) in routes.iter().enumerate() {
            if let Some(other) = routes[at + 1..].iter().find(|other| one.doubles(other)) {
                return Err(Refusal::new(
                    RefusalCode::Conflict,
                    format!(
                        "{} would have two routes into one account, {} and {}: everything would stand there twice.",
                        known.shown(),
                        one.name,
                        other.name
                    ),
                    "Keep one of them (what the file does not name goes with --prune), or give the channel's silent = true \
                     for the time of the move.",
                ));
            }
        }
        Ok(())
    }
}

fn shown(name: String, document: &RouteDocument, account: Account) -> Shown {
    let is_silent = document.channel.as_ref().is_some_and(|channel| channel.silent);
    Shown { name, kind: document.kind, mode: document.mode, account, is_silent }
}
