//! Who a client is among the account's contacts, and what follows for his card and his leads: pure decisions, and what is
//! remembered of people between two requests.
//!
//! A client is looked for by the field with his Telegram id, then by his phone, and made if nobody is found (4.4). The
//! field is what makes an attempt repeatable: what an earlier one made is found by it. What it cannot do is told where it
//! matters ([`memory`]).

mod card;
mod choice;
mod lead;
mod memory;
mod phone;
mod starts;

pub(crate) use card::{IdField, Learned, changes};
pub(crate) use choice::{Candidate, choose};
pub(crate) use lead::{LeadStep, LeadWishes, NewLeads, Pipelines, decide, is_open};
pub(crate) use memory::{Double, People};
pub(crate) use phone::Phone;
pub(crate) use starts::{FieldRef, Marks, StartTarget, Starts};
