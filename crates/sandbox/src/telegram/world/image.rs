//! Pictures without an image library: sizes read from headers, and grey JPEGs to stand for thumbnails.

/// Width and height of a JPEG, PNG, GIF or WebP; `None` when the bytes are no such picture.
pub(crate) fn dimensions(bytes: &[u8]) -> Option<(u32, u32)> {
    let be = |at: usize| bytes.get(at..at + 2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]])));
    let le = |at: usize| bytes.get(at..at + 2).map(|pair| u32::from(u16::from_le_bytes([pair[0], pair[1]])));
    let size = if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        (be(18)?, be(22)?)
    } else if bytes.starts_with(b"GIF8") {
        (le(6)?, le(8)?)
    } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        match bytes.get(12..16)? {
            b"VP8 " => (le(26)? & 0x3fff, le(28)? & 0x3fff),
            b"VP8L" => {
                let bits = le(21)? | (le(23)? << 16);
                ((bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1)
            }
            b"VP8X" => (le(24)? + 1, le(27)? + 1),
            _ => return None,
        }
    } else if bytes.starts_with(&[0xff, 0xd8]) {
        jpeg_dimensions(bytes)?
    } else {
        return None;
    };
    (size.0 > 0 && size.1 > 0).then_some(size)
}

/// Walks the segments up to the frame header.
fn jpeg_dimensions(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut at = 2;
    loop {
        let marker = *bytes.get(at + 1)?;
        if bytes[at] != 0xff {
            return None;
        }
        let length = usize::from(u16::from_be_bytes([*bytes.get(at + 2)?, *bytes.get(at + 3)?]));
        // SOF0..SOF15 without the table markers among them.
        if (0xc0..=0xcf).contains(&marker) && ![0xc4, 0xc8, 0xcc].contains(&marker) {
            let height = u16::from_be_bytes([*bytes.get(at + 5)?, *bytes.get(at + 6)?]);
            let width = u16::from_be_bytes([*bytes.get(at + 7)?, *bytes.get(at + 8)?]);
            return Some((u32::from(width), u32::from(height)));
        }
        at += 2 + length;
    }
}

/// Shrinks a size to fit a square of `side`, never to nothing.
pub(crate) fn fit((width, height): (u32, u32), side: u32) -> (u32, u32) {
    let longest = width.max(height).max(1);
    if longest <= side {
        return (width, height);
    }
    let scale =
        |length: u32| u32::try_from(u64::from(length) * u64::from(side) / u64::from(longest)).unwrap_or(side);
    (scale(width).max(1), scale(height).max(1))
}

/// A grey JPEG of this size. `comment` goes into the file, so that pictures can be told apart.
pub(crate) fn grey_jpeg((width, height): (u32, u32), comment: &str) -> Vec<u8> {
    let side = |length: u32| u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes();
    let mut out = vec![0xff, 0xd8];
    let segment = |out: &mut Vec<u8>, marker: u8, body: &[u8]| {
        out.extend([0xff, marker]);
        out.extend(u16::try_from(body.len() + 2).unwrap_or(u16::MAX).to_be_bytes());
        out.extend(body);
    };
    segment(&mut out, 0xe0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
    let comment = comment.as_bytes();
    segment(&mut out, 0xfe, &comment[..comment.len().min(1_000)]);
    let mut quantisation = vec![0];
    quantisation.extend([16; 64]);
    segment(&mut out, 0xdb, &quantisation);
    let ([h0, h1], [w0, w1]) = (side(height), side(width));
    segment(&mut out, 0xc0, &[8, h0, h1, w0, w1, 1, 1, 0x11, 0]);
    // One-symbol code tables: `0` is "no change" for the first coefficient and "end of block" for the others.
    let mut one_symbol = vec![0x00, 1];
    one_symbol.extend([0; 15]);
    one_symbol.push(0);
    segment(&mut out, 0xc4, &one_symbol);
    one_symbol[0] = 0x10;
    segment(&mut out, 0xc4, &one_symbol);
    segment(&mut out, 0xda, &[1, 1, 0x00, 0, 63, 0]);
    let blocks = u64::from(width.div_ceil(8)) * u64::from(height.div_ceil(8));
    let bits = blocks * 2;
    out.resize(out.len() + usize::try_from(bits / 8).unwrap_or(0), 0);
    if bits % 8 > 0 {
        out.push(0xff >> (bits % 8));
    }
    out.extend([0xff, 0xd9]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_from_the_headers() {
        let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        png.extend([0, 0, 1, 0, 0, 0, 0, 64]);
        assert_eq!(dimensions(&png), Some((256, 64)));
        assert_eq!(dimensions(b"GIF89a\x0a\x00\x05\x00"), Some((10, 5)));
        assert_eq!(dimensions(&grey_jpeg((320, 200), "x")), Some((320, 200)));
        assert_eq!(dimensions(b"not a picture"), None);
        assert_eq!(dimensions(&[0xff, 0xd8, 0xff]), None);
    }

    #[test]
    fn shrinking_keeps_the_shape() {
        assert_eq!(fit((1280, 960), 320), (320, 240));
        assert_eq!(fit((10, 5), 320), (10, 5));
        assert_eq!(fit((5_000, 1), 90), (90, 1));
    }
}
