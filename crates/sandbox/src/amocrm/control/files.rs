//! Files for managers to send, when a test only needs some file of a kind.

use bytes::Bytes;

use crate::amocrm::amojo::given::Kind;

/// A picture of one pixel.
pub(crate) const PIXEL: &[u8] = &[
    0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', 0, 0, 0, 13, b'I', b'H', b'D', b'R', 0, 0, 0, 1, 0, 0,
    0, 1, 8, 6, 0, 0, 0, 0x1f, 0x15, 0xc4, 0x89, 0, 0, 0, 13, b'I', b'D', b'A', b'T', 0x78, 0x9c, 0x63, 0xf8,
    0xcf, 0xc0, 0xf0, 0x1f, 0, 5, 0, 1, 0xff, 0x56, 0xc7, 0x2f, 0x0d, 0, 0, 0, 0, b'I', b'E', b'N', b'D',
    0xae, 0x42, 0x60, 0x82,
];

/// Bytes that begin as such a file does, a name and a type.
pub(crate) fn sample(kind: Kind) -> (Bytes, &'static str, &'static str) {
    let (bytes, name, content_type): (&[u8], _, _) = match kind {
        Kind::Picture => (PIXEL, "photo.png", "image/png"),
        Kind::Video => (b"\0\0\0\x18ftypmp42", "video.mp4", "video/mp4"),
        Kind::Voice => (b"OggS sandbox voice", "voice.ogg", "audio/ogg"),
        Kind::Audio => (b"ID3 sandbox audio", "audio.mp3", "audio/mpeg"),
        Kind::Sticker => (b"RIFF\x10\0\0\0WEBPVP8 sandbox", "sticker.webp", "image/webp"),
        Kind::File | Kind::Text | Kind::Contact | Kind::Location => {
            (b"%PDF-1.4\n%sandbox\n", "document.pdf", "application/pdf")
        }
    };
    (Bytes::from_static(bytes), name, content_type)
}
