//! A whole message: its content with what stands around it.

use tandem_model::message::{Body, Content, MessageKey, MessagePlace, Quote};

use super::{
    Reader,
    content::CONTENT,
    object::{Object, elements},
    person::{origin_name, sender_name},
    service::SERVICE,
    text::excerpt,
};

/// The members that are no content: about the message, or read beside its content.
pub(super) const AROUND: &[&str] = &[
    "message_id",
    "message_thread_id",
    "direct_messages_topic",
    "from",
    "sender_chat",
    "sender_boost_count",
    "sender_business_bot",
    "sender_tag",
    "date",
    "guest_query_id",
    "business_connection_id",
    "chat",
    "forward_origin",
    "is_topic_message",
    "is_automatic_forward",
    "reply_to_message",
    "external_reply",
    "quote",
    "reply_to_story",
    "reply_to_checklist_task_id",
    "reply_to_poll_option_id",
    "via_bot",
    "guest_bot_caller_user",
    "guest_bot_caller_chat",
    "edit_date",
    "has_protected_content",
    "is_from_offline",
    "is_paid_post",
    "media_group_id",
    "author_signature",
    "paid_star_count",
    "entities",
    "link_preview_options",
    "suggested_post_info",
    "effect_id",
    "caption",
    "caption_entities",
    "show_caption_above_media",
    "has_media_spoiler",
    "reply_markup",
    "receiver_user",
    "ephemeral_message_id",
];

/// How many rows of buttons, and how many in a row, are read.
const BUTTONS: usize = 100;

/// How much of a quoted message is given.
const QUOTED: usize = 500;

impl Reader {
    /// What a message says. Its keyboard is `markup`: a reply keyboard never stands in the message itself.
    pub(super) fn body(&self, message: &Object<'_>, markup: Option<&[u8]>) -> Body {
        let (content, text) = self
            .content(message)
            .or_else(|| Some((Content::Line, self.service(message)?)))
            .unwrap_or_else(|| (Content::Line, self.unknown(message)));
        Body {
            content,
            text,
            quote: self.quote(message),
            forwarded_from: message.object("forward_origin").as_ref().and_then(origin_name),
            album: message.words("media_group_id"),
            buttons: markup.map(labels).unwrap_or_default(),
        }
    }

    /// A message of a kind that came after this was written, or of one that cannot be read.
    fn unknown(&self, message: &Object<'_>) -> String {
        let strange = |name: &str| {
            !AROUND.contains(&name)
                && !CONTENT.iter().any(|(known, _)| *known == name)
                && !SERVICE.iter().any(|(known, _)| *known == name)
        };
        let kind = message.names().find(|name| strange(name)).unwrap_or_default();
        let caption = message.words("caption").unwrap_or_default();
        let line =
            self.with("Сообщение неизвестного вида", "A message of an unknown kind", &excerpt(&kind, 64));
        if caption.is_empty() { line } else { format!("{line}\n{caption}") }
    }

    /// What a message answers. In a topic every message answers the one that began it, which is no answer.
    fn quote(&self, message: &Object<'_>) -> Option<Quote> {
        let part = message.object("quote").and_then(|quote| quote.words("text"));
        let part = part.map(|text| excerpt(&text, QUOTED));
        if let Some(answered) = message.object("reply_to_message").filter(|to| !to.has("forum_topic_created"))
        {
            return Some(Quote {
                key: self.answered_key(message, &answered),
                text: part.unwrap_or_else(|| self.excerpt(&answered)),
                by: answered
                    .object("from")
                    .or_else(|| answered.object("sender_chat"))
                    .and_then(|_| sender_name(&answered)),
            });
        }
        if let Some(answered) = message.object("external_reply") {
            return Some(Quote {
                key: None,
                text: part.unwrap_or_else(|| self.excerpt(&answered)),
                by: answered.object("origin").as_ref().and_then(origin_name),
            });
        }
        let story = message.object("reply_to_story")?;
        Some(Quote { key: None, text: self.story(&story), by: None })
    }

    /// The key of the message that is answered, which stands in the same chat as a rule.
    fn answered_key(&self, message: &Object<'_>, answered: &Object<'_>) -> Option<MessageKey> {
        let place = place(message)?;
        let chat = answered.object("chat").and_then(|chat| chat.integer("id"));
        if chat.is_some_and(|chat| chat != place.chat) {
            return None;
        }
        let number = answered.integer("message_id").filter(|number| *number > 0)?;
        Some(MessageKey::of(self.bot, &MessagePlace { message: number, ..place }))
    }
}

/// The body that is one line.
pub(super) const fn line_body(text: String) -> Body {
    Body { content: Content::Line, text, quote: None, forwarded_from: None, album: None, buttons: Vec::new() }
}

/// Where a message stands; `None` for what has no place in a chat of the bot's: a message that is yet to be sent, one
/// that a single member of a group sees.
pub(super) fn place(message: &Object<'_>) -> Option<MessagePlace> {
    if message.has("ephemeral_message_id") {
        return None;
    }
    Some(MessagePlace {
        business: message.words("business_connection_id"),
        chat: message.object("chat")?.integer("id")?,
        message: message.integer("message_id").filter(|number| *number > 0)?,
    })
}

/// What stands on the buttons of a keyboard, of either kind.
pub(super) fn labels(markup: &[u8]) -> Vec<Vec<String>> {
    let Some(markup) = Object::of(markup) else { return Vec::new() };
    let rows = markup.raw("inline_keyboard").or_else(|| markup.raw("keyboard")).map(elements);
    let label = |button: &[u8]| {
        // A button of a reply keyboard can be a text and nothing else.
        let text = crate::json::text(button).map(|text| text.trim().to_owned());
        text.or_else(|| Object::of(button)?.words("text")).filter(|text| !text.is_empty())
    };
    let row = |row: &[u8]| elements(row).into_iter().take(BUTTONS).filter_map(label).collect::<Vec<_>>();
    rows.unwrap_or_default().into_iter().take(BUTTONS).map(row).filter(|row| !row.is_empty()).collect()
}

/// What stands on the button with this data.
pub(super) fn label_of(message: &Object<'_>, data: &str) -> Option<String> {
    let markup = message.object("reply_markup")?;
    let buttons = markup.elements("inline_keyboard").into_iter().flat_map(elements).filter_map(Object::of);
    let pressed =
        buttons.into_iter().find(|button| button.text("callback_data").is_some_and(|known| known == data))?;
    pressed.words("text")
}
