//! What a manager did, in nobody's words but ours (2.3 to 2.9).

use std::collections::HashMap;

use tandem_model::{
    Timestamp,
    message::{
        AttachmentKind, Keyboard, KeyboardButton, KeyboardKind, Manager, Quoted, RemoteFile, ReplyAct,
    },
};
use tandem_vendor::{Heard, HookRefusal, News};

use super::{heard, heard_chat, reply, unreadable};
use crate::wire::hook::{
    Action, Embedded, HookMessage, HookPerson, Markup, MessageHook, ReactedMessage, Reaction, Typing,
};

type Names = HashMap<String, String>;

pub(super) fn message(hook: MessageHook, at: Timestamp, names: &Names) -> Result<Vec<News>, HookRefusal> {
    let MessageHook { receiver, sender, conversation, source, timestamp, msec_timestamp, message } = hook;
    if message.post.is_some() {
        return Ok(vec![News::Ignored("a comment to a post".to_owned())]);
    }
    let id = message.id.clone();
    let act = match manager_said(message) {
        Ok(act) => act,
        Err(Unsayable::Kind(kind)) => return Ok(vec![News::Ignored(format!("a message of type {kind}"))]),
        Err(Unsayable::Empty) => return Err(unreadable("its message has neither text nor file".to_owned())),
    };
    let at = moment(timestamp, msec_timestamp).unwrap_or(at);
    let source = source.and_then(|source| source.external_id);
    let chat = heard_chat(conversation, receiver, source);
    Ok(vec![heard(Heard { id: Some(id), chat, by: manager(sender, names), at, act: reply(act) })])
}

pub(super) fn action(action: Action, at: Timestamp, names: &Names) -> Result<Vec<News>, HookRefusal> {
    match action {
        Action { typing: Some(typing), user, .. } => Ok(vec![typed(typing, user, at, names)]),
        Action { reaction: Some(reaction), .. } => reacted(reaction, at, names).map(|news| vec![news]),
        Action { .. } => Ok(vec![News::Ignored("an action that nobody knows".to_owned())]),
    }
}

fn typed(typing: Typing, user: Option<HookPerson>, at: Timestamp, names: &Names) -> News {
    let by = manager(typing.user.or(user).unwrap_or_default(), names);
    let chat = heard_chat(typing.conversation, HookPerson::default(), None);
    let act = reply(ReplyAct::Type { until: Timestamp::from_secs(typing.expired_at) });
    heard(Heard { id: None, chat, by, at, act })
}

fn reacted(reaction: Reaction, at: Timestamp, names: &Names) -> Result<News, HookRefusal> {
    let Reaction { message, msgid, user, conversation, kind, emoji } = reaction;
    let of = match (message, msgid) {
        (Some(ReactedMessage { id, client_id }), _) => Quoted { ours: given(client_id), theirs: id },
        // Whose id the older shape has is not documented; ours can be told by how it begins.
        (None, Some(id)) if id.starts_with("tg:") => Quoted { ours: Some(id), theirs: String::new() },
        (None, Some(id)) => Quoted { ours: None, theirs: id },
        (None, None) => return Err(unreadable("its reaction is to no message".to_owned())),
    };
    let emoji = match kind.as_str() {
        "react" => match given(emoji) {
            Some(emoji) => Some(emoji),
            None => return Err(unreadable("its reaction has no emoji".to_owned())),
        },
        "unreact" => None,
        other => return Ok(News::Ignored(format!("a reaction of type {}", word(other)))),
    };
    let by = manager(user, names);
    // It has no id of its own: hooks come once, and this tells a repeat from another click.
    let which = of.ours.as_deref().unwrap_or(&of.theirs);
    let id =
        format!("reaction:{which}:{}:{}:{}", by.id, at.as_millis() / 1000, emoji.as_deref().unwrap_or("-"));
    let chat = heard_chat(conversation, HookPerson::default(), None);
    Ok(heard(Heard { id: Some(id), chat, by, at, act: reply(ReplyAct::React { of, emoji }) }))
}

/// Why a message cannot be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unsayable {
    /// A type that nobody knows.
    Kind(String),
    /// There is nothing in it.
    Empty,
}

/// What a manager's message wants said. The name of the act is the same for hooks and history.
pub(crate) fn manager_said(message: HookMessage) -> Result<ReplyAct, Unsayable> {
    let HookMessage {
        kind,
        text,
        media,
        file_name,
        file_size,
        media_group_id,
        markup,
        reply_to,
        forwards,
        ..
    } = message;
    let mut file = match file_kind(&kind) {
        Some(FileKind::Text) => None,
        Some(FileKind::File(kind)) => remote_file(kind, media, file_name, file_size),
        None => return Err(Unsayable::Kind(word(&kind))),
    };
    let mut text = text.unwrap_or_default();
    for forwarded in forwards.into_iter().flat_map(|forwards| forwards.messages) {
        forward(forwarded, &mut text, &mut file);
    }
    if text.trim().is_empty() && file.is_none() {
        return Err(Unsayable::Empty);
    }
    let quote = reply_to.map(|reply| Quoted {
        ours: given(reply.message.msgid),
        theirs: reply.message.id.unwrap_or_default(),
    });
    Ok(ReplyAct::Say {
        text,
        file,
        keyboard: markup.and_then(keyboard),
        quote: quote.filter(|quote| quote.ours.is_some() || !quote.theirs.is_empty()),
        album: given(media_group_id),
    })
}

/// A forwarded message is said below the manager's own words; its file takes the place of his, if he sent none.
fn forward(forwarded: Embedded, text: &mut String, file: &mut Option<RemoteFile>) {
    let Embedded { kind, text: said, media, file_name, file_size, sender, .. } = forwarded;
    let mut lines = given(Some(std::mem::take(text))).into_iter().collect::<Vec<_>>();
    if let Some(said) = given(said) {
        lines.push(match sender.and_then(|sender| given(sender.name)) {
            Some(name) => format!("{name}: {said}"),
            None => said,
        });
    }
    *text = lines.join("\n");
    if let (None, Some(FileKind::File(kind))) = (&file, kind.as_deref().and_then(file_kind)) {
        *file = remote_file(kind, media, file_name, file_size);
    }
}

enum FileKind {
    Text,
    File(AttachmentKind),
}

fn file_kind(kind: &str) -> Option<FileKind> {
    Some(FileKind::File(match kind {
        "text" => return Some(FileKind::Text),
        "picture" => AttachmentKind::Picture,
        "video" => AttachmentKind::Video,
        "voice" => AttachmentKind::Voice,
        "audio" => AttachmentKind::Audio,
        "file" => AttachmentKind::File,
        "sticker" => AttachmentKind::Sticker,
        _ => return None,
    }))
}

fn remote_file(
    kind: AttachmentKind,
    media: Option<String>,
    name: Option<String>,
    size: Option<i64>,
) -> Option<RemoteFile> {
    let url = given(media)?;
    let size_bytes = size.and_then(|size| u64::try_from(size).ok()).filter(|&size| size > 0);
    Some(RemoteFile { kind, url, name: name.unwrap_or_default(), size_bytes })
}

fn keyboard(markup: Markup) -> Option<Keyboard> {
    let rows = markup.buttons?.into_iter().map(|row| {
        let buttons = row.into_iter().filter(|button| !button.text.trim().is_empty());
        buttons.map(|button| KeyboardButton { text: button.text, url: given(button.url) }).collect::<Vec<_>>()
    });
    let rows: Vec<_> = rows.filter(|row| !row.is_empty()).collect();
    // Where buttons stand is for the route to say: nothing here tells.
    (!rows.is_empty()).then_some(Keyboard { kind: KeyboardKind::default(), rows })
}

pub(crate) fn manager(person: HookPerson, names: &Names) -> Manager {
    let id = person.id.unwrap_or_default();
    let name = given(person.name).or_else(|| names.get(&id).cloned());
    Manager { id, name }
}

pub(crate) fn moment(timestamp: i64, msec_timestamp: Option<i64>) -> Option<Timestamp> {
    let millis = msec_timestamp.filter(|&millis| millis > 0).map(Timestamp::from_millis);
    millis.or_else(|| (timestamp > 0).then(|| Timestamp::from_secs(timestamp)))
}

fn given(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// Somebody else's word, as far as it can stand in a log.
fn word(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')).take(40).collect()
}
