//! Sends without files: texts, places, contacts, dice, games, chat actions.

use serde_json::{Map, Value, json};

use super::Request;
use super::target::{self, Access, Envelope};
use crate::telegram::ApiError;
use crate::telegram::world::State;
use crate::telegram::world::chat::Typing;
use crate::telegram::world::entities::{self, Formatted};
use crate::telegram::world::message::Content;

/// Characters in a text, and in a caption.
const TEXT_LIMIT: usize = 4096;
const CAPTION_LIMIT: usize = 1024;
/// How long a chat action shows.
const ACTION_MS: i64 = 5_000;

/// A formatted text from the parameters of these names, within Telegram's bounds.
pub(super) fn formatted_text(
    request: Request<'_>,
    text: &str,
    mode: &str,
    entities: &str,
) -> Result<Formatted, ApiError> {
    let params = request.params();
    let formatted = entities::parse(
        params.text(text).unwrap_or_default(),
        params.text(mode),
        params.json(entities).as_ref(),
    )?;
    if formatted.text.is_empty() {
        return Err(ApiError::bad_request("message text is empty"));
    }
    if entities::utf16_len(&formatted.text) > TEXT_LIMIT {
        return Err(ApiError::bad_request("message is too long"));
    }
    Ok(formatted)
}

/// Puts a caption (and what goes with it) into the fields of a content.
pub(super) fn put_caption(
    state: &State,
    fields: &mut Map<String, Value>,
    caption: Option<&str>,
    mode: Option<&str>,
    entities: Option<&Value>,
) -> Result<(), ApiError> {
    fields.remove("caption");
    fields.remove("caption_entities");
    let Some(caption) = caption else { return Ok(()) };
    let formatted = entities::parse(caption, mode, entities)?;
    if entities::utf16_len(&formatted.text) > CAPTION_LIMIT {
        return Err(ApiError::bad_request("message caption is too long"));
    }
    if !formatted.text.is_empty() {
        fields.insert("caption".into(), json!(formatted.text));
        state.put_entities(fields, "caption_entities", &formatted);
    }
    Ok(())
}

/// Puts the caption of a call's own parameters into the fields of a content.
pub(super) fn put_own_caption(
    state: &State,
    fields: &mut Map<String, Value>,
    request: Request<'_>,
) -> Result<(), ApiError> {
    let params = request.params();
    let entities = params.json("caption_entities");
    put_caption(state, fields, params.text("caption"), params.text("parse_mode"), entities.as_ref())
}

/// The text of a call, with its wishes for the preview of links.
pub(super) fn text_content(state: &State, request: Request<'_>) -> Result<Content, ApiError> {
    let formatted = formatted_text(request, "text", "parse_mode", "entities")?;
    let mut content = state.text_content(&formatted);
    if let Some(options) = request.params().json("link_preview_options").filter(Value::is_object) {
        content.fields.insert("link_preview_options".into(), options);
    } else if request.params().bool("disable_web_page_preview") {
        content.fields.insert("link_preview_options".into(), json!({"is_disabled": true}));
    }
    Ok(content)
}

pub(super) fn message(request: Request<'_>) -> Result<Value, ApiError> {
    let mut state = request.world();
    let envelope = Envelope::read(&state, request)?;
    let content = text_content(&state, request)?;
    Ok(envelope.post(&mut state, request, content))
}

/// `latitude` and `longitude`, checked.
pub(super) fn place(request: Request<'_>) -> Result<Map<String, Value>, ApiError> {
    let number = |name: &str, limit: f64| -> Result<f64, ApiError> {
        let text =
            request.params().text(name).ok_or_else(|| ApiError::bad_request(format!("{name} is empty")))?;
        text.trim()
            .parse::<f64>()
            .ok()
            .filter(|number| number.abs() <= limit)
            .ok_or_else(|| ApiError::bad_request("wrong latitude or longitude specified"))
    };
    let mut place = Map::new();
    place.insert("latitude".into(), json!(number("latitude", 90.0)?));
    place.insert("longitude".into(), json!(number("longitude", 180.0)?));
    if let Some(accuracy) =
        request.params().text("horizontal_accuracy").and_then(|text| text.parse::<f64>().ok())
    {
        place.insert("horizontal_accuracy".into(), json!(accuracy));
    }
    for name in ["live_period", "heading", "proximity_alert_radius"] {
        if let Some(number) = request.params().int(name).filter(|number| *number > 0) {
            place.insert(name.into(), json!(number));
        }
    }
    Ok(place)
}

pub(super) fn location(request: Request<'_>) -> Result<Value, ApiError> {
    let mut state = request.world();
    let envelope = Envelope::read(&state, request)?;
    let place = place(request)?;
    Ok(envelope.post(&mut state, request, Content::of("location", Value::Object(place))))
}

pub(super) fn venue(request: Request<'_>) -> Result<Value, ApiError> {
    let mut state = request.world();
    let envelope = Envelope::read(&state, request)?;
    let params = request.params();
    let mut venue = json!({
        "location": place(request)?,
        "title": params.required("title")?,
        "address": params.required("address")?,
    });
    for name in ["foursquare_id", "foursquare_type", "google_place_id", "google_place_type"] {
        if let Some(text) = params.text(name) {
            venue[name] = json!(text);
        }
    }
    Ok(envelope.post(&mut state, request, Content::of("venue", venue)))
}

pub(super) fn contact(request: Request<'_>) -> Result<Value, ApiError> {
    let mut state = request.world();
    let envelope = Envelope::read(&state, request)?;
    let params = request.params();
    let phone = params.text("phone_number").ok_or_else(|| ApiError::bad_request("phone_number is empty"))?;
    let name = params.text("first_name").ok_or_else(|| ApiError::bad_request("first_name is empty"))?;
    let mut contact = json!({"phone_number": phone, "first_name": name});
    for name in ["last_name", "vcard"] {
        if let Some(text) = params.text(name) {
            contact[name] = json!(text);
        }
    }
    let owner = state.users.values().find(|user| user.phone.as_deref() == Some(phone)).map(|user| user.id);
    if let Some(owner) = owner {
        contact["user_id"] = json!(owner);
    }
    Ok(envelope.post(&mut state, request, Content::of("contact", contact)))
}

pub(super) fn dice(request: Request<'_>) -> Result<Value, ApiError> {
    let mut state = request.world();
    let envelope = Envelope::read(&state, request)?;
    let emoji = request.params().text("emoji").unwrap_or("🎲");
    let faces = match emoji {
        "🎲" | "🎯" | "🎳" => 6,
        "🏀" | "⚽" => 5,
        "🎰" => 64,
        _ => return Err(ApiError::bad_request("wrong emoji specified")),
    };
    let value = state.random.range(1..faces + 1);
    Ok(envelope.post(&mut state, request, Content::of("dice", json!({"emoji": emoji, "value": value}))))
}

pub(super) fn game(request: Request<'_>) -> Result<Value, ApiError> {
    let mut state = request.world();
    let envelope = Envelope::read(&state, request)?;
    let name = request.params().required("game_short_name")?;
    let game = json!({"title": name, "description": "", "photo": []});
    Ok(envelope.post(&mut state, request, Content::of("game", game)))
}

pub(super) fn chat_action(request: Request<'_>) -> Result<Value, ApiError> {
    const ACTIONS: [&str; 13] = [
        "typing",
        "upload_photo",
        "record_video",
        "upload_video",
        "record_voice",
        "upload_voice",
        "upload_document",
        "choose_sticker",
        "find_location",
        "record_video_note",
        "upload_video_note",
        "record_audio",
        "upload_audio",
    ];
    let mut state = request.world();
    let key = target::chat(&state, request, "chat_id", Access::Write)?;
    let action = request.params().required("action")?.to_lowercase();
    if action != "cancel" && !ACTIONS.contains(&action.as_str()) {
        return Err(ApiError::bad_request("wrong parameter action in request"));
    }
    let until_ms = state.clock.now_ms() + ACTION_MS;
    if let Some(chat) = state.chats.get_mut(&key) {
        chat.typing = (action != "cancel").then_some(Typing { bot: request.bot, action, until_ms });
    }
    Ok(json!(true))
}

/// A preview of a text that is being generated: it shows like an action and leaves nothing.
pub(super) fn draft(request: Request<'_>) -> Result<Value, ApiError> {
    let mut state = request.world();
    let key = target::chat(&state, request, "chat_id", Access::Write)?;
    if request.params().int("draft_id").unwrap_or_default() == 0 {
        return Err(ApiError::bad_request("draft_id must be non-zero"));
    }
    let until_ms = state.clock.now_ms() + 30_000;
    if let Some(chat) = state.chats.get_mut(&key) {
        chat.typing = Some(Typing { bot: request.bot, action: "typing".to_owned(), until_ms });
    }
    Ok(json!(true))
}
