//! The figures, as a table and as JSON, each with its bar and whether it is met.

use std::{collections::BTreeMap, path::Path};

use serde::Serialize;

use crate::{machine, spread::Spread};

/// What a figure is to be: a ratio where there are two sides, else the figure itself.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Bar {
    AtLeast(f64),
    AtMost(f64),
    None,
}

impl Bar {
    /// `None` where nothing is asked.
    fn is_met_by(self, value: f64) -> Option<bool> {
        match self {
            Self::AtLeast(bar) => Some(value >= bar),
            Self::AtMost(bar) => Some(value <= bar),
            Self::None => None,
        }
    }
}

impl std::fmt::Display for Bar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::AtLeast(bar) => write!(f, "≥ {bar}"),
            Self::AtMost(bar) => write!(f, "≤ {bar}"),
            Self::None => Ok(()),
        }
    }
}

/// The rounds of both sides, pair by pair.
#[derive(Debug, Default)]
pub(crate) struct Sides {
    ours: Vec<f64>,
    theirs: Vec<f64>,
    ratios: Vec<f64>,
}

impl Sides {
    pub(crate) fn add(&mut self, ours: f64, theirs: f64) {
        self.ours.push(ours);
        self.theirs.push(theirs);
        self.ratios.push(ours / theirs);
    }
}

#[derive(Debug, Serialize)]
struct Row {
    what: String,
    tandem: Spread,
    nginx: Option<Spread>,
    ratio: Option<Spread>,
    bar: Bar,
    met: Option<bool>,
}

/// Everything that was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    machine: BTreeMap<&'static str, String>,
    rows: Vec<Row>,
    notes: Vec<String>,
}

impl Report {
    /// Looks at the machine.
    pub(crate) fn begin(directory: &Path) -> anyhow::Result<Self> {
        let mut machine = machine::describe(directory)?;
        machine.insert("load average before", load_average()?);
        Ok(Self { machine, rows: Vec::new(), notes: Vec::new() })
    }

    /// A figure of both sides; the bar is for the ratio.
    pub(crate) fn rate(&mut self, what: &str, sides: &Sides, bar: Bar) {
        let ratio = Spread::of(&sides.ratios);
        self.rows.push(Row {
            what: what.to_owned(),
            tandem: Spread::of(&sides.ours),
            nginx: Some(Spread::of(&sides.theirs)),
            ratio: Some(ratio),
            bar,
            met: bar.is_met_by(ratio.median),
        });
    }

    /// A figure that nginx does not have.
    pub(crate) fn alone(&mut self, what: &str, rounds: &[f64], bar: Bar) {
        let tandem = Spread::of(rounds);
        let met = bar.is_met_by(tandem.median);
        self.rows.push(Row { what: what.to_owned(), tandem, nginx: None, ratio: None, bar, met });
    }

    pub(crate) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    #[expect(clippy::print_stdout, reason = "a command's output")]
    pub(crate) fn print(mut self, json: bool) -> anyhow::Result<()> {
        self.machine.insert("load average after", load_average()?);
        if json {
            println!("{}", serde_json::to_string_pretty(&self)?);
            return Ok(());
        }
        for (what, value) in &self.machine {
            println!("{what}: {value}");
        }
        println!("\n| | Tandem | nginx | ratio | bar |\n| --- | --- | --- | --- | --- |");
        for Row { what, tandem, nginx, ratio, bar, met } in &self.rows {
            let shown = |spread: &Option<Spread>| spread.as_ref().map(figures).unwrap_or_default();
            let met = met.map_or("", |met| if met { ": met" } else { ": not met" });
            println!("| {what} | {} | {} | {} | {bar}{met} |", figures(tandem), shown(nginx), shown(ratio));
        }
        println!();
        for note in &self.notes {
            println!("{note}");
        }
        Ok(())
    }
}

/// The median and the range, with as many places as tell something.
fn figures(spread: &Spread) -> String {
    let Spread { median, min, max } = *spread;
    let places = if median < 10.0 { 2 } else { usize::from(median < 100.0) };
    if min.to_bits() == max.to_bits() {
        return format!("{median:.places$}");
    }
    format!("{median:.places$} ({min:.places$}..{max:.places$})")
}

fn load_average() -> anyhow::Result<String> {
    let line = std::fs::read_to_string("/proc/loadavg")?;
    Ok(line.split(' ').take(3).collect::<Vec<_>>().join(" "))
}
