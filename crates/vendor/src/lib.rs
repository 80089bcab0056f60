//! The seam between the bridge and vendors of CRMs that are spoken to message by message (routes of mode `channel` and
//! `api`).
//!
//! The bridge knows a [`Vendor`] by its name and an [`Account`] by what can be done in it. It decides *what* a CRM is
//! told, when, and what becomes of failures; an account knows *how*: hosts, signatures, limits, the vendor's words.
//! Built-in integrations that stay as they are (mode `native`) are relays; what an account's own hooks show of them is
//! heard here too ([`Noticed`], [`HeardAct::Said`]).
//!
//! An account keeps nothing of conversations: what has to be known later is in what it returns, and the bridge commits
//! it. What only the account understands (refreshed tokens) it gives to a [`Keep`].

mod abilities;
mod account;
mod failure;
mod heard;
mod setting;
mod telling;

pub use abilities::{Abilities, History, Recognition, Strangers};
pub use account::{Account, Finding, FindingState, Listening, Need, Standing, Vendor};
pub use failure::{Failure, FailureKind};
pub use heard::{
    Arrived, Doubt, Heard, HeardAct, HeardChat, Hook, HookRefusal, News, Notice, Noticed, Spoken,
};
pub use setting::{ConnectionSetting, Keep, KeepError, OpenError};
pub use telling::{ChatIds, Found, Occasion, OpenedChat, Opening, Taken, Telling, Tended, Tending};
