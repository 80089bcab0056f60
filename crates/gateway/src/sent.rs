//! What the company's side said, as it stands in the journal.

use std::borrow::Cow;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tandem_model::{Conversation, EventKind, Flags, LaneId, Lifetime, NewEvent, Timestamp};
use tandem_telegram::{
    methods::{Act, Capture},
    params::Params,
    update::{Family, MessageView},
};

/// The body of a `Sent` event: a call that Telegram carried out.
#[derive(Debug, Serialize, Deserialize)]
pub struct SentDocument<'a> {
    /// The method, as it was called.
    #[serde(borrow)]
    pub method: Cow<'a, str>,
    /// What it did; a word of [`tandem_telegram::methods::Act::as_str`].
    #[serde(borrow)]
    pub act: Cow<'a, str>,
    /// Who called it.
    #[serde(borrow)]
    pub by: Author<'a>,
    /// With which parameters; of files only names and sizes.
    pub parameters: Params,
    /// Telegram's result, in its own bytes.
    #[serde(borrow)]
    pub result: &'a RawValue,
}

/// Who said it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Author<'a> {
    /// An app, by name.
    #[serde(borrow)]
    App(Cow<'a, str>),
    /// A manager at a CRM, through us.
    Manager {
        /// The route he came by, by name.
        #[serde(borrow)]
        route: Cow<'a, str>,
        /// The vendor's id of him.
        #[serde(borrow)]
        id: Cow<'a, str>,
        /// His name, where it is known.
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        name: Option<Cow<'a, str>>,
    },
    /// A manager at a CRM, past us: the vendor's own integration has sent it, and a route's account tells of it. There is
    /// no result of Telegram's, which nobody showed us.
    ManagerPastUs {
        /// The route whose account told, by name.
        #[serde(borrow)]
        route: Cow<'a, str>,
        /// The vendor's id of him.
        #[serde(borrow)]
        id: Cow<'a, str>,
        /// His name, where it is known.
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        name: Option<Cow<'a, str>>,
        /// The vendor's id of the message.
        #[serde(borrow)]
        message: Cow<'a, str>,
    },
}

/// A call that was carried out, before it is an event.
#[derive(Debug)]
pub struct Said<'a> {
    /// Who called.
    pub by: Author<'a>,
    /// The lane through which he is told what happens: not of this.
    pub lane: LaneId,
    /// The method, as it was called.
    pub method: &'a str,
    /// What it did.
    pub capture: Capture,
    /// With which parameters.
    pub parameters: Params,
    /// Telegram's result.
    pub result: &'a Bytes,
    /// The time, for results that have none.
    pub now: Timestamp,
    /// Whether any app is shown it.
    pub shown: bool,
}

/// What a manager said past us, before it is an event.
#[derive(Debug)]
pub struct SaidPastUs<'a> {
    /// Who; [`Author::ManagerPastUs`].
    pub by: Author<'a>,
    /// The lane through which his vendor is told what happens: not of this.
    pub lane: LaneId,
    /// In which chat.
    pub chat: i64,
    /// His words.
    pub text: &'a str,
    /// When, by the vendor's clock.
    pub at: Timestamp,
    /// Whether any app is shown it.
    pub shown: bool,
}

impl SaidPastUs<'_> {
    /// The event: as if `sendMessage` had been called, with a result of `null`. `None` never happens: texts and numbers
    /// can always be written.
    pub fn event(self) -> Option<NewEvent> {
        let Self { by, lane, chat, text, at, shown } = self;
        let document = SentDocument {
            method: "sendMessage".into(),
            act: Act::Send.as_str().into(),
            by,
            parameters: Params::of([("chat_id", chat.to_string()), ("text", text.to_owned())]),
            result: RawValue::NULL,
        };
        Some(NewEvent {
            kind: EventKind::Sent,
            topic: Act::Send.topic(),
            conversation: Conversation::chat(chat),
            family: Family::Chat.number(),
            at,
            lifetime: Lifetime::Backlog,
            flags: if shown { Flags::SHOWN_TO_APPS } else { Flags::NONE },
            upstream: None,
            cause: Some(lane),
            owner: None,
            body: serde_json::to_vec(&document).ok()?.into(),
        })
    }
}

impl Said<'_> {
    /// The event. `None` when the result is not even text, which no Bot API server sends.
    pub fn event(self) -> Option<NewEvent> {
        let Self { by, lane, method, capture, parameters, result, now, shown } = self;
        let first = MessageView::of(result).or_else(|| first_of(result));
        let conversation = conversation_of(&parameters, result).unwrap_or_else(Conversation::bot);
        let at = first.and_then(|message| message.edit_date().or_else(|| message.date())).unwrap_or(now);
        let document = SentDocument {
            method: method.into(),
            act: capture.act.as_str().into(),
            by,
            parameters,
            result: serde_json::from_slice(result).ok()?,
        };
        Some(NewEvent {
            kind: EventKind::Sent,
            topic: capture.act.topic(),
            conversation,
            family: Family::Chat.number(),
            at,
            lifetime: Lifetime::Backlog,
            flags: if shown { Flags::SHOWN_TO_APPS } else { Flags::NONE },
            upstream: None,
            cause: Some(lane),
            owner: None,
            body: serde_json::to_vec(&document).ok()?.into(),
        })
    }
}

/// Where something was said: where the result or, for results that do not say, the call says.
pub(crate) fn conversation_of(parameters: &Params, result: &Bytes) -> Option<Conversation> {
    let first = MessageView::of(result).or_else(|| first_of(result));
    first.as_ref().and_then(MessageView::conversation).or_else(|| named_conversation(parameters))
}

/// The first message of an album.
fn first_of(result: &Bytes) -> Option<MessageView<'_>> {
    let inside = result.iter().position(|byte| *byte == b'{')?;
    if result.get(..inside)?.iter().all(|byte| byte.is_ascii_whitespace() || *byte == b'[') {
        MessageView::of(&result[inside..])
    } else {
        None
    }
}

/// The chat that the parameters name by number: for results that name none.
fn named_conversation(parameters: &Params) -> Option<Conversation> {
    let chat: i64 = parameters.text("chat_id")?.trim().parse().ok()?;
    Some(match parameters.text("business_connection_id") {
        Some(connection) => Conversation::business(connection, chat),
        None => Conversation::chat(chat),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_manager_said_past_us_stands_in_the_journal_as_his_and_is_read_again() {
        let by = Author::ManagerPastUs {
            route: "amocrm".into(),
            id: "8100001".into(),
            name: Some("Olga".into()),
            message: "7e6d5c4b".into(),
        };
        let lane = LaneId::new(3).unwrap();
        let at = Timestamp::from_secs(1_800_000_000);
        let said = SaidPastUs { by: by.clone(), lane, chat: 1001, text: "hello", at, shown: false };
        let event = said.event().unwrap();
        assert_eq!((event.kind, event.cause, event.at), (EventKind::Sent, Some(lane), at));
        assert_eq!(event.conversation, Conversation::chat(1001));
        let read: SentDocument<'_> = serde_json::from_slice(&event.body).unwrap();
        assert_eq!((read.by, read.parameters.text("text")), (by, Some("hello")));
    }
}
