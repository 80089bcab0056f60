//! The published Bot API, read from the data files once more, so that the sandbox's own reading is not its judge.

use serde_json::{Map, Value};

pub(crate) struct Documentation {
    pub(crate) methods: Map<String, Value>,
    types: Map<String, Value>,
}

impl Documentation {
    pub(crate) fn read() -> Self {
        let base: Value = serde_json::from_str(include_str!("../../data/telegram-bot-api.json")).unwrap();
        let overlay: Value =
            serde_json::from_str(include_str!("../../data/telegram-bot-api-overlay.json")).unwrap();
        let mut methods = base["methods"].as_object().unwrap().clone();
        let mut types = base["types"].as_object().unwrap().clone();
        for version in overlay["versions"].as_array().unwrap() {
            methods.extend(version["methods_added"].as_object().unwrap().clone());
            types.extend(version["types_added"].as_object().unwrap().clone());
        }
        Self { methods, types }
    }

    /// Panics at the first place where the value is not of the type.
    pub(crate) fn check(&self, value: &Value, of: &str, place: &str) {
        let fits = match of {
            "Integer" => value.is_i64(),
            "Float" => value.is_number(),
            "String" => value.is_string(),
            "Boolean" | "True" => value.is_boolean(),
            _ => {
                if let Some(inner) = of.strip_prefix("Array of ") {
                    let items = value.as_array().unwrap_or_else(|| panic!("{place} is no array: {value}"));
                    for item in items {
                        self.check(item, inner, place);
                    }
                } else {
                    self.check_object(value, of, place);
                }
                true
            }
        };
        assert!(fits, "{place} is no {of}: {value}");
    }

    fn check_object(&self, value: &Value, of: &str, place: &str) {
        let documented = &self.types[of];
        if let Some(members) = documented["subtypes"].as_array() {
            let fits = |member: &&Value| self.has_required(value, member.as_str().unwrap());
            assert!(members.iter().any(|member| fits(&member)), "{place} is no {of}: {value}");
            return;
        }
        assert!(value.is_object(), "{place} is no object: {value}");
        for field in documented["fields"].as_array().into_iter().flatten() {
            let name = field["name"].as_str().unwrap();
            let inner = format!("{place}.{name}");
            match value.get(name) {
                None => assert!(field["required"] != true, "{inner} is missing: {value}"),
                Some(value) => {
                    let types: Vec<&str> =
                        field["types"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
                    if let [only] = types[..] {
                        self.check(value, only, &inner);
                    }
                }
            }
        }
    }

    fn has_required(&self, value: &Value, of: &str) -> bool {
        let fields = self.types[of]["fields"].as_array();
        fields
            .into_iter()
            .flatten()
            .all(|field| field["required"] != true || value.get(field["name"].as_str().unwrap()).is_some())
    }
}
