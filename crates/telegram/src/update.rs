//! Updates as Telegram sent them: views over their bytes, never a copy in another form (invariant 6).
//!
//! [`split_array`] cuts the result of `getUpdates` into the updates' own bytes, [`UpdateView`] reads what routing
//! and storing need of one, [`with_update_id`] gives apps a number of ours and touches nothing else.

mod command;
mod content;
mod fields;
mod kind;
mod message;
mod splice;
mod view;

pub use command::Command;
pub use content::Content;
pub use kind::{Family, Kind};
pub use message::{Contact, MessageView};
pub use splice::{split_array, with_update_id};
pub use view::{UpdateError, UpdateView};

#[cfg(test)]
mod tests;
