//! `bots.toml` (DESIGN section 8): what bots, apps and routes there are to be, and the plan that gets there.
//!
//! A file says what is wanted, not what to do. The plan is the difference to what is there: empty the second time.
//! It is shown before it is carried out. Nothing is removed unless that is asked for, and a bot never: it is given
//! back by `release`, which puts its holder's webhook back.

mod desired;
mod execute;
mod file;
mod plan;

pub use desired::{Desired, DesiredApp, DesiredBot, DesiredRoute};
pub use file::{FileError, Problem, load, parse};

use self::plan::{Change, Step};
use crate::{
    Bridge,
    operations::{Applied, Apply, ApplyMode, Refusal, StepAction, StepView},
};

impl Bridge {
    /// Shows a plan, or carries it out. A step that fails ends it; what was done stays, and running it again goes on.
    pub(crate) async fn apply(&self, asked: Apply) -> Result<Applied, Refusal> {
        let mut views = Vec::new();
        for bot in &asked.desired.bots {
            let known = self.look_at(bot).await?;
            if let (Some(held), ApplyMode::Plan) = (&known.to_adopt, asked.mode) {
                views.push(known.view_of_adoption(held));
            }
            if known.to_adopt.is_some() && asked.mode == ApplyMode::Execute {
                views.push(self.adopt_as_wished(bot, &known).await?);
            }
            for step in self.plan(bot, &known, asked.others).await? {
                let mut view = view(&step);
                if asked.mode == ApplyMode::Execute {
                    view.app_token = self.execute(&step).await?;
                }
                views.push(view);
            }
        }
        Ok(Applied { steps: views, executed: asked.mode == ApplyMode::Execute })
    }
}

fn view(step: &Step) -> StepView {
    let (action, what) = match &step.change {
        Change::AddApp(app) => (StepAction::Add, format!("app {}/{}", step.bot, app.name)),
        Change::SetApp(app) => (StepAction::Change, format!("app {}/{}", step.bot, app.name)),
        Change::RemoveApp(name) => (StepAction::Remove, format!("app {}/{name}", step.bot)),
        Change::AddRoute { route, .. } => (StepAction::Add, format!("route {}/{}", step.bot, route.name)),
        Change::SetRoute { route, .. } => (StepAction::Change, format!("route {}/{}", step.bot, route.name)),
        Change::RemoveRoute(name) => (StepAction::Remove, format!("route {}/{name}", step.bot)),
    };
    StepView { action, what, sentence: step.sentence.clone(), app_token: None, notes: Vec::new() }
}
