//! How Wahelp stands to a bot: who holds the bot's webhook at Telegram, and which of the arrangements that makes
//! (`docs/wahelp.md` has the table).
//!
//! Nothing is said of bots that have nothing to do with Wahelp. What a channel of Wahelp is, its connection says.

use tandem_model::{BotId, ConnectionId};

use super::{FindingView, StateView};
use crate::{
    Bridge, Holder, HolderKind, RouteDocument, RouteKind, RouteMode,
    adopt::holder::is_our_hook,
    operations::{Refusal, find::Found, trouble::unreadable},
};

/// A route as far as the arrangement depends on it.
struct Standing {
    name: String,
    document: RouteDocument,
    connection: Option<ConnectionId>,
}

impl Bridge {
    /// What is to be said of a bot's arrangement with Wahelp; nothing where there is none.
    pub(super) async fn examine_topology(&self, found: &Found) -> Result<Vec<FindingView>, Refusal> {
        let mut routes = Vec::new();
        for row in self.parts().store.list_routes(found.bot).await? {
            let document: RouteDocument =
                row.document.read().map_err(|error| unreadable(&format!("route {}", row.name), &error))?;
            if document.kind == RouteKind::Wahelp {
                routes.push(Standing { name: row.name, document, connection: row.connection });
            }
        }
        if routes.is_empty() || found.is_released() {
            return Ok(Vec::new());
        }
        let before = found.document.taken_from.as_ref();
        let mut findings = vec![self.holder_now(found.bot, before).await?];
        findings.extend(routes.iter().map(|route| arrangement(route, before)));
        Ok(findings)
    }

    /// Who has the webhook, asked of Telegram now.
    async fn holder_now(&self, bot: BotId, before: Option<&Holder>) -> Result<FindingView, Refusal> {
        let step = "holder";
        let token = self.vault().token(bot).await?;
        let info = match self.parts().upstream.get_webhook_info(&token).await {
            Ok(info) => info,
            Err(error) => {
                let sentence = format!("Telegram could not be asked who has the bot's webhook: {error}.");
                return Ok(FindingView::skipped(step, sentence));
            }
        };
        let was = match before {
            Some(Holder { kind: HolderKind::Nobody | HolderKind::Poller, .. }) | None => String::new(),
            Some(holder) => format!(" Before us it had {} ({}).", holder.kind.as_str(), holder.host),
        };
        Ok(if info.url.is_empty() {
            let sentence =
                format!("Nobody has the bot's webhook at Telegram: Tandem asks for its updates.{was}");
            FindingView::good(step, sentence)
        } else if is_our_hook(&info.url, &token) {
            FindingView::good(step, format!("The bot's webhook at Telegram is Tandem's.{was}"))
        } else {
            let Holder { kind, host, .. } = self.holder_of(&info);
            let sentence = format!(
                "The bot's webhook at Telegram has {} ({host}): updates go there past Tandem. `tandem bots retake` takes \
                 the stream back.",
                kind.as_str()
            );
            FindingView::bad(step, sentence)
        })
    }
}

/// Which arrangement a route makes.
fn arrangement(route: &Standing, before: Option<&Holder>) -> FindingView {
    let name = &route.name;
    let (state, sentence) = match route.document.mode {
        Some(RouteMode::Native) => {
            let from = match before {
                Some(holder) if holder.kind == HolderKind::Wahelp => "",
                _ => {
                    " Wahelp did not have the bot's webhook when it was adopted: see that the address is its channel's."
                }
            };
            let hears = if route.connection.is_some() && route.document.hears_managers() {
                "Tandem hears of them by the route's connection."
            } else {
                "Tandem hears nothing of them: the bot's code answers while a manager talks."
            };
            let sentence = format!(
                "Route {name} is T2 with your code beside it: Wahelp's bot channel gets each update as Telegram sent it, \
                 and sends managers' answers to the bot's chat itself. {hears} Switch the channel's own menu off in \
                 Wahelp, or two programs answer.{from}"
            );
            (if from.is_empty() { StateView::Good } else { StateView::Warning }, sentence)
        }
        Some(RouteMode::Api | RouteMode::Channel) | None => (
            StateView::Warning,
            format!(
                "Route {name} sends clients' words into a channel of Wahelp, and whatever is sent there goes to the client: \
                 in a personal account he receives his own words (T1). What the channel is, its connection says below. \
                 Managers' answers come back to the bot."
            ),
        ),
    };
    FindingView::new("topology", state, sentence)
}
