//! Contacts, leads, fields and talks of the account's API (4.4 to 4.11), as far as they are read and written.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A contact (4.4).
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct ContactInfo {
    pub(crate) id: u64,
    #[serde(default)]
    pub(crate) name: Option<String>,
    #[serde(default)]
    pub(crate) updated_at: i64,
    #[serde(default)]
    pub(crate) is_deleted: bool,
    #[serde(default)]
    pub(crate) custom_fields_values: Option<Vec<FieldValues>>,
    #[serde(default, rename = "_embedded")]
    pub(crate) embedded: OfContact,
}

/// What is embedded in a contact.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub(crate) struct OfContact {
    /// Only with `with=leads`.
    #[serde(default)]
    pub(crate) leads: Vec<Numbered>,
}

/// Something by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Numbered {
    pub(crate) id: u64,
}

/// The values of a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FieldValues {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) field_id: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) field_code: Option<String>,
    #[serde(default)]
    pub(crate) values: Vec<Value>,
}

/// Contacts of a page.
#[derive(Debug, Deserialize)]
pub(crate) struct Contacts {
    pub(crate) contacts: Vec<ContactInfo>,
}

/// A new contact, or what changes in one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct ContactChange {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) responsible_user_id: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) custom_fields_values: Vec<FieldValues>,
}

impl ContactChange {
    /// Whether nothing changes.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A field of contacts or leads.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct FieldInfo {
    pub(crate) id: u64,
    #[serde(default)]
    pub(crate) code: Option<String>,
    #[serde(default, rename = "type")]
    pub(crate) kind: String,
}

/// Fields of a page.
#[derive(Debug, Deserialize)]
pub(crate) struct Fields {
    pub(crate) custom_fields: Vec<FieldInfo>,
}

/// A new field.
#[derive(Debug, Serialize)]
pub(crate) struct NewField<'a> {
    pub(crate) name: &'static str,
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) code: &'a str,
    pub(crate) is_api_only: bool,
}

/// A lead (4.6).
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct LeadInfo {
    pub(crate) id: u64,
    pub(crate) status_id: u64,
    #[serde(default)]
    pub(crate) pipeline_id: u64,
    #[serde(default)]
    pub(crate) is_deleted: bool,
    #[serde(default)]
    pub(crate) custom_fields_values: Option<Vec<FieldValues>>,
    #[serde(default, rename = "_embedded")]
    pub(crate) embedded: OfLead,
}

/// What is embedded in a lead.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub(crate) struct OfLead {
    #[serde(default)]
    pub(crate) tags: Vec<Tag>,
}

/// A tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tag {
    pub(crate) name: String,
}

/// A new lead, or what changes in one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct LeadChange {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pipeline_id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status_id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) responsible_user_id: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) custom_fields_values: Vec<FieldValues>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) tags_to_add: Vec<Tag>,
    #[serde(rename = "_embedded", skip_serializing_if = "Option::is_none")]
    pub(crate) embedded: Option<NewOfLead>,
}

/// What a new lead belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct NewOfLead {
    pub(crate) contacts: Vec<MainContact>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<LeadSource>,
}

/// The contact of a new lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct MainContact {
    pub(crate) id: u64,
    pub(crate) is_main: bool,
}

/// Where a new lead came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct LeadSource {
    pub(crate) external_id: String,
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
}

/// Pipelines.
#[derive(Debug, Deserialize)]
pub(crate) struct PipelineList {
    pub(crate) pipelines: Vec<PipelineInfo>,
}

/// A pipeline.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct PipelineInfo {
    pub(crate) id: u64,
    #[serde(default)]
    pub(crate) is_archive: bool,
    #[serde(default, rename = "_embedded")]
    pub(crate) embedded: OfPipeline,
}

/// What is embedded in a pipeline.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct OfPipeline {
    #[serde(default)]
    pub(crate) statuses: Vec<StageInfo>,
}

/// A stage of a pipeline.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct StageInfo {
    pub(crate) id: u64,
    #[serde(default)]
    pub(crate) sort: u64,
    #[serde(default, rename = "type")]
    pub(crate) kind: u8,
}

/// What was made, in the order in which it was given.
#[derive(Debug, Deserialize)]
pub(crate) struct MadeContacts {
    pub(crate) contacts: Vec<Numbered>,
}

/// Incoming leads (4.7).
#[derive(Debug, Deserialize)]
pub(crate) struct UnsortedList {
    pub(crate) unsorted: Vec<UnsortedInfo>,
}

/// An incoming lead.
#[derive(Debug, Deserialize)]
pub(crate) struct UnsortedInfo {
    pub(crate) uid: String,
    #[serde(default)]
    pub(crate) metadata: UnsortedMetadata,
}

/// What it says of where it came from.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct UnsortedMetadata {
    #[serde(default)]
    pub(crate) origin: Option<UnsortedOrigin>,
}

/// The chat that it came from.
#[derive(Debug, Deserialize)]
pub(crate) struct UnsortedOrigin {
    #[serde(default)]
    pub(crate) chat_id: Option<String>,
}

/// Talks (4.11).
#[derive(Debug, Deserialize)]
pub(crate) struct Talks {
    pub(crate) talks: Vec<TalkInfo>,
}

/// A talk.
#[derive(Debug, Deserialize)]
pub(crate) struct TalkInfo {
    pub(crate) talk_id: u64,
    #[serde(default)]
    pub(crate) chat_id: Option<String>,
    #[serde(default)]
    pub(crate) is_in_work: bool,
}
