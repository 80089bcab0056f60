//! The figures, as a table and as JSON, each with its bars and whether they are met.

use std::{collections::BTreeMap, path::Path, process::Command};

use anyhow::Context as _;
use serde::Serialize;

use crate::{
    comparison::{Sides, Who},
    machine,
    spread::Spread,
};

/// What a figure is to be: a ratio to a rival's, or the figure itself.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Bar {
    AtLeast(f64),
    AtMost(f64),
}

impl Bar {
    fn is_met_by(self, value: f64) -> bool {
        match self {
            Self::AtLeast(bar) => value >= bar,
            Self::AtMost(bar) => value <= bar,
        }
    }
}

impl std::fmt::Display for Bar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::AtLeast(bar) => write!(f, "≥ {bar}"),
            Self::AtMost(bar) => write!(f, "≤ {bar}"),
        }
    }
}

/// A bar, and how it went.
#[derive(Debug, Serialize)]
struct Judged {
    /// Whose figure Tandem's is divided by; nobody's: the figure itself.
    of: Option<Who>,
    bar: Bar,
    met: bool,
}

#[derive(Debug, Serialize)]
struct Row {
    what: String,
    figures: BTreeMap<Who, Spread>,
    /// Tandem's figure divided by the rival's, round by round.
    ratios: BTreeMap<Who, Spread>,
    bars: Vec<Judged>,
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
    pub(crate) fn begin(directory: &Path, nginx: &Path) -> anyhow::Result<Self> {
        let mut machine = machine::describe(directory)?;
        machine.insert("kernel", std::fs::read_to_string("/proc/sys/kernel/osrelease")?.trim().to_owned());
        machine.insert("when", said_by(Command::new("date").args(["-u", "+%F %R UTC"]))?);
        machine.insert("nginx", said_by(Command::new(nginx).arg("-v"))?);
        machine.insert("build", if cfg!(debug_assertions) { "debug" } else { "release" }.to_owned());
        machine.insert("load average before", load_average()?);
        Ok(Self { machine, rows: Vec::new(), notes: Vec::new() })
    }

    /// A figure of everybody; the bars are for Tandem's ratios.
    pub(crate) fn compared(&mut self, what: &str, sides: &Sides, bars: &[(Who, Bar)]) {
        let figures: BTreeMap<_, _> = sides.iter().map(|(who, rounds)| (*who, Spread::of(rounds))).collect();
        let ours = sides.get(&Who::Tandem).map_or(&[][..], Vec::as_slice);
        let ratio = |theirs: &Vec<f64>| -> Option<Spread> {
            let ratios: Vec<f64> =
                ours.iter().zip(theirs).filter(|(_, theirs)| **theirs > 0.0).map(|(o, t)| o / t).collect();
            (!ratios.is_empty()).then(|| Spread::of(&ratios))
        };
        let ratios: BTreeMap<_, _> = sides
            .iter()
            .filter(|(who, _)| matches!(who, Who::Nginx | Who::Relay))
            .filter_map(|(who, theirs)| Some((*who, ratio(theirs)?)))
            .collect();
        let bars = bars.iter().filter_map(|(of, bar)| {
            let met = bar.is_met_by(ratios.get(of)?.median);
            Some(Judged { of: Some(*of), bar: *bar, met })
        });
        let bars = bars.collect();
        self.rows.push(Row { what: what.to_owned(), figures, ratios, bars });
    }

    /// A figure that nobody else has.
    pub(crate) fn alone(&mut self, what: &str, rounds: &[f64], bar: Option<Bar>) {
        let ours = Spread::of(rounds);
        let bars = bar.map(|bar| Judged { of: None, bar, met: bar.is_met_by(ours.median) });
        self.rows.push(Row {
            what: what.to_owned(),
            figures: BTreeMap::from([(Who::Tandem, ours)]),
            ratios: BTreeMap::new(),
            bars: bars.into_iter().collect(),
        });
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
        println!("\n| | stub | nginx | relay | Tandem | of nginx | of the relay | bar |");
        println!("| --- | --- | --- | --- | --- | --- | --- | --- |");
        for Row { what, figures, ratios, bars } in &self.rows {
            let shown = |of: &BTreeMap<Who, Spread>, who| of.get(&who).map(shown).unwrap_or_default();
            let [stub, nginx, relay, tandem] =
                [Who::Stub, Who::Nginx, Who::Relay, Who::Tandem].map(|who| shown(figures, who));
            let [of_nginx, of_relay] = [Who::Nginx, Who::Relay].map(|who| shown(ratios, who));
            let bars: Vec<String> = bars.iter().map(Judged::to_string).collect();
            let bars = bars.join("; ");
            println!("| {what} | {stub} | {nginx} | {relay} | {tandem} | {of_nginx} | {of_relay} | {bars} |");
        }
        println!();
        for note in &self.notes {
            println!("{note}");
        }
        Ok(())
    }
}

impl std::fmt::Display for Judged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let of = match self.of {
            Some(Who::Relay) => " of the relay",
            Some(_) => " of nginx",
            None => "",
        };
        write!(f, "{}{of}: {}", self.bar, if self.met { "met" } else { "**missed**" })
    }
}

/// The median and the range, with as many places as tell something.
fn shown(spread: &Spread) -> String {
    let Spread { median, min, max } = *spread;
    let places = if median < 10.0 { 2 } else { usize::from(median < 100.0) };
    if min.to_bits() == max.to_bits() {
        return format!("{median:.places$}");
    }
    format!("{median:.places$} ({min:.places$}..{max:.places$})")
}

/// What a command prints on one line, wherever.
fn said_by(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().with_context(|| command.get_program().display().to_string())?;
    let said = if output.stdout.is_empty() { output.stderr } else { output.stdout };
    Ok(String::from_utf8_lossy(&said).trim().to_owned())
}

fn load_average() -> anyhow::Result<String> {
    let line = std::fs::read_to_string("/proc/loadavg")?;
    Ok(line.split(' ').take(3).collect::<Vec<_>>().join(" "))
}
