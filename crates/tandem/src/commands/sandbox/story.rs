//! `tandem sandbox --story bug`: the transcript as it happens, and an exit code that says whether it was seen.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use tandem_sandbox::story::{self, Bug, Entry, Language, Outcome};
use tokio_util::sync::CancellationToken;

use super::Arguments;

/// How long one thing may take to be seen.
const PATIENCE: Duration = Duration::from_secs(20);

/// Tells the story unless `stop` comes first.
pub(super) async fn tell_bug(
    arguments: &Arguments,
    language: Language,
    stop: CancellationToken,
) -> anyhow::Result<ExitCode> {
    let setup = Bug {
        python: story::find_python(|name| std::env::var_os(name)),
        bot: arguments.bot.clone().unwrap_or_else(example_bot),
        language,
        seed: arguments.seed,
        patience: PATIENCE,
    };
    let json = arguments.json;
    let mut print = |entry: &Entry| {
        let mut out = io::stdout().lock();
        // A reader that has gone away does not change what is true.
        if json {
            writeln!(out, "{}", serde_json::json!(entry)).ok();
        } else {
            writeln!(out, "{}", entry.render(language)).ok();
        }
    };
    let Some(told) = stop.run_until_cancelled(story::bug(&setup, &mut print)).await else {
        return Ok(ExitCode::FAILURE);
    };
    match told {
        Ok(Outcome::Reproduced) => Ok(ExitCode::SUCCESS),
        Ok(Outcome::NotReproduced) => Ok(ExitCode::FAILURE),
        Err(error) => {
            let advice = error.advice(language);
            let error = anyhow::Error::from(error);
            Err(match advice {
                Some(advice) => anyhow::anyhow!("{error:#}\n{advice}"),
                None => error,
            })
        }
    }
}

/// Looked for from the working directory and from the program upwards.
fn example_bot() -> PathBuf {
    let places = [std::env::current_dir().ok(), std::env::current_exe().ok()];
    story::find_bot(places.iter().flatten().map(PathBuf::as_path))
}
