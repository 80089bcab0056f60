//! What a soak says in the end.

use std::{fmt::Write as _, io::Write as _, process::ExitCode};

use serde_json::json;

use crate::{
    history::{History, Stage},
    judge::{Check, to_f64},
};

/// Prints the verdict; the exit code is the verdict too.
pub(crate) fn print(history: &History, checks: &[Check], json: bool) -> anyhow::Result<ExitCode> {
    let holds = checks.iter().all(|check| check.holds);
    let text = if json {
        let History { plan, began, machine, idle, filled_in_s, max_bytes, outcome, samples } = history;
        let last = samples.last();
        let printed = json!({
            "holds": holds, "checks": checks, "plan": plan, "began": began, "machine": machine, "idle": idle,
            "bytes_per_posted_bot": per_bot(idle.one, idle.posted), "bytes_per_polled_bot": per_bot(idle.posted, idle.polled),
            "filled_in_s": filled_in_s, "max_bytes": max_bytes, "outcome": outcome, "last": last,
        });
        format!("{printed:#}\n")
    } else {
        in_words(history, checks, holds)
    };
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn in_words(history: &History, checks: &[Check], holds: bool) -> String {
    let mut text = String::new();
    let idle = &history.idle;
    for (name, value) in &history.machine {
        let _ = writeln!(text, "{name}: {value}");
    }
    for (what, stage) in [
        ("one bot", idle.one),
        ("with posted bots", idle.posted),
        ("with polled bots", idle.polled),
        ("in the end", idle.at_the_end),
    ] {
        if stage.bots == 0 {
            continue;
        }
        let Stage { bots, applied_in_s, started_in_s, rss_kb, tasks, open_files } = stage;
        let _ = writeln!(
            text,
            "{what}: {bots} bots, {:.1} MB, {tasks} tasks, {open_files} open files; applied in {applied_in_s:.1} s, started in {:.0} ms",
            to_f64(rss_kb) / 1024.0,
            started_in_s * 1000.0
        );
    }
    let per_posted = per_bot(idle.one, idle.posted);
    let per_polled = per_bot(idle.posted, idle.polled);
    for (what, bytes, bar) in [("posted", per_posted, 20_000.0), ("polled", per_polled, 80_000.0)] {
        if let Some(bytes) = bytes {
            let _ =
                writeln!(text, "a further idle bot that is {what}: {bytes:.0} bytes; the bar is {bar:.0}");
        }
    }
    let _ = writeln!(text, "backlog of {} filled in {:.1} s", history.plan.backlog, history.filled_in_s);
    if let Some(last) = history.samples.last() {
        let _ = writeln!(
            text,
            "clients wrote for {:.0} s: {} updates given, {} taken, peak memory {:.1} MB",
            last.at_s,
            last.given,
            last.taken,
            to_f64(last.peak_kb) / 1024.0
        );
    }
    for Check { asked, holds, because } in checks {
        let _ = writeln!(text, "{} {asked}: {because}", if *holds { "ok    " } else { "FAILED" });
    }
    let _ = writeln!(text, "{}", if holds { "holds" } else { "DOES NOT HOLD" });
    text
}

/// What each further bot costs, in bytes. `None` where nothing was measured before, or too few to tell.
fn per_bot(before: Stage, after: Stage) -> Option<f64> {
    const ENOUGH: u64 = 1_000;
    if before.bots == 0 {
        return None;
    }
    let bots = after.bots.checked_sub(before.bots).filter(|bots| *bots >= ENOUGH)?;
    Some((to_f64(after.rss_kb) - to_f64(before.rss_kb)) * 1024.0 / to_f64(bots))
}
