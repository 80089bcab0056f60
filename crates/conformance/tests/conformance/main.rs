//! The conformance table: what the project's reference of the Bot API says in sections 1 to 3 and 10, as named cases
//! over raw HTTP, each run against both the sandbox's Telegram and Tandem, so that they cannot drift apart.
//!
//! A side that differs on purpose is declared with its reason, and its case asserts the difference; nothing is skipped.
//! `docs/conformance.md` is written from the same table.

#![expect(clippy::unwrap_used, reason = "helpers of tests: a failure is a failed test")]

mod cases;
mod page;
mod stage;
mod table;

use std::{collections::BTreeSet, fs, panic::AssertUnwindSafe, path::Path};

use futures_util::FutureExt as _;

use crate::{
    cases::GROUPS,
    stage::{Side, Stage},
    table::{Case, Habit, Verdict},
};

/// Runs a group's cases at one side, each in a world of its own, and tells of all that failed.
fn run(group: usize, side: Side) {
    let cases = GROUPS[group - 1].cases();
    let failed: Vec<_> = cases.filter_map(|case| play(side, case).err()).collect();
    assert!(failed.is_empty(), "{} cases failed at {side:?}:\n{}", failed.len(), failed.join("\n"));
}

/// Plays a case; what went wrong, if anything did.
fn play(side: Side, case: &Case) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let playing = async {
        let mut stage = Stage::start(side, case).await;
        (case.run)(&mut stage).await;
        assert!(stage.was_asked(), "the case is declared to differ and does not look at the difference");
    };
    let outcome = runtime.block_on(AssertUnwindSafe(playing).catch_unwind());
    // What still runs ends with its world.
    runtime.shutdown_background();
    outcome.map_err(|panic| {
        let words = panic.downcast_ref::<String>().map(String::as_str);
        let words = words.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no words");
        format!("{} ({}: {})\n{words}\n", case.name, case.section, case.expects)
    })
}

macro_rules! groups {
    ($($number:literal $name:ident;)*) => {
        mod sandbox {
            $(#[test] fn $name() { super::run($number, super::Side::Sandbox); })*
        }
        mod tandem {
            $(#[test] fn $name() { super::run($number, super::Side::Tandem); })*
        }
    };
}

groups! {
    1 requests;
    2 clamping;
    3 offsets;
    4 concurrent_polls;
    5 repeated_polls;
    6 polls_and_webhooks;
    7 setting_webhooks;
    8 allowed_updates;
    9 dropping_what_is_pending;
    10 webhook_info;
    11 deliveries;
    12 crashes;
    13 rebased_ids;
    14 errors;
    15 mirror;
}

#[test]
fn every_group_and_every_habit_has_cases_under_names_of_their_own() {
    let cases: Vec<_> = GROUPS.iter().flat_map(table::Group::cases).collect();
    for (number, group) in (1..).zip(&GROUPS) {
        assert!(group.cases().next().is_some(), "group {number} has no cases");
    }
    for habit in Habit::ALL {
        assert!(cases.iter().any(|case| case.habit == Some(habit)), "nothing plays {habit:?}");
    }
    let names: BTreeSet<_> = cases.iter().map(|case| case.name).collect();
    assert_eq!(names.len(), cases.len(), "a name stands twice");
    for case in cases {
        let ends = [case.expects, reason(case, Side::Sandbox), reason(case, Side::Tandem)];
        assert!(case.expects.ends_with('.'), "{}: what is expected is a sentence", case.name);
        assert!(ends[1..].iter().all(|reason| !reason.ends_with('.')), "{}: a reason is none", case.name);
    }
}

fn reason(case: &Case, side: Side) -> &'static str {
    match case.verdict(side) {
        Verdict::Conforms => "",
        Verdict::Differs(reason) => reason,
    }
}

#[test]
fn the_page_is_what_the_table_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let generated = page::page();
    if fs::read_to_string(root.join("docs/conformance.md")).unwrap_or_default() != generated {
        let fresh = Path::new(env!("CARGO_TARGET_TMPDIR")).join("conformance.md");
        fs::write(&fresh, generated).unwrap();
        panic!("docs/conformance.md is stale: cp {} docs/conformance.md", fresh.display());
    }
}
