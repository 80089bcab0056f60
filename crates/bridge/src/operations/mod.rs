//! What an operator can do: one [`Request`], one [`Response`] or one [`Refusal`].
//!
//! The command line is a thin client of this: it sends a request over the control socket of a running service, or
//! to a bridge it has opened itself, and shows the answer. Everything that decides is on this side, so that both
//! ways behave the same.
//!
//! Every refusal says what happened and what to do. No answer holds a secret but the token of a new app, once.

mod confidential;
mod refusal;
mod request;
mod response;

pub use confidential::Confidential;
pub use refusal::{Refusal, RefusalCode};
pub use request::{
    Adopt, AppSettings, Apply, ApplyMode, BotRef, GiveBack, HeldQuery, KeepHolder, LaneRef, Others, Point,
    Release, Replay, ReplayMode, Request, Undelivered,
};
pub use response::{
    Adopted, AppToken, AppView, Applied, BotView, FaultView, HealthView, HeldAnswer, HeldCountsView,
    HeldView, HolderView, KeptView, Lag, LaneStateView, LaneView, LibraryLine, Reach, Released, Replayed,
    Response, Serves, Status, StepAction, StepView, StoreView, Trouble, UndeliveredView,
};
