//! `docs/conformance.md`, written from the table.

use std::fmt::Write as _;

use crate::{
    cases::GROUPS,
    stage::Side,
    table::{Group, Habit, Verdict},
};

const HEAD: &str = "\
# Conformance

Generated from the table in `crates/conformance`; do not edit.
To write it anew: run the tests of `tandem-conformance` and copy the file that the failing one names.

Every case is a sentence of the project's reference of the Bot API (sections 1 to 3 and 10), played over raw HTTP \
against both the sandbox's Telegram and Tandem's gateway with a whole Tandem behind it, whose Telegram is again the \
sandbox.
So the Telegram that everything is tested with and the one that apps see cannot drift apart.
The clocks of both are moved by hand.

*ok*: as the reference says. \
*differs*: otherwise, on purpose, for the reason given; the case asserts exactly how.
";

/// The whole page.
pub(crate) fn page() -> String {
    let mut page = HEAD.to_owned();
    let total: usize = GROUPS.iter().map(|group| group.cases().count()).sum();
    let different = |side| {
        let cases = GROUPS.iter().flat_map(Group::cases);
        cases.filter(|case| case.verdict(side) != Verdict::Conforms).count()
    };
    let (sandbox, tandem) = (different(Side::Sandbox), different(Side::Tandem));
    let _ = write!(
        page,
        "\n{total} cases; the sandbox differs in {sandbox} of them, Tandem in {tandem}.\n\n## Habits of libraries\n\n"
    );
    for habit in Habit::ALL {
        let playing = GROUPS.iter().flat_map(Group::cases).filter(|case| case.habit == Some(habit));
        let names: Vec<_> = playing.map(|case| format!("`{}`", case.name)).collect();
        let _ = writeln!(page, "- {}: {}", habit.text(), names.join(", "));
    }
    for (number, group) in (1..).zip(&GROUPS) {
        let _ = write!(
            page,
            "\n## {number}. {}\n\n| case | section | expected | sandbox | Tandem |\n| --- | --- | --- | --- | --- |\n",
            group.title
        );
        for case in group.cases() {
            let (sandbox, tandem) = (shown(case.verdict(Side::Sandbox)), shown(case.verdict(Side::Tandem)));
            let name = case.name.replace('_', " ");
            let expects = case.expects.replace('|', "\\|");
            let _ = writeln!(page, "| {name} | {} | {expects} | {sandbox} | {tandem} |", case.section);
        }
    }
    page
}

fn shown(verdict: Verdict) -> String {
    match verdict {
        Verdict::Conforms => "ok".to_owned(),
        Verdict::Differs(reason) => format!("differs: {}", reason.replace('|', "\\|")),
    }
}
