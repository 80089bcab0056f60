//! What the chat service tells us: hooks of version 2 (2.3 to 2.9), and messages of its history, which are the same.

use serde::Deserialize;
use serde_json::Value;

/// A hook.
#[derive(Debug, Deserialize)]
pub(crate) struct Hook {
    pub(crate) account_id: String,
    #[serde(default)]
    pub(crate) time: i64,
    #[serde(default)]
    pub(crate) message: Option<Box<MessageHook>>,
    #[serde(default)]
    pub(crate) action: Option<Action>,
}

/// A message of a manager's or a bot's.
#[derive(Debug, Deserialize)]
pub(crate) struct MessageHook {
    #[serde(default)]
    pub(crate) receiver: HookPerson,
    pub(crate) sender: HookPerson,
    pub(crate) conversation: HookConversation,
    #[serde(default)]
    pub(crate) source: Option<HookSource>,
    #[serde(default)]
    pub(crate) timestamp: i64,
    #[serde(default)]
    pub(crate) msec_timestamp: Option<i64>,
    pub(crate) message: HookMessage,
}

/// Somebody.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct HookPerson {
    #[serde(default)]
    pub(crate) id: Option<String>,
    #[serde(default)]
    pub(crate) client_id: Option<String>,
    #[serde(default)]
    pub(crate) name: Option<String>,
    #[serde(default)]
    pub(crate) phone: Option<String>,
}

/// A chat.
#[derive(Debug, Deserialize)]
pub(crate) struct HookConversation {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) client_id: Option<String>,
}

/// The source of a chat.
#[derive(Debug, Deserialize)]
pub(crate) struct HookSource {
    #[serde(default)]
    pub(crate) external_id: Option<String>,
}

/// What was said.
#[derive(Debug, Deserialize)]
pub(crate) struct HookMessage {
    pub(crate) id: String,
    /// Ours; in history.
    #[serde(default)]
    pub(crate) client_id: Option<String>,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) text: Option<String>,
    #[serde(default)]
    pub(crate) media: Option<String>,
    #[serde(default)]
    pub(crate) file_name: Option<String>,
    #[serde(default)]
    pub(crate) file_size: Option<i64>,
    #[serde(default)]
    pub(crate) media_group_id: Option<String>,
    #[serde(default)]
    pub(crate) markup: Option<Markup>,
    #[serde(default)]
    pub(crate) reply_to: Option<HookReplyTo>,
    #[serde(default)]
    pub(crate) forwards: Option<Forwards>,
    /// A comment to a post.
    #[serde(default)]
    pub(crate) post: Option<Value>,
}

/// Buttons.
#[derive(Debug, Deserialize)]
pub(crate) struct Markup {
    #[serde(default)]
    pub(crate) buttons: Option<Vec<Vec<MarkupButton>>>,
}

/// A button.
#[derive(Debug, Deserialize)]
pub(crate) struct MarkupButton {
    pub(crate) text: String,
    #[serde(default)]
    pub(crate) url: Option<String>,
}

/// What was answered.
#[derive(Debug, Deserialize)]
pub(crate) struct HookReplyTo {
    pub(crate) message: Embedded,
}

/// What was forwarded.
#[derive(Debug, Deserialize)]
pub(crate) struct Forwards {
    #[serde(default)]
    pub(crate) messages: Vec<Embedded>,
}

/// A message in another.
#[derive(Debug, Deserialize)]
pub(crate) struct Embedded {
    #[serde(default)]
    pub(crate) id: Option<String>,
    /// Ours.
    #[serde(default)]
    pub(crate) msgid: Option<String>,
    #[serde(default, rename = "type")]
    pub(crate) kind: Option<String>,
    #[serde(default)]
    pub(crate) text: Option<String>,
    #[serde(default)]
    pub(crate) media: Option<String>,
    #[serde(default)]
    pub(crate) file_name: Option<String>,
    #[serde(default)]
    pub(crate) file_size: Option<i64>,
    #[serde(default)]
    pub(crate) sender: Option<HookPerson>,
}

/// What was done that is no message.
#[derive(Debug, Deserialize)]
pub(crate) struct Action {
    #[serde(default)]
    pub(crate) typing: Option<Typing>,
    #[serde(default)]
    pub(crate) reaction: Option<Reaction>,
    /// The documentation's table has the typing user here, its example does not (2.7).
    #[serde(default)]
    pub(crate) user: Option<HookPerson>,
}

/// A manager types.
#[derive(Debug, Deserialize)]
pub(crate) struct Typing {
    #[serde(default)]
    pub(crate) user: Option<HookPerson>,
    pub(crate) conversation: HookConversation,
    pub(crate) expired_at: i64,
}

/// A manager reacts.
#[derive(Debug, Deserialize)]
pub(crate) struct Reaction {
    /// The message; older hooks have its ids flat.
    #[serde(default)]
    pub(crate) message: Option<ReactedMessage>,
    #[serde(default)]
    pub(crate) msgid: Option<String>,
    pub(crate) user: HookPerson,
    pub(crate) conversation: HookConversation,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) emoji: Option<String>,
}

/// The message that is reacted to.
#[derive(Debug, Deserialize)]
pub(crate) struct ReactedMessage {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) client_id: Option<String>,
}
