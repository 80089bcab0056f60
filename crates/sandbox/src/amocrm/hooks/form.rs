//! The body of an account hook: `application/x-www-form-urlencoded`, PHP's nested keys, brackets encoded
//! (reference 5.3).

use serde_json::Value;

/// Flattens `value` under `entity[action][0]` and the account under `account`, and encodes both.
///
/// Every value becomes a string, booleans `1` and `0`; nulls are left out, as a PHP form would leave them.
pub(crate) fn encode(entity: &str, action: &str, item: &Value, account: &Value) -> String {
    let mut pairs = Vec::new();
    flatten(&format!("{entity}[{action}][0]"), item, &mut pairs);
    flatten("account", account, &mut pairs);
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (key, value) in &pairs {
        form.append_pair(key, value);
    }
    form.finish()
}

fn flatten(prefix: &str, value: &Value, pairs: &mut Vec<(String, String)>) {
    match value {
        Value::Null => {}
        Value::Bool(value) => pairs.push((prefix.to_owned(), u8::from(*value).to_string())),
        Value::Number(value) => pairs.push((prefix.to_owned(), value.to_string())),
        Value::String(value) => pairs.push((prefix.to_owned(), value.clone())),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                flatten(&format!("{prefix}[{index}]"), item, pairs);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                flatten(&format!("{prefix}[{name}]"), field, pairs);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn keys_are_nested_and_their_brackets_encoded() {
        let body = encode(
            "message",
            "add",
            &json!({"text": "да нет", "author": {"name": "A&B"}, "list": [{"id": 1}], "read": true, "none": null}),
            &json!({"id": 31}),
        );
        let names: Vec<&str> = body.split('&').filter_map(|pair| pair.split('=').next()).collect();
        assert!(names.contains(&"message%5Badd%5D%5B0%5D%5Bauthor%5D%5Bname%5D"), "{body}");
        assert!(!body.contains('['), "{body}");
        let pairs: Vec<(String, String)> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
        let get = |key: &str| pairs.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
        assert_eq!(get("message[add][0][text]"), Some("да нет"));
        assert_eq!(get("message[add][0][author][name]"), Some("A&B"));
        assert_eq!(get("message[add][0][list][0][id]"), Some("1"));
        assert_eq!(get("message[add][0][read]"), Some("1"));
        assert_eq!(get("message[add][0][none]"), None);
        assert_eq!(get("account[id]"), Some("31"));
    }
}
