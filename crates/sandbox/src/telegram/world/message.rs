//! A message: who, when, what, and what happened to it since.
//!
//! Content is kept as the fields of the `Message` object, so that copies, forwards and edits need no case per
//! kind. Files in it are named by a key (`FILE_KEY`), because every bot sees its own `file_id` for a file.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Marks an object of a content that describes a file; its value is the file's unique id.
pub(crate) const FILE_KEY: &str = "$file";

/// The hidden field with the `inline_message_id` of a message that came through inline mode.
pub(crate) const INLINE_ID: &str = "inline_message_id";

/// In whose name a message was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Author {
    /// A person or a bot.
    Account(i64),
    /// The chat itself: channel posts.
    Chat,
}

/// What a message shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Content {
    /// The field that decides the kind: `text`, `photo`, `pinned_message`, …
    pub(crate) kind: String,
    /// The fields of the `Message` object.
    pub(crate) fields: Map<String, Value>,
    /// Whether some field names a file by [`FILE_KEY`].
    pub(crate) has_files: bool,
    /// The poll whose state is shown.
    pub(crate) poll: Option<String>,
}

impl Content {
    /// A content of one field.
    pub(crate) fn of(kind: &str, value: Value) -> Self {
        let mut fields = Map::new();
        fields.insert(kind.to_owned(), value);
        Self { kind: kind.to_owned(), fields, has_files: false, poll: None }
    }

    /// A file of this kind, as [`super::media`] described it.
    pub(crate) fn media(kind: &str, value: Value) -> Self {
        Self { has_files: true, ..Self::of(kind, value) }
    }

    /// Reads the content of a `Message` object that came from outside. The specific kind is looked for before
    /// the compatible one (`animation` before `document`).
    pub(crate) fn read(message: &Map<String, Value>) -> Self {
        let kind = KINDS.iter().find(|kind| message.contains_key(**kind)).copied().unwrap_or("service");
        let fields = message
            .iter()
            .filter(|(name, _)| !ENVELOPE.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        Self { kind: kind.to_owned(), fields, has_files: false, poll: None }
    }

    /// Whether the kind is one that carries a caption.
    pub(crate) fn can_have_caption(&self) -> bool {
        matches!(
            self.kind.as_str(),
            "photo" | "video" | "animation" | "audio" | "document" | "voice" | "live_photo" | "paid_media"
        )
    }

    /// Whether the message tells of an event and has no content that could be copied.
    pub(crate) fn is_service(&self) -> bool {
        !KINDS.contains(&self.kind.as_str())
    }
}

/// Kinds of content in the order they must be looked for.
const KINDS: [&str; 25] = [
    "text",
    "rich_message",
    "animation",
    "audio",
    "live_photo",
    "document",
    "paid_media",
    "photo",
    "sticker",
    "story",
    "video_note",
    "video",
    "voice",
    "checklist",
    "contact",
    "dice",
    "game",
    "poll",
    "venue",
    "location",
    "invoice",
    "giveaway",
    "giveaway_winners",
    "caption",
    "web_app_data",
];

/// Fields of a `Message` object that are not its content.
const ENVELOPE: [&str; 9] = [
    "message_id",
    "from",
    "sender_chat",
    "chat",
    "date",
    "edit_date",
    "reply_to_message",
    "reply_markup",
    "via_bot",
];

/// One message of a chat.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) id: i64,
    pub(crate) date: i64,
    pub(crate) edit_date: Option<i64>,
    /// The account that sent it, whatever name it stands in.
    pub(crate) sender: i64,
    pub(crate) author: Author,
    pub(crate) content: Content,
    /// Further fields of the `Message` object: `forward_origin`, `media_group_id`, `via_bot`, …
    pub(crate) context: Map<String, Value>,
    /// The message of the same chat it answers.
    pub(crate) reply_to: Option<i64>,
    /// `InlineKeyboardMarkup`.
    pub(crate) inline_keyboard: Option<Value>,
    /// The reply keyboard (or its removal, or a forced reply) that came with it; only the client sees it.
    pub(crate) reply_keyboard: Option<Value>,
    /// What the server knows and nobody is shown: an invoice's payload and wishes.
    pub(crate) hidden: Map<String, Value>,
    /// Reactions by account.
    pub(crate) reactions: BTreeMap<i64, Vec<Value>>,
    /// Nobody sees it any more; kept for the control API.
    pub(crate) deleted: bool,
}

impl Message {
    /// Whether the account sent it.
    pub(crate) fn is_from(&self, account: i64) -> bool {
        self.sender == account
    }
}

/// A message about to be posted.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) sender: i64,
    pub(crate) author: Author,
    pub(crate) content: Content,
    pub(crate) context: Map<String, Value>,
    pub(crate) reply_to: Option<i64>,
    pub(crate) inline_keyboard: Option<Value>,
    pub(crate) reply_keyboard: Option<Value>,
    pub(crate) hidden: Map<String, Value>,
}

impl Draft {
    /// A plain message.
    pub(crate) fn new(sender: i64, author: Author, content: Content) -> Self {
        Self {
            sender,
            author,
            content,
            context: Map::new(),
            reply_to: None,
            inline_keyboard: None,
            reply_keyboard: None,
            hidden: Map::new(),
        }
    }
}
