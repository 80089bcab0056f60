//! What becomes of a client's leads when he writes: an open one is used, a lost one is opened again where that is wished,
//! a new one is made otherwise (4.6).

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::wire::people::{LeadInfo, PipelineInfo};

/// The stage of won leads, the same in every pipeline.
pub(crate) const WON: u64 = 142;
/// That of lost ones.
pub(crate) const LOST: u64 = 143;
/// The type of the stage for what is unsorted.
const UNSORTED: u8 = 1;

/// What becomes of a client who has no lead to be used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum NewLeads {
    /// A lead is made for him.
    #[default]
    Make,
    /// Nothing: whoever sells makes it.
    Leave,
}

/// What a route wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LeadWishes {
    pub(crate) new: NewLeads,
    pub(crate) reopens: bool,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LeadStep {
    Use(u64),
    Reopen(u64),
    Make,
    Leave,
}

/// Whether somebody works on it.
pub(crate) fn is_open(lead: &LeadInfo) -> bool {
    !lead.is_deleted && lead.status_id != WON && lead.status_id != LOST
}

/// Decides; the leads are the latest ones, the newest first. What is won is over: its client begins anew.
pub(crate) fn decide(leads: &[LeadInfo], wishes: LeadWishes) -> LeadStep {
    if let Some(open) = leads.iter().find(|lead| is_open(lead)) {
        return LeadStep::Use(open.id);
    }
    match leads.iter().find(|lead| !lead.is_deleted) {
        Some(lead) if wishes.reopens && lead.status_id == LOST => LeadStep::Reopen(lead.id),
        _ if wishes.new == NewLeads::Make => LeadStep::Make,
        _ => LeadStep::Leave,
    }
}

/// The account's pipelines.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pipelines(BTreeMap<u64, PipelineInfo>);

impl Pipelines {
    pub(crate) fn new(pipelines: Vec<PipelineInfo>) -> Self {
        Self(pipelines.into_iter().map(|pipeline| (pipeline.id, pipeline)).collect())
    }

    pub(crate) fn has(&self, pipeline: u64) -> bool {
        self.0.get(&pipeline).is_some_and(|pipeline| !pipeline.is_archive)
    }

    /// The stage where work begins.
    pub(crate) fn first_stage(&self, pipeline: u64) -> Option<u64> {
        let stages = self.0.get(&pipeline)?.embedded.statuses.iter();
        let open = stages.filter(|stage| stage.kind != UNSORTED && stage.id != WON && stage.id != LOST);
        open.min_by_key(|stage| stage.sort).map(|stage| stage.id)
    }

    /// Where a stage is: in this pipeline if it is there, else in the one that has it. Won and lost are everywhere.
    pub(crate) fn place(&self, stage: u64, wished: Option<u64>) -> Option<u64> {
        let has = |pipeline: &&PipelineInfo| pipeline.embedded.statuses.iter().any(|known| known.id == stage);
        let wished = wished.and_then(|id| self.0.get(&id)).filter(has);
        wished.or_else(|| self.0.values().find(has)).map(|pipeline| pipeline.id)
    }

    /// The pipeline and the stage that are meant by what a route says.
    pub(crate) fn resolve(&self, pipeline: Option<u64>, stage: Option<u64>) -> (Option<u64>, Option<u64>) {
        match (pipeline, stage) {
            (pipeline, Some(stage)) => (self.place(stage, pipeline).or(pipeline), Some(stage)),
            (Some(pipeline), None) => (Some(pipeline), self.first_stage(pipeline)),
            (None, None) => (None, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lead(id: u64, status_id: u64) -> LeadInfo {
        serde_json::from_value(json!({"id": id, "status_id": status_id, "pipeline_id": 7})).unwrap()
    }

    #[test]
    fn an_open_lead_is_used_a_lost_one_opened_again_if_wished_and_a_won_one_is_over() {
        use LeadStep::{Leave, Make, Reopen, Use};
        let wishes = |new, reopens| LeadWishes { new, reopens };
        let deleted = LeadInfo { is_deleted: true, ..lead(9, 5) };
        for (leads, reopens, step) in [
            (vec![], true, Make),
            (vec![lead(3, 5)], true, Use(3)),
            (vec![lead(4, LOST), lead(3, 5)], true, Use(3)),
            (vec![lead(4, LOST), lead(3, WON)], true, Reopen(4)),
            (vec![lead(4, LOST)], false, Make),
            (vec![lead(4, WON), lead(3, LOST)], true, Make),
            (vec![deleted.clone()], true, Make),
            (vec![deleted, lead(4, LOST)], true, Reopen(4)),
        ] {
            assert_eq!(decide(&leads, wishes(NewLeads::Make, reopens)), step, "{leads:?}");
        }
        assert_eq!(decide(&[], wishes(NewLeads::Leave, true)), Leave);
        assert_eq!(decide(&[lead(4, LOST)], wishes(NewLeads::Leave, true)), Reopen(4));
    }

    #[test]
    fn work_begins_at_the_first_stage_that_is_not_for_the_unsorted() {
        let stage = |id: u64, sort: u64, kind: u8| json!({"id": id, "sort": sort, "type": kind});
        let pipeline =
            |id: u64, stages: Vec<serde_json::Value>| json!({"id": id, "_embedded": {"statuses": stages}});
        let shown = json!([
            pipeline(
                7,
                vec![
                    stage(70, 10, 1),
                    stage(72, 30, 0),
                    stage(71, 20, 0),
                    stage(WON, 1, 0),
                    stage(LOST, 2, 0)
                ]
            ),
            pipeline(8, vec![stage(80, 10, 1), stage(81, 20, 0), stage(WON, 1, 0)]),
        ]);
        let pipelines = Pipelines::new(serde_json::from_value(shown).unwrap());
        assert_eq!(pipelines.resolve(Some(7), None), (Some(7), Some(71)));
        assert_eq!(pipelines.resolve(None, Some(81)), (Some(8), Some(81)));
        assert_eq!(pipelines.resolve(Some(7), Some(81)), (Some(8), Some(81)), "a stage says where it is");
        assert_eq!(pipelines.resolve(Some(8), Some(WON)), (Some(8), Some(WON)));
        assert_eq!(pipelines.resolve(None, None), (None, None));
        assert_eq!(pipelines.resolve(Some(9), None), (Some(9), None));
    }
}
