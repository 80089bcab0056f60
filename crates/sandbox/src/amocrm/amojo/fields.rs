//! Reads JSON as strictly as amojo does: a number that came as a string is refused, and the reverse.
//!
//! Fields nobody asked for are ignored, and `null` counts as absent.

use serde_json::{Map, Value};

/// A field that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub(crate) struct Invalid {
    field: String,
    reason: String,
}

impl Invalid {
    /// A body that is no JSON.
    pub(crate) fn body(error: &serde_json::Error) -> Self {
        Self { field: "body".to_owned(), reason: error.to_string() }
    }

    /// What a second message with one `msgid` hears.
    pub(crate) fn duplicate() -> Self {
        let reason = "a message with this id was sent before".to_owned();
        Self { field: "payload.msgid".to_owned(), reason }
    }

    /// A header, or a field whose place does not matter, that is not as it must be.
    pub(crate) fn of(name: &str, reason: &str) -> Self {
        Self { field: name.to_owned(), reason: reason.to_owned() }
    }

    /// A refusal that was planned by the control API.
    pub(crate) fn planned() -> Self {
        Self { field: "payload".to_owned(), reason: "is refused because it was planned so".to_owned() }
    }
}

/// One object of a body, with its place for messages.
#[derive(Debug, Clone)]
pub(crate) struct Fields<'a> {
    place: String,
    object: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    /// The body as a whole.
    pub(crate) fn of(body: &'a Value) -> Result<Self, Invalid> {
        match body {
            Value::Object(object) => Ok(Self { place: String::new(), object }),
            _ => Err(Invalid { field: "body".to_owned(), reason: "must be an object".to_owned() }),
        }
    }

    pub(crate) fn invalid(&self, name: &str, reason: impl Into<String>) -> Invalid {
        let field = if self.place.is_empty() { name.to_owned() } else { format!("{}.{name}", self.place) };
        Invalid { field, reason: reason.into() }
    }

    fn value(&self, name: &str) -> Option<&'a Value> {
        self.object.get(name).filter(|value| !value.is_null())
    }

    /// Whatever is there.
    pub(crate) fn raw(&self, name: &str) -> Option<Value> {
        self.value(name).cloned()
    }

    pub(crate) fn find_text(&self, name: &str) -> Result<Option<String>, Invalid> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(self.invalid(name, "must be a string")),
        }
    }

    /// A string that must be there and say something.
    pub(crate) fn text(&self, name: &str) -> Result<String, Invalid> {
        match self.find_text(name)? {
            None => Err(self.invalid(name, "is required")),
            Some(text) if text.is_empty() => Err(self.invalid(name, "must not be empty")),
            Some(text) => Ok(text),
        }
    }

    pub(crate) fn find_integer(&self, name: &str) -> Result<Option<i64>, Invalid> {
        match self.value(name) {
            None => Ok(None),
            Some(value) => value.as_i64().map(Some).ok_or_else(|| self.invalid(name, "must be an integer")),
        }
    }

    pub(crate) fn integer(&self, name: &str) -> Result<i64, Invalid> {
        self.find_integer(name)?.ok_or_else(|| self.invalid(name, "is required"))
    }

    pub(crate) fn number(&self, name: &str) -> Result<f64, Invalid> {
        let value = self.value(name).ok_or_else(|| self.invalid(name, "is required"))?;
        value.as_f64().ok_or_else(|| self.invalid(name, "must be a number"))
    }

    pub(crate) fn find_boolean(&self, name: &str) -> Result<Option<bool>, Invalid> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(*value)),
            Some(_) => Err(self.invalid(name, "must be a boolean")),
        }
    }

    pub(crate) fn find_object(&self, name: &str) -> Result<Option<Self>, Invalid> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Object(object)) => {
                let place =
                    if self.place.is_empty() { name.to_owned() } else { format!("{}.{name}", self.place) };
                Ok(Some(Self { place, object }))
            }
            Some(_) => Err(self.invalid(name, "must be an object")),
        }
    }

    pub(crate) fn object(&self, name: &str) -> Result<Self, Invalid> {
        self.find_object(name)?.ok_or_else(|| self.invalid(name, "is required"))
    }

    pub(crate) fn find_array(&self, name: &str) -> Result<Option<&'a Vec<Value>>, Invalid> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Array(items)) => Ok(Some(items)),
            Some(_) => Err(self.invalid(name, "must be an array")),
        }
    }

    /// An address that can be fetched.
    pub(crate) fn find_url(&self, name: &str) -> Result<Option<String>, Invalid> {
        let Some(text) = self.find_text(name)?.filter(|text| !text.is_empty()) else { return Ok(None) };
        match url::Url::parse(&text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(Some(text)),
            Ok(_) | Err(_) => Err(self.invalid(name, "must be an http or https URL")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn types_are_strict_both_ways_and_places_are_named() {
        let body = json!({"payload": {"timestamp": "5", "msgid": 7, "silent": null, "name": ""}});
        let payload = Fields::of(&body).unwrap().object("payload").unwrap();
        let words = |result: Result<String, Invalid>| result.unwrap_err().to_string();
        assert_eq!(
            payload.integer("timestamp").unwrap_err().to_string(),
            "payload.timestamp: must be an integer"
        );
        assert_eq!(words(payload.text("msgid")), "payload.msgid: must be a string");
        assert_eq!(words(payload.text("name")), "payload.name: must not be empty");
        assert_eq!(words(payload.text("gone")), "payload.gone: is required");
        assert_eq!(payload.find_boolean("silent"), Ok(None), "null is absent");
    }
}
