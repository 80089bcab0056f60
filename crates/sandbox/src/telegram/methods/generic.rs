//! Methods that leave no trace in the sandbox: their required parameters are checked, and the answer is the one
//! of a fresh account, built from the documented result type.

use serde_json::{Map, Value, json};

use super::Request;
use super::target::{self, Access};
use crate::telegram::ApiError;
use crate::telegram::schema::{Method, Schema, Type};

pub(super) fn answer(request: Request<'_>, method: &Method) -> Result<Value, ApiError> {
    let params = request.params();
    let state = request.world();
    for field in method.fields.iter().filter(|field| field.required) {
        let given = params.text(&field.name).is_some() || request.call.file(&field.name).is_some();
        match field.name.as_str() {
            "chat_id" => {
                target::chat(&state, request, "chat_id", Access::Look)?;
            }
            "user_id" => {
                target::user(&state, request)?;
            }
            "business_connection_id" if given => {
                let key = (request.bot, params.required("business_connection_id")?.to_owned());
                if !state.business.contains_key(&key) {
                    return Err(ApiError::bad_request("business connection not found"));
                }
            }
            name if !given => return Err(ApiError::required(name)),
            _ => {}
        }
    }
    if method.name == "getBusinessConnection" {
        let key = (request.bot, params.required("business_connection_id")?.to_owned());
        return Ok(state.business.get(&key).cloned().unwrap_or(Value::Null));
    }
    let mut given: Map<String, Value> = Map::new();
    for (name, text) in params.iter() {
        // Parameters are texts; what reads as JSON may be meant as it.
        let value = serde_json::from_str(text).unwrap_or_else(|_plain| json!(text));
        given.entry(name).or_insert(value);
    }
    given.insert("__now".into(), json!(state.clock.now_secs()));
    given.insert("chat".into(), chat_echo(&state, request));
    for (name, user) in [("user", "user_id"), ("from", "user_id")] {
        if let Some(id) = params.int(user) {
            given.insert(name.into(), state.user_json(id));
        }
    }
    Ok(match (method.returns.first(), method.name.as_str()) {
        (Some(Type::String), "getManagedBotToken" | "replaceManagedBotToken") => {
            let id = params.int("user_id").unwrap_or_default();
            json!(format!("{id}:AA{}", state.random.word(33)))
        }
        (Some(Type::Boolean) | None, _) => json!(true),
        (Some(of), _) => identified(Schema::get().sample(of, &given), &state),
    })
}

/// The chat that the call names, for results that show it.
fn chat_echo(state: &crate::telegram::world::State, request: Request<'_>) -> Value {
    target::chat(state, request, "chat_id", Access::Look).map_or(Value::Null, |key| state.chat_json(key))
}

/// Ids that a result is looked up by later must not be empty.
fn identified(mut sample: Value, state: &crate::telegram::world::State) -> Value {
    if let Some(object) = sample.as_object_mut() {
        for name in ["id", "inline_message_id", "file_id", "file_unique_id"] {
            if object.get(name).is_some_and(|id| id == "") {
                object.insert(name.to_owned(), json!(state.random.word(20)));
            }
        }
    }
    sample
}
