//! What the tests of several crates need alike: a folder, a clock, a log to look into, a search for secrets.
//!
//! Only ever a dev-dependency. It knows the model and nothing else of Tandem, so that no test is built anew because
//! another part has changed; whole services are put together where they are tested.

#![expect(clippy::expect_used, reason = "where a test cannot even begin, it fails")]

mod clock;
mod folder;
mod log;
mod search;

pub use clock::ManualClock;
pub use folder::{FOLDERS, folder};
pub use log::Log;
pub use search::{around, contains};
