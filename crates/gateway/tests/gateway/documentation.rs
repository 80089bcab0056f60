//! The published Bot API, read from its data files: what there is to be tried, so that no list here is forgotten when
//! the API grows.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// The files as they were published, beside those who emulate them.
const BASE: &str = include_str!("../../../sandbox/data/telegram-bot-api.json");
const OVERLAY: &str = include_str!("../../../sandbox/data/telegram-bot-api-overlay.json");

/// A value for each type of parameter, with what encodings stumble over.
const TEXT: &str = "Привет, \"мир\" & 100%+\\ =?#\n👋\u{2028}\t.";
const INTEGER: &str = "-1001234567890123";
const OBJECT: &str = r#"{"type":"x","text":"ё & \"y\"","big":12345678901234567890,"deep":[{},null,1.50]}"#;
const ARRAY: &str = r#"[{"type":"photo","media":"attach://file","caption":"+ & %20"},"\u0451"]"#;

/// What is documented.
pub(crate) struct Documentation {
    /// For each method its parameters: name and documented types.
    methods: BTreeMap<String, BTreeMap<String, Vec<String>>>,
    /// The kinds of update.
    pub(crate) kinds: BTreeSet<String>,
}

/// A value as it stands in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Given {
    /// A text.
    Text(&'static str),
    /// A number, `true`, an object or an array: bare in JSON.
    Json(&'static str),
    /// A file; in bodies that carry none, a `file_id`.
    File,
}

impl Documentation {
    pub(crate) fn read() -> Self {
        let base: Value = serde_json::from_str(BASE).unwrap();
        let overlay: Value = serde_json::from_str(OVERLAY).unwrap();
        let mut read = Self { methods: BTreeMap::new(), kinds: BTreeSet::new() };
        read.add_methods(&base["methods"]);
        read.add_kinds(&base["types"]["Update"]["fields"]);
        for version in overlay["versions"].as_array().unwrap() {
            read.add_methods(&version["methods_added"]);
            read.add_kinds(&version["type_fields_added"]["Update"]);
            for (method, fields) in version["method_fields_added"].as_object().unwrap() {
                read.methods.get_mut(method).unwrap().extend(parameters(fields));
            }
        }
        read.kinds.remove("update_id");
        read
    }

    fn add_methods(&mut self, methods: &Value) {
        for (name, method) in methods.as_object().unwrap() {
            self.methods.insert(name.clone(), parameters(&method["fields"]).collect());
        }
    }

    fn add_kinds(&mut self, fields: &Value) {
        let fields = fields.as_array().into_iter().flatten();
        self.kinds.extend(fields.map(|field| field["name"].as_str().unwrap().to_owned()));
    }

    pub(crate) fn methods(&self) -> impl Iterator<Item = &str> {
        self.methods.keys().map(String::as_str)
    }

    /// All parameters of a method, each with a value of its type.
    pub(crate) fn given(&self, method: &str) -> Vec<(&str, Given)> {
        let parameters = self.methods[method].iter();
        parameters.map(|(name, types)| (name.as_str(), made_up(types))).collect()
    }
}

fn parameters(fields: &Value) -> impl Iterator<Item = (String, Vec<String>)> + '_ {
    fields.as_array().into_iter().flatten().map(|field| {
        let types = field["types"].as_array().unwrap().iter();
        let types = types.map(|of| of.as_str().unwrap().to_owned()).collect();
        (field["name"].as_str().unwrap().to_owned(), types)
    })
}

fn made_up(types: &[String]) -> Given {
    let of = types.first().unwrap().as_str();
    match of {
        "InputFile" => Given::File,
        "Integer" => Given::Json(INTEGER),
        "Float" => Given::Json("55.750"),
        "Boolean" => Given::Json("true"),
        "String" => Given::Text(TEXT),
        _ if of.starts_with("Array") => Given::Json(ARRAY),
        _ => Given::Json(OBJECT),
    }
}

#[test]
fn the_documentation_is_read_whole() {
    let read = Documentation::read();
    assert_eq!((read.methods.len(), read.kinds.len()), (185, 27));
    assert!(read.given("sendMessage").iter().any(|(name, _)| *name == "ephemeral_message_parameters"));
}
