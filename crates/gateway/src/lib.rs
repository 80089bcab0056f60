//! The virtual Bot API that apps speak to (DESIGN section 5).
//!
//! Each app has a token of its own, and what Telegram keeps once per bot is kept here once per app: how updates are
//! delivered, from where on, and which kinds. Everything else passes through to Telegram untouched.
//!
//! The gateway knows the journal, the lanes and the Bot API. Who holds a bot's stream, how updates come in and what
//! a CRM is are the bridge's business; the bridge fills the [`Directory`].

mod answers;
mod campaign;
mod conversation;
mod directory;
mod dispatch;
mod document;
mod flags;
mod gateway;
mod get_updates;
mod hand_off;
mod keyboards;
mod known;
mod limits;
mod managers;
mod mark;
mod metrics;
mod owners;
mod pass;
mod polls;
mod recorder;
mod send_on;
mod sent;
mod serve;
mod settings;
mod shown;
mod webhooks;

pub use conversation::ConversationState;
pub use directory::{App, BotHandle, BotState, Directory};
pub use document::{AppDocument, DropPending, Sees, WebhookDocument, WebhookPolicy, WhileManagerTalks};
pub use gateway::{Config, Gateway, Parts};
pub use limits::{AppLimits, ChatRule, ChatRuleError, MethodRule, MethodRuleError};
pub use managers::notes as keyboard_notes;
pub use mark::MarkDocument;
pub use metrics::METRICS;
pub use owners::{Owners, Question};
pub use recorder::{RecordError, Recorder};
pub use sent::{Author, Said, SaidPastUs, SentDocument};
pub use serve::{Accept, BadNetwork, BodyError, Limits, Network, Peer, Proof, Threads, serve, serve_on};
pub use webhooks::{AttachAppError, SecretError};
