//! Keyboards: `reply_markup` read and checked as Telegram does, and the buttons a client can press.

use serde_json::{Map, Value, json};

use crate::telegram::error::ApiError;

/// The longest `callback_data`, in bytes.
const DATA_LIMIT: usize = 64;
/// The longest keyboard, as JSON.
const MARKUP_LIMIT: usize = 10_240;

/// What makes a button of an inline keyboard more than a text, beside an address and data.
const ACTIONS: [&str; 8] = [
    "web_app",
    "login_url",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat",
    "copy_text",
    "callback_game",
    "pay",
];

/// What a `reply_markup` asks for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Markup {
    /// Buttons under the message, as `InlineKeyboardMarkup`.
    Inline(Value),
    /// Buttons instead of the letters, as `ReplyKeyboardMarkup`.
    Reply(Value),
    /// `ReplyKeyboardRemove`.
    Remove,
    /// `ForceReply`.
    ForceReply(Value),
}

impl Markup {
    /// Reads a `reply_markup` parameter; nothing and an empty inline keyboard are no markup.
    pub(crate) fn read(text: Option<&str>) -> Result<Option<Self>, ApiError> {
        let Some(text) = text.filter(|text| !text.trim().is_empty() && *text != "null") else {
            return Ok(None);
        };
        let value: Value = serde_json::from_str(text)
            .map_err(|_error| ApiError::bad_request("can't parse reply keyboard markup JSON object"))?;
        let Value::Object(object) = value else {
            return Err(ApiError::bad_request("object expected as reply markup"));
        };
        if text.len() > MARKUP_LIMIT {
            return Err(ApiError::bad_request("reply markup is too long"));
        }
        if let Some(rows) = object.get("inline_keyboard") {
            let rows = rows_of(rows, "inline_keyboard", inline_button)?;
            return Ok((!rows.is_empty()).then(|| Self::Inline(json!({"inline_keyboard": rows}))));
        }
        if let Some(rows) = object.get("keyboard") {
            let rows = rows_of(rows, "keyboard", reply_button)?;
            let mut markup = object.clone();
            markup.insert("keyboard".into(), json!(rows));
            return Ok((!rows.is_empty()).then_some(Self::Reply(Value::Object(markup))));
        }
        if is_true(&object, "remove_keyboard") {
            return Ok(Some(Self::Remove));
        }
        if is_true(&object, "force_reply") {
            return Ok(Some(Self::ForceReply(Value::Object(object))));
        }
        Ok(None)
    }

    /// Only inline keyboards may be part of an edit or a channel post.
    pub(crate) fn inline_only(markup: Option<Self>) -> Result<Option<Value>, ApiError> {
        match markup {
            None => Ok(None),
            Some(Self::Inline(keyboard)) => Ok(Some(keyboard)),
            Some(_) => Err(ApiError::bad_request("inline keyboard expected")),
        }
    }
}

fn is_true(object: &Map<String, Value>, name: &str) -> bool {
    matches!(object.get(name), Some(Value::Bool(true)))
}

fn rows_of(
    rows: &Value,
    field: &str,
    button: impl Fn(&Value) -> Result<Value, ApiError>,
) -> Result<Vec<Vec<Value>>, ApiError> {
    let rows = rows
        .as_array()
        .ok_or_else(|| ApiError::bad_request(format!("Field \"{field}\" must be of type Array")))?;
    let mut read = Vec::with_capacity(rows.len());
    for row in rows {
        let row = row
            .as_array()
            .ok_or_else(|| ApiError::bad_request(format!("Field \"{field}\" must be an Array of Arrays")))?;
        let row = row.iter().map(&button).collect::<Result<Vec<_>, _>>()?;
        if !row.is_empty() {
            read.push(row);
        }
    }
    Ok(read)
}

fn reply_button(button: &Value) -> Result<Value, ApiError> {
    match button {
        Value::String(text) => Ok(json!({"text": text})),
        Value::Object(object) if object.get("text").is_some_and(Value::is_string) => Ok(button.clone()),
        Value::Object(_) => {
            Err(ApiError::bad_request("can't parse keyboard button: Can't find field \"text\""))
        }
        _ => Err(ApiError::bad_request("can't parse keyboard button: KeyboardButton must be an Object")),
    }
}

fn inline_button(button: &Value) -> Result<Value, ApiError> {
    let refuse = |why: &str| ApiError::bad_request(format!("can't parse inline keyboard button: {why}"));
    let Value::Object(object) = button else { return Err(refuse("InlineKeyboardButton must be an Object")) };
    let text = match object.get("text") {
        Some(Value::String(text)) => text.clone(),
        Some(_) => return Err(refuse("Field \"text\" must be of type String")),
        None => return Err(refuse("Can't find field \"text\"")),
    };
    if text.is_empty() {
        return Err(refuse("Text buttons are unallowed in the inline keyboard"));
    }
    let mut read = object.clone();
    if let Some(url) = object.get("url").and_then(Value::as_str) {
        read.insert("url".into(), json!(button_url(url)?));
        return Ok(Value::Object(read));
    }
    if let Some(data) = object.get("callback_data").and_then(Value::as_str) {
        if data.is_empty() || data.len() > DATA_LIMIT {
            return Err(ApiError::bad_request("BUTTON_DATA_INVALID"));
        }
        return Ok(Value::Object(read));
    }
    if ACTIONS.iter().any(|action| object.contains_key(*action)) {
        Ok(Value::Object(read))
    } else {
        Err(refuse("Text buttons are unallowed in the inline keyboard"))
    }
}

/// An address as Telegram keeps it: with a scheme and a path.
fn button_url(url: &str) -> Result<String, ApiError> {
    let full =
        if url.contains("://") || url.starts_with("tg:") { url.to_owned() } else { format!("http://{url}") };
    let parsed = url::Url::parse(&full).ok().filter(|parsed| match parsed.scheme() {
        "http" | "https" => parsed.host_str().is_some_and(|host| host.contains('.')),
        "tg" | "ton" | "tonsite" => true,
        _ => false,
    });
    parsed.map(|parsed| parsed.to_string()).ok_or_else(|| {
        ApiError::bad_request(format!("inline keyboard button URL '{url}' is invalid: Wrong HTTP URL"))
    })
}

/// The buttons of a keyboard, in reading order.
pub(crate) fn buttons(markup: &Value) -> impl Iterator<Item = &Value> {
    markup
        .get("inline_keyboard")
        .or_else(|| markup.get("keyboard"))
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_array)
        .flatten()
}

/// The text written on a button.
pub(crate) fn label(button: &Value) -> &str {
    button.get("text").and_then(Value::as_str).unwrap_or_default()
}
