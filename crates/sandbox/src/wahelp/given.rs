//! The body of a request, however it was encoded: JSON, a form, a form in parts.

use axum::body::Bytes;
use axum::http::{HeaderMap, header};
use futures_util::stream;
use serde_json::{Map, Value};

use super::files::File;

/// What was given.
#[derive(Debug, Clone, Default)]
pub(crate) struct Given {
    fields: Map<String, Value>,
    /// The first part that is a file, whatever its name: the name that the real one wants is not known.
    pub(crate) file: Option<File>,
}

/// A body that cannot be read, in words.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error("the body is no JSON object")]
    Json,
    #[error("the form cannot be read")]
    Form(#[source] multer::Error),
}

impl Given {
    pub(crate) async fn read(headers: &HeaderMap, body: &Bytes) -> Result<Self, Unreadable> {
        let content_type =
            headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if let Ok(boundary) = multer::parse_boundary(content_type) {
            return Self::of_parts(body, boundary).await.map_err(Unreadable::Form);
        }
        let mut fields = Map::new();
        if content_type.starts_with("application/x-www-form-urlencoded") {
            for (name, value) in form_urlencoded::parse(body) {
                fields.insert(name.into_owned(), Value::String(value.into_owned()));
            }
        } else if !body.trim_ascii().is_empty() {
            match serde_json::from_slice(body) {
                Ok(Value::Object(given)) => fields = given,
                Ok(_) | Err(_) => return Err(Unreadable::Json),
            }
        }
        Ok(Self { fields, file: None })
    }

    async fn of_parts(body: &Bytes, boundary: String) -> multer::Result<Self> {
        let body = body.clone();
        let once = stream::once(async move { Ok::<_, std::convert::Infallible>(body) });
        let mut parts = multer::Multipart::new(once, boundary);
        let mut given = Self::default();
        while let Some(part) = parts.next_field().await? {
            let name = part.name().unwrap_or_default().to_owned();
            let Some(file_name) = part.file_name().map(ToOwned::to_owned) else {
                given.fields.insert(name, Value::String(part.text().await?));
                continue;
            };
            let content_type =
                part.content_type().map_or("application/octet-stream", |kind| kind.essence_str());
            let content_type = content_type.to_owned();
            let file = File { name: file_name, content_type, bytes: part.bytes().await? };
            given.file.get_or_insert(file);
        }
        Ok(given)
    }

    /// A text, or a number as its text.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        match self.fields.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        match self.fields.get(name) {
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(text)) => matches!(text.as_str(), "true" | "1"),
            Some(Value::Number(number)) => number.as_i64() == Some(1),
            _ => false,
        }
    }

    /// A list of texts.
    pub(crate) fn texts(&self, name: &str) -> Option<Vec<String>> {
        let items = self.fields.get(name)?.as_array()?;
        items.iter().map(|item| item.as_str().map(ToOwned::to_owned)).collect()
    }
}
