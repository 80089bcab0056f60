//! Each bot: who has its stream, and what its routes say.

use tandem_model::PauseReason;

use super::{FindingView, Section};
use crate::{
    Bridge,
    operations::{BotView, LaneStateView, LaneView, Refusal, Serves},
};

impl Bridge {
    pub(super) async fn examine_bots(&self) -> Result<Vec<Section>, Refusal> {
        let mut sections = Vec::new();
        for found in self.stored_bots().await? {
            let bot = self.bot_view(&found).await?;
            let lanes = self.lane_views(bot.bot).await?;
            let mut findings = vec![stream(&bot)];
            let routes = lanes.iter().filter(|lane| lane.serves == Serves::Route);
            findings.extend(routes.map(route));
            findings.extend(self.examine_topology(&found).await?);
            let name = bot.username.as_ref().map(|name| format!(" (@{name})")).unwrap_or_default();
            sections.push(Section { about: format!("bot {}{name}", bot.bot), findings });
        }
        Ok(sections)
    }
}

fn stream(bot: &BotView) -> FindingView {
    match &bot.trouble {
        Some(trouble) => FindingView::bad("updates", format!("{} {}", trouble.sentence, trouble.what_to_do)),
        None if bot.state == "active" => FindingView::good("updates", "Its updates come to Tandem."),
        None => FindingView::skipped("updates", format!("It is {}.", bot.state)),
    }
}

/// A route by the state of its lane. That amoCRM's undocumented hook changed its ways shows here first.
fn route(lane: &LaneView) -> FindingView {
    let name = lane.name.trim_start_matches("route:");
    let step = format!("route {name}");
    let fault = lane.last_fault.as_ref().map(|fault| format!(" ({})", fault.text)).unwrap_or_default();
    match &lane.state {
        LaneStateView::Running => match (lane.held.retrying, lane.held.unknown + lane.held.dead) {
            (0, 0) => FindingView::good(&step, "It gets everything."),
            (retrying, 0) => FindingView::warning(
                &step,
                format!("{retrying} conversations are being tried again{fault}; `tandem held` lists them."),
            ),
            (_, for_people) => FindingView::warning(
                &step,
                format!("{for_people} events wait for a person; `tandem held` lists them."),
            ),
        },
        LaneStateView::Paused { reason: PauseReason::Down, .. } => FindingView::bad(
            &step,
            format!(
                "Its destination cannot be reached or fails for everybody{fault}. Everything is kept and it is tried again by itself."
            ),
        ),
        LaneStateView::Paused { reason: PauseReason::Refused, .. } => FindingView::bad(
            &step,
            format!("Its destination refuses us{fault}. Put that right, then `tandem lanes resume`."),
        ),
        LaneStateView::Paused { reason: PauseReason::Operator, .. } => FindingView::warning(
            &step,
            "It stands still because somebody asked for it; `tandem lanes resume` has it go on.",
        ),
        LaneStateView::Paused { reason: PauseReason::Crowded, .. } => FindingView::bad(
            &step,
            format!("Too many conversations are held{fault}; `tandem held` lists them."),
        ),
    }
}
