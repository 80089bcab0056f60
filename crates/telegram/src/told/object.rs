//! Telegram's objects as they stand: members are looked up by name and read as what they should be.
//!
//! Not typed structs, for the reason that `json` gives: one member of a type that nobody expected must not cost the
//! whole message. What is missing, `null` or of the wrong type reads as absent.

use std::borrow::Cow;

use crate::json;

/// One object.
#[derive(Debug, Clone, Default)]
pub(super) struct Object<'a>(Vec<(Cow<'a, [u8]>, &'a [u8])>);

impl<'a> Object<'a> {
    /// Of the object that `bytes` are; `None` when they are something else.
    pub(super) fn of(bytes: &'a [u8]) -> Option<Self> {
        let bytes = bytes.trim_ascii();
        let mut parts = json::Parts::of_object(bytes, 0)?;
        let mut members = Vec::new();
        while let Some(Ok(member)) = parts.next_member() {
            members.push((member.key(), &bytes[member.value]));
        }
        Some(Self(members))
    }

    /// A member as it stands. Given twice it counts as the last one.
    pub(super) fn raw(&self, name: &str) -> Option<&'a [u8]> {
        let (_, value) = self.0.iter().rev().find(|(key, _)| **key == *name.as_bytes())?;
        (*value != b"null").then_some(*value)
    }

    /// Whether there is such a member.
    pub(super) fn has(&self, name: &str) -> bool {
        self.raw(name).is_some()
    }

    /// The names of its members.
    pub(super) fn names(&self) -> impl Iterator<Item = Cow<'_, str>> {
        self.0.iter().map(|(key, _)| String::from_utf8_lossy(key))
    }

    /// A text.
    pub(super) fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        json::text(self.raw(name)?)
    }

    /// A text that says something.
    pub(super) fn words(&self, name: &str) -> Option<String> {
        self.text(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    /// An integer.
    pub(super) fn integer(&self, name: &str) -> Option<i64> {
        json::integer(self.raw(name)?)
    }

    /// Whether a member is `true`.
    pub(super) fn is_set(&self, name: &str) -> bool {
        self.raw(name) == Some(b"true")
    }

    /// An object within.
    pub(super) fn object(&self, name: &str) -> Option<Self> {
        Self::of(self.raw(name)?)
    }

    /// The elements of an array within; nothing where there is none.
    pub(super) fn elements(&self, name: &str) -> Vec<&'a [u8]> {
        self.raw(name).map(elements).unwrap_or_default()
    }

    /// The objects of an array within.
    pub(super) fn objects(&self, name: &str) -> Vec<Self> {
        self.elements(name).into_iter().filter_map(Self::of).collect()
    }
}

/// The elements of an array; nothing when it is none.
pub(super) fn elements(array: &[u8]) -> Vec<&[u8]> {
    let array = array.trim_ascii();
    let Some(mut parts) = json::Parts::of_array(array, 0) else { return Vec::new() };
    std::iter::from_fn(|| parts.next_element()?.ok()).map(|element| &array[element]).collect()
}
