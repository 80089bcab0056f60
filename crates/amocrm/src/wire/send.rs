//! What the chat service is sent (1.5 to 1.10).

use std::borrow::Cow;

use serde::Serialize;

/// `POST …/connect`.
#[derive(Debug, Serialize)]
pub(crate) struct Connect<'a> {
    pub(crate) account_id: &'a str,
    pub(crate) title: &'a str,
    pub(crate) hook_api_version: &'static str,
}

/// `POST …/chats`.
#[derive(Debug, Serialize)]
pub(crate) struct NewChat<'a> {
    pub(crate) conversation_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<Source<'a>>,
    pub(crate) user: Person<'a>,
}

/// `POST /v2/origin/custom/{scope_id}`.
#[derive(Debug, Serialize)]
pub(crate) struct Event<'a> {
    pub(crate) event_type: &'static str,
    pub(crate) payload: Payload<'a>,
}

/// A message, or what it is now (1.7.2).
#[derive(Debug, Serialize)]
pub(crate) struct Payload<'a> {
    pub(crate) timestamp: i64,
    pub(crate) msec_timestamp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) msgid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<&'a str>,
    pub(crate) conversation_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) conversation_ref_id: Option<&'a str>,
    pub(crate) silent: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<Source<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sender: Option<Person<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) receiver: Option<Person<'a>>,
    pub(crate) message: Message<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reply_to: Option<ReplyTo<'a>>,
}

/// Where a chat comes from (1.12).
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Source<'a> {
    pub(crate) external_id: &'a str,
}

/// A sender, a receiver, the user of a new chat (1.7.3).
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Person<'a> {
    pub(crate) id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ref_id: Option<&'a str>,
    pub(crate) name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) avatar: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) profile: Option<Profile<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) profile_link: Option<String>,
}

/// What a contact can be recognised by.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Profile<'a> {
    pub(crate) phone: &'a str,
}

/// What a message says (1.7.5).
#[derive(Debug, Default, Serialize)]
pub(crate) struct Message<'a> {
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(crate) text: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) media: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) file_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) file_size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) media_duration: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) location: Option<Location>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) contact: Option<Contact<'a>>,
}

/// A place; both are numbers with a point.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Location {
    pub(crate) lon: f64,
    pub(crate) lat: f64,
}

/// A contact card.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Contact<'a> {
    pub(crate) name: &'a str,
    pub(crate) phone: &'a str,
}

/// What a message answers.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct ReplyTo<'a> {
    pub(crate) message: MessageRef<'a>,
}

/// A message by our id, or by theirs where it was born there.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct MessageRef<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) msgid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<&'a str>,
}

impl<'a> MessageRef<'a> {
    pub(crate) fn of(ours: &'a str, theirs: Option<&'a str>) -> Self {
        match theirs {
            Some(id) => Self { msgid: None, id: Some(id) },
            None => Self { msgid: Some(ours), id: None },
        }
    }
}

/// `POST …/react` (1.10).
#[derive(Debug, Serialize)]
pub(crate) struct React<'a> {
    pub(crate) conversation_id: &'a str,
    #[serde(flatten)]
    pub(crate) message: MessageRef<'a>,
    pub(crate) user: ReactingUser<'a>,
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) emoji: &'a str,
}

/// Who reacted.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct ReactingUser<'a> {
    pub(crate) id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ref_id: Option<&'a str>,
}

/// `POST …/delivery_status` (1.8): two spellings are documented, and what is not known is ignored, so both are sent.
#[derive(Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "the vendor's names")]
pub(crate) struct DeliveryStatus<'a> {
    pub(crate) msgid: &'a str,
    pub(crate) status_code: i8,
    pub(crate) delivery_status: i8,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error_code: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<Cow<'a, str>>,
}
