//! Finding bots and lanes by the names people give them.

use tandem_journal::{Bot, Lane};
use tandem_model::BotId;

use super::{BotRef, LaneRef, Refusal, RefusalCode, trouble::unreadable};
use crate::{BotDocument, BotPhase, Bridge};

/// How many bots are read from the store at a time.
const PAGE: usize = 500;
/// More lanes than a bot can reasonably have.
pub(crate) const LANES: usize = 10_000;

/// A bot as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) bot: BotId,
    pub(crate) document: BotDocument,
}

impl Found {
    fn of(row: &Bot) -> Result<Self, Refusal> {
        let document =
            row.document.read().map_err(|error| unreadable(&format!("bot {}", row.bot), &error))?;
        Ok(Self { bot: row.bot, document })
    }

    /// For people.
    pub(crate) fn shown(&self) -> String {
        shown(self.bot, self.document.username.as_deref())
    }

    /// Whether it was given back.
    pub(crate) fn is_released(&self) -> bool {
        matches!(self.document.phase, BotPhase::Released { .. })
    }

    fn is(&self, named: &str) -> bool {
        let name = named.strip_prefix('@').unwrap_or(named);
        self.document.username.as_deref().is_some_and(|username| username.eq_ignore_ascii_case(name))
            || self.bot.to_string() == named
    }
}

/// `@username`, or the id of a bot that has none.
pub(crate) fn shown(bot: BotId, username: Option<&str>) -> String {
    username.map_or_else(|| format!("bot {bot}"), |username| format!("@{username}"))
}

impl Bridge {
    /// Every bot there is or was, by id.
    pub(crate) async fn stored_bots(&self) -> Result<Vec<Found>, Refusal> {
        let (mut bots, mut after) = (Vec::new(), None);
        loop {
            let page = self.parts().store.list_bots(after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(bots) };
            after = Some(last.bot);
            for row in &page {
                bots.push(Found::of(row)?);
            }
        }
    }

    /// The bot of this id, if there is or was one.
    pub(crate) async fn stored_bot(&self, bot: BotId) -> Result<Option<Found>, Refusal> {
        let row = self.parts().store.find_bot(bot).await?;
        row.as_ref().map(Found::of).transpose()
    }

    /// The bot a request means; one that was given back only when it is named.
    pub(crate) async fn bot_meant(&self, named: Option<&BotRef>) -> Result<Found, Refusal> {
        let bots = self.stored_bots().await?;
        let Some(BotRef(named)) = named else {
            let mut ours = bots.into_iter().filter(|found| !found.is_released());
            let first = ours.next().ok_or_else(|| {
                Refusal::new(
                    RefusalCode::NoSuchBot,
                    "There is no bot yet.",
                    "Take one over with `tandem adopt`, or with a file and `tandem apply`.",
                )
            })?;
            let others: Vec<String> = ours.map(|found| found.shown()).collect();
            if others.is_empty() {
                return Ok(first);
            }
            return Err(Refusal::new(
                RefusalCode::WhichBot,
                format!("There are several bots: {}, {}.", first.shown(), others.join(", ")),
                "Say which one, by its id or its @username.",
            ));
        };
        let known: Vec<String> = bots.iter().map(Found::shown).collect();
        bots.into_iter().find(|found| found.is(named)).ok_or_else(|| {
            let sentence = format!("There is no bot {named}.");
            if known.is_empty() {
                let what = "Take it over with `tandem adopt`.";
                return Refusal::new(RefusalCode::NoSuchBot, sentence, what);
            }
            let what = format!("Name one of these by its id or its @username: {}.", known.join(", "));
            Refusal::new(RefusalCode::NoSuchBot, sentence, what)
        })
    }

    /// The lane a request means: by its whole name (`app:main`), or by that of its app or route when only one has it.
    pub(crate) async fn lane_meant(&self, named: &LaneRef) -> Result<(Found, Lane), Refusal> {
        let found = self.bot_meant(named.bot.as_ref()).await?;
        let lanes = self.parts().store.list_lanes(found.bot, None, LANES).await?;
        let known: Vec<String> = lanes.iter().map(|lane| lane.name.clone()).collect();
        let short = |lane: &Lane| lane.name.split_once(':').is_some_and(|(_, name)| name == named.lane);
        let mut meant: Vec<Lane> = lanes.iter().filter(|lane| lane.name == named.lane).cloned().collect();
        if meant.is_empty() {
            meant = lanes.into_iter().filter(short).collect();
        }
        match (meant.pop(), meant.is_empty()) {
            (Some(lane), true) => Ok((found, lane)),
            (Some(_), false) => Err(Refusal::new(
                RefusalCode::NoSuchLane,
                format!("{} has an app and a route named {}.", found.shown(), named.lane),
                format!("Say `app:{0}` or `route:{0}`.", named.lane),
            )),
            (None, _) => Err(Refusal::new(
                RefusalCode::NoSuchLane,
                format!("{} has no lane named {}.", found.shown(), named.lane),
                format!("Name one of these: {}.", known.join(", ")),
            )),
        }
    }
}
