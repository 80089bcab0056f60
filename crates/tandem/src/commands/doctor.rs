//! `tandem doctor`: look at everything that has to be right.

use std::{fmt::Write as _, process::ExitCode};

use clap::Args;
use tandem_bridge::{
    doctor::{Doctor, Report, StateView},
    operations::{Request, Response},
};

use super::ask::ask;
use crate::{Failure, output::Format, settings::Settings};

/// Look at everything that has to be right, step by step
///
/// The database, the public address (by a request to ourselves), each bot and its routes, each connection: token,
/// rights, channel, hooks, source, clock, limits. Says what is wrong and what to do. Changes nothing; the exit code is 1
/// when something does not work.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tandem doctor
  tandem doctor --json | jq '.sections[].findings[] | select(.state == \"bad\")'
  tandem doctor --probe amocrm      Also try out what no documentation says; writes into a chat of its own
  tandem doctor --probe wahelp --to clients_tg:5550001
                                    The same at Wahelp: two messages to this client of this channel, to nobody else")]
pub(crate) struct Arguments {
    /// Try out at this vendor's accounts what no documentation says (docs/untried.md)
    #[arg(long, value_name = "VENDOR")]
    probe: Option<String>,
    /// Whom the probe may send something: at Wahelp a client's number, or <channel>:<number>
    #[arg(long, value_name = "RECIPIENT", requires = "probe")]
    to: Option<String>,
    #[command(flatten)]
    format: Format,
}

/// Asks and prints.
pub(crate) async fn run(arguments: Arguments, settings: Settings) -> Result<ExitCode, Failure> {
    let request = Request::Doctor(Doctor { probe: arguments.probe, to: arguments.to });
    let response = ask(&settings, arguments.format, request).await?;
    arguments.format.print(&response, || match &response {
        Response::Examined(report) => in_words(report),
        other => super::unexpected(other),
    })?;
    let bad = matches!(&response, Response::Examined(report) if report.is_bad());
    Ok(if bad { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn in_words(report: &Report) -> String {
    let mut text = String::new();
    for section in &report.sections {
        let _ = writeln!(text, "{}", section.about);
        for finding in &section.findings {
            let mark = match finding.state {
                StateView::Good => "✓",
                StateView::Warning => "!",
                StateView::Bad => "✗",
                StateView::Skipped => "-",
            };
            let _ = writeln!(text, "  {mark} {}: {}", finding.step, finding.sentence);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use tandem_bridge::doctor::{FindingView, Section};

    use super::*;

    #[test]
    fn a_report_is_read_line_by_line() {
        let finding = |step: &str, state, sentence: &str| FindingView {
            step: step.to_owned(),
            state,
            sentence: sentence.to_owned(),
        };
        let report = Report {
            sections: vec![Section {
                about: "connection shop".to_owned(),
                findings: vec![
                    finding("token", StateView::Good, "It is accepted."),
                    finding("clock", StateView::Bad, "This machine's clock is 20 minutes off: set it."),
                    finding("source", StateView::Skipped, "There is none."),
                ],
            }],
        };
        assert!(report.is_bad());
        assert_eq!(
            in_words(&report),
            "connection shop\n  ✓ token: It is accepted.\n  ✗ clock: This machine's clock is 20 minutes off: set it.\n  - source: There is none.\n"
        );
    }
}
