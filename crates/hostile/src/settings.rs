//! Settings files and `bots.toml`: what is taken reads back as the same, and what is refused is named by file and line.

use std::io;

use tandem::settings::{Settings, SettingsError, show};
use tandem_bridge::apply;

pub(crate) fn hold(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    // That one reads another file.
    if !text.contains("proxy_file") {
        check_settings(&text);
    }
    let lines = text.split('\n').count();
    let read = |name: &str| match name {
        "bot.token" => Ok("42:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0\n".to_owned()),
        "" => Err(io::ErrorKind::NotFound.into()),
        other => Ok(other.to_owned()),
    };
    match apply::parse("bots.toml", &text, &read) {
        Ok(desired) => assert!(!format!("{desired:?}").contains("AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0")),
        Err(problem) => {
            assert!(problem.file == "bots.toml" && (1..=lines).contains(&problem.line), "{problem}");
            assert!(!problem.what.is_empty(), "{problem}");
        }
    }
}

fn check_settings(text: &str) {
    match Settings::of_text("tandem.toml", text) {
        Ok(settings) => {
            let shown = show(&settings);
            // A proxy's password is shown to nobody, so that a proxy may read back as another one.
            let again = Settings::of_text("shown", &shown).expect("what is shown can be read");
            assert_eq!(show(&again), shown);
            assert!(settings.retention.keep <= settings.retention.at_most);
        }
        Err(SettingsError::Wrong { source_name, message }) => {
            let place = source_name.strip_prefix("tandem.toml").expect("the file is named");
            let line = place.strip_prefix(" line ").map(|line| line.split(',').next().unwrap_or_default());
            let line: usize = line.expect("the line is named").parse().expect("it is a number");
            assert!((1..=text.split('\n').count()).contains(&line), "{source_name}: {message}");
            assert!(!message.is_empty());
        }
        Err(SettingsError::Conflict { message }) => assert!(!message.is_empty()),
        Err(SettingsError::Unreadable { .. }) => panic!("no file was named"),
    }
}
