//! What happened in a conversation, as requests to the chat service (1.7, 1.10, 9): pure.
//!
//! Deleting is not possible there, nor is a keyboard in this direction: buttons are lines of text. A text is never empty.

mod body;
mod order;
mod route;
mod words;

use tandem_model::message::{Act, Body, Client, MessageKey, Speaker, Told};
use tandem_vendor::{ChatIds, Opening, Telling};

use crate::{
    request::{self, ChatsRequest, Repeat},
    wire::send::{
        Event, Message, MessageRef, NewChat, Payload, Person, Profile, React, ReactingUser, ReplyTo, Source,
    },
};

pub(crate) use order::Order;
pub(crate) use route::{RouteSettings, WithoutRest};
pub(crate) use words::Language;

/// Our id of the channel's bot: one for all bots of Telegram, since it is one at the chat service.
const BOT: &str = "bot";

/// A request of a telling, and what it tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    /// The message it brings, where it brings one.
    pub(crate) key: Option<MessageKey>,
    pub(crate) request: ChatsRequest,
}

/// What the requests are for, beside the telling.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame<'a> {
    pub(crate) scope: &'a str,
    /// The chat service's id of the channel's bot.
    pub(crate) bot_id: &'a str,
    pub(crate) route: &'a RouteSettings,
}

/// The request that makes a chat known.
pub(crate) fn opening(opening: &Opening, frame: &Frame<'_>) -> ChatsRequest {
    let chat = NewChat {
        conversation_id: opening.chat.as_str(),
        source: source(frame.route),
        user: person(&opening.client, None),
    };
    request::chat(frame.scope, &chat)
}

/// The requests that tell something, in order; none when there is nothing to tell.
pub(crate) fn pieces(telling: &Telling, frame: &Frame<'_>, order: &Order) -> Vec<Piece> {
    let Told { key, act, .. } = &telling.told;
    match act {
        Act::Said(said) => {
            let (messages, reply_to) = (parts(telling, said, frame), reply_to(telling, said));
            let with_key = messages.into_iter().enumerate().map(|(part, message)| {
                let key = key.part(part + 1);
                let reply_to = reply_to.filter(|_| part == 0);
                let request = new_message(telling, frame, order, &key, message, reply_to);
                Piece { key: Some(key), request }
            });
            with_key.collect()
        }
        Act::Edited(now) => {
            let messages = parts(telling, now, frame).into_iter().enumerate();
            messages.map(|(part, message)| edit(telling, frame, &key.part(part + 1), message)).collect()
        }
        Act::Reacted { now, before } => reactions(telling, frame, now, before),
    }
}

fn parts<'a>(telling: &'a Telling, said: &'a Body, frame: &Frame<'_>) -> Vec<Message<'a>> {
    let manager = match &telling.told.by {
        Speaker::Manager(manager) => Some(manager),
        Speaker::Client(_) | Speaker::Bot { .. } => None,
    };
    body::messages(said, manager, frame.route.language)
}

fn new_message(
    telling: &Telling,
    frame: &Frame<'_>,
    order: &Order,
    key: &MessageKey,
    message: Message<'_>,
    reply_to: Option<ReplyTo<'_>>,
) -> ChatsRequest {
    let Telling { told, client, ids, silent, .. } = telling;
    let at = order.place(conversation(telling), key, told.at);
    let title = frame.route.language.bot();
    let (sender, receiver) = match &told.by {
        Speaker::Client(client) => (person(client, ids.person.as_deref()), None),
        Speaker::Bot { .. } => (bot(frame, title), Some(person(client, ids.person.as_deref()))),
        Speaker::Manager(manager) => {
            let name = manager.name.as_deref().unwrap_or(title);
            (bot(frame, name), Some(person(client, ids.person.as_deref())))
        }
    };
    let payload = Payload {
        timestamp: at.div_euclid(1000),
        msec_timestamp: at,
        msgid: Some(key.as_str()),
        id: None,
        conversation_id: conversation(telling),
        conversation_ref_id: ids.chat.as_deref(),
        silent: *silent,
        source: source(frame.route),
        sender: Some(sender),
        receiver,
        message,
        reply_to,
    };
    request::message(frame.scope, &Event { event_type: "new_message", payload }, Repeat::Refused)
}

fn edit(telling: &Telling, frame: &Frame<'_>, key: &MessageKey, message: Message<'_>) -> Piece {
    let Telling { told, ids, silent, message: theirs, .. } = telling;
    let of = MessageRef::of(key.as_str(), theirs.as_deref());
    let payload = Payload {
        timestamp: told.at.as_millis().div_euclid(1000),
        msec_timestamp: told.at.as_millis(),
        msgid: of.msgid,
        id: of.id,
        conversation_id: conversation(telling),
        conversation_ref_id: ids.chat.as_deref(),
        silent: *silent,
        source: None,
        sender: None,
        receiver: None,
        message,
        reply_to: None,
    };
    let event = Event { event_type: "edit_message", payload };
    Piece { key: None, request: request::message(frame.scope, &event, Repeat::Harmless) }
}

/// How many reactions one person can have there is unknown, and the last one may be the only one. So what is gone is
/// taken back first, and what is there is said last, even if it was there before.
fn reactions(telling: &Telling, frame: &Frame<'_>, now: &[String], before: &[String]) -> Vec<Piece> {
    let gone = before.iter().filter(|emoji| !now.contains(emoji));
    let mut changes: Vec<_> = gone.map(|emoji| ("unreact", emoji)).collect();
    let mut new: Vec<_> = now.iter().filter(|emoji| !before.contains(emoji)).collect();
    if new.is_empty() && !changes.is_empty() {
        new.extend(now.last());
    }
    changes.extend(new.into_iter().map(|emoji| ("react", emoji)));
    let (told, ids) = (&telling.told, &telling.ids);
    let user = match &told.by {
        Speaker::Client(client) => ReactingUser { id: client.person.as_str(), ref_id: ids.person.as_deref() },
        Speaker::Bot { .. } | Speaker::Manager(_) => ReactingUser { id: BOT, ref_id: Some(frame.bot_id) },
    };
    let reacts = changes.into_iter().map(|(kind, emoji)| React {
        conversation_id: conversation(telling),
        message: MessageRef::of(told.key.as_str(), telling.message.as_deref()),
        user,
        kind,
        emoji,
    });
    reacts.map(|react| Piece { key: None, request: request::react(frame.scope, &react) }).collect()
}

fn conversation(telling: &Telling) -> &str {
    match &telling.ids {
        ChatIds { ours: Some(ours), .. } => ours,
        ChatIds { ours: None, .. } => telling.told.chat.as_str(),
    }
}

fn reply_to<'a>(telling: &'a Telling, said: &'a Body) -> Option<ReplyTo<'a>> {
    let quote = said.quote.as_ref()?;
    let message = match (&telling.quoted, &quote.key) {
        (Some(theirs), _) => MessageRef { msgid: None, id: Some(theirs) },
        (None, Some(key)) => MessageRef { msgid: Some(key.as_str()), id: None },
        (None, None) => return None,
    };
    Some(ReplyTo { message })
}

fn source(route: &RouteSettings) -> Option<Source<'_>> {
    route.source.as_deref().map(|external_id| Source { external_id })
}

fn bot<'a>(frame: &Frame<'a>, name: &'a str) -> Person<'a> {
    Person { id: BOT, ref_id: Some(frame.bot_id), name, avatar: None, profile: None, profile_link: None }
}

/// The client. The chat service's id of him goes along where it is known: it binds a chat that a manager began (2.9),
/// and says nothing new of any other.
fn person<'a>(client: &'a Client, ref_id: Option<&'a str>) -> Person<'a> {
    Person {
        id: client.person.as_str(),
        ref_id,
        name: &client.name,
        avatar: client.avatar.as_deref(),
        profile: client.phone.as_deref().map(|phone| Profile { phone }),
        profile_link: client.username.as_ref().map(|username| format!("https://t.me/{username}")),
    }
}

#[cfg(test)]
mod tests;
