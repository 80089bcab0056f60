//! The envelope around every answer of the Bot API (reference/telegram.md 1.4, 1.5): reading Telegram's, writing ours.

mod answer;
mod failure;

pub use answer::{Answer, NotAnAnswer, Refusal};
pub use failure::{Failure, success, success_with};
