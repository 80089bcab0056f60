//! A folder for a test's files.
//!
//! It goes with the test, unless [`FOLDERS`] names a place to keep all of them: `scripts/test` does, and looks for
//! tokens in every database, log and file that any test has left.

use std::{env, fs};

use tempfile::{Builder, TempDir};

/// The environment variable with the place where tests leave their folders.
pub const FOLDERS: &str = "TANDEM_TEST_FOLDERS";

/// So much of a test's name is in the name of a folder that is kept.
const NAME_CHARS: usize = 16;

/// A new, empty folder.
///
/// # Panics
/// If it cannot be made.
#[expect(clippy::disallowed_methods, reason = "the runner speaks to tests by the environment")]
pub fn folder() -> TempDir {
    let mut builder = Builder::new();
    builder.prefix("tandem-");
    let made = match env::var_os(FOLDERS) {
        None => builder.tempdir(),
        Some(place) => {
            fs::create_dir_all(&place).expect("the place for test folders can be written to");
            // The runner starts each test as a process of its own and tells it its name. A part of it does: the
            // address of a socket in such a folder has room for a hundred bytes.
            let test = env::var("NEXTEST_TEST_NAME").unwrap_or_default();
            let name: String =
                test.rsplit("::").next().unwrap_or_default().chars().take(NAME_CHARS).collect();
            builder.prefix(&format!("{name}-")).disable_cleanup(true).tempdir_in(place)
        }
    };
    made.expect("a folder can be made")
}
