//! A flame graph of what `perf script` prints: one column of frames for each stack, equal ones side by side, as wide as
//! they are frequent. A drawing without scripts: a frame's title tells its name and share.

use std::{collections::BTreeMap, fmt::Write as _};

use anyhow::ensure;

const WIDTH: f64 = 1200.0;
const LINE: f64 = 16.0;
const HEADING: f64 = 48.0;
/// Narrower frames are left out.
const NARROWEST: f64 = 2.0;
/// Of a letter at the size that is used.
const LETTER: f64 = 6.6;

/// Whose code a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Owner {
    Kernel,
    /// SQLite and the C library: what has a C name.
    C,
    /// Tokio, hyper and other crates.
    Crates,
    Tandem,
    /// A thread.
    Thread,
}

impl Owner {
    const ALL: [Self; 4] = [Self::Kernel, Self::C, Self::Crates, Self::Tandem];

    const fn name(self) -> &'static str {
        match self {
            Self::Kernel => "kernel",
            Self::C => "SQLite and libc",
            Self::Crates => "tokio, hyper and other crates",
            Self::Tandem => "Tandem",
            Self::Thread => "threads",
        }
    }

    const fn colour(self) -> &'static str {
        match self {
            Self::Kernel => "#e8a25c",
            Self::C => "#d9c76a",
            Self::Crates => "#9fc58a",
            Self::Tandem => "#7fb2d9",
            Self::Thread => "#cccccc",
        }
    }
}

/// A frame and what was seen above it.
#[derive(Debug, Default)]
struct Node {
    samples: u64,
    above: BTreeMap<(Owner, String), Node>,
}

/// Every sample's stack.
#[derive(Debug, Default)]
pub(crate) struct Stacks {
    root: Node,
    /// Samples by whose code the topmost frame was.
    tops: BTreeMap<Owner, u64>,
}

impl Stacks {
    /// Of the fields `comm,ip,sym`: a line with the thread, a line for each frame from the top down, an empty line.
    pub(crate) fn read(script: &str) -> anyhow::Result<Self> {
        let mut stacks = Self::default();
        for sample in script.split("\n\n") {
            let mut lines = sample.lines().filter(|line| !line.is_empty());
            let Some(thread) = lines.next() else { continue };
            let frames: Vec<_> = lines.filter_map(frame).collect();
            let Some(top) = frames.first() else { continue };
            *stacks.tops.entry(top.0).or_default() += 1;
            let mut node = &mut stacks.root;
            node.samples += 1;
            let thread = (Owner::Thread, thread.trim().to_owned());
            for frame in [thread].into_iter().chain(frames.into_iter().rev()) {
                node = node.above.entry(frame).or_default();
                node.samples += 1;
            }
        }
        ensure!(stacks.root.samples > 0, "perf has seen nothing");
        Ok(stacks)
    }

    /// Whose code was running, for people.
    pub(crate) fn shares(&self) -> String {
        let share = |owner: Owner| {
            let samples = self.tops.get(&owner).copied().unwrap_or_default();
            format!("{} {:.0} %", owner.name(), per_cent(samples, self.root.samples))
        };
        Owner::ALL.map(share).join(", ")
    }

    pub(crate) fn draw(&self, title: &str) -> String {
        let scale = WIDTH / figure(self.root.samples);
        let height = f64::from(depth(&self.root, scale)).mul_add(LINE, HEADING);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"monospace\" font-size=\"11\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
             <text x=\"4\" y=\"16\" font-size=\"14\">{}: {} samples; {}</text>\n",
            escaped(title),
            self.root.samples,
            self.shares()
        );
        let mut x = 4.0;
        for owner in Owner::ALL {
            let (colour, name) = (owner.colour(), owner.name());
            let _ = writeln!(
                svg,
                "<rect x=\"{x}\" y=\"24\" width=\"10\" height=\"10\" fill=\"{colour}\"/><text x=\"{}\" y=\"33\">{name}</text>",
                x + 14.0
            );
            x += 240.0;
        }
        self.draw_above(&self.root, 0.0, height - LINE, scale, &mut svg);
        svg.push_str("</svg>\n");
        svg
    }

    fn draw_above(&self, node: &Node, mut x: f64, y: f64, scale: f64, svg: &mut String) {
        for ((owner, name), above) in &node.above {
            let width = figure(above.samples) * scale;
            if width >= NARROWEST {
                let share = per_cent(above.samples, self.root.samples);
                let (colour, name) = (owner.colour(), escaped(name));
                // Writing to a string never fails.
                let _ = write!(
                    svg,
                    "<g><title>{name}: {share:.1} %</title><rect x=\"{x:.1}\" y=\"{y}\" width=\"{width:.1}\" height=\"{LINE}\" fill=\"{colour}\" stroke=\"#fff\" stroke-width=\".5\"/>"
                );
                if let Some(label) = label(&name, width) {
                    let _ = write!(svg, "<text x=\"{:.1}\" y=\"{}\">{label}</text>", x + 2.0, y + 12.0);
                }
                svg.push_str("</g>\n");
                self.draw_above(above, x, y - LINE, scale, svg);
            }
            x += width;
        }
    }
}

/// A line with an address and a name.
fn frame(line: &str) -> Option<(Owner, String)> {
    let (address, name) = line.trim().split_once(' ')?;
    let address = u64::from_str_radix(address, 16).ok()?;
    let name = without_hash(name.trim());
    let owner = if address >> 63 == 1 {
        Owner::Kernel
    } else if name.contains("tandem") {
        Owner::Tandem
    } else if name.contains("::") || name.contains("rust_") {
        Owner::Crates
    } else {
        Owner::C
    };
    Some((owner, name.to_owned()))
}

/// Rust's names end with a hash that tells nobody anything.
fn without_hash(name: &str) -> &str {
    match name.rsplit_once("::h") {
        Some((name, hash)) if hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) => name,
        _ => name,
    }
}

/// As much of a name as fits.
fn label(name: &str, width: f64) -> Option<String> {
    let mut letters = name.chars();
    let mut shown = String::new();
    let mut used = LETTER;
    while used + LETTER <= width {
        let Some(letter) = letters.next() else { break };
        shown.push(letter);
        used += LETTER;
        if letter == '&' {
            // What is escaped stays whole.
            shown.extend(letters.by_ref().take_while(|letter| *letter != ';'));
            shown.push(';');
        }
    }
    (shown.len() > 2).then_some(shown)
}

fn depth(node: &Node, scale: f64) -> u32 {
    let wide = node.above.values().filter(|above| figure(above.samples) * scale >= NARROWEST);
    wide.map(|above| 1 + depth(above, scale)).max().unwrap_or_default()
}

fn escaped(name: &str) -> String {
    name.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn per_cent(part: u64, whole: u64) -> f64 {
    100.0 * figure(part) / figure(whole)
}

#[expect(clippy::cast_precision_loss, reason = "nobody takes 2^52 samples")]
const fn figure(samples: u64) -> f64 {
    samples as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: &str = "\
tokio-rt-worker
\tffffffff81000000 do_syscall_64
\t    7f0000000010 __send
\t    55d000000020 tandem_gateway::pass::<impl Gateway>::pass::h0123456789abcdef

tokio-rt-worker
\t    55d000000030 hyper::proto::h1::io::flush::h0123456789abcdef
\t    55d000000020 tandem_gateway::pass::<impl Gateway>::pass::h0123456789abcdef

";

    #[test]
    fn a_sample_counts_for_whoever_was_running() {
        let stacks = Stacks::read(SCRIPT).unwrap();
        assert_eq!(
            stacks.shares(),
            "kernel 50 %, SQLite and libc 0 %, tokio, hyper and other crates 50 %, Tandem 0 %"
        );
    }

    #[test]
    fn equal_frames_are_one_and_names_cannot_break_the_drawing() {
        let drawn = Stacks::read(SCRIPT).unwrap().draw("a & b");
        let passes =
            drawn.matches("<title>tandem_gateway::pass::&lt;impl Gateway&gt;::pass: 100.0 %</title>");
        assert_eq!(passes.count(), 1, "{drawn}");
        assert!(drawn.contains("a &amp; b: 2 samples"), "{drawn}");
        assert!(!drawn.contains("h0123456789abcdef"), "{drawn}");
    }

    #[test]
    fn nothing_to_draw_is_an_error() {
        assert!(Stacks::read("\n").is_err());
    }
}
