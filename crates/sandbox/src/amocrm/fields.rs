//! Custom fields of contacts and leads, and their values as REST reads and writes them (reference 4.4).
//!
//! Phone and e-mail are fields that every account has; a contact's own phone and e-mail, which chats bring, are
//! shown among their values.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::cards::Contact;
use super::inbound::digits;

/// The field that holds phones.
pub(crate) const PHONE: u64 = 702_001;
/// The field that holds e-mail addresses.
pub(crate) const EMAIL: u64 = 702_003;

/// Whose fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Entity {
    Contacts,
    Leads,
}

impl Entity {
    /// Its word in addresses.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Contacts => "contacts",
            Self::Leads => "leads",
        }
    }
}

/// A field.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Field {
    pub(crate) id: u64,
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) code: Option<String>,
    pub(crate) sort: u64,
    pub(crate) is_api_only: bool,
    pub(crate) enums: Option<Vec<Value>>,
    pub(crate) entity_type: Entity,
}

/// All fields of the account.
#[derive(Debug)]
pub(crate) struct CustomFields {
    by_id: BTreeMap<u64, Field>,
    last: u64,
}

/// What a value of a request is refused for.
pub(crate) struct BadField {
    /// `custom_fields_values.0.field_id`.
    pub(crate) path: String,
    pub(crate) code: &'static str,
    pub(crate) detail: &'static str,
}

const TYPES: [&str; 20] = [
    "text",
    "numeric",
    "checkbox",
    "select",
    "multiselect",
    "date",
    "url",
    "textarea",
    "radiobutton",
    "streetaddress",
    "smart_address",
    "birthday",
    "legal_entity",
    "date_time",
    "multitext",
    "monetary",
    "file",
    "chained_list",
    "tracking_data",
    "linked_entity",
];

/// Whether a field of this type can be made.
pub(crate) fn is_type(kind: &str) -> bool {
    TYPES.contains(&kind)
}

impl Default for CustomFields {
    fn default() -> Self {
        let enums = |first: u64, codes: &[&str]| {
            let items = (first..).step_by(2).zip(codes).enumerate();
            Some(items.map(|(sort, (id, code))| json!({"id": id, "value": code, "sort": sort})).collect())
        };
        let field = |id, name: &str, code: &str, enums| Field {
            id,
            name: name.to_owned(),
            kind: "multitext".to_owned(),
            code: Some(code.to_owned()),
            sort: 1,
            is_api_only: false,
            enums,
            entity_type: Entity::Contacts,
        };
        let phone = field(
            PHONE,
            "Телефон",
            "PHONE",
            enums(801_001, &["WORK", "WORKDD", "MOB", "FAX", "HOME", "OTHER"]),
        );
        let email = field(EMAIL, "Email", "EMAIL", enums(801_021, &["WORK", "PRIV", "OTHER"]));
        Self { by_id: BTreeMap::from([(PHONE, phone), (EMAIL, email)]), last: 702_100 }
    }
}

impl CustomFields {
    pub(crate) fn add(&mut self, mut field: Field) -> &Field {
        self.last += 2;
        field.id = self.last;
        self.by_id.entry(field.id).insert_entry(field).into_mut()
    }

    pub(crate) fn find(&self, id: u64) -> Option<&Field> {
        self.by_id.get(&id)
    }

    pub(crate) fn of(&self, entity: Entity) -> impl Iterator<Item = &Field> {
        self.by_id.values().filter(move |field| field.entity_type == entity)
    }

    /// Reads `custom_fields_values` of a request into field → values; `null` clears a field.
    pub(crate) fn read(&self, entity: Entity, given: &Value) -> Result<BTreeMap<u64, Vec<Value>>, BadField> {
        let mut read = BTreeMap::new();
        for (index, item) in given.as_array().into_iter().flatten().enumerate() {
            let bad = |name: &str, code, detail| BadField {
                path: format!("custom_fields_values.{index}.{name}"),
                code,
                detail,
            };
            let by_code = |code: &str| self.of(entity).find(|field| field.code.as_deref() == Some(code));
            let field = match (item["field_id"].as_u64(), item["field_code"].as_str()) {
                (Some(id), _) => self.find(id).filter(|field| field.entity_type == entity),
                (None, Some(code)) => by_code(code),
                (None, None) => None,
            };
            let not_a_choice = "The value you selected is not a valid choice.";
            let field = field.ok_or_else(|| bad("field_id", "NotSupportedChoice", not_a_choice))?;
            if !(item["values"].is_array() || item["values"].is_null()) {
                return Err(bad("values", "InvalidType", "This value should be of type array."));
            }
            let mut values = Vec::new();
            for value in item["values"].as_array().into_iter().flatten() {
                let shown = field.value(value);
                values
                    .push(shown.ok_or_else(|| bad("values.0.enum_id", "NotSupportedChoice", not_a_choice))?);
            }
            read.insert(field.id, values);
        }
        Ok(read)
    }

    /// `custom_fields_values` of an answer; `null` without any.
    pub(crate) fn show(&self, values: &BTreeMap<u64, Vec<Value>>) -> Value {
        let shown: Vec<Value> = values
            .iter()
            .filter(|(_, values)| !values.is_empty())
            .filter_map(|(id, values)| {
                let field = self.find(*id)?;
                Some(json!({"field_id": field.id, "field_name": field.name, "field_code": field.code,
                    "field_type": field.kind, "values": values}))
            })
            .collect();
        if shown.is_empty() { Value::Null } else { json!(shown) }
    }
}

impl Field {
    /// A value with the enum it belongs to, where the field has some.
    fn value(&self, given: &Value) -> Option<Value> {
        let Some(enums) = &self.enums else { return Some(json!({"value": given["value"]})) };
        let wanted = match (given["enum_id"].as_u64(), given["enum_code"].as_str()) {
            (Some(id), _) => enums.iter().find(|it| it["id"] == id)?,
            (None, Some(code)) => enums.iter().find(|it| it["value"] == code)?,
            (None, None) => enums.first()?,
        };
        Some(json!({"value": given["value"], "enum_id": wanted["id"], "enum_code": wanted["value"]}))
    }
}

impl Contact {
    /// Replaces the values of the fields that are given; the first phone and e-mail are the contact's own.
    pub(crate) fn write_values(&mut self, given: BTreeMap<u64, Vec<Value>>) {
        for (field, values) in given {
            let first = values.first().and_then(|value| value["value"].as_str());
            match field {
                PHONE => self.phone = first.map(digits),
                EMAIL => self.email = first.map(ToOwned::to_owned),
                _ => {}
            }
            self.details.values.insert(field, values);
        }
    }
}

/// A contact's values with the phone and the e-mail that chats brought.
pub(crate) fn values_of(contact: &Contact, fields: &CustomFields) -> BTreeMap<u64, Vec<Value>> {
    let mut values = contact.details.values.clone();
    let phone = contact.phone.as_ref().map(|digits| (PHONE, format!("+{digits}")));
    let email = contact.email.as_ref().map(|email| (EMAIL, email.clone()));
    for (id, own) in [phone, email].into_iter().flatten() {
        let of_field = values.entry(id).or_default();
        let is_known = of_field.iter().any(|value| {
            let text = value["value"].as_str().unwrap_or_default();
            text == own || (id == PHONE && digits(text) == digits(&own))
        });
        if !is_known
            && let Some(value) = fields.find(id).and_then(|field| field.value(&json!({"value": own})))
        {
            of_field.push(value);
        }
    }
    values
}

/// Whether one of a contact's phones has these digits.
pub(crate) fn has_phone(contact: &Contact, wanted: &str) -> bool {
    let phones = contact.details.values.get(&PHONE).into_iter().flatten();
    phones.filter_map(|value| value["value"].as_str()).any(|phone| digits(phone) == wanted)
}
