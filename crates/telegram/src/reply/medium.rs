//! As what a file is sent: what a CRM calls a picture or a voice message, Telegram takes as one only within its rules
//! (the methods' own pages; reference/telegram.md 6). Everything can be sent as a document.

use tandem_model::message::AttachmentKind;

use super::picture;

/// How much of the beginning of a file is enough to look at.
pub const HEAD_BYTES: usize = 256 << 10;
/// Largest photo.
const PHOTO_BYTES: u64 = 10 << 20;
/// Width and height of a photo, added.
const PHOTO_SIDES: u64 = 10_000;
/// The longer side of a photo, in shorter ones.
const PHOTO_RATIO: u64 = 20;
/// Largest sticker that does not move.
const STICKER_BYTES: u64 = 512 << 10;

/// A file that was looked at.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    /// What the vendor calls it.
    pub kind: AttachmentKind,
    /// Its beginning: [`HEAD_BYTES`] of it, or all.
    pub head: &'a [u8],
    /// Its size.
    pub size_bytes: u64,
}

/// As what it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Medium {
    /// A photo.
    Photo,
    /// A video.
    Video,
    /// A voice message.
    Voice,
    /// Music.
    Audio,
    /// A sticker.
    Sticker,
    /// Anything.
    Document,
}

impl Medium {
    /// Of a file.
    pub fn of(look: Look<'_>) -> Self {
        let head = look.head;
        match look.kind {
            AttachmentKind::Sticker if picture::is_webp(head) && look.size_bytes <= STICKER_BYTES => {
                Self::Sticker
            }
            AttachmentKind::Picture | AttachmentKind::Sticker => Self::of_picture(look),
            AttachmentKind::Video if is_mp4(head) => Self::Video,
            AttachmentKind::Voice if is_opus(head) || is_mp3(head) || is_mp4(head) => Self::Voice,
            AttachmentKind::Audio if is_mp3(head) || is_mp4(head) => Self::Audio,
            AttachmentKind::Video | AttachmentKind::Voice | AttachmentKind::Audio | AttachmentKind::File => {
                Self::Document
            }
        }
    }

    fn of_picture(look: Look<'_>) -> Self {
        let fits = picture::size(look.head).is_some_and(|(width, height)| {
            let (width, height) = (u64::from(width), u64::from(height));
            let (short, long) = (width.min(height), width.max(height));
            short > 0 && width + height <= PHOTO_SIDES && long <= short * PHOTO_RATIO
        });
        if fits && look.size_bytes <= PHOTO_BYTES { Self::Photo } else { Self::Document }
    }

    /// The method that sends it alone.
    pub const fn method(self) -> &'static str {
        match self {
            Self::Photo => "sendPhoto",
            Self::Video => "sendVideo",
            Self::Voice => "sendVoice",
            Self::Audio => "sendAudio",
            Self::Sticker => "sendSticker",
            Self::Document => "sendDocument",
        }
    }

    /// The parameter of that method, which is also the word in an album.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Photo => "photo",
            Self::Video => "video",
            Self::Voice => "voice",
            Self::Audio => "audio",
            Self::Sticker => "sticker",
            Self::Document => "document",
        }
    }

    /// What a file is called that has no name.
    pub(super) const fn file_name(self) -> &'static str {
        match self {
            Self::Photo => "photo.jpg",
            Self::Video => "video.mp4",
            Self::Voice => "voice.ogg",
            Self::Audio => "audio.mp3",
            Self::Sticker => "sticker.webp",
            Self::Document => "file",
        }
    }

    /// Whether both can stand in one album: photos and videos can, documents and music only among themselves.
    pub fn joins(self, other: Self) -> bool {
        match (self, other) {
            (Self::Photo | Self::Video, Self::Photo | Self::Video)
            | (Self::Document, Self::Document)
            | (Self::Audio, Self::Audio) => true,
            (Self::Photo | Self::Video | Self::Voice | Self::Audio | Self::Sticker | Self::Document, _) => {
                false
            }
        }
    }
}

/// MPEG-4 of any brand: films, and what recorders call M4A.
fn is_mp4(head: &[u8]) -> bool {
    head.get(4..8) == Some(b"ftyp")
}

/// With a tag before it or without.
fn is_mp3(head: &[u8]) -> bool {
    let frame = |head: &[u8]| matches!(head, [0xff, second, ..] if second & 0xe6 == 0xe2);
    head.starts_with(b"ID3") || frame(head)
}

/// OGG whose first stream is OPUS.
fn is_opus(head: &[u8]) -> bool {
    let first = &head[..head.len().min(512)];
    first.starts_with(b"OggS") && memchr::memmem::find(first, b"OpusHead").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reply::picture::tests::a_png;

    fn medium(kind: AttachmentKind, head: &[u8], size_bytes: u64) -> Medium {
        Medium::of(Look { kind, head, size_bytes })
    }

    #[test]
    fn a_picture_is_a_photo_within_telegrams_rules_and_a_document_beyond_them() {
        let picture = |width, height, size| medium(AttachmentKind::Picture, &a_png(width, height), size);
        assert_eq!(picture(5000, 5000, 10 << 20), Medium::Photo);
        assert_eq!(picture(5000, 5001, 1000), Medium::Document, "sides");
        assert_eq!(picture(100, 2000, 1000), Medium::Photo);
        assert_eq!(picture(2001, 100, 1000), Medium::Document, "ratio");
        assert_eq!(picture(10, 10, (10 << 20) + 1), Medium::Document, "size");
        assert_eq!(picture(0, 10, 1000), Medium::Document);
        assert_eq!(
            medium(AttachmentKind::Picture, b"GIF89a", 1000),
            Medium::Document,
            "it would stand still"
        );
        assert_eq!(medium(AttachmentKind::Picture, b"", 0), Medium::Document);
    }

    #[test]
    fn voice_music_films_and_stickers_are_such_only_in_the_formats_that_telegram_plays() {
        let opus = b"OggS\0\x02\0\0\0\0\0\0\0\0abcd\0\0\0\0efgh\x01\x13OpusHead\x01".as_slice();
        let vorbis = b"OggS\0\x02\0\0\0\0\0\0\0\0abcd\0\0\0\0efgh\x01\x1e\x01vorbis".as_slice();
        let (mp3, tagged) = (b"\xff\xfb\x90\x64".as_slice(), b"ID3\x04".as_slice());
        let (aac, wav) = (b"\xff\xf1\x50\x80".as_slice(), b"RIFF\0\0\0\0WAVEfmt ".as_slice());
        let (m4a, mp4) = (b"\0\0\0\x1cftypM4A ".as_slice(), b"\0\0\0\x20ftypisom".as_slice());
        let webp = b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\xff\x01\0\xff\x01\0".as_slice();
        for (kind, head, expected) in [
            (AttachmentKind::Voice, opus, Medium::Voice),
            (AttachmentKind::Voice, mp3, Medium::Voice),
            (AttachmentKind::Voice, tagged, Medium::Voice),
            (AttachmentKind::Voice, m4a, Medium::Voice),
            (AttachmentKind::Voice, mp4, Medium::Voice),
            (AttachmentKind::Voice, vorbis, Medium::Document),
            (AttachmentKind::Voice, aac, Medium::Document),
            (AttachmentKind::Voice, wav, Medium::Document),
            (AttachmentKind::Audio, mp3, Medium::Audio),
            (AttachmentKind::Audio, m4a, Medium::Audio),
            (AttachmentKind::Audio, opus, Medium::Document),
            (AttachmentKind::Video, mp4, Medium::Video),
            (AttachmentKind::Video, b"\x1aE\xdf\xa3", Medium::Document),
            (AttachmentKind::Sticker, webp, Medium::Sticker),
            (AttachmentKind::Sticker, b"\x1aE\xdf\xa3", Medium::Document),
            (AttachmentKind::File, mp4, Medium::Document),
        ] {
            assert_eq!(medium(kind, head, 1000), expected, "{kind:?} {head:?}");
        }
        assert_eq!(medium(AttachmentKind::Sticker, &a_png(512, 512), 1000), Medium::Photo);
        assert_eq!(
            medium(AttachmentKind::Sticker, webp, STICKER_BYTES + 1),
            Medium::Photo,
            "no sticker any more"
        );
    }

    #[test]
    fn albums_mix_photos_and_videos_and_nothing_else() {
        use Medium::{Audio, Document, Photo, Sticker, Video, Voice};
        for (one, other, joins) in [
            (Photo, Video, true),
            (Photo, Photo, true),
            (Document, Document, true),
            (Audio, Audio, true),
            (Photo, Document, false),
            (Document, Audio, false),
            (Voice, Voice, false),
            (Sticker, Sticker, false),
        ] {
            assert_eq!((one.joins(other), other.joins(one)), (joins, joins), "{one:?} {other:?}");
        }
    }
}
