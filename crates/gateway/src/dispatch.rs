//! Which app an update is for, decided when it comes (invariant 7), so that the filters of lanes need only look.
//!
//! - **A press of a button** is for the app that claims the beginning of its data: the owner of the bot has said so,
//!   which is how an app that only sends can show buttons that another one handles, and how buttons under old messages
//!   move to a new app. Else it is for the app whose message carries the button. Else it is for everybody, and the first
//!   answer wins ([`crate::answers`]). A button that a manager has shown is his route's: no app is shown its press.
//! - **A [`Question`]** is for the app that was chosen for it, else for `main`, unless `main` asks for no such updates
//!   and exactly one other app does.
//! - **Everything else** is for every app that asks for its kind.
//!
//! With one app there is nothing to decide, and nothing is looked up.

use std::sync::Arc;

use tandem_journal::Fact;
use tandem_model::{Flags, NewEvent};
use tandem_telegram::update::{Kind, UpdateView};

use crate::{
    App, BotHandle, Gateway, Question, keyboards,
    known::{ShownBy, Use},
};

impl Gateway {
    /// The event that an update is, with what was true when it came, and what becomes known with it.
    pub async fn event_of(&self, bot: &BotHandle, update: &UpdateView<'_>) -> (NewEvent, Vec<Fact>) {
        let now = self.inner().clock.now();
        let mut event = update.to_event(bot.source(), now);
        let mut facts = Vec::new();
        event.flags = event.flags | self.flags_of(bot.id(), update, &event.conversation).await;
        let kind = update.kind();
        // Without managers it need not be looked up whose button it is before claims are asked.
        let shown_by = if kind == Kind::CallbackQuery && self.uses(bot.id(), Use::Managers).await {
            self.shown_by(bot.id(), update).await
        } else {
            None
        };
        if let Some(ShownBy::Manager(route)) = shown_by {
            event.flags = event.flags | Flags::MANAGERS_BUTTON | Flags::MANAGER_TALKS;
            event.owner = Some(route);
            return (event, facts);
        }
        let question = Question::of(kind);
        if kind != Kind::CallbackQuery && question.is_none() {
            return (event, facts);
        }
        let apps = self.inner().directory.list_apps(bot.id());
        if apps.len() < 2 {
            return (event, facts);
        }
        let owner = match question {
            Some(question) => {
                let known: Vec<_> = apps.iter().map(|app| (app.name(), app.document().allowed)).collect();
                let name = question.answerer(&bot.owners(), &known);
                apps.iter().find(|app| Some(app.name()) == name)
            }
            None => self.presser(bot, &apps, update, shown_by).await,
        };
        event.owner = owner.map(|app| app.lane());
        if kind == Kind::ChosenInlineResult
            && let Some(owner) = owner
        {
            facts.extend(keyboards::note_chosen(ShownBy::App(owner.lane()), update, now));
        }
        (event, facts)
    }

    /// The app a press is for; `None` for everybody. `shown_by`: who has shown the button, where that was looked up.
    async fn presser<'a>(
        &self,
        bot: &BotHandle,
        apps: &'a [Arc<App>],
        press: &UpdateView<'_>,
        shown_by: Option<ShownBy>,
    ) -> Option<&'a Arc<App>> {
        if let Some(app) = press.callback_data().and_then(|data| claimant(apps, &data)) {
            return Some(app);
        }
        let shown_by = match shown_by {
            Some(known) => Some(known),
            None => self.shown_by(bot.id(), press).await,
        };
        // An app that takes no presses has shown a button that somebody else is to handle.
        apps.iter().find(|app| shown_by == Some(ShownBy::App(app.lane())) && takes(app, Kind::CallbackQuery))
    }
}

/// The app with the longest claim on this data.
fn claimant<'a>(apps: &'a [Arc<App>], data: &str) -> Option<&'a Arc<App>> {
    let claim = |app: &Arc<App>| {
        app.document().claims.iter().filter(|claim| data.starts_with(*claim)).map(String::len).max()
    };
    apps.iter()
        .filter_map(|app| Some((claim(app)?, app)))
        .max_by_key(|(length, _)| *length)
        .map(|(_, app)| app)
}

/// Whether an app asks for updates of this kind.
fn takes(app: &App, kind: Kind) -> bool {
    app.document().allowed.contains(kind.topic())
}

#[cfg(test)]
mod tests {
    use tandem_model::{LaneId, SourceId};
    use tandem_telegram::token::Token;

    use super::*;
    use crate::AppDocument;

    fn app(name: &str, lane: i64, document: AppDocument) -> Arc<App> {
        let token = Token::parse("42:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0").unwrap();
        let bot = Arc::new(BotHandle::new(token, SourceId::new(1).unwrap()));
        Arc::new(App::new(bot, name.to_owned(), LaneId::new(lane).unwrap(), document))
    }

    fn claiming(claims: &[&str]) -> AppDocument {
        AppDocument {
            claims: claims.iter().map(|&claim| claim.to_owned()).collect(),
            ..AppDocument::default()
        }
    }

    #[test]
    fn the_longest_claim_wins() {
        let apps = [
            app("a", 1, claiming(&["order:", "x"])),
            app("b", 2, claiming(&["order:pay:"])),
            app("c", 3, claiming(&[])),
        ];
        let of = |data: &str| claimant(&apps, data).map(|app| app.name());
        assert_eq!(of("order:1"), Some("a"));
        assert_eq!(of("order:pay:1"), Some("b"));
        assert_eq!(of("x"), Some("a"));
        assert_eq!(of("orders"), None);
    }
}
