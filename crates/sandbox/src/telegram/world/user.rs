//! Accounts: the people who write to bots, and the bots themselves.

use serde_json::{Map, Value, json};

/// An account as others see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) id: i64,
    pub(crate) is_bot: bool,
    pub(crate) first_name: String,
    pub(crate) last_name: Option<String>,
    pub(crate) username: Option<String>,
    /// Known only to bots the user shares it with.
    pub(crate) phone: Option<String>,
    pub(crate) language_code: Option<String>,
    pub(crate) is_premium: bool,
    /// `Forbidden: user is deactivated` for bots that write to him.
    pub(crate) deactivated: bool,
}

impl User {
    /// An account with no more than a name.
    pub(crate) fn new(id: i64, is_bot: bool, first_name: impl Into<String>) -> Self {
        Self {
            id,
            is_bot,
            first_name: first_name.into(),
            last_name: None,
            username: None,
            phone: None,
            language_code: None,
            is_premium: false,
            deactivated: false,
        }
    }

    /// Reads a `User` object of a raw update.
    pub(crate) fn read(value: &Value) -> Option<Self> {
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        Some(Self {
            id: value.get("id")?.as_i64()?,
            is_bot: value.get("is_bot").and_then(Value::as_bool).unwrap_or(false),
            first_name: text("first_name").unwrap_or_default(),
            last_name: text("last_name"),
            username: text("username"),
            phone: None,
            language_code: text("language_code"),
            is_premium: value.get("is_premium").and_then(Value::as_bool).unwrap_or(false),
            deactivated: false,
        })
    }

    /// The `User` object.
    pub(crate) fn to_json(&self) -> Value {
        let mut object = self.names();
        object.insert("id".into(), json!(self.id));
        object.insert("is_bot".into(), json!(self.is_bot));
        if let Some(code) = &self.language_code {
            object.insert("language_code".into(), json!(code));
        }
        if self.is_premium {
            object.insert("is_premium".into(), json!(true));
        }
        Value::Object(object)
    }

    /// The private `Chat` with this account.
    pub(crate) fn to_chat(&self) -> Value {
        let mut object = self.names();
        object.insert("id".into(), json!(self.id));
        object.insert("type".into(), json!("private"));
        Value::Object(object)
    }

    fn names(&self) -> Map<String, Value> {
        let mut object = Map::new();
        object.insert("first_name".into(), json!(self.first_name));
        for (name, value) in [("last_name", &self.last_name), ("username", &self.username)] {
            if let Some(value) = value {
                object.insert(name.into(), json!(value));
            }
        }
        object
    }
}
