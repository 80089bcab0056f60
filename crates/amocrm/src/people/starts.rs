//! Where the payload of a `/start` goes: into fields of the lead or of the contact, its UTM fields, or tags.

use std::str::FromStr;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::wire::people::FieldValues;

/// Where a payload goes. In settings: `tag`, `utm_source` and its like, `lead:<field>` and `contact:<field>`, where a
/// field is its number or its code.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub(crate) enum StartTarget {
    Tag,
    Lead(FieldRef),
    Contact(FieldRef),
}

/// A field, by its number or its code.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum FieldRef {
    Id(u64),
    Code(String),
}

/// It is no place for a payload.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no place for a start payload: expected \"tag\", \"utm_source\", \"lead:<field>\" or \"contact:<field>\""
)]
pub(crate) struct TargetError(String);

const UTM: [&str; 5] = ["utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term"];

impl FromStr for StartTarget {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let field = |name: &str| match name.parse() {
            Ok(id) => Some(FieldRef::Id(id)),
            Err(_) if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic()) => None,
            Err(_) => Some(FieldRef::Code(name.to_owned())),
        };
        let target = match text.split_once(':') {
            None if text == "tag" => Some(Self::Tag),
            None if UTM.contains(&text) => Some(Self::Lead(FieldRef::Code(text.to_ascii_uppercase()))),
            Some(("lead", name)) => field(name).map(Self::Lead),
            Some(("contact", name)) => field(name).map(Self::Contact),
            None | Some(_) => None,
        };
        target.ok_or_else(|| TargetError(text.to_owned()))
    }
}

impl TryFrom<String> for StartTarget {
    type Error = TargetError;

    fn try_from(text: String) -> Result<Self, TargetError> {
        text.parse()
    }
}

impl FieldRef {
    /// Whether these are the values of this field.
    pub(crate) fn is(&self, values: &FieldValues) -> bool {
        match self {
            Self::Id(id) => values.field_id == Some(*id),
            Self::Code(code) => values.field_code.as_ref() == Some(code),
        }
    }

    fn with(&self, text: &str) -> FieldValues {
        let values = vec![json!({ "value": text })];
        match self {
            Self::Id(id) => FieldValues::of_id(*id, values),
            Self::Code(code) => FieldValues::of_code(code, values),
        }
    }
}

/// The payloads of a client, and where they are wished.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Starts<'a> {
    /// The first, and the latest if it is another one.
    pub(crate) payloads: &'a [String],
    pub(crate) first: &'a [StartTarget],
    pub(crate) latest: &'a [StartTarget],
}

/// What is to be written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    pub(crate) fields: Vec<FieldValues>,
    pub(crate) tags: Vec<String>,
}

impl Starts<'_> {
    /// What a lead is to say, and does not yet. The first payload overwrites nothing.
    pub(crate) fn for_lead(&self, fields: &[FieldValues], tags: &[String]) -> Marks {
        let mut marks = Marks::default();
        self.each(|target, payload, is_first| match target {
            StartTarget::Tag if !tags.iter().any(|tag| tag == payload) => marks.tags.push(payload.to_owned()),
            StartTarget::Lead(field) => marks.put(field, payload, fields, is_first),
            StartTarget::Tag | StartTarget::Contact(_) => {}
        });
        marks
    }

    /// What a contact is to say, and does not yet.
    pub(crate) fn for_contact(&self, fields: &[FieldValues]) -> Vec<FieldValues> {
        let mut marks = Marks::default();
        self.each(|target, payload, is_first| {
            if let StartTarget::Contact(field) = target {
                marks.put(field, payload, fields, is_first);
            }
        });
        marks.fields
    }

    fn each(&self, mut note: impl FnMut(&StartTarget, &str, bool)) {
        for (targets, payload, is_first) in
            [(self.first, self.payloads.first(), true), (self.latest, self.payloads.last(), false)]
        {
            let Some(payload) = payload.filter(|payload| !payload.is_empty()) else { continue };
            for target in targets {
                note(target, payload, is_first);
            }
        }
    }
}

impl Marks {
    fn put(&mut self, field: &FieldRef, payload: &str, fields: &[FieldValues], is_first: bool) {
        let now = fields.iter().find(|values| field.is(values)).and_then(FieldValues::text);
        let stays = now.is_some_and(|now| now == payload || (is_first && !now.is_empty()));
        if !stays {
            self.fields.retain(|values| !field.is(values));
            self.fields.push(field.with(payload));
        }
    }
}

impl FieldValues {
    /// The values of a field by its number.
    pub(crate) fn of_id(id: u64, values: Vec<Value>) -> Self {
        Self { field_id: Some(id), field_code: None, values }
    }

    /// The values of a field by its code.
    pub(crate) fn of_code(code: &str, values: Vec<Value>) -> Self {
        Self { field_id: None, field_code: Some(code.to_owned()), values }
    }

    fn text(&self) -> Option<&str> {
        self.values.first().and_then(|value| value["value"].as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets(words: &[&str]) -> Vec<StartTarget> {
        words.iter().map(|word| word.parse().unwrap()).collect()
    }

    #[test]
    fn the_first_payload_overwrites_nothing_and_the_latest_does() {
        let (first, latest) =
            (targets(&["utm_source", "tag", "contact:SOURCE"]), targets(&["lead:702104", "tag"]));
        let payloads = ["ad_vk".to_owned(), "sale".to_owned()];
        let starts = Starts { payloads: &payloads, first: &first, latest: &latest };
        let marks = starts.for_lead(&[], &["sale".to_owned()]);
        assert_eq!(marks.tags, ["ad_vk"]);
        assert_eq!(
            serde_json::to_value(&marks.fields).unwrap(),
            json!([{"field_code": "UTM_SOURCE", "values": [{"value": "ad_vk"}]},
                {"field_id": 702_104, "values": [{"value": "sale"}]}])
        );
        let there: Vec<FieldValues> = serde_json::from_value(json!([
            {"field_id": 1, "field_code": "UTM_SOURCE", "values": [{"value": "older"}]},
            {"field_id": 702_104, "values": [{"value": "spring"}]}]))
        .unwrap();
        let tags = payloads.to_vec();
        let marks = starts.for_lead(&there, &tags);
        assert_eq!(marks.fields, [FieldRef::Id(702_104).with("sale")]);
        assert_eq!(
            starts.for_lead(&[there[0].clone(), FieldRef::Id(702_104).with("sale")], &tags),
            Marks::default()
        );
        assert_eq!(starts.for_contact(&[]), [FieldRef::Code("SOURCE".to_owned()).with("ad_vk")]);
        let nobody = Starts { payloads: &[], ..starts };
        assert_eq!(nobody.for_lead(&[], &[]), Marks::default());
        let one = Starts { payloads: &payloads[..1], ..starts };
        assert_eq!(one.for_lead(&[], &[]).fields.len(), 2, "one payload is the first and the latest");
    }

    #[test]
    fn what_is_no_place_for_a_payload_is_said() {
        for wrong in ["", "utm_x", "lead:", "lead:a b", "company:1", "Tag"] {
            assert_eq!(wrong.parse::<StartTarget>(), Err(TargetError(wrong.to_owned())), "{wrong}");
        }
        assert_eq!("contact:12".parse(), Ok(StartTarget::Contact(FieldRef::Id(12))));
    }
}
