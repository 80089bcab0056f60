//! `POST /amocrm/{bot}/reply`: a manager answers.

use axum::Json;
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;

use super::cards::{ChatName, find_chat};
use super::files::PIXEL;
use crate::amocrm::AmoCrm;
use crate::amocrm::bot_api::Upload;
use crate::amocrm::cards::{Author, Message};
use crate::amocrm::outgoing::{Media, MediaKind, MediaSource, Saying};
use crate::control::error::{Body, Named, Refusal};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reply {
    /// The client's Telegram id.
    user: Option<i64>,
    /// Or the chat's id in amoCRM.
    chat: Option<String>,
    text: Option<String>,
    caption: Option<String>,
    photo: Option<File>,
    document: Option<File>,
    voice: Option<File>,
    video: Option<File>,
    /// Any `reply_markup`.
    keyboard: Option<Value>,
    #[serde(rename = "reply_to")]
    quoted: Option<i64>,
}

/// `true` is some file; otherwise its bytes, its address, or a `file_id`.
#[derive(Deserialize)]
#[serde(untagged)]
enum File {
    Some(bool),
    Bytes { base64: String, file_name: Option<String> },
    Url { url: String },
    Known { file_id: String },
}

/// Answers once the Bot API has answered; the message shows what it said.
pub(crate) async fn reply(
    State(amocrm): State<AmoCrm>,
    Named(bot): Named<i64>,
    Body(reply): Body<Reply>,
) -> Result<Json<Message>, Refusal> {
    let name = match (reply.user, reply.chat) {
        (Some(user), None) => ChatName::Telegram(user),
        (None, Some(chat)) => ChatName::Id(chat),
        (None, None) | (Some(_), Some(_)) => {
            return Err(Refusal::bad("whom to answer is not said", "either `user` or `chat`"));
        }
    };
    let files = [
        (MediaKind::Photo, reply.photo),
        (MediaKind::Document, reply.document),
        (MediaKind::Voice, reply.voice),
        (MediaKind::Video, reply.video),
    ];
    let mut media = None;
    for (kind, file) in files {
        let Some(source) = file.map(|file| source(kind, file)).transpose()?.flatten() else { continue };
        if media.replace(Media { kind, source }).is_some() {
            return Err(Refusal::bad("several files", "one of photo, document, voice, video"));
        }
    }
    let text = reply.text.or(reply.caption);
    if media.is_none() && text.is_none() {
        return Err(Refusal::bad("nothing to say", "`text`, or one of photo, document, voice, video"));
    }
    let author_name = "Менеджер".to_owned();
    let (keyboard, reply_to) = (reply.keyboard, reply.quoted);
    let saying = Saying { author: Author::Manager, author_name, text, media, keyboard, reply_to };
    let chat_id = find_chat(&amocrm.lock().account, bot, &name)?.id.clone();
    let said = amocrm.say(&chat_id, saying).await;
    said.map(Json).ok_or_else(|| Refusal::not_found("the bot was disconnected", "a connected bot"))
}

fn source(kind: MediaKind, file: File) -> Result<Option<MediaSource>, Refusal> {
    Ok(match file {
        File::Some(false) => None,
        File::Some(true) => {
            let (bytes, file_name) = match kind {
                MediaKind::Photo => (PIXEL, "photo.png"),
                MediaKind::Document => (b"%PDF-1.4\n%sandbox\n".as_slice(), "document.pdf"),
                MediaKind::Voice => (b"OggS sandbox".as_slice(), "voice.ogg"),
                MediaKind::Video => (b"\0\0\0\x18ftypmp42".as_slice(), "video.mp4"),
            };
            let upload = Upload { bytes: Bytes::from_static(bytes), file_name: file_name.to_owned() };
            Some(MediaSource::Bytes(upload))
        }
        File::Bytes { base64, file_name } => {
            let bytes = STANDARD
                .decode(base64)
                .map_err(|error| Refusal::bad(error.to_string(), "standard base64 in `base64`"))?;
            let file_name = file_name.unwrap_or_else(|| kind.field().to_owned());
            Some(MediaSource::Bytes(Upload { bytes: bytes.into(), file_name }))
        }
        File::Url { url } => Some(MediaSource::Reference(url)),
        File::Known { file_id } => Some(MediaSource::Reference(file_id)),
    })
}
