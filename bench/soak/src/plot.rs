//! Draws a soak as an SVG: a panel for each question, one time axis below all of them.
//!
//! Written by hand: plain lines on white, a scale of round numbers beginning at zero, no font but the reader's own.

use std::fmt::Write as _;

use crate::{
    history::{History, Sample},
    judge::to_f64,
};

const WIDTH: f64 = 900.0;
/// Where the lines are: room for the scale on the left.
const LEFT: f64 = 90.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 64.0;
/// From one panel to the next, and the part of it that is drawn in.
const PANEL: f64 = 158.0;
const DRAWN: f64 = 104.0;
const BELOW: f64 = 40.0;

const BLUE: &str = "#1f5fa8";
const ORANGE: &str = "#c2571a";
const GREEN: &str = "#2f7d4f";

/// Some lines with one scale.
struct Panel {
    title: &'static str,
    unit: &'static str,
    lines: Vec<Line>,
}

struct Line {
    name: &'static str,
    colour: &'static str,
    values: Vec<f64>,
}

/// The whole picture.
pub(crate) fn draw(history: &History) -> String {
    let times: Vec<f64> = history.samples.iter().map(|sample| sample.at_s / 60.0).collect();
    let end = times.last().copied().unwrap_or(1.0).max(1e-6);
    let panels = panels(history);
    let height = TOP + PANEL * to_f64(panels.len() as u64) + BELOW - 20.0;
    let mut svg = String::new();
    let _ = writeln!(
        svg,
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" font-family="sans-serif" font-size="12" fill="#333">
<rect width="{WIDTH}" height="{height}" fill="#fff"/>
<text x="{LEFT}" y="24" font-size="16" font-weight="bold">{} bots, {} active, a backlog of {}</text>
<text x="{LEFT}" y="42">{}</text>"##,
        count(to_f64(history.plan.bots as u64)),
        history.plan.active(),
        count(to_f64(history.plan.backlog)),
        escaped(&format!(
            "{} messages of clients a second; {}",
            history.plan.rate,
            history.machine.get("processor").map_or("", String::as_str)
        )),
    );
    let minutes = Scale::of(end, 12);
    for (place, panel) in panels.iter().enumerate() {
        let top = TOP + PANEL * to_f64(place as u64);
        panel.draw(&mut svg, top, &times, end, &minutes);
    }
    let bottom = TOP + PANEL * to_f64(panels.len() as u64) - PANEL + 24.0 + DRAWN;
    for mark in minutes.marks(end) {
        let _ = writeln!(
            svg,
            r#"<text x="{:.1}" y="{:.1}" text-anchor="middle">{}</text>"#,
            x(mark, end),
            bottom + 16.0,
            count(mark)
        );
    }
    let _ = writeln!(
        svg,
        r#"<text x="{:.1}" y="{:.1}" text-anchor="middle">minutes since clients began to write</text>"#,
        f64::midpoint(LEFT, WIDTH - RIGHT),
        bottom + 34.0
    );
    svg.push_str("</svg>\n");
    svg
}

fn panels(history: &History) -> Vec<Panel> {
    let samples = &history.samples;
    let line = |name, colour, figure: &dyn Fn(&Sample) -> f64| Line {
        name,
        colour,
        values: samples.iter().map(figure).collect(),
    };
    let mib = |bytes: u64| to_f64(bytes) / f64::from(1 << 20);
    vec![
        Panel {
            title: "Memory of tandem serve",
            unit: "MB",
            lines: vec![
                line("resident (RSS)", BLUE, &|sample| mib(sample.rss_kb << 10)),
                line("its share (PSS)", ORANGE, &|sample| mib(sample.pss_kb << 10)),
            ],
        },
        Panel {
            title: "Open files and sockets",
            unit: "",
            lines: vec![line("open files", BLUE, &|sample| to_f64(sample.open_files))],
        },
        Panel {
            title: "Tasks",
            unit: "",
            lines: vec![line("tasks alive", BLUE, &|sample| to_f64(sample.tasks))],
        },
        Panel {
            title: "Files on disk",
            unit: "MB",
            lines: vec![
                line("database", BLUE, &|sample| mib(sample.database_bytes)),
                line("its log (WAL)", ORANGE, &|sample| mib(sample.log_bytes)),
            ],
        },
        Panel {
            title: "Traffic",
            unit: "/s",
            lines: vec![
                Line {
                    name: "updates given to Tandem",
                    colour: BLUE,
                    values: rates(samples, |one| one.given),
                },
                Line {
                    name: "deliveries to apps and receivers",
                    colour: ORANGE,
                    values: rates(samples, |one| one.taken),
                },
            ],
        },
        Panel {
            title: "Events waiting for the destination that is down, and lost by it to max_bytes",
            unit: "",
            lines: vec![
                line("waiting", BLUE, &|sample| to_f64(sample.waiting_down)),
                line("lost", ORANGE, &|sample| to_f64(sample.lost_down)),
            ],
        },
        Panel {
            title: "Events waiting for the receiver that does not keep up",
            unit: "",
            lines: vec![line("waiting", GREEN, &|sample| to_f64(sample.waiting_slow))],
        },
    ]
}

/// By the second, between one sample and the next.
fn rates(samples: &[Sample], figure: impl Fn(&Sample) -> u64) -> Vec<f64> {
    let mut rates: Vec<f64> = samples
        .windows(2)
        .map(|two| {
            let seconds = (two[1].at_s - two[0].at_s).max(1e-3);
            to_f64(figure(&two[1]).saturating_sub(figure(&two[0]))) / seconds
        })
        .collect();
    // What was before the first is not known.
    if let Some(&first) = rates.first() {
        rates.insert(0, first);
    }
    rates
}

impl Panel {
    fn draw(&self, svg: &mut String, top: f64, times: &[f64], end: f64, minutes: &Scale) {
        let (head, bottom) = (top + 12.0, top + 24.0 + DRAWN);
        let most = self.lines.iter().flat_map(|line| &line.values).copied().fold(0.0, f64::max);
        let scale = Scale::of(most, 4);
        let highest = scale.highest();
        let y = |value: f64| bottom - value / highest * DRAWN;
        let _ = writeln!(svg, r#"<text x="{LEFT}" y="{head}" font-weight="bold">{}</text>"#, self.title);
        for mark in scale.marks(highest) {
            let _ = writeln!(
                svg,
                r##"<path d="M{LEFT} {0:.1}H{1}" stroke="#ddd"/><text x="{2}" y="{3:.1}" text-anchor="end">{4}{5}</text>"##,
                y(mark),
                WIDTH - RIGHT,
                LEFT - 8.0,
                y(mark) + 4.0,
                count(mark),
                if self.unit.is_empty() { String::new() } else { format!(" {}", self.unit) }
            );
        }
        for mark in minutes.marks(end) {
            let _ = writeln!(svg, r##"<path d="M{:.1} {bottom:.1}v4" stroke="#888"/>"##, x(mark, end));
        }
        let mut legend = WIDTH - RIGHT;
        for Line { name, colour, values } in self.lines.iter().rev() {
            let points =
                times.iter().zip(values).map(|(at, value)| format!("{:.1},{:.1}", x(*at, end), y(*value)));
            let points: Vec<String> = points.collect();
            let _ = writeln!(
                svg,
                r#"<polyline points="{}" fill="none" stroke="{colour}" stroke-width="1.5"/>"#,
                points.join(" ")
            );
            let _ = writeln!(svg, r#"<text x="{legend:.1}" y="{head}" text-anchor="end">{name}</text>"#);
            // As wide as such a text is, roughly.
            legend -= to_f64(name.len() as u64) * 6.6 + 8.0;
            let _ = writeln!(
                svg,
                r#"<path d="M{:.1} {:.1}h18" stroke="{colour}" stroke-width="3"/>"#,
                legend - 18.0,
                head - 4.0
            );
            legend -= 34.0;
        }
    }
}

fn x(at: f64, end: f64) -> f64 {
    LEFT + at / end * (WIDTH - LEFT - RIGHT)
}

/// A scale from zero with marks at round numbers.
struct Scale {
    step: f64,
    most: f64,
}

impl Scale {
    /// With about so many marks.
    fn of(most: f64, marks: u32) -> Self {
        let most = if most > 0.0 { most } else { 1.0 };
        let rough = most / f64::from(marks);
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|round| round * power).into_iter().find(|step| *step >= rough);
        Self { step: step.unwrap_or(rough), most }
    }

    /// The mark that nothing is above.
    fn highest(&self) -> f64 {
        (self.most / self.step).ceil() * self.step
    }

    fn marks(&self, to: f64) -> impl Iterator<Item = f64> {
        let step = self.step;
        (0..=100_u32)
            .map(move |number| f64::from(number) * step)
            .take_while(move |mark| *mark <= to * 1.000_001)
    }
}

/// With thousands set apart.
fn count(number: f64) -> String {
    if number.fract() != 0.0 {
        let text = format!("{number:.3}");
        return text.trim_end_matches('0').to_owned();
    }
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_end_above_the_most_and_have_round_marks() {
        let scale = Scale::of(37.0, 4);
        assert_eq!(scale.marks(scale.highest()).collect::<Vec<_>>(), [0.0, 10.0, 20.0, 30.0, 40.0]);
        let scale = Scale::of(0.0, 4);
        assert!(scale.highest() >= 1.0);
    }

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!(
            (count(1_000_000.0), count(0.25), count(100.0)),
            ("1,000,000".into(), "0.25".into(), "100".into())
        );
    }
}
