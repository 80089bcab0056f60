//! What an integration sends: messages, edits, people, quotes, read and checked by type (reference 1.7).
//!
//! Pure. Which chat and which person is meant is decided by [`super::accept`].

use serde::Serialize;
use serde_json::{Value, json};

use super::fields::{Fields, Invalid};

/// `new_message`.
#[derive(Debug, Clone)]
pub(crate) struct NewMessage {
    pub(crate) msgid: String,
    pub(crate) at: Stamps,
    pub(crate) conversation: Named,
    /// Whether it was said at all is kept: its default is not known.
    pub(crate) silent: Option<bool>,
    pub(crate) source: Option<String>,
    pub(crate) sender: GivenPerson,
    pub(crate) receiver: Option<GivenPerson>,
    pub(crate) content: Content,
    pub(crate) reply_to: Option<Quoted>,
    pub(crate) forwards: Option<Quoted>,
}

/// `edit_message`.
#[derive(Debug, Clone)]
pub(crate) struct EditMessage {
    pub(crate) message: Named,
    pub(crate) conversation: Named,
    pub(crate) content: Content,
    pub(crate) delivery: Option<GivenStatus>,
}

/// The two times of a message.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Stamps {
    pub(crate) timestamp: i64,
    pub(crate) msec_timestamp: i64,
}

/// Something named by the integration's id, by amojo's, or by both.
#[derive(Debug, Clone, Default)]
pub(crate) struct Named {
    pub(crate) ours: Option<String>,
    pub(crate) amojo: Option<String>,
}

/// A sender, a receiver, the user of a new chat.
#[derive(Debug, Clone, Default)]
pub(crate) struct GivenPerson {
    pub(crate) id: Option<String>,
    pub(crate) ref_id: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) avatar: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) profile_link: Option<String>,
}

/// What a message says.
#[derive(Debug, Clone, Default)]
pub(crate) struct Content {
    pub(crate) kind: Kind,
    pub(crate) text: String,
    pub(crate) media: Option<GivenMedia>,
    /// Everything that belongs to one type only, as it was given: a place, a contact, a post.
    pub(crate) extra: Value,
}

/// A file by its address.
#[derive(Debug, Clone)]
pub(crate) struct GivenMedia {
    pub(crate) url: String,
    pub(crate) file_name: Option<String>,
    pub(crate) file_size: Option<i64>,
    pub(crate) duration: Option<i64>,
}

/// The types of messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    #[default]
    Text,
    Contact,
    File,
    Video,
    Picture,
    Voice,
    Audio,
    Sticker,
    Location,
}

/// A quoted or forwarded message.
#[derive(Debug, Clone)]
pub(crate) struct Quoted {
    pub(crate) message: Named,
    /// The message as it was written out, when it was.
    pub(crate) written_out: Value,
}

/// A delivery status in either spelling.
#[derive(Debug, Clone)]
pub(crate) struct GivenStatus {
    pub(crate) status: DeliveryStatus,
    pub(crate) error: Option<GivenError>,
}

/// What became of a message that amoCRM sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DeliveryStatus {
    /// Where each message begins; cannot be set.
    Sent,
    Delivered,
    Read,
    Failed,
}

/// Why it failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct GivenError {
    pub(crate) code: i64,
    pub(crate) text: String,
}

/// Longest `source.external_id` of the chat pages.
const EXTERNAL_ID: usize = 40;

impl NewMessage {
    pub(crate) fn read(payload: &Fields<'_>) -> Result<Self, Invalid> {
        let sender = GivenPerson::read(&payload.object("sender")?, Naming::Full)?;
        let receiver = payload.find_object("receiver")?;
        let receiver = receiver.map(|receiver| GivenPerson::read(&receiver, Naming::Full)).transpose()?;
        Ok(Self {
            msgid: payload.text("msgid")?,
            at: Stamps::read(payload)?,
            conversation: Named::conversation(payload)?,
            silent: payload.find_boolean("silent")?,
            source: source(payload)?,
            sender,
            receiver,
            content: Content::read(&payload.object("message")?, Change::New)?,
            reply_to: match payload.find_object("reply_to")? {
                None => None,
                Some(reply) => Some(Quoted::read(&reply.object("message")?)?),
            },
            forwards: forwards(payload)?,
        })
    }
}

impl EditMessage {
    pub(crate) fn read(payload: &Fields<'_>) -> Result<Self, Invalid> {
        Stamps::read(payload)?;
        let message = Named { ours: payload.find_text("msgid")?, amojo: payload.find_text("id")? };
        if message.ours.is_none() && message.amojo.is_none() {
            return Err(payload.invalid("msgid", "either `msgid` or `id` is required"));
        }
        let content = payload.object("message")?;
        Ok(Self {
            message,
            conversation: Named::conversation(payload)?,
            content: Content::read(&content, Change::Edit)?,
            delivery: match content.find_object("delivery_status")? {
                None => None,
                Some(status) => Some(GivenStatus::read(&status)?),
            },
        })
    }
}

impl Stamps {
    pub(crate) fn read(fields: &Fields<'_>) -> Result<Self, Invalid> {
        Ok(Self {
            timestamp: fields.integer("timestamp")?,
            msec_timestamp: fields.integer("msec_timestamp")?,
        })
    }

    /// Whether both say the same second.
    pub(crate) fn agree(self) -> bool {
        self.msec_timestamp.div_euclid(1000) == self.timestamp
    }
}

impl Named {
    pub(crate) fn conversation(fields: &Fields<'_>) -> Result<Self, Invalid> {
        let named = Self {
            ours: fields.find_text("conversation_id")?,
            amojo: fields.find_text("conversation_ref_id")?,
        };
        match named {
            Self { ours: None, amojo: None } => Err(fields.invalid("conversation_id", "is required")),
            Self { ours: Some(ours), .. } if ours.is_empty() => {
                Err(fields.invalid("conversation_id", "must not be empty"))
            }
            named => Ok(named),
        }
    }
}

/// How much of a person must be given.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Naming {
    /// `id` and `name`, as for senders and receivers.
    Full,
    /// `id` and `name`, or only `ref_id`: the user of a new chat.
    OrReference,
}

impl GivenPerson {
    pub(crate) fn read(fields: &Fields<'_>, naming: Naming) -> Result<Self, Invalid> {
        let ref_id = fields.find_text("ref_id")?;
        let by_reference = naming == Naming::OrReference && ref_id.is_some();
        let profile = fields.find_object("profile")?;
        let of_profile = |name: &str| match &profile {
            None => Ok(None),
            Some(profile) => profile.find_text(name),
        };
        Ok(Self {
            id: if by_reference { fields.find_text("id")? } else { Some(fields.text("id")?) },
            ref_id,
            name: if by_reference { fields.find_text("name")? } else { Some(fields.text("name")?) },
            avatar: fields.find_url("avatar")?,
            phone: of_profile("phone")?.filter(|phone| !phone.is_empty()),
            email: of_profile("email")?.filter(|email| !email.is_empty()),
            profile_link: fields.find_url("profile_link")?,
        })
    }
}

/// Whether a file may be left out because it stays what it was.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    New,
    Edit,
}

impl Content {
    fn read(fields: &Fields<'_>, change: Change) -> Result<Self, Invalid> {
        let name = fields.text("type")?;
        let kind = Kind::of(&name)
            .ok_or_else(|| fields.invalid("type", format!("`{name}` is no type of message")))?;
        let text = if kind == Kind::Text && change == Change::New {
            fields.text("text")?
        } else {
            fields.find_text("text")?.unwrap_or_default()
        };
        if kind == Kind::Text && text.is_empty() && fields.raw("delivery_status").is_none() {
            return Err(fields.invalid("text", "must not be empty"));
        }
        let media = if kind.has_media() { media(fields, kind, change)? } else { None };
        Ok(Self { kind, text, media, extra: extra(fields, kind)? })
    }
}

fn media(fields: &Fields<'_>, kind: Kind, change: Change) -> Result<Option<GivenMedia>, Invalid> {
    let Some(url) = fields.find_url("media")? else {
        return if change == Change::Edit { Ok(None) } else { Err(fields.invalid("media", "is required")) };
    };
    let named = change == Change::New && kind.is_named();
    let file_size =
        if named { Some(fields.integer("file_size")?) } else { fields.find_integer("file_size")? };
    if file_size.is_some_and(|size| size < 0) {
        return Err(fields.invalid("file_size", "must not be negative"));
    }
    Ok(Some(GivenMedia {
        url,
        file_name: if named { Some(fields.text("file_name")?) } else { fields.find_text("file_name")? },
        file_size,
        duration: fields.find_integer("media_duration")?,
    }))
}

/// What only one type has.
fn extra(fields: &Fields<'_>, kind: Kind) -> Result<Value, Invalid> {
    let mut extra = json!({});
    match kind {
        Kind::Location => {
            let place = fields.object("location")?;
            extra["location"] = json!({"lon": place.number("lon")?, "lat": place.number("lat")?});
        }
        Kind::Contact => {
            let contact = fields.object("contact")?;
            extra["contact"] = json!({"name": contact.text("name")?, "phone": contact.text("phone")?});
        }
        Kind::Sticker => {
            if let Some(id) = fields.find_text("sticker_id")? {
                extra["sticker_id"] = json!(id);
            }
        }
        Kind::Text | Kind::File | Kind::Video | Kind::Picture | Kind::Voice | Kind::Audio => {}
    }
    if let Some(post) = fields.find_object("post")? {
        post.text("id")?;
        post.text("url")?;
        extra["post"] = json!(fields.raw("post"));
    }
    for name in ["shared_post", "callback_data"] {
        if let Some(given) = fields.raw(name) {
            extra[name] = given;
        }
    }
    Ok(extra)
}

impl Kind {
    fn of(name: &str) -> Option<Self> {
        serde_json::from_value(json!(name)).ok()
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Contact => "contact",
            Self::File => "file",
            Self::Video => "video",
            Self::Picture => "picture",
            Self::Voice => "voice",
            Self::Audio => "audio",
            Self::Sticker => "sticker",
            Self::Location => "location",
        }
    }

    pub(crate) fn has_media(self) -> bool {
        match self {
            Self::File | Self::Video | Self::Picture | Self::Voice | Self::Audio | Self::Sticker => true,
            Self::Text | Self::Contact | Self::Location => false,
        }
    }

    /// Whether name and size of the file must be given.
    fn is_named(self) -> bool {
        matches!(self, Self::File | Self::Video | Self::Picture)
    }

    /// What a file of this type calls itself; `None` where anything goes.
    pub(crate) fn content_type(self) -> Option<&'static str> {
        match self {
            Self::Picture | Self::Sticker => Some("image/"),
            Self::Video => Some("video/"),
            Self::Voice | Self::Audio => Some("audio/"),
            Self::File | Self::Text | Self::Contact | Self::Location => None,
        }
    }
}

impl Quoted {
    pub(crate) fn read(fields: &Fields<'_>) -> Result<Self, Invalid> {
        let message = Named { ours: fields.find_text("msgid")?, amojo: fields.find_text("id")? };
        let mut written_out = json!({});
        if message.ours.is_none() && message.amojo.is_none() {
            let kind = fields.text("type")?;
            if kind == "text" {
                fields.text("text")?;
            }
            Stamps::read(fields)?;
            let sender = fields.object("sender")?;
            if ["id", "ref_id", "name"].iter().all(|name| sender.raw(name).is_none()) {
                return Err(sender.invalid("id", "one of id, ref_id and name is required"));
            }
            for name in ["type", "text", "timestamp", "msec_timestamp", "sender", "media", "file_name"] {
                if let Some(value) = fields.raw(name) {
                    written_out[name] = value;
                }
            }
        }
        Ok(Self { message, written_out })
    }
}

fn forwards(payload: &Fields<'_>) -> Result<Option<Quoted>, Invalid> {
    let Some(forwards) = payload.find_object("forwards")? else { return Ok(None) };
    match forwards.find_array("messages")?.map(Vec::as_slice) {
        Some([one]) => {
            let at = |error: Invalid| forwards.invalid("messages.0", error.to_string());
            let one = Fields::of(one).map_err(at)?;
            Ok(Some(Quoted::read(&one).map_err(|error| forwards.invalid("messages.0", error.to_string()))?))
        }
        Some([]) | None => Err(forwards.invalid("messages", "is required")),
        Some(_) => Err(forwards.invalid("messages", "must not be more than one")),
    }
}

/// `source.external_id`.
pub(crate) fn source(fields: &Fields<'_>) -> Result<Option<String>, Invalid> {
    let Some(source) = fields.find_object("source")? else { return Ok(None) };
    let external_id = source.text("external_id")?;
    if external_id.len() > EXTERNAL_ID || !external_id.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        let expected = format!("must be at most {EXTERNAL_ID} printable ASCII characters");
        return Err(source.invalid("external_id", expected));
    }
    Ok(Some(external_id))
}

impl GivenStatus {
    /// `status_code` of the reference table or `delivery_status` of its examples (reference 1.8).
    pub(crate) fn read(fields: &Fields<'_>) -> Result<Self, Invalid> {
        let (table, examples) =
            (fields.find_integer("status_code")?, fields.find_integer("delivery_status")?);
        if let (Some(table), Some(examples)) = (table, examples)
            && table != examples
        {
            return Err(fields.invalid("delivery_status", "must be the same as status_code"));
        }
        let status = match table.or(examples) {
            None => return Err(fields.invalid("status_code", "is required")),
            Some(1) => DeliveryStatus::Delivered,
            Some(2) => DeliveryStatus::Read,
            Some(-1) => DeliveryStatus::Failed,
            Some(_) => return Err(fields.invalid("status_code", "must be -1, 1 or 2")),
        };
        let code = fields.find_integer("error_code")?;
        let text = fields.find_text("error")?;
        if code.is_some_and(|code| !(901..=905).contains(&code)) {
            return Err(fields.invalid("error_code", "must be from 901 to 905"));
        }
        let error = match (status, code) {
            (DeliveryStatus::Failed, None) => return Err(fields.invalid("error_code", "is required")),
            (DeliveryStatus::Failed, Some(code)) => {
                let text = text.ok_or_else(|| fields.invalid("error", "is required"))?;
                if code == 905 && text.is_empty() {
                    return Err(fields.invalid("error", "must not be empty with 905"));
                }
                Some(GivenError { code, text })
            }
            (DeliveryStatus::Sent | DeliveryStatus::Delivered | DeliveryStatus::Read, _) => None,
        };
        Ok(Self { status, error })
    }
}
