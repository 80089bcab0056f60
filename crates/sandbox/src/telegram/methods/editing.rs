//! Edits: text, caption, media, keyboard, live location, game score.

use serde_json::{Value, json};

use super::Request;
use super::album;
use super::sending::{place, put_own_caption, text_content};
use super::target::{self, Access};
use super::uploads::captioned;
use crate::telegram::ApiError;
use crate::telegram::world::State;
use crate::telegram::world::chat::{ChatKey, ChatKind};
use crate::telegram::world::keyboard::Markup;
use crate::telegram::world::message::{Content, Message};

const NOT_MODIFIED: &str = "message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message";

/// The message to edit, and whether the call named it by `inline_message_id` (then the answer is `true`).
#[derive(Clone, Copy, Debug)]
struct Target {
    key: ChatKey,
    id: i64,
    inline: bool,
}

impl Target {
    fn find(state: &State, request: Request<'_>) -> Result<Self, ApiError> {
        let params = request.params();
        if params.text("chat_id").is_none()
            && let Some(inline_id) = params.text("inline_message_id")
        {
            let found = state.inline_messages.get(inline_id).copied();
            let (key, id) = found.ok_or_else(|| ApiError::bad_request("MESSAGE_ID_INVALID"))?;
            return Ok(Self { key, id, inline: true });
        }
        let key = target::chat(state, request, "chat_id", Access::Write)?;
        let id = target::message_id(request)?;
        let target = Self { key, id, inline: false };
        let message = target.message(state)?;
        let chat = state.chats.get(&key);
        let posts = chat.is_some_and(|chat| {
            chat.kind == ChatKind::Channel && chat.has_right(request.bot, "can_edit_messages")
        });
        if (message.is_from(request.bot) || posts) && !message.content.is_service() {
            Ok(target)
        } else {
            Err(ApiError::bad_request("message can't be edited"))
        }
    }

    fn message<'a>(&self, state: &'a State) -> Result<&'a Message, ApiError> {
        let chat = state.chats.get(&self.key);
        chat.and_then(|chat| chat.find_message(self.id))
            .ok_or_else(|| ApiError::bad_request("message to edit not found"))
    }

    /// Puts new content and keyboard in place of the old ones.
    fn change(self, state: &mut State, request: Request<'_>, content: Content) -> Result<Value, ApiError> {
        let keyboard = Markup::inline_only(Markup::read(request.params().text("reply_markup"))?)?;
        let message = self.message(state)?;
        if message.content == content && message.inline_keyboard == keyboard {
            return Err(ApiError::bad_request(NOT_MODIFIED));
        }
        state.edit(self.key, self.id, content);
        if let Some(message) = state.chats.get_mut(&self.key).and_then(|chat| chat.find_message_mut(self.id))
        {
            message.inline_keyboard = keyboard;
        }
        Ok(self.answer(state, request))
    }

    fn answer(self, state: &State, request: Request<'_>) -> Value {
        if self.inline {
            return json!(true);
        }
        state.message_json(self.key, self.id, request.bot).unwrap_or(Value::Null)
    }
}

pub(super) fn text(request: Request<'_>) -> Result<Value, ApiError> {
    let mut state = request.world();
    let target = Target::find(&state, request)?;
    if let Some(rich) = request.params().json("rich_message") {
        let content = super::rich::content(&rich)?;
        return target.change(&mut state, request, content);
    }
    if !matches!(target.message(&state)?.content.kind.as_str(), "text" | "rich_message" | "game") {
        return Err(ApiError::bad_request("there is no text in the message to edit"));
    }
    let content = text_content(&state, request)?;
    target.change(&mut state, request, content)
}

pub(super) fn caption(request: Request<'_>) -> Result<Value, ApiError> {
    let mut state = request.world();
    let target = Target::find(&state, request)?;
    let mut content = target.message(&state)?.content.clone();
    if !content.can_have_caption() {
        return Err(ApiError::bad_request("there is no caption in the message to edit"));
    }
    put_own_caption(&state, &mut content.fields, request)?;
    if request.params().bool("show_caption_above_media") {
        content.fields.insert("show_caption_above_media".into(), json!(true));
    }
    target.change(&mut state, request, content)
}

pub(super) async fn media(request: Request<'_>) -> Result<Value, ApiError> {
    Target::find(&request.world(), request)?;
    let text = request.params().required("media")?;
    let item: Value = serde_json::from_str(text)
        .map_err(|_no_json| ApiError::bad_request("can't parse input media JSON object"))?;
    let kind = album::kind(&item)?;
    let (kind, value) = album::described(request, kind, &item).await?;
    let mut state = request.world();
    let target = Target::find(&state, request)?;
    let content = captioned(&state, kind, value, &item)?;
    target.change(&mut state, request, content)
}

pub(super) fn markup(request: Request<'_>) -> Result<Value, ApiError> {
    let mut state = request.world();
    let target = Target::find(&state, request)?;
    let content = target.message(&state)?.content.clone();
    target.change(&mut state, request, content)
}

pub(super) fn live_location(request: Request<'_>) -> Result<Value, ApiError> {
    let mut state = request.world();
    let target = Target::find(&state, request)?;
    let old = live(&state, target)?;
    let mut new = place(request)?;
    if !new.contains_key("live_period") {
        new.insert("live_period".into(), old);
    }
    target.change(&mut state, request, Content::of("location", Value::Object(new)))
}

pub(super) fn stop_live_location(request: Request<'_>) -> Result<Value, ApiError> {
    let mut state = request.world();
    let target = Target::find(&state, request)?;
    live(&state, target)?;
    let mut content = target.message(&state)?.content.clone();
    if let Some(place) = content.fields.get_mut("location").and_then(Value::as_object_mut) {
        place.remove("live_period");
    }
    target.change(&mut state, request, content)
}

/// The period of a live location that still runs.
fn live(state: &State, target: Target) -> Result<Value, ApiError> {
    let message = target.message(state)?;
    let period = message.content.fields.get("location").and_then(|place| place.get("live_period"));
    let runs = |period: &&Value| {
        let period = period.as_i64().unwrap_or_default();
        message.date.saturating_add(period) > state.clock.now_secs()
    };
    period.filter(runs).cloned().ok_or_else(|| ApiError::bad_request("message can't be edited"))
}

/// Which game's message a score is about.
fn game(state: &State, request: Request<'_>) -> Result<Target, ApiError> {
    let target = Target::find(state, request)?;
    if target.message(state)?.content.kind == "game" {
        Ok(target)
    } else {
        Err(ApiError::bad_request("message is not a game"))
    }
}

pub(super) fn game_score(request: Request<'_>) -> Result<Value, ApiError> {
    let mut state = request.world();
    let target = game(&state, request)?;
    let user = target::user(&state, request)?;
    let score = request.params().int("score").unwrap_or_default();
    let scores = &mut state.settings.entry(request.bot).or_default().scores;
    let best = scores.entry((target.key.id(), target.id, user)).or_insert(0);
    if score <= *best && !request.params().bool("force") {
        return Err(ApiError::bad_request("BOT_SCORE_NOT_MODIFIED"));
    }
    *best = score;
    Ok(target.answer(&state, request))
}

pub(super) fn high_scores(request: Request<'_>) -> Result<Value, ApiError> {
    let state = request.world();
    let target = game(&state, request)?;
    let place = (target.key.id(), target.id);
    let mut scores: Vec<(i64, i64)> = state
        .settings
        .get(&request.bot)
        .into_iter()
        .flat_map(|settings| &settings.scores)
        .filter(|((chat, message, _), _)| (*chat, *message) == place)
        .map(|((_, _, user), score)| (*score, *user))
        .collect();
    scores.sort_unstable_by(|a, b| b.cmp(a));
    let rows = scores.iter().enumerate().map(|(place, (score, user))| {
        json!({"position": place + 1, "user": state.user_json(*user), "score": score})
    });
    Ok(rows.collect())
}
