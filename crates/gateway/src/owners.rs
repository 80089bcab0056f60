//! Which app answers what only one can answer: inline, shipping and pre-checkout queries, requests to join, guests.

use serde::{Deserialize, Serialize};
use tandem_model::Topics;
use tandem_telegram::update::Kind;

use crate::App;

/// Updates that one app answers and no other is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// Inline queries and the results chosen of them.
    Inline,
    /// What shipping costs.
    Shipping,
    /// Whether a payment may go on: answered within 10 seconds, or it fails.
    PreCheckout,
    /// Requests to join a chat.
    JoinRequests,
    /// Messages from chats the bot is a guest in.
    Guest,
}

impl Question {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Inline, Self::Shipping, Self::PreCheckout, Self::JoinRequests, Self::Guest];

    /// The word in settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inline => "inline",
            Self::Shipping => "shipping",
            Self::PreCheckout => "pre_checkout",
            Self::JoinRequests => "join_requests",
            Self::Guest => "guest",
        }
    }

    /// A kind that stands for it.
    const fn kind(self) -> Kind {
        match self {
            Self::Inline => Kind::InlineQuery,
            Self::Shipping => Kind::ShippingQuery,
            Self::PreCheckout => Kind::PreCheckoutQuery,
            Self::JoinRequests => Kind::ChatJoinRequest,
            Self::Guest => Kind::GuestMessage,
        }
    }

    /// The app that answers it, of these with the kinds they ask for: the one that was chosen, else `main`, unless
    /// `main` asks for no such updates and exactly one other does.
    pub fn answerer<'a>(self, owners: &Owners, apps: &[(&'a str, Topics)]) -> Option<&'a str> {
        let named = |name: &str| apps.iter().find(|(app, _)| *app == name);
        if let Some((app, _)) = owners.chosen(self).and_then(named) {
            return Some(app);
        }
        let asks = |(_, allowed): &&(&str, Topics)| allowed.contains(self.kind().topic());
        let main = named(App::MAIN);
        if !main.as_ref().is_some_and(asks) {
            let mut others = apps.iter().filter(asks);
            if let (Some((only, _)), None) = (others.next(), others.next()) {
                return Some(only);
            }
        }
        main.map(|(app, _)| *app)
    }

    /// Which of them an update of this kind is.
    pub(crate) const fn of(kind: Kind) -> Option<Self> {
        match kind {
            Kind::InlineQuery | Kind::ChosenInlineResult => Some(Self::Inline),
            Kind::ShippingQuery => Some(Self::Shipping),
            Kind::PreCheckoutQuery => Some(Self::PreCheckout),
            Kind::ChatJoinRequest => Some(Self::JoinRequests),
            Kind::GuestMessage => Some(Self::Guest),
            _ => None,
        }
    }
}

/// The apps a bot's owner has chosen, by name; what is left out is decided by what apps ask for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Owners {
    /// Of inline queries and chosen results.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inline: Option<String>,
    /// Of shipping queries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shipping: Option<String>,
    /// Of pre-checkout queries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pre_checkout: Option<String>,
    /// Of requests to join.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub join_requests: Option<String>,
    /// Of guest messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guest: Option<String>,
}

impl Owners {
    /// The app that was chosen.
    pub fn chosen(&self, question: Question) -> Option<&str> {
        match question {
            Question::Inline => &self.inline,
            Question::Shipping => &self.shipping,
            Question::PreCheckout => &self.pre_checkout,
            Question::JoinRequests => &self.join_requests,
            Question::Guest => &self.guest,
        }
        .as_deref()
    }

    /// Chooses an app, or leaves it open again.
    pub fn choose(&mut self, question: Question, app: Option<String>) {
        *match question {
            Question::Inline => &mut self.inline,
            Question::Shipping => &mut self.shipping,
            Question::PreCheckout => &mut self.pre_checkout,
            Question::JoinRequests => &mut self.join_requests,
            Question::Guest => &mut self.guest,
        } = app;
    }

    /// Forgets an app that is no more; whether it had been chosen for anything.
    pub fn forget(&mut self, app: &str) -> bool {
        let mut had = false;
        for question in Question::ALL {
            if self.chosen(question) == Some(app) {
                self.choose(question, None);
                had = true;
            }
        }
        had
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_for_the_chosen_app_else_for_main_else_for_the_only_one_that_asks() {
        let of = |kinds: &[Kind]| kinds.iter().fold(Topics::NONE, |topics, kind| topics.with(kind.topic()));
        let (all, none, inline) = (Kind::default_topics(), of(&[Kind::Message]), of(&[Kind::InlineQuery]));
        let mut apps = [("find", inline), ("main", all), ("shop", none)];
        let chosen = |app: &str| Owners { inline: Some(app.to_owned()), ..Owners::default() };
        let answers = |apps: &[(&'static str, Topics)], owners: &Owners, question: Question| {
            question.answerer(owners, apps)
        };
        assert_eq!(answers(&apps, &chosen("shop"), Question::Inline), Some("shop"));
        assert_eq!(answers(&apps, &chosen("gone"), Question::Inline), Some("main"));
        assert_eq!(answers(&apps, &Owners::default(), Question::Inline), Some("main"));
        apps[1].1 = none;
        assert_eq!(answers(&apps, &Owners::default(), Question::Inline), Some("find"));
        assert_eq!(answers(&apps, &Owners::default(), Question::Shipping), Some("main"), "nobody asks");
        apps[2].1 = inline;
        assert_eq!(answers(&apps, &Owners::default(), Question::Inline), Some("main"), "two ask");
    }

    #[test]
    fn an_app_that_is_gone_is_forgotten() {
        let mut owners = Owners::default();
        owners.choose(Question::Inline, Some("shop".to_owned()));
        owners.choose(Question::Guest, Some("main".to_owned()));
        assert!(owners.forget("shop") && !owners.forget("shop"));
        assert_eq!((owners.chosen(Question::Inline), owners.chosen(Question::Guest)), (None, Some("main")));
    }
}
