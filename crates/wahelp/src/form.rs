//! How a message is written down: as JSON, or as a form (7). Pure.

use bytes::{BufMut, Bytes, BytesMut};
use http::HeaderValue;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// A file as a part of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FilePart {
    pub(crate) field: String,
    pub(crate) name: String,
    pub(crate) mime: String,
    pub(crate) bytes: Bytes,
}

/// As JSON.
pub(crate) fn json(text: &str, destination: Option<&str>) -> (Bytes, HeaderValue) {
    let mut fields = Map::from_iter([("text".to_owned(), Value::from(text))]);
    fields.extend(destination.map(|destination| ("destination".to_owned(), Value::from(destination))));
    (Value::Object(fields).to_string().into(), HeaderValue::from_static("application/json"))
}

/// As a form.
pub(crate) fn multipart(
    text: &str,
    destination: Option<&str>,
    file: Option<&FilePart>,
) -> (Bytes, HeaderValue) {
    let boundary = boundary(text, file);
    let mut body = BytesMut::new();
    let mut field = |name: &str, value: &str| {
        let head = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
        body.put_slice(head.as_bytes());
        body.put_slice(value.as_bytes());
        body.put_slice(b"\r\n");
    };
    field("text", text);
    if let Some(destination) = destination {
        field("destination", destination);
    }
    if let Some(FilePart { field, name, mime, bytes }) = file {
        let (field, name) = (quoted(field), quoted(name));
        let mime = mime.replace(['\r', '\n'], " ");
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\nContent-Type: {mime}\r\n\r\n"
        );
        body.put_slice(head.as_bytes());
        body.put_slice(bytes);
        body.put_slice(b"\r\n");
    }
    body.put_slice(format!("--{boundary}--\r\n").as_bytes());
    let kind = HeaderValue::try_from(format!("multipart/form-data; boundary={boundary}"))
        .expect("a boundary is of letters and digits");
    (body.freeze(), kind)
}

/// As browsers write names in forms.
fn quoted(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

/// Made of what it parts, so that it does not stand there.
fn boundary(text: &str, file: Option<&FilePart>) -> String {
    let mut hash = Sha256::new();
    hash.update(text);
    if let Some(file) = file {
        hash.update(&file.bytes);
    }
    format!("tandem-{}", hex::encode(&hash.finalize()[..16]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_json_or_a_form_and_a_form_ends_where_it_should() {
        assert_eq!(json("a \"b\"", None).0, r#"{"text":"a \"b\""}"#);
        let (body, _) = json("a", Some("from_operator"));
        assert_eq!(serde_json::from_slice::<Value>(&body).unwrap()["destination"], "from_operator");
        let file = FilePart {
            field: "file".to_owned(),
            name: "a\"b\r\n.jpg".to_owned(),
            mime: "image/jpeg".to_owned(),
            bytes: Bytes::from_static(b"bytes"),
        };
        let (body, kind) = multipart("hello", Some("from_operator"), Some(&file));
        let kind = kind.to_str().unwrap();
        let mark = kind.strip_prefix("multipart/form-data; boundary=").unwrap();
        let body = String::from_utf8(body.to_vec()).unwrap();
        assert!(body.starts_with(&format!("--{mark}\r\n")), "{body}");
        assert!(body.ends_with(&format!("\r\n--{mark}--\r\n")), "{body}");
        assert_eq!(body.matches(mark).count(), 4, "{body}");
        assert!(body.contains("name=\"text\"\r\n\r\nhello\r\n"), "{body}");
        assert!(body.contains("filename=\"a%22b%0D%0A.jpg\"\r\nContent-Type: image/jpeg\r\n\r\nbytes\r\n"));
    }
}
