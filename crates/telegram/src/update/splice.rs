//! Cutting updates out of an answer, and putting a number of ours into one.

use std::ops::Range;

use bytes::{BufMut, Bytes, BytesMut};
use tandem_model::VirtualId;

use super::UpdateError;
use crate::json::{self, Malformed};

/// Cuts a JSON array, such as the result of `getUpdates`, into the bytes of its elements. They share the buffer:
/// nothing is copied, and nothing is looked at beyond where each element ends.
pub fn split_array(array: &Bytes) -> Result<Vec<Bytes>, Malformed> {
    let start = json::skip_space(array, 0);
    let mut elements = json::Parts::of_array(array, start).ok_or(Malformed { at: start })?;
    let mut slices = Vec::new();
    while let Some(element) = elements.next_element() {
        slices.push(array.slice(element?));
    }
    let end = json::skip_space(array, elements.end());
    if end == array.len() { Ok(slices) } else { Err(Malformed { at: end }) }
}

/// The update under another `update_id`: the bytes of the number change and no others, wherever in the object it
/// stands. Should it stand there more than once, each is replaced, since parsers differ in which one they take.
pub fn with_update_id(update: &Bytes, id: VirtualId) -> Result<Bytes, UpdateError> {
    let places = id_places(update)?;
    let digits = id.get().to_string();
    let mut out = BytesMut::with_capacity(update.len() + places.len() * digits.len());
    let mut copied = 0;
    for place in places {
        out.put_slice(&update[copied..place.start]);
        out.put_slice(digits.as_bytes());
        copied = place.end;
    }
    out.put_slice(&update[copied..]);
    Ok(out.freeze())
}

fn id_places(update: &[u8]) -> Result<Vec<Range<usize>>, UpdateError> {
    let start = json::skip_space(update, 0);
    let mut members = json::Parts::of_object(update, start).ok_or(UpdateError::NotAnObject)?;
    let mut places = Vec::new();
    while let Some(member) = members.next_member() {
        let member = member?;
        if *member.key() == *b"update_id" {
            places.push(member.value);
        }
    }
    if places.is_empty() { Err(UpdateError::NoUpdateId) } else { Ok(places) }
}
