//! `multipart/form-data`.
//!
//! A part with a file name, even an empty one, is a file; one without is a parameter. A parameter part whose own
//! type is urlencoded is a form within the form. An empty body is no parameters (go-telegram/bot sends it).

use bytes::Bytes;
use multer::Multipart;

use super::{
    form,
    reading::{MAX_VALUE_BYTES, Parsed, ReadError},
};
use crate::telegram::params::UploadedFile;

const MAX_FILES: usize = 50;
const MAX_BOUNDARY: usize = 70;
const MAX_PART_HEADERS: usize = 1 << 18;

/// Adds the parts of a body.
pub(super) async fn read(content_type: &str, body: Bytes, into: &mut Parsed) -> Result<(), ReadError> {
    if body.is_empty() {
        return Ok(());
    }
    let boundary = boundary(content_type).ok_or(ReadError::Malformed)?;
    let stream = futures_util::stream::iter([Ok::<_, std::convert::Infallible>(body)]);
    let mut parts = Multipart::new(stream, boundary);
    let mut header_bytes = 0;
    while let Some(part) = parts.next_field().await.map_err(|error| refused(&error))? {
        header_bytes += part.headers().iter().map(|(n, v)| n.as_str().len() + v.len()).sum::<usize>();
        if header_bytes > MAX_PART_HEADERS {
            return Err(ReadError::HeadersTooLarge);
        }
        let name = part.name().unwrap_or_default().to_owned();
        let file_name = part.file_name().map(str::to_owned);
        let content_type = part
            .headers()
            .get(http::header::CONTENT_TYPE)
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let bytes = part.bytes().await.map_err(|error| refused(&error))?;
        if let Some(file_name) = file_name {
            if into.files.len() == MAX_FILES {
                return Err(ReadError::TooLarge);
            }
            into.files.push(UploadedFile { field: name, file_name, content_type, bytes });
        } else if bytes.len() > MAX_VALUE_BYTES {
            return Err(ReadError::TooLarge);
        } else if content_type.is_some_and(|value| is_form(&value)) {
            form::read(&bytes, into);
        } else {
            into.add(name.into_bytes(), bytes.to_vec());
        }
    }
    Ok(())
}

/// Whether a type names the urlencoded form; "contains" is enough, in any case.
pub(super) fn is_form(content_type: &str) -> bool {
    content_type.to_ascii_lowercase().contains("application/x-www-form-urlencoded")
}

/// The boundary, quoted or not.
fn boundary(content_type: &str) -> Option<String> {
    let place = content_type.to_ascii_lowercase().find("boundary=")?;
    let rest = content_type[place + "boundary=".len()..].trim_start();
    let boundary = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"')?.0,
        None => rest.split([';', ' ', '\t']).next()?,
    };
    (1..=MAX_BOUNDARY).contains(&boundary.len()).then(|| boundary.to_owned())
}

fn refused(error: &multer::Error) -> ReadError {
    tracing::debug!(%error, "a multipart body cannot be read");
    ReadError::Malformed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundaries_may_be_quoted_and_have_at_most_70_characters() {
        let long = format!("multipart/form-data; boundary={}", "x".repeat(71));
        let cases = [
            ("multipart/form-data; boundary=abc", Some("abc")),
            ("multipart/form-data; Boundary=\"a b;c\"; charset=utf-8", Some("a b;c")),
            ("multipart/form-data; boundary=abc; charset=utf-8", Some("abc")),
            ("multipart/form-data; boundary=\"abc", None),
            ("multipart/form-data; boundary=", None),
            ("multipart/form-data", None),
            (long.as_str(), None),
        ];
        for (content_type, expected) in cases {
            assert_eq!(boundary(content_type).as_deref(), expected, "{content_type}");
        }
    }
}
