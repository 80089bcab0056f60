//! Which app answers what only one can answer: inline, shipping and pre-checkout queries, requests to join, guests.

use serde::{Deserialize, Serialize};
use tandem_telegram::update::Kind;

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
