//! Chats: opening them, telling, reporting.

use std::time::Duration;

use tandem_model::{
    Blame, PauseReason,
    message::{PersonKey, ReplyOrigin, ReplyResult},
};
use tandem_vendor::{ChatIds, Failure, FailureKind, Found, OpenedChat, Opening, Taken, Telling};

use super::AmocrmAccount;
use crate::{
    connection::is_amojo_id,
    request::{self, ChatsRequest},
    response::Answer,
    rest::{NotHad, Priority, Rest},
    tell::{self, Frame, Piece, RouteSettings, WithoutRest},
    wire::answer::{CreatedChat, TakenMessage},
};

/// A rest up to this long is worth waiting for before a chat is opened without a card.
const SOON: Duration = Duration::from_secs(30);

impl AmocrmAccount {
    /// Opens a chat in its client's card: he is found or made, and the chat is put there before anything is said (4.5).
    pub(super) async fn open(&self, opening: &Opening) -> Result<OpenedChat, Failure> {
        let route = route(&opening.route)?;
        if let Some(rest) = &self.rest {
            // Its pipeline is decided by the source that the chat is made with.
            self.keep_source(rest, &route).await;
        }
        let answer = self.in_scope(|frame| tell::opening(opening, &frame), &route).await?;
        let created: CreatedChat = serde_json::from_slice(&answer.body).map_err(|_unreadable| {
            let kind = FailureKind::Later { after: None, blame: Blame::Unclear };
            Failure::new(kind, "the chat service's answer to a new chat cannot be read")
        })?;
        let person = created.user.and_then(|user| user.id);
        let contact = self.put_into_card(&created.id, opening, &route).await?;
        let ids = ChatIds { ours: None, chat: Some(created.id), person };
        Ok(OpenedChat { ids, contact })
    }

    /// The contact of a new chat. While nobody can say who he is, the route decides whether his words wait.
    async fn put_into_card(
        &self,
        chat: &str,
        opening: &Opening,
        route: &RouteSettings,
    ) -> Result<Option<String>, Failure> {
        let Some(rest) = &self.rest else { return Ok(None) };
        let failure = match self.settle(rest, opening, chat, route).await {
            Ok(contact) => return Ok(contact.map(|id| id.to_string())),
            Err(not_had) => not_had.failure,
        };
        let waits = match route.without_rest {
            WithoutRest::Wait => {
                is_later(&failure) || matches!(failure.kind, FailureKind::Stop(PauseReason::Refused))
            }
            // A moment is worth waiting for: without a card amoCRM makes one of its own.
            WithoutRest::Send => {
                let user = PersonKey::read(opening.client.person.as_str());
                passes_soon(&failure) && user.is_some_and(|user| self.people.may_wait(user.get()))
            }
        };
        if waits {
            return Err(failure);
        }
        let name = &self.connection.name;
        tracing::warn!(
            connection.name = name,
            "a chat is opened without its client's card in connection {name}: {failure}"
        );
        Ok(None)
    }

    pub(super) async fn say(&self, telling: &Telling) -> Result<Taken, Failure> {
        let route = route(&telling.route)?;
        let bot_id = self.chats()?.channel().bot_id.clone();
        let scope = self.scope().await?;
        let frame = Frame { scope: &scope, bot_id: &bot_id, route: &route };
        let pieces = tell::pieces(telling, &frame, &self.order);
        let several = pieces.len() > 1;
        let mut taken = Taken::default();
        for (number, piece) in pieces.iter().enumerate() {
            let told = match self.send(&scope, &piece.request).await {
                Err(failure) if several && failure.kind == FailureKind::Refused => {
                    self.told_before(telling, piece, failure).await?
                }
                told => told.map(|answer| taken_id(&answer))?,
            };
            if number == 0 {
                taken.message = told;
            }
        }
        Ok(taken)
    }

    /// Of several pieces the first may have been taken in an earlier attempt: then it is refused now, and the others have
    /// still to be told.
    async fn told_before(
        &self,
        telling: &Telling,
        piece: &Piece,
        failure: Failure,
    ) -> Result<Option<String>, Failure> {
        let Some(key) = &piece.key else { return Err(failure) };
        match self.find_message(&telling.ids, key).await? {
            Found::Yes(id) => Ok(id),
            Found::No | Found::Unknowable => Err(failure),
        }
    }

    pub(super) async fn report_status(
        &self,
        origin: &ReplyOrigin,
        result: &ReplyResult,
    ) -> Result<(), Failure> {
        // Typing has no id and a reaction none that the service knows: there is nothing to report on.
        if !is_amojo_id(&origin.message) {
            return Ok(());
        }
        let scope = self.scope().await?;
        let Some(request) = request::delivery_status(&scope, &origin.message, result) else {
            return Ok(());
        };
        self.send(&scope, &request).await.map(drop)
    }

    pub(super) async fn write_note(&self, chat: &ChatIds, words: &str) -> Result<bool, Failure> {
        let Some((rest, chat)) = self.rest.as_ref().zip(known_chat(chat)) else { return Ok(false) };
        let written = write_note(rest, chat, words).await;
        written.map_err(|not_had| not_had.failure)
    }

    /// A note that nobody waits for.
    pub(super) async fn write_note_to(&self, contact: &str, words: &str) -> Result<bool, Failure> {
        let (Some(rest), Ok(contact)) = (&self.rest, contact.parse()) else { return Ok(false) };
        match rest.note(contact, words, Priority::Background).await {
            Ok(()) => Ok(true),
            // Deleted, or merged into another.
            Err(NotHad { status: Some(400 | 404 | 422), .. }) => Ok(false),
            Err(not_had) => Err(not_had.failure),
        }
    }

    async fn in_scope(
        &self,
        request: impl Fn(Frame<'_>) -> ChatsRequest,
        route: &RouteSettings,
    ) -> Result<Answer, Failure> {
        let bot_id = self.chats()?.channel().bot_id.clone();
        let scope = self.scope().await?;
        self.send(&scope, &request(Frame { scope: &scope, bot_id: &bot_id, route })).await
    }

    /// Sends a request of a scope. Where the service does not know the channel any more, it is connected and asked once
    /// more: the scope is the same then.
    pub(super) async fn send(&self, scope: &str, request: &ChatsRequest) -> Result<Answer, Failure> {
        let chats = self.chats()?;
        let mut may_connect = true;
        loop {
            match chats.send(request).await {
                Ok(answer) => return Ok(answer),
                Err(unsuccessful) if unsuccessful.is_unconnected() && may_connect => {
                    may_connect = false;
                    self.lost_connection(scope);
                    if self.scope().await? != scope {
                        return Err(unsuccessful.failure(request.repeat));
                    }
                }
                Err(unsuccessful) => {
                    if unsuccessful.is_unconnected() {
                        self.lost_connection(scope);
                    }
                    return Err(unsuccessful.failure(request.repeat));
                }
            }
        }
    }
}

async fn write_note(rest: &Rest, chat: &str, words: &str) -> Result<bool, NotHad> {
    let Some(contact) = rest.contact_of(chat, Priority::Reply).await? else { return Ok(false) };
    rest.note(contact, words, Priority::Reply).await?;
    Ok(true)
}

/// The chat service's id of a chat, if it can stand in an address.
pub(super) fn known_chat(chat: &ChatIds) -> Option<&str> {
    chat.chat.as_deref().filter(|id| is_amojo_id(id))
}

/// Only `msgid` is promised; 200 means that it was taken, whatever else stands there.
fn taken_id(answer: &Answer) -> Option<String> {
    let TakenMessage { new_message, bare } = serde_json::from_slice(&answer.body).ok()?;
    new_message.unwrap_or(bare).msgid
}

pub(super) fn route(route: &serde_json::Value) -> Result<RouteSettings, Failure> {
    RouteSettings::read(route)
        .map_err(|error| Failure::new(FailureKind::Stop(PauseReason::Refused), error.to_string()))
}

fn is_later(failure: &Failure) -> bool {
    matches!(failure.kind, FailureKind::Later { .. } | FailureKind::Lost { .. })
}

fn passes_soon(failure: &Failure) -> bool {
    is_later(failure)
        && !matches!(failure.kind, FailureKind::Later { after: Some(after), .. } if after > SOON)
}
