//! What a message carries: every kind of content of the Bot API, by the member that says so.

use tandem_model::message::{AttachmentKind, ContactCard, Content, Place};

use super::{Reader, file, object::Object, person::user_name, text::readable};

/// What a message carries, and its text.
pub(super) type Carried = (Content, String);

type Read = fn(&Reader, &Object<'_>) -> Option<Carried>;

/// The members that carry content; the special before what Telegram adds for programs that do not know it
/// (reference/telegram.md 4.2).
pub(super) const CONTENT: &[(&str, Read)] = &[
    ("text", |_, message| Some((Content::Text, own_text(message, "text", "entities")?))),
    ("rich_message", Reader::rich_content),
    ("animation", |_, message| filed(message, file::animation(&message.object("animation")?))),
    ("audio", |_, message| filed(message, file::audio(&message.object("audio")?))),
    // The still, which every vendor can show; Telegram repeats it as `photo`.
    ("live_photo", |_, message| {
        let still = message.object("live_photo")?.objects("photo");
        filed(message, file::photo(&still).or_else(|| file::photo(&message.objects("photo"))))
    }),
    ("paid_media", Reader::paid_media),
    ("photo", |_, message| filed(message, file::photo(&message.objects("photo")))),
    ("sticker", |_, message| {
        let sticker = message.object("sticker")?;
        Some((Content::File(file::sticker(&sticker)?), sticker.words("emoji").unwrap_or_default()))
    }),
    ("video", |_, message| whole(message, "video", AttachmentKind::Video, Some("video/mp4"))),
    ("video_note", |_, message| whole(message, "video_note", AttachmentKind::Video, Some("video/mp4"))),
    ("voice", |_, message| whole(message, "voice", AttachmentKind::Voice, Some("audio/ogg"))),
    ("document", |_, message| whole(message, "document", AttachmentKind::File, None)),
    ("contact", |_, message| contact(message)),
    ("venue", |_, message| {
        let venue = message.object("venue")?;
        let title: Vec<_> = ["title", "address"].iter().filter_map(|part| venue.words(part)).collect();
        place(&venue.object("location").or_else(|| message.object("location"))?, Some(title.join(", ")))
    }),
    ("location", |_, message| place(&message.object("location")?, None)),
    ("story", |reader, message| Some(line(reader.story(&message.object("story")?)))),
    ("checklist", |reader, message| Some(line(reader.checklist(&message.object("checklist")?)))),
    ("dice", |_, message| {
        let dice = message.object("dice")?;
        Some(line(format!("{} {}", dice.words("emoji")?, dice.integer("value")?)))
    }),
    ("game", |reader, message| Some(line(reader.game(&message.object("game")?)))),
    ("poll", |reader, message| Some(line(reader.poll(&message.object("poll")?)))),
    ("invoice", |reader, message| Some(line(reader.invoice(&message.object("invoice")?)))),
    ("giveaway", |reader, message| Some(line(reader.giveaway(&message.object("giveaway")?)))),
    ("giveaway_winners", |reader, message| {
        Some(line(reader.giveaway_winners(&message.object("giveaway_winners")?)))
    }),
];

impl Reader {
    /// What a message of people's carries; `None` for a service message and for what nobody knows.
    pub(super) fn content(&self, message: &Object<'_>) -> Option<Carried> {
        CONTENT.iter().find_map(|(member, read)| message.has(member).then(|| read(self, message)).flatten())
    }

    fn rich_content(&self, message: &Object<'_>) -> Option<Carried> {
        let flat = self.rich(&message.object("rich_message")?);
        Some((flat.attachment.map_or(Content::Text, Content::File), flat.text))
    }

    /// Paid media: what is behind the price is known to whoever paid or sent it.
    fn paid_media(&self, message: &Object<'_>) -> Option<Carried> {
        let paid = message.object("paid_media")?;
        let media = paid.objects("paid_media");
        let first = media.iter().find_map(|item| {
            let inner = |member: &str| item.object(member);
            file::photo(&item.objects("photo"))
                .or_else(|| file::photo(&inner("live_photo")?.objects("photo")))
                .or_else(|| {
                    file::attachment(AttachmentKind::Video, &inner("video")?, "video", Some("video/mp4"))
                })
        });
        let mut text = self.paid(paid.integer("star_count").unwrap_or_default(), media.len());
        let caption = caption(message);
        if !caption.is_empty() {
            text = format!("{text}\n{caption}");
        }
        Some((first.map_or(Content::Line, Content::File), text))
    }
}

const fn line(words: String) -> Carried {
    (Content::Line, words)
}

fn filed(message: &Object<'_>, attachment: Option<tandem_model::message::Attachment>) -> Option<Carried> {
    Some((Content::File(attachment?), caption(message)))
}

/// A member that is a file of this kind; a file without a name is called after it.
fn whole(message: &Object<'_>, member: &str, kind: AttachmentKind, mime: Option<&str>) -> Option<Carried> {
    filed(message, file::attachment(kind, &message.object(member)?, member, mime))
}

fn caption(message: &Object<'_>) -> String {
    own_text(message, "caption", "caption_entities").unwrap_or_default()
}

/// A text and its entities.
pub(super) fn own_text(object: &Object<'_>, text: &str, entities: &str) -> Option<String> {
    Some(readable(&object.text(text)?, &object.objects(entities)))
}

fn contact(message: &Object<'_>) -> Option<Carried> {
    let contact = message.object("contact")?;
    let phone = contact.words("phone_number")?;
    let sender = message.object("from").filter(|_| !message.has("sender_chat"));
    let user = contact.integer("user_id");
    let card = ContactCard {
        name: user_name(&contact).unwrap_or_else(|| phone.clone()),
        own: user.is_some() && user == sender.and_then(|sender| sender.integer("id")),
        phone,
    };
    Some((Content::Contact(card), String::new()))
}

/// A place on earth.
fn place(location: &Object<'_>, title: Option<String>) -> Option<Carried> {
    let degrees = |member, most: f64| {
        let written = std::str::from_utf8(location.raw(member)?).ok()?;
        let degrees: f64 = written.parse().ok()?;
        (degrees.abs() <= most).then(|| written.to_owned())
    };
    let place = Place {
        latitude: degrees("latitude", 90.0)?,
        longitude: degrees("longitude", 180.0)?,
        title: title.filter(|title| !title.is_empty()),
    };
    Some((Content::Place(place), String::new()))
}
