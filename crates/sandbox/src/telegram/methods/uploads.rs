//! `sendPhoto` and its kin: one file, a caption, options by kind.

use serde_json::{Value, json};

use super::Request;
use super::input_file;
use super::sending::put_caption;
use super::target::Envelope;
use crate::telegram::ApiError;
use crate::telegram::params::Params;
use crate::telegram::world::State;
use crate::telegram::world::media::{Hints, MediaKind};
use crate::telegram::world::message::Content;

/// Options of a media, from a call's parameters or from an `InputMedia` object.
pub(super) trait Options {
    /// A text.
    fn text(&self, name: &str) -> Option<String>;
    /// A number.
    fn number(&self, name: &str) -> Option<i64>;
    /// A flag.
    fn flag(&self, name: &str) -> bool;
    /// A JSON value.
    fn value(&self, name: &str) -> Option<Value>;
}

impl Options for Params {
    fn text(&self, name: &str) -> Option<String> {
        Params::text(self, name).map(str::to_owned)
    }
    fn number(&self, name: &str) -> Option<i64> {
        self.int(name)
    }
    fn flag(&self, name: &str) -> bool {
        self.bool(name)
    }
    fn value(&self, name: &str) -> Option<Value> {
        self.json(name)
    }
}

impl Options for Value {
    fn text(&self, name: &str) -> Option<String> {
        self.get(name).and_then(Value::as_str).map(str::to_owned)
    }
    fn number(&self, name: &str) -> Option<i64> {
        let value = self.get(name)?;
        value.as_i64().or_else(|| value.as_str()?.parse().ok())
    }
    fn flag(&self, name: &str) -> bool {
        matches!(self.get(name), Some(Value::Bool(true)))
    }
    fn value(&self, name: &str) -> Option<Value> {
        self.get(name).cloned()
    }
}

/// What the sender says about a file.
pub(super) fn hints(request: Request<'_>, options: &impl Options) -> Hints {
    let thumbnail = options
        .text("thumbnail")
        .or_else(|| options.text("thumb"))
        .and_then(|value| value.strip_prefix("attach://").map(str::to_owned));
    let part = thumbnail.as_deref().map_or_else(
        || request.call.file("thumbnail").or_else(|| request.call.file("thumb")),
        |part| request.call.file(part),
    );
    Hints {
        width: options.number("width").or_else(|| options.number("length")).filter(|number| *number > 0),
        height: options.number("height").filter(|number| *number > 0),
        duration: options.number("duration").filter(|number| *number > 0),
        performer: options.text("performer"),
        title: options.text("title"),
        emoji: options.text("emoji"),
        thumbnail: part.map(|part| part.bytes.clone()),
    }
}

/// The content of a described file with its caption.
pub(super) fn captioned(
    state: &State,
    kind: MediaKind,
    value: Value,
    options: &impl Options,
) -> Result<Content, ApiError> {
    let mut content = Content::media(kind.field(), value);
    if content.can_have_caption() {
        put_caption(
            state,
            &mut content.fields,
            options.text("caption").as_deref(),
            options.text("parse_mode").as_deref(),
            options.value("caption_entities").as_ref(),
        )?;
        let visual =
            matches!(kind, MediaKind::Photo | MediaKind::Video | MediaKind::Animation | MediaKind::LivePhoto);
        for (option, field) in
            [("has_spoiler", "has_media_spoiler"), ("show_caption_above_media", "show_caption_above_media")]
        {
            if visual && options.flag(option) {
                content.fields.insert(field.into(), json!(true));
            }
        }
    }
    Ok(content)
}

pub(super) async fn send(request: Request<'_>) -> Result<Value, ApiError> {
    // Refuse before a page is fetched or bytes are stored.
    Envelope::read(&request.world(), request)?;
    let name = request.call.method.as_str();
    let part = match name {
        "sendvideonote" => "video_note",
        "sendlivephoto" => "live_photo",
        name => name.strip_prefix("send").unwrap_or(name),
    };
    let kind = MediaKind::read(part).unwrap_or(MediaKind::Document);
    let params = request.params();
    let file = input_file::read(request, params.text(part), part, kind).await?;
    let hints = hints(request, params);
    let (real, value) = input_file::describe(request, file, kind, &hints)?;
    let mut state = request.world();
    let envelope = Envelope::read(&state, request)?;
    let content = captioned(&state, real, value, params)?;
    Ok(envelope.post(&mut state, request, content))
}
