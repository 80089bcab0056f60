//! The account's pipelines, fixed: a main one and a second one, so that a source can lead elsewhere.

use serde::Serialize;

/// The main pipeline.
pub(crate) const MAIN: u64 = 7_100_001;
/// Won, in every pipeline (reference 4.6).
pub(crate) const WON: u64 = 142;
/// Lost, in every pipeline.
pub(crate) const LOST: u64 = 143;

/// One pipeline.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Pipeline {
    pub(crate) id: u64,
    pub(crate) name: &'static str,
    /// Unsorted first, then the stages in order; won and lost belong to all.
    pub(crate) stages: &'static [(u64, &'static str)],
}

/// All of them, the main one first.
pub(crate) const ALL: [Pipeline; 2] = [
    Pipeline {
        id: MAIN,
        name: "Воронка",
        stages: &[
            (61_000_001, "Неразобранное"),
            (61_000_002, "Первичный контакт"),
            (61_000_003, "Переговоры"),
        ],
    },
    Pipeline {
        id: MAIN + 1,
        name: "Опт",
        stages: &[(61_000_011, "Неразобранное"), (61_000_012, "Заявка"), (61_000_013, "Договор")],
    },
];

/// A pipeline by its id.
pub(crate) fn find(id: u64) -> Option<&'static Pipeline> {
    ALL.iter().find(|pipeline| pipeline.id == id)
}

impl Pipeline {
    /// The stage of incoming leads.
    pub(crate) fn unsorted(&self) -> u64 {
        self.stages.first().map_or(0, |(id, _)| *id)
    }

    /// Where an accepted lead goes unless a stage is named.
    pub(crate) fn first_stage(&self) -> u64 {
        self.stages.get(1).map_or(0, |(id, _)| *id)
    }

    /// Whether a lead of this pipeline can stand there.
    pub(crate) fn has(&self, status_id: u64) -> bool {
        status_id == WON || status_id == LOST || self.stages.iter().any(|(id, _)| *id == status_id)
    }
}
