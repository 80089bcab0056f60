//! Where the story finds its Python and its bot.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use super::StoryError;

/// The interpreter to use: `TANDEM_PYTHON`, else the environment that `scripts/setup` makes, else `python3`.
///
/// `environment` looks a variable up, so that only the caller reads the process's environment.
pub fn find_python(environment: impl Fn(&str) -> Option<OsString>) -> PathBuf {
    if let Some(python) = environment("TANDEM_PYTHON") {
        return python.into();
    }
    let cache = environment("TANDEM_CACHE").map(PathBuf::from).or_else(|| {
        let user_cache = environment("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .or_else(|| environment("HOME").map(|home| Path::new(&home).join(".cache")))?;
        Some(user_cache.join("tandem"))
    });
    cache
        .map(|cache| cache.join("python/bin/python"))
        .filter(|python| python.exists())
        .unwrap_or_else(|| PathBuf::from("python3"))
}

/// The folder of the example bot: `examples/aiogram-bonus-bot` in one of `places` or above it.
pub fn find_bot<'a>(places: impl IntoIterator<Item = &'a Path>) -> PathBuf {
    let bot = Path::new("examples/aiogram-bonus-bot");
    places
        .into_iter()
        .flat_map(Path::ancestors)
        .map(|folder| folder.join(bot))
        .find(|folder| folder.join("bot.py").exists())
        .unwrap_or_else(|| bot.to_path_buf())
}

/// The version of aiogram, or why the bot could not run.
pub(super) async fn check(python: &Path, bot: &Path) -> Result<String, StoryError> {
    if !bot.join("bot.py").exists() {
        return Err(StoryError::Bot(bot.to_path_buf()));
    }
    let asked = Command::new(python)
        // Asks for the package without importing it, which takes seconds on a busy machine.
        .args(["-c", "import importlib.metadata as m; print(m.version('aiogram'))"])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|source| StoryError::Python { path: python.to_path_buf(), source })?;
    if !asked.status.success() {
        let complaint = String::from_utf8_lossy(&asked.stderr);
        let complaint = complaint.trim().lines().last().unwrap_or_default().to_owned();
        return Err(StoryError::Aiogram { path: python.to_path_buf(), complaint });
    }
    Ok(String::from_utf8_lossy(&asked.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_wins_and_python3_is_the_last_resort() {
        let set = |name: &str| (name == "TANDEM_PYTHON").then(|| OsString::from("/opt/python"));
        assert_eq!(find_python(set), Path::new("/opt/python"));
        let nowhere = |name: &str| (name == "HOME").then(|| OsString::from("/nonexistent"));
        assert_eq!(find_python(nowhere), Path::new("python3"));
    }

    #[test]
    fn the_environment_of_the_setup_script_is_used_when_it_is_there() {
        let cache = tempfile::tempdir().unwrap();
        let python = cache.path().join("python/bin/python");
        std::fs::create_dir_all(python.parent().unwrap()).unwrap();
        std::fs::write(&python, "").unwrap();
        let set = |name: &str| (name == "TANDEM_CACHE").then(|| cache.path().as_os_str().to_owned());
        assert_eq!(find_python(set), python);
    }

    #[test]
    fn the_bot_is_found_from_any_folder_of_the_source_tree() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/story");
        assert!(find_bot([here.as_path()]).join("bot.py").exists());
        assert_eq!(find_bot([Path::new("/")]), Path::new("examples/aiogram-bonus-bot"));
    }
}
