//! The published Bot API as data: which methods exist, what they need, what they answer.
//!
//! Serves the methods that the sandbox does not act out: [`Schema::sample`] builds a documented answer from the
//! result type, with the request's values where the names match. It never judges live traffic: unknown
//! parameters and fields pass.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Map, Value, json};

const BASE: &str = include_str!("../../data/telegram-bot-api.json");
const OVERLAY: &str = include_str!("../../data/telegram-bot-api-overlay.json");

/// The tables, read once.
static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let base = serde_json::from_str(BASE).expect("the base file is valid JSON");
    let overlay = serde_json::from_str(OVERLAY).expect("the overlay file is valid JSON");
    Schema::read(&base, &overlay)
});

/// How deep a sample goes before it stops following references.
const DEPTH_LIMIT: usize = 12;

/// A type as the documentation names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    /// `Integer`.
    Integer,
    /// `Float`.
    Float,
    /// `String`, also for files given by name.
    String,
    /// `Boolean`.
    Boolean,
    /// `Array of …`.
    Array(Box<Type>),
    /// An object type of the documentation.
    Named(String),
}

impl Type {
    fn read(name: &str) -> Self {
        match name {
            "Integer" => Self::Integer,
            "Float" => Self::Float,
            "String" | "InputFile" => Self::String,
            "Boolean" | "True" => Self::Boolean,
            _ => match name.strip_prefix("Array of ") {
                Some(inner) => Self::Array(Box::new(Self::read(inner))),
                None => Self::Named(name.to_owned()),
            },
        }
    }
}

/// A parameter of a method or a field of an object.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    /// Its name on the wire.
    pub(crate) name: String,
    /// The alternatives, the usual one first.
    pub(crate) types: Vec<Type>,
    /// Whether it is always there.
    pub(crate) required: bool,
    /// The value that tells the members of a union apart, or a string the description gives as an example.
    example: Option<String>,
}

impl Field {
    fn read(value: &Value) -> Option<Self> {
        let description = value.get("description").and_then(Value::as_str).unwrap_or_default();
        Some(Self {
            name: value.get("name")?.as_str()?.to_owned(),
            types: value.get("types")?.as_array()?.iter().filter_map(Value::as_str).map(Type::read).collect(),
            required: value.get("required").and_then(Value::as_bool).unwrap_or(false),
            example: example(description),
        })
    }
}

/// A method of the Bot API.
#[derive(Clone, Debug)]
pub(crate) struct Method {
    /// Its name as documented.
    pub(crate) name: String,
    /// What it answers; more than one means "one of".
    pub(crate) returns: Vec<Type>,
    /// Its parameters.
    pub(crate) fields: Vec<Field>,
}

#[derive(Clone, Debug, Default)]
struct Object {
    fields: Vec<Field>,
    subtypes: Vec<Type>,
}

/// The methods and types of the newest Bot API that the data files know.
#[derive(Debug)]
pub(crate) struct Schema {
    methods: BTreeMap<String, Method>,
    types: BTreeMap<String, Object>,
}

impl Schema {
    /// The schema of the data files.
    pub(crate) fn get() -> &'static Self {
        &SCHEMA
    }

    /// All methods, by name.
    #[cfg(test)]
    pub(crate) fn methods(&self) -> impl Iterator<Item = &Method> {
        self.methods.values()
    }

    /// Finds a method by its name in lower case.
    pub(crate) fn find_method(&self, lower_case_name: &str) -> Option<&Method> {
        self.methods.get(lower_case_name)
    }

    fn read(base: &Value, overlay: &Value) -> Self {
        let mut schema = Self { methods: BTreeMap::new(), types: BTreeMap::new() };
        schema.add(&base["methods"], &base["types"]);
        for version in overlay["versions"].as_array().into_iter().flatten() {
            schema.add(&version["methods_added"], &version["types_added"]);
            for (name, fields) in entries(&version["method_fields_added"]) {
                if let Some(method) = schema.methods.get_mut(&name.to_lowercase()) {
                    method.fields.extend(read_fields(fields));
                }
            }
            for (name, removed) in entries(&version["method_fields_removed"]) {
                let gone = |field: &Field| {
                    removed.as_array().is_some_and(|names| names.contains(&json!(field.name)))
                };
                if let Some(method) = schema.methods.get_mut(&name.to_lowercase()) {
                    method.fields.retain(|field| !gone(field));
                }
            }
            for (name, fields) in entries(&version["type_fields_added"]) {
                schema.types.entry(name.clone()).or_default().fields.extend(read_fields(fields));
            }
        }
        schema
    }

    fn add(&mut self, methods: &Value, types: &Value) {
        let type_list = |value: &Value| {
            value
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(Type::read)
                .collect::<Vec<_>>()
        };
        for (name, value) in entries(methods) {
            let method = Method {
                name: name.clone(),
                returns: type_list(&value["returns"]),
                fields: read_fields(&value["fields"]),
            };
            self.methods.insert(name.to_lowercase(), method);
        }
        for (name, value) in entries(types) {
            let object =
                Object { fields: read_fields(&value["fields"]), subtypes: type_list(&value["subtypes"]) };
            self.types.insert(name.clone(), object);
        }
    }

    /// A plausible value of the type: required fields, and others whose name `given` knows.
    pub(crate) fn sample(&self, of: &Type, given: &Map<String, Value>) -> Value {
        self.sample_at(of, "", None, given, 0)
    }

    fn sample_at(
        &self,
        of: &Type,
        field_name: &str,
        example: Option<&str>,
        given: &Map<String, Value>,
        depth: usize,
    ) -> Value {
        match of {
            Type::Integer => json!(given.get("__now").filter(|_| field_name.ends_with("date")).map_or(
                // Ids and counters of an empty account are small.
                i64::from(field_name.ends_with("id")),
                |now| now.as_i64().unwrap_or_default()
            )),
            Type::Float => json!(0.0),
            Type::String => json!(example.unwrap_or_default()),
            Type::Boolean => json!(depth == 0),
            // An empty list is what a fresh account shows.
            Type::Array(_) => json!([]),
            Type::Named(name) => self.sample_object(name, given, depth),
        }
    }

    fn sample_object(&self, name: &str, given: &Map<String, Value>, depth: usize) -> Value {
        let Some(object) = self.types.get(name).filter(|_| depth < DEPTH_LIMIT) else { return json!({}) };
        if let Some(first) = object.subtypes.first() {
            return self.sample_at(first, "", None, given, depth + 1);
        }
        let mut built = Map::new();
        for field in &object.fields {
            let echoed = given.get(&field.name).filter(|value| self.fits(value, &field.types));
            if let Some(value) = echoed.filter(|_| field.required || depth == 0) {
                built.insert(field.name.clone(), value.clone());
            } else if field.required
                && let Some(of) = field.types.first()
            {
                let value = self.sample_at(of, &field.name, field.example.as_deref(), given, depth + 1);
                built.insert(field.name.clone(), value);
            }
        }
        Value::Object(built)
    }

    /// Whether a value has the shape of one of the types; `Err` names the first place where it has not.
    #[cfg(test)]
    pub(crate) fn check(&self, value: &Value, types: &[Type], place: &str) -> Result<(), String> {
        if self.fits(value, types) { Ok(()) } else { Err(format!("{place}: {value} is none of {types:?}")) }
    }

    fn fits(&self, value: &Value, types: &[Type]) -> bool {
        types.iter().any(|of| match of {
            Type::Integer => value.is_i64() || value.is_u64(),
            Type::Float => value.is_number(),
            Type::String => value.is_string(),
            Type::Boolean => value.is_boolean(),
            Type::Array(inner) => value
                .as_array()
                .is_some_and(|items| items.iter().all(|item| self.fits(item, std::slice::from_ref(inner)))),
            Type::Named(name) => self.fits_object(value, name),
        })
    }

    fn fits_object(&self, value: &Value, name: &str) -> bool {
        let Some(object) = self.types.get(name) else { return false };
        if !object.subtypes.is_empty() {
            return self.fits(value, &object.subtypes);
        }
        let Some(fields) = value.as_object() else { return false };
        object.fields.iter().all(|field| match fields.get(&field.name) {
            None => !field.required,
            Some(value) => {
                let fixed = field.example.as_deref().filter(|_| self.is_tag(name, field));
                self.fits(value, &field.types) && fixed.is_none_or(|fixed| value == fixed)
            }
        })
    }

    /// Whether the field names the member of a union (`type`, `status`, `source`) with a fixed value.
    fn is_tag(&self, of: &str, field: &Field) -> bool {
        let member = self.types.values().any(|object| object.subtypes.contains(&Type::Named(of.to_owned())));
        member && field.required && matches!(field.name.as_str(), "type" | "status" | "source")
    }
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn read_fields(value: &Value) -> Vec<Field> {
    value.as_array().into_iter().flatten().filter_map(Field::read).collect()
}

/// `always "x"`, `must be x`, or the first quoted word of the description.
fn example(description: &str) -> Option<String> {
    if let Some((_, rest)) = description.split_once("must be ") {
        let word: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        if !word.is_empty() {
            return Some(word);
        }
    }
    let (_, rest) = description.split_once(['"', '“'])?;
    let (word, _) = rest.split_once(['"', '”'])?;
    Some(word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_files_give_the_documented_185_methods() {
        assert_eq!(Schema::get().methods().count(), 185);
    }

    #[test]
    fn a_sample_of_each_result_fits_its_own_type() {
        let schema = Schema::get();
        for method in schema.methods() {
            for of in &method.returns {
                let sample = schema.sample(of, &Map::new());
                schema.check(&sample, std::slice::from_ref(of), &method.name).unwrap();
            }
        }
    }

    #[test]
    fn a_sample_echoes_what_the_request_gave() {
        let given = json!({"name": "Sales", "icon_color": 7_322_096});
        let topic = Schema::get().sample(&Type::Named("ForumTopic".into()), given.as_object().unwrap());
        assert_eq!(topic["name"], "Sales");
        assert_eq!(topic["icon_color"], 7_322_096);
    }
}
