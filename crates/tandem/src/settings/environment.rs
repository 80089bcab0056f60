//! The layer of environment variables: `TANDEM_SECTION__KEY`.

use serde::Deserialize;
use toml::{Table, Value};

use super::{Layer, SettingsError};

/// Takes the variables that have a section; other `TANDEM_` variables belong to somebody else.
pub(super) fn read(variables: impl IntoIterator<Item = (String, String)>) -> Result<Layer, SettingsError> {
    let mut layer = Layer::default();
    for (name, value) in variables {
        let Some((section, key)) = name.strip_prefix("TANDEM_").and_then(|rest| rest.split_once("__")) else {
            continue;
        };
        let mut keys = Table::new();
        keys.insert(key.to_lowercase(), Value::String(value));
        let mut sections = Table::new();
        sections.insert(section.to_lowercase(), Value::Table(keys));
        let one = Layer::deserialize(sections).map_err(|error| SettingsError::Wrong {
            source_name: name,
            message: error.message().to_owned(),
        })?;
        layer = one.over(layer);
    }
    Ok(layer)
}
