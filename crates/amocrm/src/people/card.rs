//! A contact's card: who is meant by it, and what is to be written into it. A field's values are replaced as a whole by a
//! request, so what stands there is read and written back with what is new (4.4).

use serde_json::{Value, json};

use super::Phone;
use crate::wire::people::{ContactChange, ContactInfo, FieldValues};

/// The code of the field with phones, the same in all accounts.
const PHONE: &str = "PHONE";

/// The field with Telegram ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct IdField {
    pub(crate) id: u64,
    /// It has one number, and no text.
    pub(crate) is_number: bool,
}

/// What a card is to say of its client.
#[derive(Debug, Clone, Default)]
pub(crate) struct Learned<'a> {
    /// His id in Telegram, and the field for it.
    pub(crate) user: Option<(i64, IdField)>,
    pub(crate) phone: Option<&'a Phone>,
    /// What he was called when the card was written last, and what he is called now.
    pub(crate) renamed: Option<(&'a str, &'a str)>,
}

impl IdField {
    /// The field with these ids.
    pub(crate) fn with(self, user: i64, others: &[String]) -> FieldValues {
        let value = if self.is_number {
            json!(user)
        } else {
            let all = others.iter().cloned().chain([user.to_string()]).collect::<Vec<_>>();
            json!(all.join(", "))
        };
        FieldValues::of_id(self.id, vec![json!({ "value": value })])
    }
}

impl ContactInfo {
    /// Whether the card has this Telegram id.
    pub(crate) fn has_user(&self, user: i64, field: IdField) -> bool {
        let user = user.to_string();
        self.users(field).contains(&user)
    }

    /// The Telegram ids in the card: one person may have several.
    fn users(&self, field: IdField) -> Vec<String> {
        let of_field = self.fields().filter(|values| values.field_id == Some(field.id));
        let texts = of_field.flat_map(|values| &values.values).map(|value| match &value["value"] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        });
        let ids = texts.flat_map(|text| {
            text.split(|c: char| !c.is_ascii_digit()).map(str::to_owned).collect::<Vec<_>>()
        });
        ids.filter(|id| !id.is_empty()).collect()
    }

    /// Whether the card has this phone.
    pub(crate) fn has_phone(&self, phone: &Phone) -> bool {
        self.phones().any(|value| value["value"].as_str().is_some_and(|text| phone.is_in(text)))
    }

    fn phones(&self) -> impl Iterator<Item = &Value> {
        let of_phones = self.fields().filter(|values| values.field_code.as_deref() == Some(PHONE));
        of_phones.flat_map(|values| &values.values)
    }

    fn fields(&self) -> impl Iterator<Item = &FieldValues> {
        self.custom_fields_values.iter().flatten()
    }
}

/// What is to be changed in a card so that it says this too; `None` when it does.
pub(crate) fn changes(card: &ContactInfo, learned: &Learned<'_>) -> Option<ContactChange> {
    let mut fields = Vec::new();
    if let Some((user, field)) = learned.user
        && !card.has_user(user, field)
    {
        let others = card.users(field);
        // A number has room for one, and whose it is stays.
        if others.is_empty() || !field.is_number {
            fields.push(field.with(user, &others));
        }
    }
    if let Some(phone) = learned.phone
        && !card.has_phone(phone)
    {
        let before = card.phones().map(written_back);
        fields.push(FieldValues::of_code(PHONE, before.chain([new_phone(phone)]).collect()));
    }
    // Whoever was renamed by hand keeps that name.
    let name = learned.renamed.and_then(|(before, now)| {
        let is_ours = card.name.as_deref().is_some_and(|name| name == before || name.is_empty());
        (is_ours && before != now).then(|| now.to_owned())
    });
    let change = ContactChange { name, custom_fields_values: fields, ..ContactChange::default() };
    (!change.is_empty()).then_some(change)
}

/// The phone of a new card.
pub(crate) fn new_phone(phone: &Phone) -> Value {
    json!({"value": phone.written(), "enum_code": "MOB"})
}

impl ContactChange {
    /// A new card.
    pub(crate) fn new(name: &str, learned: &Learned<'_>, responsible: Option<u64>) -> Self {
        let user = learned.user.map(|(user, field)| field.with(user, &[]));
        let phone = learned.phone.map(|phone| FieldValues::of_code(PHONE, vec![new_phone(phone)]));
        Self {
            name: Some(name.to_owned()),
            responsible_user_id: responsible,
            custom_fields_values: user.into_iter().chain(phone).collect(),
        }
    }
}

/// A value as it was read, in the words in which it is written (4.4: reads may call the code `enum`).
fn written_back(value: &Value) -> Value {
    let mut written = json!({"value": value["value"]});
    let code = [&value["enum_code"], &value["enum"]].into_iter().find(|code| code.is_string());
    if value["enum_id"].is_u64() {
        written["enum_id"] = value["enum_id"].clone();
    } else if let Some(code) = code {
        written["enum_code"] = code.clone();
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELD: IdField = IdField { id: 702_102, is_number: false };

    fn card(fields: &Value) -> ContactInfo {
        serde_json::from_value(
            json!({"id": 1, "name": "Анна", "updated_at": 5, "custom_fields_values": fields}),
        )
        .unwrap()
    }

    #[test]
    fn a_phone_is_added_to_those_that_are_there_and_only_if_it_is_not() {
        let phones = json!([{"field_id": 702_001, "field_code": "PHONE", "values": [
            {"value": "8 999 111-22-33", "enum_id": 801_001, "enum_code": "WORK"}, {"value": "+49 171", "enum": "HOME"}]}]);
        let (card, known, new) = (
            card(&phones),
            Phone::of_telegram("79991112233").unwrap(),
            Phone::of_telegram("79990000000").unwrap(),
        );
        assert_eq!(changes(&card, &Learned { phone: Some(&known), ..Learned::default() }), None);
        let change = changes(&card, &Learned { phone: Some(&new), ..Learned::default() }).unwrap();
        assert_eq!(
            serde_json::to_value(change).unwrap(),
            json!({"custom_fields_values": [{"field_code": "PHONE", "values": [
                {"value": "8 999 111-22-33", "enum_id": 801_001}, {"value": "+49 171", "enum_code": "HOME"},
                {"value": "+79990000000", "enum_code": "MOB"}]}]})
        );
    }

    #[test]
    fn a_card_can_have_several_telegram_ids_and_a_number_only_one() {
        let ids = |value: Value| card(&json!([{"field_id": FIELD.id, "values": [{"value": value}]}]));
        let text = ids(json!("1001, 2002"));
        assert!(text.has_user(1001, FIELD) && text.has_user(2002, FIELD) && !text.has_user(100, FIELD));
        assert!(ids(json!(1001)).has_user(1001, FIELD));
        let learned = |field| Learned { user: Some((3003, field)), ..Learned::default() };
        let change = serde_json::to_value(changes(&text, &learned(FIELD))).unwrap();
        assert_eq!(change["custom_fields_values"][0]["values"], json!([{"value": "1001, 2002, 3003"}]));
        let number = IdField { is_number: true, ..FIELD };
        assert_eq!(changes(&ids(json!(1001)), &learned(number)), None);
        let change = serde_json::to_value(changes(&card(&json!(null)), &learned(number))).unwrap();
        assert_eq!(
            change["custom_fields_values"][0],
            json!({"field_id": FIELD.id, "values": [{"value": 3003}]})
        );
    }

    #[test]
    fn a_name_is_kept_fresh_unless_somebody_changed_it_by_hand() {
        let renamed = |before, now| {
            let learned = Learned { renamed: Some((before, now)), ..Learned::default() };
            changes(&card(&json!(null)), &learned).and_then(|change| change.name)
        };
        assert_eq!(renamed("Анна", "Анна К").as_deref(), Some("Анна К"));
        assert_eq!(renamed("Ann", "Анна К"), None);
        assert_eq!(renamed("Анна", "Анна"), None);
    }
}
