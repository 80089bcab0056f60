//! Chats: a person's private chat with a bot, groups and channels, and who is in them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::message::Message;

/// Messages kept per chat; the oldest leave first, as if they were never there.
const HISTORY_LIMIT: usize = 2_000;
/// Callback answers kept per chat for the control API.
const ANSWERS_LIMIT: usize = 200;

/// Names a chat. A person has one private chat with each bot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum ChatKey {
    Private { bot: i64, user: i64 },
    Group(i64),
}

impl ChatKey {
    /// The `chat.id` that bots see.
    pub(crate) fn id(self) -> i64 {
        match self {
            Self::Private { user, .. } => user,
            Self::Group(id) => id,
        }
    }
}

/// What sort of chat it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChatKind {
    Private,
    Group,
    Supergroup,
    Channel,
}

impl ChatKind {
    /// The word of `Chat.type`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Group => "group",
            Self::Supergroup => "supergroup",
            Self::Channel => "channel",
        }
    }
}

/// A member's standing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Creator,
    Administrator,
    Member,
    Restricted,
    Left,
    Kicked,
}

impl Status {
    /// The word of `ChatMember.status`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Creator => "creator",
            Self::Administrator => "administrator",
            Self::Member => "member",
            Self::Restricted => "restricted",
            Self::Left => "left",
            Self::Kicked => "kicked",
        }
    }

    /// Whether the account is in the chat.
    pub(crate) fn is_inside(self) -> bool {
        !matches!(self, Self::Left | Self::Kicked)
    }

    /// Whether the account may manage the chat.
    pub(crate) fn is_admin(self) -> bool {
        matches!(self, Self::Creator | Self::Administrator)
    }
}

/// A member of a group.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) status: Status,
    /// `custom_title` of an administrator.
    pub(crate) title: Option<String>,
    /// Rights or permissions given by a method, over the defaults.
    pub(crate) rights: Map<String, Value>,
    pub(crate) until_date: i64,
}

impl Member {
    /// A member with the rights of his status.
    pub(crate) fn new(status: Status) -> Self {
        Self { status, title: None, rights: Map::new(), until_date: 0 }
    }

    /// The `ChatMember` object.
    pub(crate) fn to_json(&self, user: Value, viewer_is_admin: bool) -> Value {
        let mut object = Map::new();
        object.insert("status".into(), json!(self.status.name()));
        object.insert("user".into(), user);
        if let Some(title) = &self.title {
            object.insert("custom_title".into(), json!(title));
        }
        let (names, default): (&[&str], bool) = match self.status {
            Status::Administrator => (&ADMIN_RIGHTS, true),
            Status::Restricted => (&PERMISSIONS, false),
            _ => (&[], false),
        };
        for name in names {
            let value =
                self.rights.get(*name).and_then(Value::as_bool).unwrap_or(default && *name != "is_anonymous");
            object.insert((*name).into(), json!(value));
        }
        match self.status {
            Status::Creator => {
                object.insert("is_anonymous".into(), json!(false));
            }
            Status::Administrator => {
                object.insert("can_be_edited".into(), json!(viewer_is_admin));
            }
            Status::Restricted => {
                object.insert("is_member".into(), json!(true));
                object.insert("until_date".into(), json!(self.until_date));
            }
            Status::Kicked => {
                object.insert("until_date".into(), json!(self.until_date));
            }
            Status::Member | Status::Left => {}
        }
        Value::Object(object)
    }
}

/// Rights of an administrator, all held unless taken away.
pub(crate) const ADMIN_RIGHTS: [&str; 14] = [
    "is_anonymous",
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
    "can_pin_messages",
    "can_manage_topics",
    "can_manage_tags",
];

/// What members may do; all allowed in a new group.
pub(crate) const PERMISSIONS: [&str; 16] = [
    "can_send_messages",
    "can_send_audios",
    "can_send_documents",
    "can_send_photos",
    "can_send_videos",
    "can_send_video_notes",
    "can_send_voice_notes",
    "can_send_polls",
    "can_send_other_messages",
    "can_add_web_page_previews",
    "can_react_to_messages",
    "can_edit_tag",
    "can_change_info",
    "can_invite_users",
    "can_pin_messages",
    "can_manage_topics",
];

/// A callback answer as the client sees it.
#[derive(Clone, Debug)]
pub(crate) struct CallbackAnswer {
    pub(crate) user: i64,
    pub(crate) message_id: Option<i64>,
    pub(crate) data: Option<String>,
    /// `text`, `show_alert`, `url` of the answer.
    pub(crate) answer: Value,
}

/// What a bot is doing (`sendChatAction`), and until when it shows.
#[derive(Clone, Debug)]
pub(crate) struct Typing {
    pub(crate) bot: i64,
    pub(crate) action: String,
    pub(crate) until_ms: i64,
}

/// One chat.
#[derive(Clone, Debug)]
pub(crate) struct Chat {
    pub(crate) key: ChatKey,
    pub(crate) kind: ChatKind,
    pub(crate) title: String,
    pub(crate) username: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) photo: Option<Value>,
    pub(crate) permissions: Map<String, Value>,
    pub(crate) members: BTreeMap<i64, Member>,
    pub(crate) messages: BTreeMap<i64, Message>,
    pub(crate) last_message_id: i64,
    pub(crate) pinned: Vec<i64>,
    /// The `ReplyKeyboardMarkup` that stands below the chat.
    pub(crate) reply_keyboard: Option<Value>,
    pub(crate) typing: Option<Typing>,
    pub(crate) answers: Vec<CallbackAnswer>,
    /// The supergroup it was upgraded to.
    pub(crate) migrated_to: Option<i64>,
    /// The group was deleted.
    pub(crate) removed: bool,
    /// The private chat's person blocked the bot.
    pub(crate) blocked: bool,
    /// Identifies the chat in callback queries without giving its id away.
    pub(crate) instance: String,
}

impl Chat {
    /// A chat without messages.
    pub(crate) fn new(key: ChatKey, kind: ChatKind, title: String, instance: String) -> Self {
        Self {
            key,
            kind,
            title,
            username: None,
            description: None,
            photo: None,
            permissions: PERMISSIONS.iter().map(|name| ((*name).to_owned(), json!(true))).collect(),
            members: BTreeMap::new(),
            messages: BTreeMap::new(),
            last_message_id: 0,
            pinned: Vec::new(),
            reply_keyboard: None,
            typing: None,
            answers: Vec::new(),
            migrated_to: None,
            removed: false,
            blocked: false,
            instance,
        }
    }

    /// The `Chat` object of a group or channel.
    pub(crate) fn to_json(&self) -> Value {
        let mut object = Map::new();
        object.insert("id".into(), json!(self.key.id()));
        object.insert("type".into(), json!(self.kind.name()));
        object.insert("title".into(), json!(self.title));
        if let Some(username) = &self.username {
            object.insert("username".into(), json!(username));
        }
        Value::Object(object)
    }

    /// The message, unless it was deleted or never there.
    pub(crate) fn find_message(&self, id: i64) -> Option<&Message> {
        self.messages.get(&id).filter(|message| !message.deleted)
    }

    /// Like [`Self::find_message`], to change it.
    pub(crate) fn find_message_mut(&mut self, id: i64) -> Option<&mut Message> {
        self.messages.get_mut(&id).filter(|message| !message.deleted)
    }

    /// Keeps a message, and gives the oldest one when it must make room.
    pub(crate) fn keep(&mut self, message: Message) -> Option<Message> {
        self.last_message_id = self.last_message_id.max(message.id);
        self.messages.insert(message.id, message);
        if self.messages.len() <= HISTORY_LIMIT {
            return None;
        }
        self.messages.pop_first().map(|(_, oldest)| oldest)
    }

    /// Keeps a callback answer for the control API.
    pub(crate) fn note_answer(&mut self, answer: CallbackAnswer) {
        if self.answers.len() >= ANSWERS_LIMIT {
            self.answers.remove(0);
        }
        self.answers.push(answer);
    }

    /// The member's standing; a stranger has left.
    pub(crate) fn status(&self, account: i64) -> Status {
        self.members.get(&account).map_or(Status::Left, |member| member.status)
    }

    /// Whether an administrator holds the right.
    pub(crate) fn has_right(&self, account: i64, right: &str) -> bool {
        match self.members.get(&account) {
            Some(member) if member.status == Status::Creator => true,
            Some(member) if member.status == Status::Administrator => {
                member.rights.get(right).and_then(Value::as_bool).unwrap_or(true)
            }
            _ => false,
        }
    }
}
