//! Figures of many rounds, their medians and spreads, and the table they make.

use std::{collections::BTreeMap, fmt::Write as _};

use serde::Serialize;

/// Rounds of one measurement.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Rounds(Vec<f64>);

impl Rounds {
    pub(crate) fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    pub(crate) fn median(&self) -> f64 {
        self.quartile(2)
    }

    /// The nearest one: 0 is the least, 4 the most.
    fn quartile(&self, number: usize) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len().saturating_sub(1) * number / 4).copied().unwrap_or(f64::NAN)
    }

    /// Each round of this against the same round of the other: what was slow in both is slow in neither.
    pub(crate) fn ratio_to(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(ours, theirs)| ours / theirs).collect())
    }
}

/// What a ratio is held against.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) enum Bar {
    AtLeast(f64),
    AtMost(f64),
}

impl Bar {
    fn met(self, value: f64) -> bool {
        match self {
            Self::AtLeast(bar) => value >= bar,
            Self::AtMost(bar) => value <= bar,
        }
    }
}

/// One line of the table.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) unit: &'static str,
    pub(crate) ours: Rounds,
    /// What it is measured against, and its name.
    pub(crate) against: Option<(&'static str, Rounds)>,
    pub(crate) bar: Option<Bar>,
}

impl Row {
    /// The median of the rounds' ratios; of the rounds themselves when there is nothing beside them.
    fn judged(&self) -> f64 {
        match &self.against {
            Some((_, theirs)) => self.ours.ratio_to(theirs).median(),
            None => self.ours.median(),
        }
    }

    fn verdict(&self) -> &'static str {
        match self.bar {
            None => "",
            Some(bar) if bar.met(self.judged()) => "met",
            Some(_) => "**missed**",
        }
    }
}

/// Everything that was measured.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    pub(crate) machine: BTreeMap<&'static str, String>,
    pub(crate) rows: Vec<Row>,
}

impl Report {
    pub(crate) fn table(&self) -> String {
        let mut table = String::new();
        for (what, value) in &self.machine {
            let _ = writeln!(table, "{what}: {value}");
        }
        table.push_str(
            "\n| what | ours (median, quartiles) | beside it | ratio | bar | |\n|---|---|---|---|---|---|\n",
        );
        for row in &self.rows {
            let ratio = row.against.as_ref().map_or_else(String::new, |_| format!("{:.2}", row.judged()));
            let against = row
                .against
                .as_ref()
                .map_or_else(String::new, |(name, rounds)| format!("{name}: {}", spread(rounds, row.unit)));
            let bar = match row.bar {
                None => String::new(),
                Some(Bar::AtLeast(bar)) => format!("≥ {bar}"),
                Some(Bar::AtMost(bar)) => format!("≤ {bar}"),
            };
            let ours = spread(&row.ours, row.unit);
            let _ = writeln!(
                table,
                "| {} | {ours} | {against} | {ratio} | {bar} | {} |",
                row.what,
                row.verdict()
            );
        }
        table
    }
}

fn spread(rounds: &Rounds, unit: &str) -> String {
    if rounds.0.len() == 1 {
        return format!("{} {unit}", figure(rounds.median()));
    }
    format!(
        "{} {unit} ({}–{})",
        figure(rounds.median()),
        figure(rounds.quartile(1)),
        figure(rounds.quartile(3))
    )
}

/// Three digits that mean something, thousands apart.
fn figure(value: f64) -> String {
    if value < 100.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
