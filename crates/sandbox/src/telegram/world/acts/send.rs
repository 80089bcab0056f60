//! Acts that put a message into the chat, and those that change or remove one.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::super::State;
use super::super::entities;
use super::super::image;
use super::super::media::{Hints, MediaKind};
use super::super::message::{Content, Draft};
use super::{ActError, Actor};

/// The longest text a person can send at once.
const TEXT_LIMIT: usize = 4096;

/// What is in a file that a person sends.
#[derive(Clone, Debug)]
pub(crate) enum Material {
    Given(Bytes),
    /// Made up from the seed, of so many bytes if somebody cares.
    MadeUp {
        size: Option<usize>,
    },
}

/// A file that a person sends.
#[derive(Clone, Debug)]
pub(crate) struct Upload {
    pub(crate) material: Material,
    pub(crate) file_name: Option<String>,
    pub(crate) mime_type: Option<String>,
    pub(crate) caption: Option<String>,
    pub(crate) hints: Hints,
}

impl State {
    /// Writes a text.
    pub(crate) fn act_text(
        &mut self,
        actor: Actor,
        text: &str,
        reply_to: Option<i64>,
    ) -> Result<i64, ActError> {
        self.check_can_write(actor)?;
        let formatted = entities::plain(text);
        let length = entities::utf16_len(&formatted.text);
        if length == 0 || length > TEXT_LIMIT {
            return Err(ActError::impossible(
                format!("a text of {length} characters cannot be sent"),
                "a text of 1 to 4096 characters",
            ));
        }
        let content = self.text_content(&formatted);
        self.act_post(actor, content, reply_to)
    }

    /// Opens the bot by its link `?start=payload`; a blocked bot is unblocked first, as the button "Restart"
    /// does.
    pub(crate) fn act_start(&mut self, actor: Actor, payload: Option<&str>) -> Result<i64, ActError> {
        if let super::super::chat::ChatKey::Private { bot, user } = actor.chat {
            self.set_blocked(bot, user, false);
        }
        let payload = payload.unwrap_or_default();
        let plain = payload.len() <= 64
            && payload.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        if !plain {
            return Err(ActError::impossible(
                "Telegram's links carry no such payload",
                "up to 64 characters of A-Z a-z 0-9 _ -",
            ));
        }
        self.act_text(actor, format!("/start {payload}").trim_end(), None)
    }

    /// Sends a file.
    pub(crate) fn act_media(
        &mut self,
        actor: Actor,
        kind: MediaKind,
        upload: Upload,
        reply_to: Option<i64>,
    ) -> Result<i64, ActError> {
        self.check_can_write(actor)?;
        let content = self.uploaded(actor, kind, upload)?;
        self.act_post(actor, content, reply_to)
    }

    /// Sends several files as one album: a message for each, with a common `media_group_id`.
    pub(crate) fn act_album(
        &mut self,
        actor: Actor,
        items: Vec<(MediaKind, Upload)>,
    ) -> Result<Vec<i64>, ActError> {
        self.check_can_write(actor)?;
        if !(2..=10).contains(&items.len()) {
            return Err(ActError::impossible(
                format!("an album of {} items cannot be sent", items.len()),
                "2 to 10 items",
            ));
        }
        let group = self.random.range(13_000_000_000_000_000..14_000_000_000_000_000).to_string();
        let contents = items
            .into_iter()
            .map(|(kind, upload)| self.uploaded(actor, kind, upload))
            .collect::<Result<Vec<_>, _>>()?;
        let author = self.author_in(actor.chat, actor.user);
        Ok(contents
            .into_iter()
            .map(|content| {
                let mut draft = Draft::new(actor.user, author, content);
                draft.context.insert("media_group_id".into(), json!(group));
                self.post(actor.chat, draft)
            })
            .collect())
    }

    /// Sends a place.
    pub(crate) fn act_location(
        &mut self,
        actor: Actor,
        latitude: f64,
        longitude: f64,
        reply_to: Option<i64>,
    ) -> Result<i64, ActError> {
        self.check_can_write(actor)?;
        if !(-90.0..=90.0).contains(&latitude) || !(-180.0..=180.0).contains(&longitude) {
            return Err(ActError::impossible(
                "there is no such place",
                "latitude -90..90, longitude -180..180",
            ));
        }
        let content = Content::of("location", json!({"latitude": latitude, "longitude": longitude}));
        self.act_post(actor, content, reply_to)
    }

    /// Sends a contact; without one his own, with his user id, as the button `request_contact` does.
    pub(crate) fn act_contact(
        &mut self,
        actor: Actor,
        contact: Option<Map<String, Value>>,
        reply_to: Option<i64>,
    ) -> Result<i64, ActError> {
        self.check_can_write(actor)?;
        let contact = match contact {
            Some(contact) => contact,
            None => self.own_contact(actor.user)?,
        };
        self.act_post(actor, Content::of("contact", Value::Object(contact)), reply_to)
    }

    fn own_contact(&self, user: i64) -> Result<Map<String, Value>, ActError> {
        let account =
            self.users.get(&user).ok_or_else(|| ActError::NotFound(format!("there is no user {user}")))?;
        let phone = account.phone.as_ref().ok_or_else(|| {
            ActError::impossible("the user has no phone", "a user created with \"phone\", or a given contact")
        })?;
        let mut contact = Map::new();
        contact.insert("phone_number".into(), json!(phone));
        contact.insert("first_name".into(), json!(account.first_name));
        if let Some(last_name) = &account.last_name {
            contact.insert("last_name".into(), json!(last_name));
        }
        contact.insert("user_id".into(), json!(user));
        Ok(contact)
    }

    /// Forwards a message of this chat into it again.
    pub(crate) fn act_forward(&mut self, actor: Actor, message_id: i64) -> Result<i64, ActError> {
        self.check_can_write(actor)?;
        let chat = self.chats.get(&actor.chat).ok_or_else(|| ActError::no_message(message_id))?;
        let message = chat.find_message(message_id).ok_or_else(|| ActError::no_message(message_id))?;
        if message.content.is_service() {
            return Err(ActError::impossible("a service message cannot be forwarded", "another message"));
        }
        let content = message.content.clone();
        let origin = self.origin_of(actor.chat, message);
        let mut draft = Draft::new(actor.user, self.author_in(actor.chat, actor.user), content);
        draft.context.insert("forward_origin".into(), origin);
        Ok(self.post(actor.chat, draft))
    }

    /// Rewrites a text or a caption of his own.
    pub(crate) fn act_edit(&mut self, actor: Actor, message_id: i64, text: &str) -> Result<(), ActError> {
        self.check_can_write(actor)?;
        let author = self.author_in(actor.chat, actor.user);
        let message = self
            .chats
            .get(&actor.chat)
            .and_then(|chat| chat.find_message(message_id))
            .ok_or_else(|| ActError::no_message(message_id))?;
        if message.author != author {
            return Err(ActError::impossible("the message is not the user's", "a message of his own"));
        }
        let formatted = entities::plain(text);
        let content = if message.content.kind == "text" {
            self.text_content(&formatted)
        } else if message.content.can_have_caption() {
            let mut content = message.content.clone();
            content.fields.insert("caption".into(), json!(formatted.text));
            content.fields.remove("caption_entities");
            self.put_entities(&mut content.fields, "caption_entities", &formatted);
            content
        } else {
            return Err(ActError::impossible("the message has no text", "a text or a file with a caption"));
        };
        self.edit(actor.chat, message_id, content);
        self.announce(actor.chat, message_id, "edited_message");
        Ok(())
    }

    /// Removes a message of his own. Bots are not told: Telegram has no update for it.
    pub(crate) fn act_delete(&mut self, actor: Actor, message_id: i64) -> Result<(), ActError> {
        let found = self.chats.get(&actor.chat).is_some_and(|chat| chat.find_message(message_id).is_some());
        if !found {
            return Err(ActError::no_message(message_id));
        }
        self.delete(actor.chat, message_id);
        Ok(())
    }

    pub(super) fn act_post(
        &mut self,
        actor: Actor,
        content: Content,
        reply_to: Option<i64>,
    ) -> Result<i64, ActError> {
        if let Some(id) = reply_to
            && self.chats.get(&actor.chat).is_none_or(|chat| chat.find_message(id).is_none())
        {
            return Err(ActError::no_message(id));
        }
        let mut draft = Draft::new(actor.user, self.author_in(actor.chat, actor.user), content);
        draft.reply_to = reply_to;
        Ok(self.post(actor.chat, draft))
    }

    fn uploaded(&mut self, actor: Actor, kind: MediaKind, upload: Upload) -> Result<Content, ActError> {
        let owner =
            self.chats.get(&actor.chat).and_then(|chat| self.bots_in(chat).first().copied()).unwrap_or(0);
        let bytes = match upload.material {
            Material::Given(bytes) => bytes,
            Material::MadeUp { size } => self.made_up(kind, size)?,
        };
        let value = self
            .shelf
            .add(owner, kind, bytes, upload.file_name, upload.mime_type, &upload.hints)
            .map_err(|error| ActError::impossible(error.description, "content of the right kind"))?;
        let mut content = Content::media(kind.field(), value);
        if let Some(caption) = upload.caption {
            let formatted = entities::plain(&caption);
            content.fields.insert("caption".into(), json!(formatted.text));
            self.put_entities(&mut content.fields, "caption_entities", &formatted);
        }
        Ok(content)
    }

    /// A content that differs from every other one, as far as there is room for it.
    fn made_up(&self, kind: MediaKind, size: Option<usize>) -> Result<Bytes, ActError> {
        let word = self.random.word(24);
        let mut bytes = match kind {
            MediaKind::Photo => image::grey_jpeg((1280, 960), &word),
            MediaKind::Voice => format!("OggS {word}").into_bytes(),
            MediaKind::Sticker => format!("RIFF\0\0\0\0WEBP {word}").into_bytes(),
            _ => format!("{} {word}\n", kind.field()).into_bytes(),
        };
        if let Some(size) = size {
            if kind == MediaKind::Photo && size < bytes.len() {
                let expected = format!("a size of at least {}, or \"file_base64\"", bytes.len());
                return Err(ActError::impossible(format!("no picture is made up in {size} bytes"), expected));
            }
            bytes.resize(size, b'.');
        }
        Ok(bytes.into())
    }
}
