//! A message's body as the chat service's `message` (1.7.5).

use std::borrow::Cow;

use tandem_model::message::{Attachment, AttachmentKind, Body, Content, Manager, Place};

use super::words::Language;
use crate::wire::send::{Contact, Location, Message};

/// One message, and a second one for what does not fit into it.
pub(super) fn messages<'a>(
    body: &'a Body,
    manager: Option<&Manager>,
    language: Language,
) -> Vec<Message<'a>> {
    let text = text(body, manager, language);
    let first = match &body.content {
        Content::Text | Content::Line => return vec![said(text, language)],
        Content::File(file) if let Some(link) = &file.link => with_file(file, link, text),
        Content::File(file) => {
            let line = language.file(file.kind, &file.name, file.size_bytes);
            said(joined(Cow::Owned(line), &text), language)
        }
        Content::Contact(card) => {
            let contact = Some(Contact { name: &card.name, phone: &card.phone });
            Message { kind: "contact", text, contact, ..Message::default() }
        }
        Content::Place(place) => return in_place(place, text, language),
    };
    vec![first]
}

fn said(text: Cow<'_, str>, language: Language) -> Message<'_> {
    let text = if text.trim().is_empty() { Cow::Borrowed(language.nothing()) } else { text };
    Message { kind: "text", text, ..Message::default() }
}

fn with_file<'a>(file: &'a Attachment, link: &'a str, text: Cow<'a, str>) -> Message<'a> {
    let (kind, plays) = match file.kind {
        AttachmentKind::Picture => ("picture", false),
        AttachmentKind::Video => ("video", true),
        AttachmentKind::Voice => ("voice", true),
        AttachmentKind::Audio => ("audio", true),
        AttachmentKind::File => ("file", false),
        AttachmentKind::Sticker => ("sticker", false),
    };
    Message {
        kind,
        text,
        media: Some(link),
        file_name: Some(&file.name).filter(|name| !name.is_empty()).map(String::as_str).or(Some("file")),
        file_size: Some(file.size_bytes.unwrap_or(0)),
        media_duration: file.duration_secs.filter(|_| plays),
        ..Message::default()
    }
}

/// A place, and what it is called as a second message.
fn in_place<'a>(place: &'a Place, text: Cow<'a, str>, language: Language) -> Vec<Message<'a>> {
    let degrees = |text: &str| text.parse::<f64>().ok().filter(|degrees| degrees.is_finite());
    let title = place.title.as_deref().filter(|title| !title.trim().is_empty());
    let Some((lat, lon)) = degrees(&place.latitude).zip(degrees(&place.longitude)) else {
        let place = format!("{}, {}", place.latitude, place.longitude);
        let line = title.map_or_else(|| place.clone(), |title| format!("{title}\n{place}"));
        return vec![said(joined(Cow::Owned(line), &text), language)];
    };
    let first =
        Message { kind: "location", text, location: Some(Location { lon, lat }), ..Message::default() };
    let second = title.map(|title| said(Cow::Borrowed(title), language));
    [first].into_iter().chain(second).collect()
}

/// The text with what has no place of its own: whose it is, where it is from, what it answers, the buttons below it.
fn text<'a>(body: &'a Body, manager: Option<&Manager>, language: Language) -> Cow<'a, str> {
    let by = manager.map(|manager| language.manager(manager.name.as_deref()));
    let from = body.forwarded_from.as_deref().map(|from| language.forwarded(from));
    // A message of this chat is quoted by its id.
    let quote = body.quote.as_ref().filter(|quote| quote.key.is_none() && !quote.text.is_empty());
    let quote = quote.map(|quote| language.answers(quote.by.as_deref(), &quote.text));
    let before: Vec<_> = [by, from, quote].into_iter().flatten().collect();
    let mut text = Cow::Borrowed(body.text.as_str());
    if !before.is_empty() {
        text = joined(Cow::Owned(before.join("\n")), &text);
    }
    let rows = body.buttons.iter().filter(|row| !row.is_empty());
    let rows: Vec<_> = rows.map(|row| format!("[{}]", row.join("] ["))).collect();
    if !rows.is_empty() {
        text = joined(text, &rows.join("\n"));
    }
    text
}

fn joined<'a>(above: Cow<'a, str>, below: &str) -> Cow<'a, str> {
    match (above.is_empty(), below.is_empty()) {
        (_, true) => above,
        (true, false) => Cow::Owned(below.to_owned()),
        (false, false) => Cow::Owned(format!("{above}\n{below}")),
    }
}
