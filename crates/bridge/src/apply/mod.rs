//! `bots.toml` (DESIGN section 8): what connections, bots, apps and routes there are to be, and the plan that gets there.
//!
//! A file says what is wanted, not what to do. The plan is the difference to what is there: empty the second time.
//! It is shown before it is carried out. Nothing is removed unless that is asked for, and a bot never: it is given
//! back by `release`, which puts its holder's webhook back.

mod connection_file;
mod connections;
mod desired;
mod doubled;
mod execute;
mod file;
mod plan;
mod written;

pub use desired::{Desired, DesiredApp, DesiredBot, DesiredConnection, DesiredRoute};
pub use file::{FileError, Problem, load, parse};

use std::sync::Arc;

use futures_util::{StreamExt as _, stream};

use self::plan::{Change, Step};
use crate::{
    Bridge,
    adopt::read_token,
    operations::{Applied, Apply, ApplyMode, Others, Refusal, RefusedView, StepAction, StepView},
};

/// So many bots at a time: taking one over is a matter of seconds in which there is nothing to do but listen for
/// another program that polls it.
const AT_A_TIME: usize = 256;

/// What came of one bot: what was done, and why no more.
struct Outcome {
    steps: Vec<StepView>,
    refused: Option<RefusedView>,
}

impl Bridge {
    /// Shows a plan, or carries it out. A step that fails ends what is done for its bot, and for no other; what was
    /// done stays, and running it again goes on. Refused altogether only when every bot was.
    pub(crate) async fn apply(&self, asked: Apply) -> Result<Applied, Refusal> {
        let Apply { desired, mode, others } = asked;
        let asked = desired.bots.len() + desired.connections.len();
        let mut steps = Vec::new();
        let refused = self.apply_connections(&desired.connections, mode, &mut steps).await;
        let coming: Arc<[String]> =
            desired.connections.iter().map(|connection| connection.name.clone()).collect();
        let bots = desired.bots.into_iter().enumerate().map(|(place, bot)| {
            let (bridge, coming) = (self.clone(), Arc::clone(&coming));
            async move { bridge.apply_to(place, &bot, &coming, mode, others).await }
        });
        let mut applied = Applied { steps, executed: mode == ApplyMode::Execute, refused };
        let mut outcomes = stream::iter(bots).buffered(AT_A_TIME);
        while let Some(Outcome { steps, refused }) = outcomes.next().await {
            applied.steps.extend(steps);
            applied.refused.extend(refused);
        }
        drop(outcomes);
        if others == Others::Prune && applied.refused.is_empty() {
            self.prune_connections(&desired.connections, mode, &mut applied.steps).await?;
        }
        match applied.refused.first() {
            Some(RefusedView { refusal, .. }) if applied.refused.len() == asked => Err(refusal.clone()),
            _ => Ok(applied),
        }
    }

    /// `place`: where it stands in the file, from 0.
    /// `coming`: connections that the file makes or has.
    async fn apply_to(
        &self,
        place: usize,
        bot: &DesiredBot,
        coming: &[String],
        mode: ApplyMode,
        others: Others,
    ) -> Outcome {
        let mut name = match read_token(bot.token.expose()) {
            Ok(token) => format!("bot {}", token.bot()),
            Err(_said_when_it_is_looked_at) => format!("[[bot]] number {}", place + 1),
        };
        let mut steps = Vec::new();
        let done = self.bring_about(bot, coming, (mode, others), &mut name, &mut steps).await;
        let refused = done.err().map(|refusal| RefusedView { bot: name, refusal });
        Outcome { steps, refused }
    }

    /// What was done is in `views`, however far it came; `name` becomes what people call the bot.
    async fn bring_about(
        &self,
        bot: &DesiredBot,
        coming: &[String],
        (mode, others): (ApplyMode, Others),
        name: &mut String,
        views: &mut Vec<StepView>,
    ) -> Result<(), Refusal> {
        let known = self.look_at(bot).await?;
        *name = known.shown();
        self.refuse_doubled(bot, &known, others).await?;
        if let (Some(held), ApplyMode::Plan) = (&known.to_adopt, mode) {
            views.push(known.view_of_adoption(held));
        }
        if known.to_adopt.is_some() && mode == ApplyMode::Execute {
            views.push(self.adopt_as_wished(bot, &known).await?);
        }
        for step in self.plan(bot, &known, coming, others).await? {
            let mut view = view(&step);
            if mode == ApplyMode::Execute {
                view.app_token = self.execute(&step).await?;
            }
            views.push(view);
        }
        Ok(())
    }
}

fn view(step: &Step) -> StepView {
    let (action, what) = match &step.change {
        Change::SetGuard(_) => (StepAction::Change, format!("guard {}", step.bot)),
        Change::AddApp(app) => (StepAction::Add, format!("app {}/{}", step.bot, app.name)),
        Change::SetApp(app) => (StepAction::Change, format!("app {}/{}", step.bot, app.name)),
        Change::SetOwners(_) => (StepAction::Change, format!("owners of {}", step.bot)),
        Change::RemoveApp(name) => (StepAction::Remove, format!("app {}/{name}", step.bot)),
        Change::AddRoute { route, .. } => (StepAction::Add, format!("route {}/{}", step.bot, route.name)),
        Change::SetRoute { route, .. } => (StepAction::Change, format!("route {}/{}", step.bot, route.name)),
        Change::RemoveRoute(name) => (StepAction::Remove, format!("route {}/{name}", step.bot)),
    };
    StepView { action, what, sentence: step.sentence.clone(), app_token: None, notes: Vec::new() }
}
