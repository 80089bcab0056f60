//! A chat as its person sees it, for the control API and for tests.

use serde::Serialize;
use serde_json::Value;

use super::State;
use super::chat::ChatKey;
use super::message::{Author, FILE_KEY, Message};

/// A chat on the person's screen.
#[derive(Debug, Serialize)]
pub(crate) struct ChatView {
    pub(crate) messages: Vec<MessageView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reply_keyboard: Option<Value>,
    /// What the bot is doing right now, as `sendChatAction` named it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) typing: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) pinned: Vec<i64>,
    pub(crate) blocked: bool,
    pub(crate) callback_answers: Vec<Value>,
}

/// A message on the person's screen.
#[derive(Debug, Serialize)]
pub(crate) struct MessageView {
    pub(crate) message_id: i64,
    pub(crate) from: &'static str,
    /// The account's id; in a channel the chat's.
    pub(crate) from_id: i64,
    pub(crate) date: i64,
    pub(crate) kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) caption: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) entities: Option<Value>,
    /// The inline keyboard under it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) keyboard: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reply_to: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) album: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) forwarded_from: Option<Value>,
    pub(crate) edited: bool,
    pub(crate) deleted: bool,
    pub(crate) reactions: Vec<ReactionView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) media: Option<MediaView>,
    /// Other content: contact, location, poll, invoice, service messages, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content: Option<Value>,
}

/// A reaction under a message.
#[derive(Debug, Serialize)]
pub(crate) struct ReactionView {
    pub(crate) from_id: i64,
    pub(crate) emoji: Value,
}

/// The file of a message.
#[derive(Debug, Serialize)]
pub(crate) struct MediaView {
    pub(crate) kind: String,
    pub(crate) size: u64,
    pub(crate) sha256: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) file_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mime_type: Option<String>,
}

impl State {
    /// The chat, messages after `after` only; `None` when there is none.
    pub(crate) fn view(&self, key: ChatKey, after: i64) -> Option<ChatView> {
        let chat = self.chats.get(&key)?;
        let now = self.clock.now_ms();
        Some(ChatView {
            messages: chat
                .messages
                .range(after + 1..)
                .map(|(_, message)| self.message_view(key, message))
                .collect(),
            reply_keyboard: chat.reply_keyboard.clone(),
            typing: chat
                .typing
                .as_ref()
                .filter(|typing| typing.until_ms > now)
                .map(|typing| typing.action.clone()),
            pinned: chat.pinned.clone(),
            blocked: chat.blocked,
            callback_answers: chat
                .answers
                .iter()
                .map(|answer| {
                    let mut shown = answer.answer.clone();
                    shown["user"] = answer.user.into();
                    shown["message_id"] = answer.message_id.into();
                    shown["data"] = answer.data.clone().into();
                    shown
                })
                .collect(),
        })
    }

    fn message_view(&self, key: ChatKey, message: &Message) -> MessageView {
        let fields = &message.content.fields;
        let get = |name: &str| fields.get(name).cloned();
        let (from, from_id) = match message.author {
            Author::Account(id) if self.bots.contains_key(&id) => ("bot", id),
            Author::Account(id) => ("client", id),
            Author::Chat => ("channel", key.id()),
        };
        let media = self.media_view(message);
        let poll = message.content.poll.as_ref().and_then(|id| self.polls.get(id));
        let content = match poll {
            Some(poll) => Some(poll.to_json(self.clock.now_ms())),
            None if media.is_none() && message.content.kind != "text" => get(&message.content.kind),
            None => None,
        };
        MessageView {
            message_id: message.id,
            from,
            from_id,
            date: message.date,
            kind: message.content.kind.clone(),
            text: get("text"),
            caption: get("caption"),
            entities: get("entities").or_else(|| get("caption_entities")),
            keyboard: message.inline_keyboard.clone(),
            reply_to: message.reply_to,
            album: message.context.get("media_group_id").cloned(),
            forwarded_from: message.context.get("forward_origin").cloned(),
            edited: message.edit_date.is_some(),
            deleted: message.deleted,
            reactions: message
                .reactions
                .iter()
                .flat_map(|(id, reactions)| reactions.iter().map(|reaction| (*id, reaction)))
                .map(|(from_id, reaction)| ReactionView {
                    from_id,
                    emoji: reaction.get("emoji").cloned().unwrap_or_else(|| reaction.clone()),
                })
                .collect(),
            media,
            content,
        }
    }

    fn media_view(&self, message: &Message) -> Option<MediaView> {
        if !message.content.has_files {
            return None;
        }
        let kind = &message.content.kind;
        let value = message.content.fields.get(kind)?;
        // The last size of a photo is the picture itself.
        let value = value.as_array().map_or(Some(value), |sizes| sizes.last())?;
        let file = self.shelf.find(value.get(FILE_KEY)?.as_str()?)?;
        Some(MediaView {
            kind: kind.clone(),
            size: file.size,
            sha256: file.sha256,
            file_name: file.name,
            mime_type: file.mime,
        })
    }
}
