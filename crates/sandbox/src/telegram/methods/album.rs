//! `sendMediaGroup` and `sendPaidMedia`: several files at once.

use serde_json::{Value, json};

use super::Request;
use super::input_file;
use super::sending::put_own_caption;
use super::target::Envelope;
use super::uploads::{captioned, hints};
use crate::telegram::ApiError;
use crate::telegram::world::media::MediaKind;
use crate::telegram::world::message::Content;

/// Items in an album.
const ALBUM_LIMIT: usize = 10;

/// The `media` parameter: its items and the kind of each.
fn items(request: Request<'_>) -> Result<Vec<(MediaKind, Value)>, ApiError> {
    let text = request.params().required("media")?;
    let media: Value = serde_json::from_str(text)
        .map_err(|_no_json| ApiError::bad_request("can't parse media JSON object"))?;
    let Value::Array(items) = media else { return Err(ApiError::bad_request("media must be an Array")) };
    if items.is_empty() {
        return Err(ApiError::bad_request("there are no messages to send"));
    }
    if items.len() > ALBUM_LIMIT {
        return Err(ApiError::bad_request("too many messages to send as an album"));
    }
    items
        .into_iter()
        .map(|item| {
            let kind = kind(&item)?;
            Ok((kind, item))
        })
        .collect()
}

/// The kind of an `InputMedia` object.
pub(super) fn kind(item: &Value) -> Result<MediaKind, ApiError> {
    let name = item.get("type").and_then(Value::as_str);
    let name =
        name.ok_or_else(|| ApiError::bad_request("can't parse InputMedia: Can't find field \"type\""))?;
    MediaKind::read(name).filter(|kind| !matches!(kind, MediaKind::Voice | MediaKind::VideoNote)).ok_or_else(
        || ApiError::bad_request(format!("can't parse InputMedia: type \"{name}\" is unsupported")),
    )
}

/// Reads, stores and describes the file of an `InputMedia` object.
pub(super) async fn described(
    request: Request<'_>,
    kind: MediaKind,
    item: &Value,
) -> Result<(MediaKind, Value), ApiError> {
    let media = item.get("media").and_then(Value::as_str);
    let file = input_file::read(request, Some(media.unwrap_or_default()), kind.field(), kind).await;
    let file = match (media, file) {
        (None | Some(""), _) => {
            return Err(ApiError::bad_request("can't parse InputMedia: media not found"));
        }
        (_, file) => file?,
    };
    input_file::describe(request, file, kind, &hints(request, item))
}

pub(super) async fn send(request: Request<'_>) -> Result<Value, ApiError> {
    Envelope::read(&request.world(), request)?;
    let items = items(request)?;
    let documents = |kind: MediaKind| matches!(kind, MediaKind::Document | MediaKind::Audio);
    if let Some((odd, _)) =
        items.iter().find(|(kind, _)| *kind != items[0].0 && (documents(*kind) || documents(items[0].0)))
    {
        let odd = if documents(*odd) { *odd } else { items[0].0 };
        return Err(ApiError::bad_request(format!("{} can't be mixed with other media types", odd.name())));
    }
    let mut stored = Vec::with_capacity(items.len());
    for (kind, item) in items {
        if matches!(kind, MediaKind::Animation | MediaKind::Sticker) {
            return Err(ApiError::bad_request(format!("{} can't be sent as an album", kind.name())));
        }
        let (kind, value) = described(request, kind, &item).await?;
        stored.push((kind, value, item));
    }
    let mut state = request.world();
    let envelope = Envelope::read(&state, request)?;
    let contents = stored
        .into_iter()
        .map(|(kind, value, item)| captioned(&state, kind, value, &item))
        .collect::<Result<Vec<_>, _>>()?;
    let group = state.random.range(13_000_000_000_000_000..14_000_000_000_000_000).to_string();
    let alone = contents.len() == 1;
    let messages: Vec<Value> = contents
        .into_iter()
        .map(|content| {
            // An album of one is a plain message.
            let group = (!alone).then(|| json!(group));
            envelope.in_group(group).post(&mut state, request, content)
        })
        .collect();
    Ok(json!(messages))
}

pub(super) async fn send_paid(request: Request<'_>) -> Result<Value, ApiError> {
    Envelope::read(&request.world(), request)?;
    let stars = request.params().int("star_count").unwrap_or_default();
    if !(1..=25_000).contains(&stars) {
        return Err(ApiError::bad_request("invalid star_count specified"));
    }
    let mut paid = Vec::new();
    for (kind, item) in items(request)? {
        if !matches!(kind, MediaKind::Photo | MediaKind::Video | MediaKind::LivePhoto) {
            return Err(ApiError::bad_request("can't parse InputPaidMedia: unsupported type"));
        }
        let (kind, value) = described(request, kind, &item).await?;
        paid.push(json!({"type": kind.field(), kind.field(): value}));
    }
    let mut state = request.world();
    let envelope = Envelope::read(&state, request)?;
    let mut content = Content::media("paid_media", json!({"star_count": stars, "paid_media": paid}));
    put_own_caption(&state, &mut content.fields, request)?;
    Ok(envelope.post(&mut state, request, content))
}
