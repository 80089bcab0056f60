//! How values are written: times of Moscow, ids as the switch says.

use jiff::Timestamp;
use serde_json::Value;

/// Moscow has had no summer time since 2014.
const MOSCOW_MS: i64 = 3 * 3_600_000;

/// `YYYY-MM-DD HH:MM:SS` in Moscow, without a zone.
pub(crate) fn moscow(at_ms: i64) -> String {
    let shifted = Timestamp::from_millisecond(at_ms.saturating_add(MOSCOW_MS)).unwrap_or(Timestamp::MAX);
    shifted.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// Turns every number under a key that names an id into a string.
pub(crate) fn ids_as_strings(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if (name == "id" || name.ends_with("_id")) && value.is_number() {
                    *value = Value::String(value.to_string());
                } else {
                    ids_as_strings(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(ids_as_strings),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn times_are_moscows_and_ids_can_be_strings() {
        assert_eq!(moscow(1_767_607_200_999), "2026-01-05 13:00:00");
        let mut value = json!({"id": 1, "list": [{"user_id": 2, "page": 3}], "operator_id": null});
        ids_as_strings(&mut value);
        assert_eq!(value, json!({"id": "1", "list": [{"user_id": "2", "page": 3}], "operator_id": null}));
    }
}
