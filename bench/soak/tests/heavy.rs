//! The soak, small: its amounts are fixed, so that it takes seconds and does everything the long one does.
#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected has failed")]

use std::{fs, path::Path, process::Command};

use serde_json::Value;

fn soak(arguments: &[&str], directory: &Path) -> (bool, Value) {
    let output = Command::new(env!("CARGO_BIN_EXE_bench-soak"))
        .args(arguments)
        .arg("--json")
        .current_dir(directory)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let printed = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"));
    (output.status.success(), printed)
}

/// The checks that do not hold.
fn failed(printed: &Value) -> Vec<&str> {
    let checks = printed["checks"].as_array().unwrap().iter();
    checks.filter(|check| check["holds"] == false).map(|check| check["asked"].as_str().unwrap()).collect()
}

#[test]
fn a_small_soak_is_survived_and_a_doctored_one_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    // Within seconds on a busy machine, Telegram may open the 40 connections that it may have for each active bot.
    let amounts = "--bots 20 --polling 6 --messages 400 --rate 200 --backlog 600 --samples 40 --at-once --noise 100 --directory .";
    let mut run: Vec<&str> = amounts.split(' ').collect();
    run.extend(["--history", "history.json", "--svg", "soak.svg"]);
    let (holds, printed) = soak(&run, at);
    assert!(holds, "{:?}: {printed:#}", failed(&printed));
    assert_eq!(printed["outcome"]["polling_apps"]["missing"], 0);
    assert_eq!(printed["outcome"]["down"]["waiting"], 640);
    let svg = fs::read_to_string(at.join("soak.svg")).unwrap();
    assert!(svg.contains("</svg>") && svg.contains("Memory of tandem serve"), "{svg}");

    let history: Value = serde_json::from_slice(&fs::read(at.join("history.json")).unwrap()).unwrap();
    let judged = |doctor: &dyn Fn(&mut Value)| {
        let mut doctored = history.clone();
        doctor(&mut doctored);
        fs::write(at.join("doctored.json"), doctored.to_string()).unwrap();
        let (holds, printed) = soak(&["judge", "doctored.json"], at);
        assert_eq!(holds, failed(&printed).is_empty());
        failed(&printed).join(", ")
    };
    assert_eq!(judged(&|_| {}), "");
    let grow = |figure: &'static str, each: u64| {
        move |history: &mut Value| {
            for (place, sample) in history["samples"].as_array_mut().unwrap().iter_mut().enumerate() {
                let before = sample[figure].as_u64().unwrap();
                sample[figure] = (before + place as u64 * each).into();
            }
        }
    };
    assert_eq!(judged(&grow("rss_kb", 8 << 10)), "memory is flat");
    assert_eq!(judged(&grow("open_files", 40)), "open files are flat");
    assert_eq!(judged(&grow("tasks", 40)), "tasks are flat");
    assert_eq!(judged(&grow("database_bytes", 16 << 20)), "the database is bounded");
    assert_eq!(
        judged(&|history| history["outcome"]["webhook_apps"]["missing"] = 1.into()),
        "every app with a webhook got everything that was sent"
    );
}
