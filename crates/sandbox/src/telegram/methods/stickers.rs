//! Sticker sets a bot made, as far as bots read them back.

use serde_json::{Map, Value, json};

use super::Request;
use crate::telegram::ApiError;
use crate::telegram::world::State;
use crate::telegram::world::media::{Hints, MediaKind};
use crate::telegram::world::message::FILE_KEY;

pub(super) fn upload(request: Request<'_>) -> Result<Value, ApiError> {
    let state = request.world();
    super::target::user(&state, request)?;
    let file = request.call.attached("sticker");
    let file = file.ok_or_else(|| ApiError::bad_request("there is no sticker in the request"))?;
    let hints = Hints::default();
    let value = state.shelf.add(request.bot, MediaKind::Sticker, file.bytes.clone(), None, None, &hints)?;
    let file = json!({FILE_KEY: value[FILE_KEY], "file_size": value["file_size"]});
    Ok(state.with_file_ids(&file, request.bot))
}

/// The `Sticker` of an `InputSticker`, file ids still by key.
fn sticker(state: &State, request: Request<'_>, input: &Value, set: &str) -> Result<Value, ApiError> {
    let name = input.get("sticker").and_then(Value::as_str).unwrap_or_default();
    let upload = name.strip_prefix("attach://").and_then(|part| request.call.file(part));
    let mut value = match upload {
        Some(file) => {
            let hints = Hints::default();
            state.shelf.add(request.bot, MediaKind::Sticker, file.bytes.clone(), None, None, &hints)?
        }
        None => match state.shelf.by_file_id(request.bot, name) {
            Some((MediaKind::Sticker, value)) => value,
            Some(_) => return Err(ApiError::bad_request("STICKER_FILE_INVALID")),
            None => return Err(ApiError::bad_request("wrong file identifier/HTTP URL specified")),
        },
    };
    let emoji = input.get("emoji_list").and_then(|list| list.get(0)).and_then(Value::as_str);
    value["emoji"] = json!(emoji.ok_or_else(|| ApiError::bad_request("STICKER_EMOJI_INVALID"))?);
    value["set_name"] = json!(set);
    Ok(value)
}

pub(super) fn create(request: Request<'_>) -> Result<Value, ApiError> {
    let mut state = request.world();
    super::target::user(&state, request)?;
    let params = request.params();
    let name = params.required("name")?;
    let own = state.users.get(&request.bot).and_then(|user| user.username.clone()).unwrap_or_default();
    if !name.to_lowercase().ends_with(&format!("_by_{}", own.to_lowercase())) {
        return Err(ApiError::bad_request("invalid sticker set name is specified"));
    }
    let title = params.required("title")?;
    let inputs = params.json("stickers");
    let inputs = inputs.as_ref().and_then(Value::as_array).filter(|list| !list.is_empty());
    let inputs = inputs.ok_or_else(|| ApiError::bad_request("can't parse stickers JSON object"))?;
    let stickers =
        inputs.iter().map(|input| sticker(&state, request, input, name)).collect::<Result<Vec<_>, _>>()?;
    let mut set = Map::new();
    set.insert("name".into(), json!(name));
    set.insert("title".into(), json!(title));
    set.insert("sticker_type".into(), json!(params.text("sticker_type").unwrap_or("regular")));
    set.insert("stickers".into(), json!(stickers));
    let sets = &mut state.settings.entry(request.bot).or_default().sticker_sets;
    if sets.contains_key(&name.to_lowercase()) {
        return Err(ApiError::bad_request("sticker set name is already occupied"));
    }
    sets.insert(name.to_lowercase(), set);
    Ok(json!(true))
}

pub(super) fn add(request: Request<'_>) -> Result<Value, ApiError> {
    let mut state = request.world();
    let name = request.params().required("name")?;
    let input = request.params().json("sticker");
    let input = input.ok_or_else(|| ApiError::bad_request("can't parse sticker JSON object"))?;
    let value = sticker(&state, request, &input, name)?;
    let sets = &mut state.settings.entry(request.bot).or_default().sticker_sets;
    let set =
        sets.get_mut(&name.to_lowercase()).ok_or_else(|| ApiError::bad_request("STICKERSET_INVALID"))?;
    if let Some(list) = set.get_mut("stickers").and_then(Value::as_array_mut) {
        list.push(value);
    }
    Ok(json!(true))
}

/// Sets are public: any bot finds them by name.
pub(super) fn get(request: Request<'_>) -> Result<Value, ApiError> {
    let state = request.world();
    let name = request.params().required("name")?.to_lowercase();
    let set = state.settings.values().find_map(|settings| settings.sticker_sets.get(&name));
    let set = set.ok_or_else(|| ApiError::bad_request("STICKERSET_INVALID"))?;
    Ok(state.with_file_ids(&Value::Object(set.clone()), request.bot))
}

pub(super) fn delete(request: Request<'_>) -> Result<Value, ApiError> {
    let mut state = request.world();
    let name = request.params().required("name")?.to_lowercase();
    let sets = &mut state.settings.entry(request.bot).or_default().sticker_sets;
    sets.remove(&name).map(|_| json!(true)).ok_or_else(|| ApiError::bad_request("STICKERSET_INVALID"))
}
