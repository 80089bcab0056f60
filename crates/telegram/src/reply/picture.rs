//! Width and height of a picture, read off its beginning: whether Telegram takes it as a photo depends on them.

/// Width and height in pixels. `None` when it is no JPEG, PNG or WebP, or when they stand further behind.
pub(super) fn size(head: &[u8]) -> Option<(u32, u32)> {
    png(head).or_else(|| jpeg(head)).or_else(|| webp(head))
}

/// Whether it is a WebP.
pub(super) fn is_webp(head: &[u8]) -> bool {
    head.get(..4) == Some(b"RIFF") && head.get(8..12) == Some(b"WEBP")
}

fn png(head: &[u8]) -> Option<(u32, u32)> {
    let ihdr = head.strip_prefix(b"\x89PNG\r\n\x1a\n")?.get(4..16)?.strip_prefix(b"IHDR")?;
    Some((
        u32::from_be_bytes(ihdr.get(..4)?.try_into().ok()?),
        u32::from_be_bytes(ihdr.get(4..8)?.try_into().ok()?),
    ))
}

/// Segment by segment up to the frame's header.
fn jpeg(head: &[u8]) -> Option<(u32, u32)> {
    let mut rest = head.strip_prefix(b"\xff\xd8")?;
    loop {
        let (&marker, after) = rest.strip_prefix(b"\xff")?.split_first()?;
        match marker {
            // Fill bytes, and markers without a segment.
            0xff => {
                rest = &rest[1..];
                continue;
            }
            0x01 | 0xd0..=0xd7 => {
                rest = after;
                continue;
            }
            _ => {}
        }
        let length = usize::from(u16::from_be_bytes(after.get(..2)?.try_into().ok()?));
        if matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc) {
            let sides = after.get(3..7)?;
            let side = |at: usize| u32::from(u16::from_be_bytes([sides[at], sides[at + 1]]));
            return Some((side(2), side(0)));
        }
        rest = after.get(length.max(2)..)?;
    }
}

fn webp(head: &[u8]) -> Option<(u32, u32)> {
    if !is_webp(head) {
        return None;
    }
    let data = head.get(20..30)?;
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
    match head.get(12..16)? {
        b"VP8X" => Some((number(&data[4..7]) + 1, number(&data[7..10]) + 1)),
        b"VP8L" if data[0] == 0x2f => {
            let bits = number(&data[1..5]);
            Some(((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1))
        }
        b"VP8 " => Some((number(&data[6..8]) & 0x3fff, number(&data[8..10]) & 0x3fff)),
        _ => None,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(in crate::reply) fn a_png(width: u32, height: u32) -> Vec<u8> {
        [
            b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".as_slice(),
            &width.to_be_bytes(),
            &height.to_be_bytes(),
            b"\x08\x02\0\0\0",
        ]
        .concat()
    }

    fn a_jpeg(width: u16, height: u16, before: usize) -> Vec<u8> {
        let length = u16::try_from(before + 2).unwrap().to_be_bytes();
        let exif = [b"\xff\xe1".as_slice(), &length, &vec![0xff; before]].concat();
        let frame =
            [b"\xff\xff\xc2\0\x11\x08".as_slice(), &height.to_be_bytes(), &width.to_be_bytes(), b"\x03"]
                .concat();
        [b"\xff\xd8".as_slice(), &exif, b"\xff\xc4\0\x04ab", &frame].concat()
    }

    fn a_webp(kind: &[u8], data: &[u8; 10]) -> Vec<u8> {
        [b"RIFF\0\0\0\0WEBP".as_slice(), kind, &[10, 0, 0, 0], data].concat()
    }

    #[test]
    fn sides_are_read_off_the_beginning() {
        assert_eq!(size(&a_png(640, 70_000)), Some((640, 70_000)));
        assert_eq!(size(&a_jpeg(640, 480, 60_000)), Some((640, 480)));
        assert_eq!(size(&a_webp(b"VP8X", &[0, 0, 0, 0, 0x7f, 2, 0, 0xdf, 1, 0])), Some((640, 480)));
        let lossless: u32 = 0x27f + (0x1df << 14);
        let [a, b, c, d] = lossless.to_le_bytes();
        assert_eq!(size(&a_webp(b"VP8L", &[0x2f, a, b, c, d, 0, 0, 0, 0, 0])), Some((640, 480)));
        assert_eq!(size(&a_webp(b"VP8 ", &[0, 0, 0, 0x9d, 1, 0x2a, 0x80, 2, 0xe0, 1])), Some((640, 480)));
        for strange in
            [b"".as_slice(), b"GIF89a\x01\0\x01\0", b"BM", b"\xff\xd8\xff\xd9", b"RIFF\0\0\0\0WAVEfmt "]
        {
            assert_eq!(size(strange), None);
        }
    }

    proptest! {
        #[test]
        fn whatever_a_file_begins_with_is_survived(
            start in prop_oneof![
                Just(a_png(9, 9)), Just(a_jpeg(9, 9, 3)), Just(a_webp(b"VP8X", &[1; 10])), Just(Vec::new())
            ],
            cut in 0_usize..60,
            rest in proptest::collection::vec(any::<u8>(), 0..40),
        ) {
            let head = [&start[..cut.min(start.len())], &rest].concat();
            let _any = size(&head);
        }
    }
}
