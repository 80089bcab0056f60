//! Rules of routes: which are in force, and what a list would have done with what has happened.

use std::collections::{BTreeMap, VecDeque};

use tandem_journal::{Lane, Page, Route as RouteRow};
use tandem_model::Event;

use super::{
    BotRef, LaneRef, Refusal, RefusalCode, Response, RouteRulesView, RuleCount, TriedRules, TriedView,
    TryRules, find::Found, trouble::unreadable,
};
use crate::{
    Bridge, RouteDocument,
    rules::{Decided, Decision, Facts, RouteRules, Rules, Speaker, check},
};

/// Most events that are looked at.
const EVENTS: u64 = 200_000;
/// How many are read at a time.
const PAGE: Page = Page { events: 500, bytes: 1 << 20 };
/// How many are listed, where nobody says, and at most.
const LISTED: (usize, usize) = (50, 1000);
/// How much of a text is shown.
const CHARACTERS: usize = 80;

impl Bridge {
    /// The rules of one route, or of all of a bot's.
    pub(super) async fn show_rules(
        &self,
        named: Option<&BotRef>,
        route: Option<&str>,
    ) -> Result<Response, Refusal> {
        let found = self.bot_meant(named).await?;
        let mut routes = Vec::new();
        for row in self.parts().store.list_routes(found.bot).await? {
            if route.is_none_or(|route| route == row.name) {
                let document = read(&row)?;
                routes.push(RouteRulesView {
                    bot: found.bot,
                    defaults: document.audience(),
                    versions: document.rules.versions().to_vec(),
                    route: row.name,
                });
            }
        }
        match route {
            Some(route) if routes.is_empty() => Err(no_route(&found, route)),
            _ => Ok(Response::Rules { routes }),
        }
    }

    /// Asks a list of rules about what a route was given. Nothing is changed or told.
    pub(super) async fn try_rules(&self, asked: &TryRules) -> Result<Response, Refusal> {
        let (found, document, lane) = self.route_meant(asked).await?;
        let audience = document.audience();
        let in_force = RouteRules::of(&document.rules, audience);
        let tried = match &asked.rules {
            Some(rules) => {
                check(rules, audience).map_err(|problem| {
                    let sentence = format!("The rules cannot be used: {problem}.");
                    Refusal::new(RefusalCode::BadRequest, sentence, "Correct it and try again.")
                })?;
                Some(Rules::of(rules, audience))
            }
            None => None,
        };
        let from = self.position(found.bot, asked.since).await?;
        let mut trial = Trial {
            limit: asked.limit.unwrap_or(LISTED.0).min(LISTED.1),
            only_changed: asked.only_changed,
            told: TriedRules {
                bot: found.bot,
                route: asked.route.clone(),
                from,
                to: from.previous(),
                more: false,
                events: 0,
                shown: 0,
                skipped: 0,
                changed: 0,
                counts: Vec::new(),
                listed: Vec::new(),
            },
            counts: BTreeMap::new(),
            listed: VecDeque::new(),
        };
        loop {
            let after = trial.told.to;
            let page = self.parts().store.read_lane(found.bot, lane.id, after, PAGE).await?;
            for event in &page.events {
                let Some(facts) = Facts::of(event) else { continue };
                let before = in_force.at(event.seq).decide(&facts);
                let now = tried.as_ref().map(|rules| rules.decide(&facts));
                trial.note(event, &facts, before, now);
            }
            trial.told.to = page.scanned_to.max(after);
            trial.told.more = page.scanned_to < page.head;
            if !trial.told.more || page.scanned_to <= after || trial.told.events >= EVENTS {
                return Ok(Response::RulesTried(Box::new(trial.finish())));
            }
        }
    }

    async fn route_meant(&self, asked: &TryRules) -> Result<(Found, RouteDocument, Lane), Refusal> {
        let found = self.bot_meant(asked.bot.as_ref()).await?;
        let rows = self.parts().store.list_routes(found.bot).await?;
        let row =
            rows.iter().find(|row| row.name == asked.route).ok_or_else(|| no_route(&found, &asked.route))?;
        let lane = LaneRef { bot: asked.bot.clone(), lane: format!("route:{}", row.name) };
        let (found, lane) = self.lane_meant(&lane).await?;
        Ok((found, read(row)?, lane))
    }
}

/// What has come of a trial so far.
struct Trial {
    limit: usize,
    only_changed: bool,
    told: TriedRules,
    counts: BTreeMap<String, u64>,
    listed: VecDeque<TriedView>,
}

impl Trial {
    /// `before`: by the rules in force then. `tried`: by those that are tried, if any are.
    fn note(&mut self, event: &Event, facts: &Facts<'_>, before: Decided, tried: Option<Decided>) {
        let told = &mut self.told;
        told.events += 1;
        let changed = tried.as_ref().is_some_and(|tried| tried.decision != before.decision);
        told.changed += u64::from(changed);
        let then = tried.is_some().then(|| word(&before.decision).to_owned());
        let Decided { decision, by } = tried.unwrap_or(before);
        match decision {
            Decision::Show | Decision::ShowAs(_) => told.shown += 1,
            Decision::Skip => told.skipped += 1,
        }
        *self.counts.entry(format!("{by}")).or_default() += 1;
        if self.limit == 0 || (self.only_changed && !changed) {
            return;
        }
        if self.listed.len() == self.limit {
            self.listed.pop_front();
        }
        self.listed.push_back(TriedView {
            seq: event.seq,
            at: event.at,
            conversation: event.conversation.as_str().to_owned(),
            kind: facts.kind().to_owned(),
            author: match facts.speaker() {
                Speaker::Client => "client".to_owned(),
                Speaker::Bot(Some(app)) => format!("app:{app}"),
                Speaker::Bot(None) => "bot".to_owned(),
                Speaker::Manager => "manager".to_owned(),
            },
            text: facts.text().chars().take(CHARACTERS).collect(),
            decision: word(&decision).to_owned(),
            line: match decision {
                Decision::ShowAs(line) => Some(line),
                Decision::Show | Decision::Skip => None,
            },
            by: format!("{by}"),
            then: then.filter(|_| changed),
        });
    }

    fn finish(self) -> TriedRules {
        let counts = self.counts.into_iter().map(|(by, events)| RuleCount { by, events }).collect();
        TriedRules { counts, listed: self.listed.into(), ..self.told }
    }
}

const fn word(decision: &Decision) -> &'static str {
    match decision {
        Decision::Show => "show",
        Decision::Skip => "skip",
        Decision::ShowAs(_) => "show_as",
    }
}

fn read(row: &RouteRow) -> Result<RouteDocument, Refusal> {
    row.document.read().map_err(|error| unreadable(&format!("route {}", row.name), &error))
}

fn no_route(found: &Found, route: &str) -> Refusal {
    Refusal::new(
        RefusalCode::NoSuchLane,
        format!("{} has no route named {route}.", found.shown()),
        "`tandem lanes` lists its routes.",
    )
}
