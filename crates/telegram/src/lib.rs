//! The Bot API as Tandem needs it: what it calls things, how its bytes are read, and how Telegram is spoken to.
//!
//! - [`methods`]: every method, the shape of its result, its file parameters, and what becomes of a call to it.
//! - [`update`]: views over Telegram's own bytes and the virtual `update_id`; [`allowed`]: which kinds were asked for.
//! - [`path`], [`token`], [`envelope`], [`params`], [`capture`]: what the virtual Bot API is made of on the side of apps.
//! - [`guard`]: a passing body that arrives whole only if its parameters are allowed.
//! - [`keyboard`]: which keyboards come back as callback queries.
//! - [`told`]: what a CRM is told of an update or of a call, in neutral words.
//! - [`reply`]: what a manager wants done, as calls.
//! - [`upstream`]: the client and the streaming pipe towards Telegram.
//! - [`webhook`]: how updates are posted to somebody's webhook, as Telegram would do it.
//!
//! Behaviour follows `reference/telegram.md`; section numbers in comments are its. The crate stores nothing and
//! knows no CRM, no app and no policy: the gateway and the bridge decide.

pub mod allowed;
pub mod capture;
pub mod envelope;
pub mod guard;
mod json;
pub mod keyboard;
pub mod methods;
mod multipart;
pub mod params;
pub mod path;
pub mod reply;
pub mod token;
pub mod told;
pub mod update;
pub mod upstream;
pub mod webhook;

pub use json::Malformed;
