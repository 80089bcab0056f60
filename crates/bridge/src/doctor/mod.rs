//! Looking at everything that has to be right, step by step, a sentence each: what `tandem doctor` shows.
//!
//! Nothing is changed by it, and nothing is sent to anybody but ourselves, except by probes, which are asked for by
//! name and settle what no documentation says ([`Account::probe`](tandem_vendor::Account::probe)).

mod bots;
mod connections;
mod reach;
mod service;
mod topology;

use serde::{Deserialize, Serialize};
use tandem_vendor::{Finding, FindingState};

use crate::{
    Bridge,
    operations::{Refusal, RefusalCode},
};

use reach::Reached;
pub(crate) use reach::SelfWords;

/// What is to be looked at.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Doctor {
    /// Also try out at accounts of this vendor what no documentation says. Writes into a chat of its own there.
    pub probe: Option<String>,
    /// To whom what only sending shows may be sent, by the vendor's name of him. Nobody unless named.
    #[serde(default)]
    pub to: Option<String>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Section by section.
    pub sections: Vec<Section>,
}

/// What was found of one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// Of what: `tandem`, `bot 777 (@shop_bot)`, `connection shop`, `probe shop`.
    pub about: String,
    /// Step by step.
    pub findings: Vec<FindingView>,
}

/// What was found in a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingView {
    /// What was looked at: a stable word.
    pub step: String,
    /// How it is.
    pub state: StateView,
    /// What was found, and what to do.
    pub sentence: String,
}

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateView {
    /// As it should be.
    Good,
    /// It works, and somebody should know.
    Warning,
    /// It does not work.
    Bad,
    /// It could not be looked at.
    Skipped,
}

impl Report {
    /// Whether something does not work.
    pub fn is_bad(&self) -> bool {
        let mut findings = self.sections.iter().flat_map(|section| &section.findings);
        findings.any(|finding| finding.state == StateView::Bad)
    }
}

impl From<Finding> for FindingView {
    fn from(Finding { step, state, sentence }: Finding) -> Self {
        let state = match state {
            FindingState::Good => StateView::Good,
            FindingState::Warning => StateView::Warning,
            FindingState::Bad => StateView::Bad,
            FindingState::Skipped => StateView::Skipped,
        };
        Self { step: step.to_owned(), state, sentence }
    }
}

impl FindingView {
    fn new(step: &str, state: StateView, sentence: impl Into<String>) -> Self {
        Self { step: step.to_owned(), state, sentence: sentence.into() }
    }

    fn good(step: &str, sentence: impl Into<String>) -> Self {
        Self::new(step, StateView::Good, sentence)
    }

    fn warning(step: &str, sentence: impl Into<String>) -> Self {
        Self::new(step, StateView::Warning, sentence)
    }

    fn bad(step: &str, sentence: impl Into<String>) -> Self {
        Self::new(step, StateView::Bad, sentence)
    }

    fn skipped(step: &str, sentence: impl Into<String>) -> Self {
        Self::new(step, StateView::Skipped, sentence)
    }
}

impl Bridge {
    /// Looks at everything.
    pub(crate) async fn examine(&self, asked: &Doctor) -> Result<Report, Refusal> {
        if let Some(vendor) = &asked.probe
            && !self.connections().list().iter().any(|live| live.vendor() == vendor)
        {
            return Err(Refusal::new(
                RefusalCode::BadRequest,
                format!("There is no connection to {vendor} to try anything out at."),
                "Describe one under [[connection]] in a file and run `tandem apply`; `tandem connections` lists those that are there.",
            ));
        }
        let mut sections = vec![self.examine_service().await?];
        sections.extend(self.examine_bots().await?);
        sections.extend(self.examine_connections().await);
        if let Some(vendor) = &asked.probe {
            sections.extend(self.probe(vendor, asked.to.as_deref()).await);
        }
        Ok(Report { sections })
    }
}
