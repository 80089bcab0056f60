//! Reading a file of rules: `rules = [ … ]`, or a `[[rules]]` for each, as they stand at a route of `bots.toml`.

use std::{fs, path::Path};

use serde::Deserialize;

use super::RuleDocument;
use crate::apply::{FileError, Problem};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    rules: Vec<RuleDocument>,
}

/// Reads a file. Whether its rules fit a route is for [`super::check`] to say.
pub fn load(path: &Path) -> Result<Vec<RuleDocument>, FileError> {
    let shown = path.display().to_string();
    let text =
        fs::read_to_string(path).map_err(|source| FileError::Unreadable { path: shown.clone(), source })?;
    Ok(parse(&shown, &text)?)
}

fn parse(file: &str, text: &str) -> Result<Vec<RuleDocument>, Problem> {
    let written: Written = toml::from_str(text).map_err(|error| {
        let at = error.span().unwrap_or_default().start;
        let before = text.get(..at).unwrap_or(text);
        let line = text.lines().nth(before.matches('\n').count()).unwrap_or_default();
        Problem {
            file: file.to_owned(),
            line: before.matches('\n').count() + 1,
            key: line.split('=').next().unwrap_or_default().trim().to_owned(),
            what: error.message().to_owned(),
        }
    })?;
    Ok(written.rules)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_in_both_forms_and_what_is_wrong_is_named_with_its_line() {
        let inline = r#"rules = [{ when = { kind = ["photo", "voice"], command = false }, do = "show" }]"#;
        let tables = "[[rules]]\nwhen.kind = [\"photo\", \"voice\"]\nwhen.command = false\ndo = \"show\"\n";
        assert_eq!(parse("r", inline).unwrap(), parse("r", tables).unwrap());
        assert_eq!(parse("r", "rules = []").unwrap(), []);
        for (text, line, words) in [
            (
                "[[rules]]\ndo = \"hide\"\n",
                2,
                "unknown variant `hide`, expected one of `skip`, `show`, `show_as`",
            ),
            (
                "[[rules]]\ndo = \"skip\"\nwhen.kind = \"phto\"\n",
                3,
                "\"phto\" is not a kind; expected one of ",
            ),
            ("[[rules]]\ndo = \"skip\"\nwhen.hour = 7\n", 3, "unknown field `hour`"),
            ("[[rules]]\ndo = \"skip\"\nwhen.button = 7\n", 3, "expected a word or a list of words"),
            ("[[rules]]\ndo = \"skip\"\nwhen.chat = true\n", 3, "expected a word or a list of words"),
            ("[[rules]]\ndo = \"skip\"\nwhen.author = \"app:\"\n", 3, "client, manager"),
            ("[[rules]]\nwhen.command = \"/заказ\"\ndo = \"skip\"\n", 2, "is no command"),
            ("", 1, "missing field `rules`"),
        ] {
            let problem = parse("rules.toml", text).unwrap_err();
            assert!(problem.what.contains(words), "{text}: {problem}");
            assert_eq!(problem.line, line, "{problem}");
        }
    }
}
