//! What people can have a guard do: another policy, and taking the stream back now.

use crate::{
    BotPhase, Bridge, GuardPolicy, HolderKind,
    operations::{BotRef, Refusal, RefusalCode, Response, find::Found},
};

impl Bridge {
    pub(crate) async fn set_guard(
        &self,
        named: Option<&BotRef>,
        policy: GuardPolicy,
    ) -> Result<Response, Refusal> {
        let found = self.bot_meant(named).await?;
        let found = self.change_guard(&found, |guard| guard.set_policy(policy)).await?;
        Ok(Response::Bot(Box::new(self.bot_view(&found).await?)))
    }

    /// Has the stream taken back, once, whatever was decided before. Done by the bot's intake; without a service at its
    /// next start.
    pub(crate) async fn order_retake(&self, named: Option<&BotRef>) -> Result<Response, Refusal> {
        let found = self.bot_meant(named).await?;
        let guard = &found.document.guard;
        if found.document.phase != BotPhase::Active || guard.taker().is_none() {
            return Err(Refusal::new(
                RefusalCode::WrongState,
                format!("Nobody else is known to have the updates of {}.", found.shown()),
                "Nothing is left to do; `tandem bots` shows what is wrong with a bot.",
            ));
        }
        let now = self.parts().clock.now();
        let is_poller = guard.taker().is_some_and(|taken| taken.by.kind == HolderKind::Poller);
        let is_asked = found.document.upstream == crate::UpstreamMode::Polling;
        let found = self
            .change_guard(&found, |guard| {
                if is_poller && is_asked {
                    // It cannot be sent away, only be shared with.
                    guard.end(now);
                } else {
                    guard.order();
                }
            })
            .await?;
        Ok(Response::Bot(Box::new(self.bot_view(&found).await?)))
    }

    pub(crate) async fn change_guard(
        &self,
        found: &Found,
        mut change: impl FnMut(&mut crate::GuardDocument) + Send,
    ) -> Result<Found, Refusal> {
        let document = self.change_bot(found.bot, &[], |document| change(&mut document.guard)).await?;
        if let Some(live) = self.find_live(found.bot) {
            live.set_known(document.clone(), live.hook());
            live.guard.nudge.notify_one();
        }
        Ok(Found { bot: found.bot, document })
    }
}
