//! The account's pipelines, fixed: a main one and a second one, so that a source can lead elsewhere.

use serde::Serialize;

/// The main pipeline.
pub(crate) const MAIN: u64 = 7_100_001;
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
