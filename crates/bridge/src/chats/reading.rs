//! What an event comes to for a route: nothing, things to be told, or what became of a manager's reply.
//!
//! Pure: the event and the route's rules decide, whenever they are asked.

use serde::Deserialize;
use tandem_gateway::{Author, SentDocument};
use tandem_model::{
    BotId, Event, EventKind, Flags, Timestamp,
    message::{Act, Body, Client, Content, Language, Manager, MessageKey, OutcomeDocument, Speaker, Told},
};
use tandem_telegram::{
    told::{self, Call},
    update::{MessageView, UpdateView},
};

use super::names::chat_of;
use crate::rules::{Decision, RouteRules};

/// What an event comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Matter {
    /// The CRM has nothing to do with it.
    Nothing,
    /// It is told this; never empty.
    Told(Vec<Told>),
    /// It is told what became of what its manager wanted.
    Outcome(Box<OutcomeDocument>),
}

/// How a route reads events.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    /// The route's name.
    pub(super) route: String,
    pub(super) rules: RouteRules,
    pub(super) language: Language,
}

impl Reading {
    /// Reads an event.
    pub(super) fn matter(&self, event: &Event) -> Matter {
        let told = match event.kind {
            EventKind::Update => self.update(event),
            EventKind::Sent => self.sent(event),
            EventKind::Outcome => return self.outcome(event),
            // Wishes are for Telegram, and marks say nothing that was said.
            EventKind::Reply | EventKind::Mark => return Matter::Nothing,
        };
        if told.is_empty() { Matter::Nothing } else { Matter::Told(told) }
    }

    fn update(&self, event: &Event) -> Vec<Told> {
        if event.flags.intersects(Flags::MANAGERS_BUTTON)
            && let Some(label) = told::pressed_label(&event.new.body)
        {
            // A press comes back as a message with exactly the button's text, whatever the rules say of buttons.
            return self.told(event).map(|told| saying(told, Content::Text, label)).into_iter().collect();
        }
        match self.decide(event) {
            Decision::Skip => Vec::new(),
            Decision::Show => self.told(event).into_iter().collect(),
            Decision::ShowAs(line) => {
                self.told(event).map(|told| saying(told, Content::Line, line)).into_iter().collect()
            }
        }
    }

    fn told(&self, event: &Event) -> Option<Told> {
        told::of_update(self.language, event)
    }

    fn sent(&self, event: &Event) -> Vec<Told> {
        let decision = self.decide(event);
        if decision == Decision::Skip {
            return Vec::new();
        }
        let Ok(sent) = serde_json::from_slice::<SentDocument<'_>>(&event.new.body) else { return Vec::new() };
        let by = match sent.by {
            Author::App(app) => Speaker::Bot { app: Some(app.into_owned()) },
            // Its own manager has his words already. The lane keeps them away; a lane that was made anew does not.
            Author::Manager { route, .. } | Author::ManagerPastUs { route, .. } if *route == *self.route => {
                return Vec::new();
            }
            Author::Manager { id, name, .. } => {
                Speaker::Manager(Manager { id: id.into_owned(), name: name.map(Into::into) })
            }
            Author::ManagerPastUs { .. } => {
                let told = past_us(event, &sent);
                return match decision {
                    Decision::ShowAs(line) => {
                        told.map(|told| saying(told, Content::Line, line)).into_iter().collect()
                    }
                    Decision::Show | Decision::Skip => told.into_iter().collect(),
                };
            }
        };
        let call =
            Call { method: &sent.method, parameters: &sent.parameters, result: sent.result.get().as_bytes() };
        let spoken = told::of_call(self.language, event.bot, event.at, &by, &call);
        let told = spoken.into_iter().map(|spoken| spoken.told);
        match decision {
            Decision::ShowAs(line) => {
                told.take(1).map(|told| saying(told, Content::Line, line.clone())).collect()
            }
            Decision::Show | Decision::Skip => told.collect(),
        }
    }

    fn outcome(&self, event: &Event) -> Matter {
        match serde_json::from_slice::<OutcomeDocument>(&event.new.body) {
            Ok(outcome) if outcome.origin.route == self.route => Matter::Outcome(Box::new(outcome)),
            Ok(_) | Err(_) => Matter::Nothing,
        }
    }

    fn decide(&self, event: &Event) -> Decision {
        self.rules.decide(event).decision
    }

    /// The client in whose chat something was said by somebody else, as the event shows him.
    pub(super) fn client_of_chat(&self, event: &Event) -> Option<Client> {
        let of = |message: &[u8]| told::client_of_chat(self.language, event.bot, message);
        match event.kind {
            EventKind::Update => of(UpdateView::of(&event.new.body).ok()?.object()),
            EventKind::Sent => of(result_of(event)?.get().as_bytes()),
            EventKind::Reply | EventKind::Outcome | EventKind::Mark => None,
        }
    }

    /// A client of whom nothing is known but the number of his chat.
    pub(super) fn nobody(&self, bot: BotId, chat: i64) -> Client {
        let kind = if chat > 0 { "private" } else { "group" };
        let message = format!(r#"{{"chat":{{"id":{chat},"type":"{kind}"}}}}"#);
        told::client_of_chat(self.language, bot, message.as_bytes())
            .expect("a chat with a number has a client")
    }
}

/// What a manager said past us, at another vendor: nothing is known of it but his words.
fn past_us(event: &Event, sent: &SentDocument<'_>) -> Option<Told> {
    let Author::ManagerPastUs { id, name, message, .. } = &sent.by else { return None };
    let by = Manager { id: id.as_ref().to_owned(), name: name.as_deref().map(str::to_owned) };
    let text = sent.parameters.text("text").unwrap_or_default().to_owned();
    Some(Told {
        key: MessageKey::of_vendors(event.bot, message),
        chat: chat_of(event.bot, &event.conversation)?,
        at: event.at,
        by: Speaker::Manager(by),
        act: Act::Said(Body {
            content: Content::Text,
            text,
            quote: None,
            forwarded_from: None,
            album: None,
            buttons: Vec::new(),
        }),
    })
}

/// When the message that was edited was written.
pub(super) fn written_at(event: &Event) -> Option<Timestamp> {
    match event.kind {
        EventKind::Update => UpdateView::of(&event.new.body).ok()?.message().date(),
        EventKind::Sent => MessageView::of(result_of(event)?.get().as_bytes())?.date(),
        EventKind::Reply | EventKind::Outcome | EventKind::Mark => None,
    }
}

fn result_of(event: &Event) -> Option<&serde_json::value::RawValue> {
    #[derive(Deserialize)]
    struct Sent<'a> {
        #[serde(borrow)]
        result: &'a serde_json::value::RawValue,
    }
    Some(serde_json::from_slice::<Sent<'_>>(&event.new.body).ok()?.result)
}

/// The same said in these words. A reaction has none, and stays one.
fn saying(mut told: Told, content: Content, text: String) -> Told {
    if let Act::Said(said) | Act::Edited(said) = &mut told.act {
        *said = Body { content, text, quote: None, forwarded_from: None, album: None, buttons: Vec::new() };
    }
    told
}
