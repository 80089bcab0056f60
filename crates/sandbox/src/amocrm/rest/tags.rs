//! Tags of contacts and leads.

use serde_json::{Value, json};

/// `tags_to_add`, `tags_to_delete`, or all of them in `_embedded.tags`.
pub(crate) fn write(tags: &mut Vec<String>, item: &Value) {
    let names = |list: &Value, known: &[String]| -> Vec<String> {
        let items = list.as_array().into_iter().flatten();
        let by_id = |tag: &Value| known.iter().find(|name| number(name) == tag["id"]).cloned();
        items.filter_map(|tag| tag["name"].as_str().map(ToOwned::to_owned).or_else(|| by_id(tag))).collect()
    };
    if item["_embedded"]["tags"].is_array() {
        *tags = names(&item["_embedded"]["tags"], tags);
    }
    let gone = names(&item["tags_to_delete"], tags);
    tags.retain(|tag| !gone.contains(tag));
    for name in names(&item["tags_to_add"], tags) {
        if !tags.contains(&name) {
            tags.push(name);
        }
    }
}

pub(crate) fn shown(tags: &[String]) -> Vec<Value> {
    tags.iter().map(|name| json!({"id": number(name), "name": name, "color": null})).collect()
}

/// A tag's number is its name's, the same in every run.
fn number(name: &str) -> u64 {
    90_000 + name.bytes().fold(7_u64, |sum, byte| (sum * 31 + u64::from(byte)) % 1_000_000)
}
