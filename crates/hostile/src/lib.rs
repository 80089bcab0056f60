//! What must hold for whatever strangers send, as functions that take any bytes and panic when it does not.
//!
//! The fuzz targets in `fuzz/` call them with what libFuzzer finds, and a test here with the corpora that are kept, so
//! that a corpus cannot rot. Each compares us with somebody who shares no code with us (`serde_json`, multer, a
//! decoder of a few lines) or with ourselves taken another way round; that nothing panics is the least of it.

#![expect(clippy::missing_panics_doc, reason = "a panic is how a property says no")]

mod account_hooks;
mod arrays;
mod bodies;
mod forms;
mod http;
mod multiparts;
mod objects;
mod paths;
mod settings;
mod tokens;
mod told;
mod updates;
mod wahelp;
mod webhooks;

/// A property.
pub type Property = fn(&[u8]);

/// Every property by the name of its target and its corpus.
pub const ALL: [(&str, Property); 14] = [
    ("account_hooks", account_hooks::hold),
    ("arrays", arrays::hold),
    ("bodies", bodies::hold),
    ("forms", forms::hold),
    ("http", http::hold),
    ("multiparts", multiparts::hold),
    ("objects", objects::hold),
    ("paths", paths::hold),
    ("settings", settings::hold),
    ("tokens", tokens::hold),
    ("told", told::hold),
    ("updates", updates::hold),
    ("wahelp", wahelp::hold),
    ("webhooks", webhooks::hold),
];

/// Runs the property of this name.
pub fn hold(name: &str, data: &[u8]) {
    let (_, property) = ALL.iter().find(|(known, _)| *known == name).expect("the target names a property");
    property(data);
}
