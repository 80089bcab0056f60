//! Files in messages.

use tandem_model::message::{Attachment, AttachmentKind, FileRef};

use super::object::Object;

/// What a bot can fetch at most (reference/telegram.md 6).
pub const FETCHABLE_BYTES: u64 = 20 << 20;

/// How long a file's name may be.
const NAME_CHARACTERS: usize = 120;

/// Endings by media type, for files without a name.
const ENDINGS: [(&str, &str); 16] = [
    ("application/pdf", "pdf"),
    ("application/x-tgsticker", "tgs"),
    ("application/zip", "zip"),
    ("audio/mp4", "m4a"),
    ("audio/mpeg", "mp3"),
    ("audio/ogg", "ogg"),
    ("audio/x-wav", "wav"),
    ("image/gif", "gif"),
    ("image/heic", "heic"),
    ("image/jpeg", "jpg"),
    ("image/png", "png"),
    ("image/webp", "webp"),
    ("text/plain", "txt"),
    ("video/mp4", "mp4"),
    ("video/quicktime", "mov"),
    ("video/webm", "webm"),
];

/// A file as Telegram describes all of them; `None` without its ids.
pub(super) fn attachment(
    kind: AttachmentKind,
    file: &Object<'_>,
    made_up: &str,
    mime: Option<&str>,
) -> Option<Attachment> {
    let id = file.words("file_id")?;
    let unique_id = file.words("file_unique_id").unwrap_or_else(|| id.clone());
    let mime = file.words("mime_type").filter(|mime| is_mime(mime)).or_else(|| mime.map(str::to_owned));
    let name = file
        .text("file_name")
        .map(|name| clean_name(&name))
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| with_ending(made_up, mime.as_deref()));
    Some(Attachment {
        kind,
        file: FileRef { id, unique_id },
        name,
        mime,
        size_bytes: file.integer("file_size").and_then(|size| u64::try_from(size).ok()),
        duration_secs: file.integer("duration").and_then(|duration| u32::try_from(duration).ok()),
        link: None,
    })
}

/// The largest size of a photo that can still be fetched.
pub(super) fn photo(sizes: &[Object<'_>]) -> Option<Attachment> {
    let area = |size: &&Object<'_>| {
        let side = |name| size.integer(name).unwrap_or(0).clamp(0, 1 << 30);
        side("width") * side("height")
    };
    let fetchable = |size: &&Object<'_>| {
        size.integer("file_size").is_none_or(|bytes| u64::try_from(bytes).is_ok_and(|b| b <= FETCHABLE_BYTES))
    };
    let largest =
        sizes.iter().filter(fetchable).max_by_key(area).or_else(|| sizes.iter().min_by_key(area))?;
    attachment(AttachmentKind::Picture, largest, "photo", Some("image/jpeg"))
}

pub(super) fn audio(audio: &Object<'_>) -> Option<Attachment> {
    let known: Vec<_> = ["performer", "title"].iter().filter_map(|name| audio.words(name)).collect();
    let name = if known.is_empty() { "audio".to_owned() } else { clean_name(&known.join(" - ")) };
    attachment(AttachmentKind::Audio, audio, &name, Some("audio/mpeg"))
}

/// A sticker: a picture only when it stands still.
pub(super) fn sticker(sticker: &Object<'_>) -> Option<Attachment> {
    let (kind, mime) = if sticker.is_set("is_animated") {
        (AttachmentKind::File, "application/x-tgsticker")
    } else if sticker.is_set("is_video") {
        (AttachmentKind::Video, "video/webm")
    } else {
        (AttachmentKind::Sticker, "image/webp")
    };
    attachment(kind, sticker, "sticker", Some(mime))
}

/// An animation: a film, or whatever else somebody called one.
pub(super) fn animation(animation: &Object<'_>) -> Option<Attachment> {
    let film = animation.text("mime_type").is_none_or(|mime| mime.starts_with("video/"));
    let kind = if film { AttachmentKind::Video } else { AttachmentKind::File };
    attachment(kind, animation, "animation", Some("video/mp4"))
}

fn with_ending(name: &str, mime: Option<&str>) -> String {
    let ending = ENDINGS.iter().find(|(known, _)| Some(*known) == mime).map(|(_, ending)| ending);
    match ending {
        Some(ending) => format!("{name}.{ending}"),
        None => name.to_owned(),
    }
}

/// A name that is nothing but a name: no folders, nothing that cannot be seen, not endless.
fn clean_name(name: &str) -> String {
    let visible: String = name.chars().filter(|character| !character.is_control()).collect();
    let last = visible.rsplit(['/', '\\']).next().unwrap_or_default().trim();
    let count = last.chars().count();
    // What counts is the ending.
    let cut: String = last.chars().skip(count.saturating_sub(NAME_CHARACTERS)).collect();
    if cut.chars().all(|character| character == '.') { String::new() } else { cut }
}

fn is_mime(mime: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&b))
    };
    mime.len() <= 100 && mime.split_once('/').is_some_and(|(kind, sort)| part(kind) && part(sort))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_names_only() {
        for (name, expected) in [
            ("price list.pdf", "price list.pdf"),
            ("../../etc/passwd", "passwd"),
            ("C:\\x\\счёт.docx", "счёт.docx"),
            ("a\r\nb\0.txt", "ab.txt"),
            ("..", ""),
            ("/", ""),
        ] {
            assert_eq!(clean_name(name), expected, "{name}");
        }
        let long = format!("{}.pdf", "я".repeat(500));
        assert_eq!(clean_name(&long).chars().count(), NAME_CHARACTERS);
        assert!(clean_name(&long).ends_with("я.pdf"));
    }

    #[test]
    fn a_media_type_that_is_none_is_not_passed_on() {
        for (mime, good) in [
            ("image/jpeg", true),
            ("application/vnd.ms-excel", true),
            ("text/html; charset=x", false),
            ("a/b\r\nSet-Cookie: x", false),
            ("image/", false),
            ("x", false),
        ] {
            assert_eq!(is_mime(mime), good, "{mime}");
        }
    }

    #[test]
    fn the_largest_size_that_can_be_fetched_is_the_photo() {
        let size = |id: &str, side: u32, bytes: u64| {
            format!(
                r#"{{"file_id":"{id}","file_unique_id":"u","width":{side},"height":{side},"file_size":{bytes}}}"#
            )
        };
        let chosen = |sizes: &[String]| {
            let sizes: Vec<_> = sizes.iter().filter_map(|size| Object::of(size.as_bytes())).collect();
            photo(&sizes).map(|photo| photo.file.id)
        };
        let (small, middle, huge) =
            (size("s", 90, 1), size("m", 800, 2), size("h", 4000, FETCHABLE_BYTES + 1));
        assert_eq!(chosen(&[small.clone(), huge.clone(), middle]).as_deref(), Some("m"));
        assert_eq!(chosen(&[huge]).as_deref(), Some("h"));
        assert_eq!(chosen(&[]), None);
        assert_eq!(chosen(&[small]).as_deref(), Some("s"));
    }
}
