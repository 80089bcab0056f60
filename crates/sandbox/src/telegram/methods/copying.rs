//! Copies and forwards, one or many.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::Request;
use super::sending::put_own_caption;
use super::target::{self, Access, Envelope};
use crate::telegram::ApiError;
use crate::telegram::world::State;
use crate::telegram::world::chat::ChatKey;
use crate::telegram::world::message::{Content, Message};
use crate::telegram::world::poll::Poll;

#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    Copy,
    Forward,
}

impl How {
    fn verb(self) -> &'static str {
        match self {
            Self::Copy => "copy",
            Self::Forward => "forward",
        }
    }

    /// Whether the message can be taken along at all.
    fn takes(self, message: &Message) -> bool {
        let content = &message.content;
        let private = ["invoice", "giveaway", "giveaway_winners"].contains(&content.kind.as_str());
        let protected = message.context.contains_key("has_protected_content");
        !content.is_service() && !protected && (self == Self::Forward || !private)
    }

    fn refusal(self) -> ApiError {
        ApiError::bad_request(match self {
            Self::Copy => "message can't be copied",
            Self::Forward => "message can't be forwarded",
        })
    }
}

fn source(state: &State, from: ChatKey, id: i64, how: How) -> Result<&Message, ApiError> {
    let chat = state.chats.get(&from);
    let message = chat.and_then(|chat| chat.find_message(id));
    message.ok_or_else(|| ApiError::bad_request(format!("message to {} not found", how.verb())))
}

/// The content of a message for another place: a poll starts again there.
fn taken(state: &mut State, from: ChatKey, id: i64, bot: i64, how: How) -> Result<Content, ApiError> {
    let mut content = source(state, from, id, how)?.content.clone();
    if let (How::Copy, Some(poll)) = (how, content.poll.as_ref().and_then(|id| state.polls.get(id)).cloned())
    {
        let new_id = state.new_id();
        let copy = Poll {
            id: new_id.clone(),
            message_id: 0,
            owner: bot,
            is_closed: false,
            votes: std::collections::BTreeMap::new(),
            ..poll
        };
        state.polls.insert(new_id.clone(), copy);
        content.poll = Some(new_id);
    }
    Ok(content)
}

fn one(request: Request<'_>, how: How) -> Result<(Value, i64), ApiError> {
    let mut state = request.world();
    let mut envelope = Envelope::read(&state, request)?;
    let from = target::chat(&state, request, "from_chat_id", Access::Look)?;
    let id = target::message_id(request)?;
    let message = source(&state, from, id, how)?;
    if !how.takes(message) {
        return Err(how.refusal());
    }
    if how == How::Forward {
        envelope.forwarded(state.origin_of(from, message));
    }
    let mut content = taken(&mut state, from, id, request.bot, how)?;
    if how == How::Copy && content.can_have_caption() && request.params().text("caption").is_some() {
        put_own_caption(&state, &mut content.fields, request)?;
    }
    let sent = envelope.post(&mut state, request, content);
    let sent_id = sent.get("message_id").and_then(Value::as_i64).unwrap_or_default();
    Ok((sent, sent_id))
}

fn many(request: Request<'_>, how: How) -> Result<Value, ApiError> {
    let mut state = request.world();
    let envelope = Envelope::read(&state, request)?;
    let from = target::chat(&state, request, "from_chat_id", Access::Look)?;
    let ids = target::message_ids(request)?;
    // What cannot be taken is skipped, and the answer does not say which.
    let able: Vec<i64> = ids
        .into_iter()
        .filter(|id| source(&state, from, *id, how).is_ok_and(|message| how.takes(message)))
        .collect();
    if able.is_empty() {
        return Err(ApiError::bad_request(format!("there are no messages to {}", how.verb())));
    }
    let mut groups: HashMap<String, String> = HashMap::new();
    let mut sent = Vec::with_capacity(able.len());
    for id in able {
        let message = source(&state, from, id, how)?;
        let album = message.context.get("media_group_id").and_then(Value::as_str).map(str::to_owned);
        let origin = state.origin_of(from, message);
        let group = album.map(|album| {
            let fresh = || state.random.range(13_000_000_000_000_000..14_000_000_000_000_000).to_string();
            json!(groups.entry(album).or_insert_with(fresh).clone())
        });
        let mut item = envelope.in_group(group);
        if how == How::Forward {
            item.forwarded(origin);
        }
        let mut content = taken(&mut state, from, id, request.bot, how)?;
        if request.params().bool("remove_caption") {
            content.fields.remove("caption");
            content.fields.remove("caption_entities");
        }
        sent.push(json!({"message_id": item.post_hidden(&mut state, content, serde_json::Map::new())}));
    }
    Ok(json!(sent))
}

pub(super) fn copy(request: Request<'_>) -> Result<Value, ApiError> {
    one(request, How::Copy).map(|(_, id)| json!({"message_id": id}))
}

pub(super) fn copy_many(request: Request<'_>) -> Result<Value, ApiError> {
    many(request, How::Copy)
}

pub(super) fn forward(request: Request<'_>) -> Result<Value, ApiError> {
    one(request, How::Forward).map(|(message, _)| message)
}

pub(super) fn forward_many(request: Request<'_>) -> Result<Value, ApiError> {
    many(request, How::Forward)
}
