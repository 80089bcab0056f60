//! Which chat, message and user a call means, and whether the bot may write there.

use serde_json::{Value, json};

use super::Request;
use crate::telegram::ApiError;
use crate::telegram::world::State;
use crate::telegram::world::chat::{ChatKey, ChatKind, Status};
use crate::telegram::world::keyboard::{Markup, buttons};
use crate::telegram::world::message::{Author, Content, Draft};
use crate::telegram::world::user::User;

/// What a call wants from a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// To know of it.
    Look,
    /// To post in it.
    Write,
}

/// The chat that a parameter names.
pub(super) fn chat(
    state: &State,
    request: Request<'_>,
    name: &str,
    access: Access,
) -> Result<ChatKey, ApiError> {
    let text =
        request.params().text(name).ok_or_else(|| ApiError::bad_request(format!("{name} is empty")))?;
    let key = find(state, request.bot, text, access)?;
    check(state, request.bot, key, access)?;
    Ok(key)
}

fn not_found() -> ApiError {
    ApiError::bad_request("chat not found")
}

fn find(state: &State, bot: i64, text: &str, access: Access) -> Result<ChatKey, ApiError> {
    let to_bots = || ApiError::forbidden("bot can't send messages to bots");
    let id = if let Some(name) = text.strip_prefix('@') {
        let name = name.to_lowercase();
        let Some(id) = state.names.get(&name) else {
            let named =
                |user: &User| user.username.as_ref().is_some_and(|other| other.to_lowercase() == name);
            let is_bot = state.users.values().any(|user| user.is_bot && named(user));
            return Err(if is_bot && access == Access::Write { to_bots() } else { not_found() });
        };
        *id
    } else {
        text.trim().parse::<i64>().map_err(|_no_number| not_found())?
    };
    if id <= 0 {
        let key = ChatKey::Group(id);
        return if state.chats.contains_key(&key) { Ok(key) } else { Err(not_found()) };
    }
    let key = ChatKey::Private { bot, user: id };
    if state.chats.contains_key(&key) {
        return Ok(key);
    }
    match state.users.get(&id) {
        Some(user) if user.is_bot && access == Access::Write => Err(to_bots()),
        Some(_) if access == Access::Write && share_a_group(state, bot, id) => {
            Err(ApiError::forbidden("bot can't initiate conversation with a user"))
        }
        _ => Err(not_found()),
    }
}

fn share_a_group(state: &State, bot: i64, user: i64) -> bool {
    state.chats.values().any(|chat| chat.status(bot).is_inside() && chat.status(user).is_inside())
}

fn check(state: &State, bot: i64, key: ChatKey, access: Access) -> Result<(), ApiError> {
    let chat = state.chats.get(&key).ok_or_else(not_found)?;
    if let ChatKey::Private { user, .. } = key {
        if access == Access::Write {
            if state.users.get(&user).is_some_and(|user| user.deactivated) {
                return Err(ApiError::forbidden("user is deactivated"));
            }
            if chat.blocked {
                return Err(ApiError::forbidden("bot was blocked by the user"));
            }
        }
        return Ok(());
    }
    if let Some(to) = chat.migrated_to {
        return Err(ApiError::migrated(to));
    }
    if chat.removed {
        return Err(ApiError::forbidden("the group chat was deleted"));
    }
    let kind = chat.kind.name();
    match chat.members.get(&bot).map(|member| member.status) {
        // Public chats can be looked at by anybody.
        None | Some(Status::Left | Status::Kicked) if access == Access::Look && chat.username.is_some() => {
            Ok(())
        }
        None => Err(not_found()),
        Some(Status::Kicked) => Err(ApiError::forbidden(format!("bot was kicked from the {kind} chat"))),
        Some(Status::Left) => Err(ApiError::forbidden(format!("bot is not a member of the {kind} chat"))),
        Some(Status::Member) if access == Access::Write && chat.kind == ChatKind::Channel => {
            Err(ApiError::bad_request("need administrator rights in the channel chat"))
        }
        Some(Status::Restricted) if access == Access::Write => {
            let may = chat.members[&bot].rights.get("can_send_messages").and_then(Value::as_bool);
            if may == Some(true) {
                Ok(())
            } else {
                Err(ApiError::bad_request("not enough rights to send text messages to the chat"))
            }
        }
        Some(_) => Ok(()),
    }
}

/// `message_id`, as Telegram complains about its absence.
pub(super) fn message_id(request: Request<'_>) -> Result<i64, ApiError> {
    match request.params().int("message_id") {
        Some(id) if id > 0 => Ok(id),
        _ => Err(ApiError::bad_request("message identifier is not specified")),
    }
}

/// `message_ids`: 1 to 100, growing.
pub(super) fn message_ids(request: Request<'_>) -> Result<Vec<i64>, ApiError> {
    let list = request
        .params()
        .json("message_ids")
        .ok_or_else(|| ApiError::bad_request("message identifiers are not specified"))?;
    let items =
        list.as_array().ok_or_else(|| ApiError::bad_request("expected an Array of message identifiers"))?;
    let ids: Option<Vec<i64>> = items
        .iter()
        .map(|item| item.as_i64().or_else(|| item.as_str()?.parse().ok()).filter(|id| *id > 0))
        .collect();
    let ids = ids.ok_or_else(|| ApiError::bad_request("invalid message identifier specified"))?;
    if ids.is_empty() {
        return Err(ApiError::bad_request("message identifiers are not specified"));
    }
    if ids.len() > 100 {
        return Err(ApiError::bad_request("too many message identifiers specified"));
    }
    if ids.windows(2).any(|pair| pair[0] >= pair[1]) {
        return Err(ApiError::bad_request("message identifiers must be in a strictly increasing order"));
    }
    Ok(ids)
}

/// `user_id` of somebody who exists.
pub(super) fn user(state: &State, request: Request<'_>) -> Result<i64, ApiError> {
    let id = request.params().int("user_id").filter(|id| *id > 0);
    let id = id.ok_or_else(|| ApiError::bad_request("invalid user_id specified"))?;
    if state.users.contains_key(&id) { Ok(id) } else { Err(ApiError::bad_request("user not found")) }
}

/// What the sending methods have in common: where to, in answer to what, with which keyboard.
#[derive(Debug)]
pub(super) struct Envelope {
    pub(super) key: ChatKey,
    draft: Draft,
}

impl Envelope {
    /// Reads the common parameters.
    pub(super) fn read(state: &State, request: Request<'_>) -> Result<Self, ApiError> {
        let params = request.params();
        let key = chat(state, request, "chat_id", Access::Write)?;
        let mut draft = Draft::new(request.bot, state.author_in(key, request.bot), Content::default());
        if let Some(id) = params.text("business_connection_id") {
            business(state, request, id, &mut draft)?;
        }
        match Markup::read(params.text("reply_markup"))? {
            None => {}
            Some(Markup::Inline(keyboard)) => draft.inline_keyboard = Some(keyboard),
            Some(_) if state.chats.get(&key).is_some_and(|chat| chat.kind == ChatKind::Channel) => {
                return Err(ApiError::bad_request("inline keyboard expected"));
            }
            Some(Markup::Reply(markup) | Markup::ForceReply(markup)) => draft.reply_keyboard = Some(markup),
            Some(Markup::Remove) => draft.reply_keyboard = Some(json!({"remove_keyboard": true})),
        }
        reply(state, request, key, &mut draft)?;
        if params.bool("protect_content") {
            draft.context.insert("has_protected_content".into(), json!(true));
        }
        if let Some(effect) = params.text("message_effect_id") {
            draft.context.insert("effect_id".into(), json!(effect));
        }
        if let Some(thread) = params.int("message_thread_id").filter(|thread| *thread > 0) {
            draft.context.insert("message_thread_id".into(), json!(thread));
            draft.context.insert("is_topic_message".into(), json!(true));
        }
        Ok(Self { key, draft })
    }

    /// An invoice's keyboard begins with a pay button; without a keyboard Telegram puts one there.
    pub(super) fn with_pay_button(mut self, invoice: &Value) -> Result<Self, ApiError> {
        match &self.draft.inline_keyboard {
            Some(keyboard) if buttons(keyboard).next().is_none_or(|button| button.get("pay").is_none()) => {
                return Err(ApiError::bad_request("first button must be a pay button"));
            }
            Some(_) => {}
            None => {
                let currency = invoice["currency"].as_str().unwrap_or_default();
                let text = format!("Pay {} {currency}", invoice["total_amount"]);
                self.draft.inline_keyboard =
                    Some(json!({"inline_keyboard": [[{"text": text, "pay": true}]]}));
            }
        }
        Ok(self)
    }

    /// Marks what is posted as forwarded.
    pub(super) fn forwarded(&mut self, origin: Value) {
        self.draft.context.insert("forward_origin".into(), origin);
    }

    /// Posts a content and answers with the message.
    pub(super) fn post(self, state: &mut State, request: Request<'_>, content: Content) -> Value {
        let key = self.key;
        let id = self.post_hidden(state, content, serde_json::Map::new());
        state.message_json(key, id, request.bot).unwrap_or(Value::Null)
    }

    /// Posts a content of which the server knows more than it shows; gives the id.
    pub(super) fn post_hidden(
        mut self,
        state: &mut State,
        content: Content,
        hidden: serde_json::Map<String, Value>,
    ) -> i64 {
        self.draft.content = content;
        self.draft.hidden = hidden;
        state.post_from_bot(self.key, self.draft)
    }

    /// The same envelope for the next item of an album.
    pub(super) fn in_group(&self, media_group_id: Option<Value>) -> Self {
        let mut draft = self.draft.clone();
        if let Some(id) = media_group_id {
            draft.context.insert("media_group_id".into(), id);
        }
        Self { key: self.key, draft }
    }
}

/// On behalf of a business account: the message is its owner's, sent by the bot.
fn business(state: &State, request: Request<'_>, id: &str, draft: &mut Draft) -> Result<(), ApiError> {
    let connection = state.business.get(&(request.bot, id.to_owned()));
    let connection = connection.ok_or_else(|| ApiError::bad_request("business connection not found"))?;
    if let Some(owner) = connection.get("user").and_then(|user| user.get("id")).and_then(Value::as_i64) {
        draft.author = Author::Account(owner);
    }
    draft.context.insert("business_connection_id".into(), json!(id));
    draft.context.insert("sender_business_bot".into(), state.user_json(request.bot));
    Ok(())
}

/// `reply_parameters`, or the older `reply_to_message_id`.
fn reply(state: &State, request: Request<'_>, key: ChatKey, draft: &mut Draft) -> Result<(), ApiError> {
    let params = request.params();
    let given = params.json("reply_parameters").filter(Value::is_object);
    let number = |value: &Value| value.as_i64().or_else(|| value.as_str()?.parse().ok());
    let (id, lenient) = match &given {
        Some(given) => (
            given.get("message_id").and_then(number),
            matches!(given.get("allow_sending_without_reply"), Some(Value::Bool(true))),
        ),
        None => (params.int("reply_to_message_id"), params.bool("allow_sending_without_reply")),
    };
    let Some(id) = id.filter(|id| *id > 0) else { return Ok(()) };
    let elsewhere = given.as_ref().and_then(|given| given.get("chat_id")).map(|chat| match chat {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    });
    let from = match elsewhere {
        Some(chat) => find(state, request.bot, &chat, Access::Look)?,
        None => key,
    };
    let Some(message) = state.chats.get(&from).and_then(|chat| chat.find_message(id)) else {
        return if lenient { Ok(()) } else { Err(ApiError::bad_request("message to be replied not found")) };
    };
    if from == key {
        draft.reply_to = Some(id);
    } else {
        let mut external = json!({"origin": state.origin_of(from, message), "message_id": id});
        if matches!(from, ChatKey::Group(_)) {
            external["chat"] = state.chat_json(from);
        }
        draft.context.insert("external_reply".into(), external);
    }
    if let Some(quote) = given.as_ref().and_then(|given| given.get("quote")).and_then(Value::as_str) {
        let fields = &message.content.fields;
        let text =
            fields.get("text").or_else(|| fields.get("caption")).and_then(Value::as_str).unwrap_or_default();
        let Some(at) = text.find(quote) else { return Err(ApiError::bad_request("QUOTE_TEXT_INVALID")) };
        let position = crate::telegram::world::entities::utf16_len(&text[..at]);
        draft.context.insert("quote".into(), json!({"text": quote, "position": position, "is_manual": true}));
    }
    Ok(())
}
