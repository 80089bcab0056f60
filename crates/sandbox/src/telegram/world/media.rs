//! Media: what a stored file looks like inside a message, and the ids each bot knows it by.
//!
//! Pictures keep their bytes (Telegram would compress them), so a test can compare what comes back. Smaller
//! sizes and thumbnails are grey JPEGs of the right dimensions.

use std::cell::RefCell;
use std::collections::HashMap;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::image;
use super::message::FILE_KEY;
use crate::telegram::error::ApiError;
use crate::telegram::files::{FileKind, Files, NewFile, StoredFile};

/// A kind of media that is one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MediaKind {
    Photo,
    Document,
    Video,
    Animation,
    Audio,
    Voice,
    VideoNote,
    Sticker,
    LivePhoto,
}

impl MediaKind {
    /// The field of `Message`, which is also the parameter of the method that sends it.
    pub(crate) fn field(self) -> &'static str {
        match self {
            Self::Photo => "photo",
            Self::Document => "document",
            Self::Video => "video",
            Self::Animation => "animation",
            Self::Audio => "audio",
            Self::Voice => "voice",
            Self::VideoNote => "video_note",
            Self::Sticker => "sticker",
            Self::LivePhoto => "live_photo",
        }
    }

    /// The kind that a field or an `InputMedia.type` names.
    pub(crate) fn read(field: &str) -> Option<Self> {
        [
            Self::Photo,
            Self::Document,
            Self::Video,
            Self::Animation,
            Self::Audio,
            Self::Voice,
            Self::VideoNote,
            Self::Sticker,
            Self::LivePhoto,
        ]
        .into_iter()
        .find(|kind| kind.field() == field)
    }

    pub(crate) fn file_kind(self) -> FileKind {
        match self {
            Self::Photo => FileKind::Photo,
            Self::Document => FileKind::Document,
            Self::Video | Self::LivePhoto => FileKind::Video,
            Self::Animation => FileKind::Animation,
            Self::Audio => FileKind::Audio,
            Self::Voice => FileKind::Voice,
            Self::VideoNote => FileKind::VideoNote,
            Self::Sticker => FileKind::Sticker,
        }
    }

    /// The word in `can't use file of type … as …`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Photo => "Photo",
            Self::Document => "Document",
            Self::Video => "Video",
            Self::Animation => "Animation",
            Self::Audio => "Audio",
            Self::Voice => "VoiceNote",
            Self::VideoNote => "VideoNote",
            Self::Sticker => "Sticker",
            Self::LivePhoto => "LivePhoto",
        }
    }

    fn mime(self) -> &'static str {
        match self {
            Self::Photo => "image/jpeg",
            Self::Document => "application/octet-stream",
            Self::Video | Self::Animation | Self::VideoNote | Self::LivePhoto => "video/mp4",
            Self::Audio => "audio/mpeg",
            Self::Voice => "audio/ogg",
            Self::Sticker => "image/webp",
        }
    }
}

/// What the sender says about a file beside its bytes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hints {
    pub(crate) width: Option<i64>,
    pub(crate) height: Option<i64>,
    pub(crate) duration: Option<i64>,
    pub(crate) performer: Option<String>,
    pub(crate) title: Option<String>,
    pub(crate) emoji: Option<String>,
    pub(crate) thumbnail: Option<Bytes>,
}

/// The files that messages show.
#[derive(Debug)]
pub(crate) struct Shelf {
    files: Files,
    /// By unique id: the file as its first bot knows it.
    known: RefCell<HashMap<String, StoredFile>>,
    /// Further bots' ids.
    shared: RefCell<HashMap<(i64, String), String>>,
    /// By unique id: how it is shown, so that sending it again by `file_id` shows the same.
    described: RefCell<HashMap<String, (MediaKind, Value)>>,
}

impl Shelf {
    pub(crate) fn new(files: Files) -> Self {
        Self { files, known: RefCell::default(), shared: RefCell::default(), described: RefCell::default() }
    }

    /// Stores a content for a bot and describes it as this kind.
    pub(crate) fn add(
        &self,
        bot: i64,
        kind: MediaKind,
        bytes: Bytes,
        name: Option<String>,
        mime: Option<String>,
        hints: &Hints,
    ) -> Result<Value, ApiError> {
        if bytes.is_empty() {
            return Err(ApiError::bad_request("file must be non-empty"));
        }
        let size = image::dimensions(&bytes);
        if kind == MediaKind::Photo {
            let (width, height) = size.ok_or_else(|| ApiError::bad_request("IMAGE_PROCESS_FAILED"))?;
            let (long, short) = (width.max(height), width.min(height));
            if width + height > 10_000 || long > short.saturating_mul(20) {
                return Err(ApiError::bad_request("PHOTO_INVALID_DIMENSIONS"));
            }
        }
        let mime = mime.unwrap_or_else(|| guess_mime(kind, name.as_deref()).to_owned());
        let named =
            matches!(kind, MediaKind::Document | MediaKind::Audio | MediaKind::Video | MediaKind::Animation);
        let name = name.filter(|name| !name.is_empty());
        let stored = self.store(bot, kind.file_kind(), bytes, name.clone(), Some(mime.clone()))?;
        let main = file_value(&stored);
        let value = if kind == MediaKind::Photo {
            self.photo_sizes(bot, &stored, size.unwrap_or((1, 1)))?
        } else {
            let mut object = main;
            if kind != MediaKind::VideoNote && kind != MediaKind::Sticker {
                object.insert("mime_type".into(), json!(mime));
            }
            if let Some(name) = name.filter(|_| named) {
                object.insert("file_name".into(), json!(name));
            }
            describe(kind, &mut object, size, hints);
            if kind == MediaKind::LivePhoto {
                let shot = image::grey_jpeg((1280, 960), &stored.file_unique_id);
                let shot = self.store(bot, FileKind::Photo, shot.into(), None, None)?;
                object.insert("photo".into(), self.photo_sizes(bot, &shot, (1280, 960))?);
            } else if let Some(thumbnail) = self.thumbnail(bot, kind, &object, size, hints)? {
                // The server still writes the field's old name beside the new one.
                object.insert("thumb".into(), thumbnail.clone());
                object.insert("thumbnail".into(), thumbnail);
            }
            Value::Object(object)
        };
        self.described.borrow_mut().insert(stored.file_unique_id.clone(), (kind, value.clone()));
        if let Some(sizes) = value.as_array() {
            for size in sizes {
                if let Some(key) = size.get(FILE_KEY).and_then(Value::as_str) {
                    self.described.borrow_mut().insert(key.to_owned(), (kind, value.clone()));
                }
            }
        }
        Ok(value)
    }

    /// How the file behind a bot's `file_id` is shown; `None` when the bot has no such file.
    pub(crate) fn by_file_id(&self, bot: i64, file_id: &str) -> Option<(MediaKind, Value)> {
        let stored = self.files.by_id(bot, file_id)?;
        let described = self.described.borrow().get(&stored.file_unique_id).cloned();
        described.or_else(|| {
            // A file that came by `uploadStickerFile` or a raw path has no message yet.
            let kind = match stored.kind {
                FileKind::Photo | FileKind::Thumbnail => MediaKind::Photo,
                FileKind::Voice => MediaKind::Voice,
                FileKind::Video => MediaKind::Video,
                FileKind::Document => MediaKind::Document,
                FileKind::Sticker => MediaKind::Sticker,
                FileKind::Audio => MediaKind::Audio,
                FileKind::Animation => MediaKind::Animation,
                FileKind::VideoNote => MediaKind::VideoNote,
            };
            let mut object = file_value(&stored);
            describe(kind, &mut object, None, &Hints::default());
            self.known.borrow_mut().insert(stored.file_unique_id.clone(), stored);
            let value = if kind == MediaKind::Photo { json!([object]) } else { Value::Object(object) };
            Some((kind, value))
        })
    }

    /// The viewer's `file_id` of a file.
    pub(crate) fn file_id(&self, viewer: i64, unique_id: &str) -> String {
        let Some(stored) = self.find(unique_id) else { return String::new() };
        if self.files.by_id(viewer, &stored.file_id).is_some() {
            return stored.file_id;
        }
        let key = (viewer, unique_id.to_owned());
        let known = self.shared.borrow().get(&key).cloned();
        known.unwrap_or_else(|| {
            let shared = self.files.share(&stored, viewer).file_id;
            self.shared.borrow_mut().insert(key, shared.clone());
            shared
        })
    }

    /// The file of a unique id.
    pub(crate) fn find(&self, unique_id: &str) -> Option<StoredFile> {
        self.known.borrow().get(unique_id).cloned()
    }

    fn store(
        &self,
        bot: i64,
        kind: FileKind,
        bytes: Bytes,
        name: Option<String>,
        mime: Option<String>,
    ) -> Result<StoredFile, ApiError> {
        let stored = self.files.store(bot, NewFile { kind, bytes, name, mime })?;
        self.known.borrow_mut().insert(stored.file_unique_id.clone(), stored.clone());
        Ok(stored)
    }

    /// `PhotoSize`s, smallest first; the last one is the picture itself.
    fn photo_sizes(&self, bot: i64, stored: &StoredFile, size: (u32, u32)) -> Result<Value, ApiError> {
        let mut sizes = Vec::new();
        for side in [90, 320, 800] {
            if size.0.max(size.1) > side {
                sizes.push(self.grey(bot, image::fit(size, side), &stored.file_unique_id)?);
            }
        }
        let mut largest = file_value(stored);
        largest.insert("width".into(), json!(size.0));
        largest.insert("height".into(), json!(size.1));
        sizes.push(Value::Object(largest));
        Ok(json!(sizes))
    }

    fn thumbnail(
        &self,
        bot: i64,
        kind: MediaKind,
        object: &Map<String, Value>,
        size: Option<(u32, u32)>,
        hints: &Hints,
    ) -> Result<Option<Value>, ApiError> {
        if let Some(bytes) = &hints.thumbnail {
            let size = image::dimensions(bytes).unwrap_or((320, 320));
            let stored = self.store(bot, FileKind::Thumbnail, bytes.clone(), None, None)?;
            let mut thumbnail = file_value(&stored);
            thumbnail.insert("width".into(), json!(size.0));
            thumbnail.insert("height".into(), json!(size.1));
            return Ok(Some(Value::Object(thumbnail)));
        }
        let length = |name: &str| {
            object
                .get(name)
                .and_then(Value::as_u64)
                .and_then(|length| u32::try_from(length).ok())
                .unwrap_or(0)
        };
        let size = match kind {
            MediaKind::Video | MediaKind::Animation | MediaKind::Sticker => {
                (length("width"), length("height"))
            }
            MediaKind::VideoNote => (length("length"), length("length")),
            MediaKind::Document => match size {
                Some(size) => size,
                None => return Ok(None),
            },
            _ => return Ok(None),
        };
        if size.0 == 0 || size.1 == 0 {
            return Ok(None);
        }
        self.grey(bot, image::fit(size, 320), "thumbnail").map(Some)
    }

    fn grey(&self, bot: i64, size: (u32, u32), comment: &str) -> Result<Value, ApiError> {
        let bytes = image::grey_jpeg(size, comment);
        let stored = self.store(bot, FileKind::Thumbnail, bytes.into(), None, None)?;
        let mut object = file_value(&stored);
        object.insert("width".into(), json!(size.0));
        object.insert("height".into(), json!(size.1));
        Ok(Value::Object(object))
    }
}

fn file_value(stored: &StoredFile) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert(FILE_KEY.into(), json!(stored.file_unique_id));
    object.insert("file_size".into(), json!(stored.size));
    object
}

/// Adds the fields that the kind always has.
fn describe(kind: MediaKind, object: &mut Map<String, Value>, size: Option<(u32, u32)>, hints: &Hints) {
    let (width, height) = size.map_or((640, 360), |(width, height)| (i64::from(width), i64::from(height)));
    match kind {
        MediaKind::Video | MediaKind::Animation | MediaKind::LivePhoto => {
            object.insert("width".into(), json!(hints.width.unwrap_or(width)));
            object.insert("height".into(), json!(hints.height.unwrap_or(height)));
            object.insert("duration".into(), json!(hints.duration.unwrap_or(1)));
        }
        MediaKind::Audio | MediaKind::Voice => {
            object.insert("duration".into(), json!(hints.duration.unwrap_or(1)));
            for (name, value) in [("performer", &hints.performer), ("title", &hints.title)] {
                if let Some(value) = value.as_ref().filter(|_| kind == MediaKind::Audio) {
                    object.insert(name.into(), json!(value));
                }
            }
        }
        MediaKind::VideoNote => {
            object.insert("length".into(), json!(hints.width.unwrap_or(240)));
            object.insert("duration".into(), json!(hints.duration.unwrap_or(1)));
        }
        MediaKind::Sticker => {
            let (width, height) = if size.is_some() { (width, height) } else { (512, 512) };
            object.insert("type".into(), json!("regular"));
            object.insert("width".into(), json!(width));
            object.insert("height".into(), json!(height));
            object.insert("is_animated".into(), json!(false));
            object.insert("is_video".into(), json!(false));
            if let Some(emoji) = &hints.emoji {
                object.insert("emoji".into(), json!(emoji));
            }
        }
        MediaKind::Photo | MediaKind::Document => {
            if kind == MediaKind::Photo {
                object.insert("width".into(), json!(width));
                object.insert("height".into(), json!(height));
            }
        }
    }
}

/// The type Telegram shows when the upload names none.
fn guess_mime(kind: MediaKind, name: Option<&str>) -> &'static str {
    let extension =
        name.and_then(|name| name.rsplit_once('.')).map(|(_, extension)| extension.to_lowercase());
    match (kind, extension.as_deref()) {
        (MediaKind::Document, Some("pdf")) => "application/pdf",
        (MediaKind::Document, Some("txt")) => "text/plain",
        (MediaKind::Document, Some("csv")) => "text/csv",
        (MediaKind::Document, Some("html")) => "text/html",
        (MediaKind::Document, Some("json")) => "application/json",
        (MediaKind::Document, Some("xml")) => "application/xml",
        (MediaKind::Document, Some("zip")) => "application/zip",
        (MediaKind::Document, Some("png")) => "image/png",
        (MediaKind::Document, Some("jpg" | "jpeg")) => "image/jpeg",
        (MediaKind::Document, Some("mp4")) => "video/mp4",
        (kind, _) => kind.mime(),
    }
}
