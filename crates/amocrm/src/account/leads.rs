//! A client's leads when he writes: an open one is used, a lost one opened again, a new one made, as his route says (4.6);
//! and what the lead is to say of the `/start` that he came by.

use std::{sync::Arc, time::Duration};

use tandem_model::Timestamp;
use tokio::sync::Mutex;

use super::{AmocrmAccount, match_people::Met};
use crate::{
    people::{LeadStep, Marks, Pipelines, Starts, decide},
    rest::{NotHad, Rest},
    tell::RouteSettings,
    wire::people::{
        ContactChange, ContactInfo, LeadChange, LeadInfo, LeadSource, MainContact, NewOfLead, Tag,
    },
};

/// So many of a contact's leads are looked at, the newest first: there is no list that is not an add-on (4.4).
const LATEST: usize = 5;
/// How long pipelines are believed to be as they were.
const GOOD_FOR: Duration = Duration::from_hours(1);

/// The account's pipelines, as they were seen last.
#[derive(Debug, Default)]
pub(super) struct KnownPipelines(Mutex<Option<(Timestamp, Arc<Pipelines>)>>);

impl AmocrmAccount {
    /// Sees to it that a contact has a lead as the route wants it; which one that is.
    pub(super) async fn look_after_leads(
        &self,
        rest: &Rest,
        met: &Met,
        route: &RouteSettings,
        starts: Starts<'_>,
    ) -> Result<Option<u64>, NotHad> {
        if !route.cares_for_leads() {
            return Ok(None);
        }
        let card = match &met.card {
            Some(card) => Some(card.clone()),
            None if met.is_new => None,
            None => rest.contact(met.id).await?,
        };
        self.mark_contact(rest, met, card.as_ref(), starts).await?;
        let leads = match &card {
            Some(card) => self.latest_leads(rest, card).await?,
            None => Vec::new(),
        };
        let of = |id: u64| leads.iter().find(|lead| lead.id == id);
        match decide(&leads, route.lead_wishes()) {
            LeadStep::Use(id) => {
                if let Some(lead) = of(id) {
                    self.mark_lead(rest, lead, LeadChange::default(), starts).await?;
                }
                Ok(Some(id))
            }
            LeadStep::Reopen(id) => match of(id) {
                Some(lead) => self.reopen(rest, lead, route, starts).await,
                None => Ok(None),
            },
            LeadStep::Make => self.make_lead(rest, met.id, route, starts).await,
            LeadStep::Leave => Ok(None),
        }
    }

    /// The newest leads of a contact up to the first open one, newest first.
    pub(super) async fn latest_leads(
        &self,
        rest: &Rest,
        card: &ContactInfo,
    ) -> Result<Vec<LeadInfo>, NotHad> {
        let mut ids: Vec<u64> = card.embedded.leads.iter().map(|lead| lead.id).collect();
        ids.sort_unstable_by(|a, b| b.cmp(a));
        let mut leads = Vec::new();
        for id in ids.into_iter().take(LATEST) {
            let Some(lead) = rest.lead(id).await? else { continue };
            let is_open = crate::people::is_open(&lead);
            leads.push(lead);
            if is_open {
                break;
            }
        }
        Ok(leads)
    }

    /// The account's pipelines; none where the account does not tell.
    pub(super) async fn pipelines(&self, rest: &Rest) -> Result<Arc<Pipelines>, NotHad> {
        let mut known = self.pipelines.0.lock().await;
        let now = self.clock.now();
        if let Some((seen_at, pipelines)) = &*known
            && *seen_at <= now
            && now.since(*seen_at) < GOOD_FOR
        {
            return Ok(Arc::clone(pipelines));
        }
        let pipelines = match rest.pipelines().await {
            Ok(pipelines) => pipelines,
            Err(not_had) if not_had.is_refused() => Pipelines::default(),
            Err(not_had) => return Err(not_had),
        };
        let pipelines = Arc::new(pipelines);
        *known = Some((now, Arc::clone(&pipelines)));
        Ok(pipelines)
    }

    async fn reopen(
        &self,
        rest: &Rest,
        lead: &LeadInfo,
        route: &RouteSettings,
        starts: Starts<'_>,
    ) -> Result<Option<u64>, NotHad> {
        let pipelines = self.pipelines(rest).await?;
        let stage = route.reopen_stage.or_else(|| pipelines.first_stage(lead.pipeline_id));
        let Some(stage) = stage else { return Ok(None) };
        let pipeline = pipelines.place(stage, Some(lead.pipeline_id)).filter(|id| *id != lead.pipeline_id);
        let change = LeadChange { status_id: Some(stage), pipeline_id: pipeline, ..LeadChange::default() };
        self.mark_lead(rest, lead, change, starts).await?;
        Ok(Some(lead.id))
    }

    /// Changes a lead, and has it say where its client came from. What is refused of the latter keeps nothing else.
    async fn mark_lead(
        &self,
        rest: &Rest,
        lead: &LeadInfo,
        change: LeadChange,
        starts: Starts<'_>,
    ) -> Result<(), NotHad> {
        let tags: Vec<String> = lead.embedded.tags.iter().map(|tag| tag.name.clone()).collect();
        let marks = starts.for_lead(lead.custom_fields_values.as_deref().unwrap_or_default(), &tags);
        let marked = with_marks(change.clone(), marks);
        let mut ways = vec![marked];
        if ways[0] != change {
            ways.push(change);
        }
        for way in ways.into_iter().filter(|way| *way != LeadChange::default()) {
            match rest.change_lead(lead.id, &way).await {
                Err(not_had) if not_had.is_refused() => {
                    self.say_refused("a lead cannot be changed", &not_had);
                }
                done => return done,
            }
        }
        Ok(())
    }

    async fn mark_contact(
        &self,
        rest: &Rest,
        met: &Met,
        card: Option<&ContactInfo>,
        starts: Starts<'_>,
    ) -> Result<(), NotHad> {
        let fields = card.and_then(|card| card.custom_fields_values.as_deref()).unwrap_or_default();
        let custom_fields_values = starts.for_contact(fields);
        let change = ContactChange { custom_fields_values, ..ContactChange::default() };
        if change.is_empty() {
            return Ok(());
        }
        match rest.change_contact(met.id, &change).await {
            Err(not_had) if not_had.is_refused() => {
                self.say_refused("a contact cannot say where its client came from", &not_had);
                Ok(())
            }
            done => done,
        }
    }

    /// Makes a lead as the route says. What of that is refused (a stage that is gone, a user who left) is left out: a
    /// lead in the wrong place is found sooner than none.
    async fn make_lead(
        &self,
        rest: &Rest,
        contact: u64,
        route: &RouteSettings,
        starts: Starts<'_>,
    ) -> Result<Option<u64>, NotHad> {
        let (pipeline_id, status_id) = if route.pipeline.is_some() || route.stage.is_some() {
            self.pipelines(rest).await?.resolve(route.pipeline, route.stage)
        } else {
            (None, None)
        };
        let source = match &route.source {
            Some(external_id) if self.keep_source(rest, route).await => {
                Some(LeadSource { external_id: external_id.clone(), kind: "widget" })
            }
            Some(_) | None => None,
        };
        let embedded =
            |source| NewOfLead { contacts: vec![MainContact { id: contact, is_main: true }], source };
        let bare = LeadChange { embedded: Some(embedded(None)), ..LeadChange::default() };
        let placed = LeadChange {
            pipeline_id,
            status_id,
            responsible_user_id: route.responsible,
            embedded: Some(embedded(source)),
            ..LeadChange::default()
        };
        let whole = with_marks(placed.clone(), starts.for_lead(&[], &[]));
        let mut ways = vec![whole, placed, bare];
        ways.dedup();
        for way in ways {
            match rest.make_lead(&way).await {
                Ok(id) => return Ok(Some(id)),
                Err(not_had) if not_had.is_refused() => {
                    self.say_refused("a lead cannot be made so", &not_had);
                }
                Err(not_had) => return Err(not_had),
            }
        }
        Ok(None)
    }
}

fn with_marks(change: LeadChange, marks: Marks) -> LeadChange {
    LeadChange {
        custom_fields_values: marks.fields,
        tags_to_add: marks.tags.into_iter().map(|name| Tag { name }).collect(),
        ..change
    }
}
