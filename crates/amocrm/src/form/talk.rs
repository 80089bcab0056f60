//! `update_talk` (5.6): a talk that is no longer in work is over. What else changes a talk is not known for sure, so
//! nothing else is read off it.

use tandem_model::Timestamp;
use tandem_vendor::{HeardChat, News, Notice, Noticed};

use super::{Item, ignored, message};
use crate::connection::is_amojo_id;

pub(super) fn news(item: &Item) -> News {
    let fields = &item.fields;
    if item.action != "update" || !fields.says_no("is_in_work") {
        return ignored(item, "in work");
    }
    let chat = fields.text("chat_id").filter(|id| is_amojo_id(id));
    let (Some(talk), Some(chat)) = (fields.number("talk_id"), chat) else {
        return ignored(item, "without a chat");
    };
    let at = fields.number("updated_at").and_then(|secs| i64::try_from(secs).ok());
    let Some(at) = at else { return ignored(item, "of no time") };
    let chat = HeardChat {
        theirs: chat.to_owned(),
        ours: None,
        person: None,
        person_ours: None,
        phone: None,
        source: None,
    };
    News::Noticed(Box::new(Noticed {
        // A talk ends once: what is changed about it later (its rating) is no end of another.
        id: format!("talk:{talk}:closed"),
        chat,
        contact: message::contact(fields),
        at: Timestamp::from_secs(at),
        notice: Notice::TalkClosed,
    }))
}
