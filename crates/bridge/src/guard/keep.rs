//! Whom to hand on to when the stream is taken back: the route whose address was learned, or one that is made.
//!
//! A CRM that was connected again, maybe at another address, keeps its route. One that was connected to a bot without a
//! CRM is kept as `adopt` would keep it: that is what its owner has Tandem for. Beside another CRM's route it is not
//! guessed: two of them in one account would double everything. Another host gets nothing: nobody asked for that.

use secrecy::{ExposeSecret, SecretString};
use tandem_journal::{Document, Route as RouteRow, SecretOwner, SettingsChange};
use tandem_model::BotId;
use tandem_telegram::upstream::WebhookInfo;

use crate::{
    BotDocument, Bridge, ChangeError, RouteDocument, RouteKind, StreamError, Taker,
    adopt::{default_name, route_kind},
    bots::LiveBot,
    secrets,
};

/// Kinds that only somebody who asks for everything asks for: all of them together are our own setting, which Telegram
/// keeps when a webhook is set without naming kinds (reference/telegram.md 2.5).
const ONLY_OURS: [&str; 3] = ["chat_member", "message_reaction", "message_reaction_count"];

/// Who is handed on to.
#[derive(Debug)]
pub(crate) enum Kept {
    /// Whoever was before, as before.
    AsBefore,
    /// This route, at its new address or with other kinds.
    Learned(String),
    /// This new route.
    New(String),
    /// It is not known whether he is to be, because this route is there.
    Undecided(String),
}

impl Kept {
    /// The route that is another one than before.
    pub(crate) fn changed(&self) -> Option<&str> {
        match self {
            Self::Learned(route) | Self::New(route) => Some(route),
            Self::AsBefore | Self::Undecided(_) => None,
        }
    }
}

/// A route with where it goes.
struct Stored {
    row: RouteRow,
    document: RouteDocument,
    url: Option<SecretString>,
}

impl Bridge {
    /// Who is handed on to, and what is to be committed for it. `document` is changed where the bot itself is.
    pub(super) async fn keep(
        &self,
        live: &LiveBot,
        by: &Taker,
        info: &WebhookInfo,
        document: &mut BotDocument,
    ) -> Result<(Kept, Vec<SettingsChange>), StreamError> {
        let bot = live.id();
        let Some((kind, mode)) = route_kind(by.kind).filter(|(kind, _)| *kind != RouteKind::Relay) else {
            return Ok((Kept::AsBefore, Vec::new()));
        };
        let former = self.vault().holder_url(bot).await?;
        let mut routes = self.stored_routes(bot).await?;
        let goes_to = |route: &Stored, url: &str| {
            route.url.as_ref().is_some_and(|stored| stored.expose_secret() == url)
        };
        let same = routes.iter().position(|route| goes_to(route, &info.url));
        let kind_of = |route: &&Stored| (route.document.kind, route.document.mode) == (kind, mode);
        let place = match same {
            Some(place) => Some(place),
            None if routes.iter().filter(kind_of).count() == 1 => {
                routes.iter().position(|route| kind_of(&route))
            }
            None => former
                .as_ref()
                .and_then(|url| routes.iter().position(|route| kind_of(&route) && goes_to(route, url))),
        };
        let kinds = asked_kinds(info);
        if let Some(place) = place {
            let Stored { row, document: mut route, .. } = routes.swap_remove(place);
            let before = route.clone();
            if let Asked::For(kinds) = kinds {
                route.kinds = kinds;
            }
            route.max_connections = info.max_connections.or(route.max_connections);
            if same.is_some() && route == before {
                return Ok((Kept::AsBefore, Vec::new()));
            }
            let name = row.name.clone();
            let changes = self.put_kept(document, by, info, RouteRow { document: of(bot, &route)?, ..row });
            return Ok((Kept::Learned(name), changes));
        }
        let is_crm = |route: &Stored| route.document.kind != RouteKind::Relay;
        if let Some(other) = routes.iter().find(|route| is_crm(route)) {
            return Ok((Kept::Undecided(other.row.name.clone()), Vec::new()));
        }
        let left_out = document.taken_from.as_ref().is_some_and(|holder| holder.kind == by.kind);
        if left_out {
            // Whoever adopted the bot did not want him to get anything.
            return Ok((Kept::AsBefore, Vec::new()));
        }
        let name = free_name(&routes, default_name(by.kind));
        let route = RouteDocument {
            kind,
            mode,
            kinds: match kinds {
                Asked::For(kinds) => kinds,
                Asked::Nothing => None,
            },
            max_connections: info.max_connections,
            ip_address: None,
            channel: None,
            companion: None,
            rules: crate::rules::RuleHistory::default(),
        };
        let row =
            RouteRow { bot, name: name.clone(), lane: None, connection: None, document: of(bot, &route)? };
        Ok((Kept::New(name), self.put_kept(document, by, info, row)))
    }

    /// The route, its address, and that `release` gives the stream back to him.
    fn put_kept(
        &self,
        document: &mut BotDocument,
        by: &Taker,
        info: &WebhookInfo,
        row: RouteRow,
    ) -> Vec<SettingsChange> {
        let before = document.taken_from.take();
        let mut holder = self.holder_of(info);
        if let Asked::Nothing = asked_kinds(info) {
            holder.allowed_updates =
                before.filter(|before| before.kind == by.kind).and_then(|before| before.allowed_updates);
        }
        document.taken_from = Some(holder);
        let (bot, url) = (row.bot, SecretString::from(info.url.clone()));
        let owner = SecretOwner::Route(bot, row.name.clone());
        vec![
            SettingsChange::PutRoute(row),
            self.vault().put(owner, secrets::ROUTE_URL, &url),
            self.vault().put(SecretOwner::Bot(bot), secrets::HOLDER_URL, &url),
        ]
    }

    async fn stored_routes(&self, bot: BotId) -> Result<Vec<Stored>, StreamError> {
        let mut routes = Vec::new();
        for row in self.parts().store.list_routes(bot).await.map_err(ChangeError::from)? {
            let document = row.document.read().map_err(|source| ChangeError::Document { bot, source })?;
            let owner = SecretOwner::Route(bot, row.name.clone());
            let url = self.vault().find(&owner, secrets::ROUTE_URL).await?;
            routes.push(Stored { row, document, url });
        }
        Ok(routes)
    }
}

/// The kinds that whoever set a webhook asked for.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    /// None were named: Telegram keeps what it had.
    Nothing,
    /// These; `None` is the default.
    For(Option<Vec<String>>),
}

fn asked_kinds(info: &WebhookInfo) -> Asked {
    match &info.allowed_updates {
        Some(kinds) if ONLY_OURS.iter().all(|ours| kinds.iter().any(|kind| kind == ours)) => Asked::Nothing,
        kinds => Asked::For(kinds.clone()),
    }
}

fn free_name(routes: &[Stored], wished: &str) -> String {
    let is_free = |name: &str| routes.iter().all(|route| route.row.name != name);
    let numbered = (2..).map(|number| format!("{wished}-{number}"));
    std::iter::once(wished.to_owned()).chain(numbered).find(|name| is_free(name)).unwrap_or_default()
}

fn of(bot: BotId, route: &RouteDocument) -> Result<Document, StreamError> {
    Ok(Document::of(route).map_err(|source| ChangeError::Document { bot, source })?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_kinds_are_not_mistaken_for_a_wish() {
        let info = |kinds: Option<Vec<&str>>| -> WebhookInfo {
            serde_json::from_value(serde_json::json!({"url": "https://a.example", "allowed_updates": kinds}))
                .unwrap()
        };
        assert_eq!(asked_kinds(&info(Some(tandem_telegram::allowed::every_name()))), Asked::Nothing);
        assert_eq!(asked_kinds(&info(None)), Asked::For(None));
        let some = asked_kinds(&info(Some(vec!["message", "message_reaction"])));
        assert_eq!(some, Asked::For(Some(vec!["message".to_owned(), "message_reaction".to_owned()])));
    }
}
