//! What an operator can do: one [`Request`], one [`Response`] or one [`Refusal`].
//!
//! The command line is a thin client of this: it sends a request over the control socket of a running service, or
//! to a bridge it has opened itself, and shows the answer. Everything that decides is on this side, so that both
//! ways behave the same.
//!
//! Every refusal says what happened and what to do. No answer holds a secret but the token of a new app, once.

pub(crate) mod app_settings;
pub(crate) mod apps;
mod confidential;
pub(crate) mod find;
mod held;
mod lag;
mod lanes;
pub(crate) mod libraries;
mod owners;
mod refusal;
mod replay;
mod request;
mod response;
mod rules;
mod status;
pub(crate) mod trouble;

use crate::Bridge;

pub use confidential::Confidential;
pub use refusal::{Refusal, RefusalCode};
pub use request::{
    Adopt, Allowed, AnotherPoller, AppSettings, Apply, ApplyMode, BotRef, GiveBack, HeldQuery, KeepHolder,
    LaneRef, Others, Point, Release, Replay, ReplayMode, Request, TryRules, Undelivered,
};
pub use response::{
    Adopted, AppToken, AppView, Applied, BotView, FaultView, HealthView, HeldAnswer, HeldCountsView,
    HeldView, HolderView, KeptView, Lag, LaneStateView, LaneView, LibraryLine, Reach, RefusedView, Released,
    Replayed, Response, RouteRulesView, RuleCount, Serves, Status, StepAction, StepView, StoreView, Summary,
    TriedRules, TriedView, Trouble, UndeliveredView,
};

impl Bridge {
    /// Carries out an operation.
    ///
    /// Dropping the future is like a crash in the middle of it: nothing is half committed, and running it again goes
    /// on from there.
    pub async fn perform(&self, request: Request) -> Result<Response, Refusal> {
        match request {
            Request::Status => self.show_status().await,
            Request::Summary => self.show_summary().await,
            Request::Bots => self.list_bots().await,
            Request::SetGuard { bot, policy } => self.set_guard(bot.as_ref(), policy).await,
            Request::Retake { bot } => self.order_retake(bot.as_ref()).await,
            Request::Adopt(asked) => Ok(Response::Adopted(Box::new(self.adopt(asked).await?))),
            Request::Release(asked) => Ok(Response::Released(Box::new(self.release(asked).await?))),
            Request::Apply(asked) => self.apply(asked).await.map(Response::Applied),
            Request::Apps { bot } => self.list_apps(bot.as_ref()).await,
            Request::AddApp { bot, name, settings } => self.add_app(bot.as_ref(), name, &settings).await,
            Request::SetApp { bot, name, settings } => self.set_app(bot.as_ref(), &name, &settings).await,
            Request::RotateApp { bot, name } => self.rotate_app(bot.as_ref(), &name).await,
            Request::RevokeApp { bot, name } => self.revoke_app(bot.as_ref(), name).await,
            Request::ChooseOwner { bot, question, app } => {
                self.choose_owner(bot.as_ref(), question, app).await
            }
            Request::Lanes { bot } => self.list_lanes(bot.as_ref()).await,
            Request::PauseLane { lane } => self.pause_lane(&lane).await,
            Request::ResumeLane { lane } => self.resume_lane(&lane).await,
            Request::Held(query) => self.list_held(&query).await,
            Request::RetryHeld { lane, seq } => self.retry_held(&lane, seq).await,
            Request::SkipHeld { lane, seq } => self.skip_held(&lane, seq).await,
            Request::Replay(asked) => self.replay(&asked).await,
            Request::Connections => Ok(self.list_connections()),
            Request::Connection { name } => self.show_connection(&name),
            Request::Connect { name } => self.connect_connection(&name).await,
            Request::Authorize { name } => self.authorize_connection(&name),
            Request::RemoveConnection { name } => self.remove_connection(name).await,
            Request::Doctor(asked) => self.examine(&asked).await.map(Response::Examined),
            Request::Rules { bot, route } => self.show_rules(bot.as_ref(), route.as_deref()).await,
            Request::TryRules(asked) => self.try_rules(&asked).await,
            Request::Backup { to } => self.back_up(to).await,
        }
    }
}
