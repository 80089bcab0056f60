//! The two layers that are single values by name: variables of the environment, `TANDEM_SECTION__KEY`, and flags,
//! `--set section.key=value`.

use serde::Deserialize;
use toml::{Table, Value};

use super::{Layer, SettingsError};

/// Takes the variables that have a section; other `TANDEM_` variables belong to somebody else.
pub(super) fn of_environment(
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<Layer, SettingsError> {
    let mut layer = Layer::default();
    for (name, value) in variables {
        let Some((section, key)) = name.strip_prefix("TANDEM_").and_then(|rest| rest.split_once("__")) else {
            continue;
        };
        layer = one(&section.to_lowercase(), &key.to_lowercase(), value, &name)?.over(layer);
    }
    Ok(layer)
}

/// Takes `section.key=value`; of two flags for one key the later wins.
pub(super) fn of_flags(flags: &[String]) -> Result<Layer, SettingsError> {
    let mut layer = Layer::default();
    for flag in flags {
        let malformed = || SettingsError::Wrong {
            source_name: "--set".to_owned(),
            message: "expected section.key=value, such as server.gateway=127.0.0.1:8080".to_owned(),
        };
        let (name, value) = flag.split_once('=').ok_or_else(malformed)?;
        let (section, key) = name.trim().split_once('.').ok_or_else(malformed)?;
        layer = one(section, key, value.trim().to_owned(), &format!("--set {section}.{key}"))?.over(layer);
    }
    Ok(layer)
}

fn one(section: &str, key: &str, value: String, source_name: &str) -> Result<Layer, SettingsError> {
    let mut keys = Table::new();
    keys.insert(key.to_owned(), Value::String(value));
    let mut sections = Table::new();
    sections.insert(section.to_owned(), Value::Table(keys));
    Layer::deserialize(sections).map_err(|error| SettingsError::Wrong {
        source_name: source_name.to_owned(),
        message: error.message().to_owned(),
    })
}
